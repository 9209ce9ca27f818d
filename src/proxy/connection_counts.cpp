#include "lmb/proxy/connection_counts.hpp"

#include <algorithm>

#include "lmb/net/network.hpp"

namespace lmb::proxy {

ConnectionCounts::Key ConnectionCounts::key_of(const boost::asio::ip::address& client) noexcept {
  Key key{};
  const auto address = net::unmapped(client);
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    key[0] = 4;
    std::copy(bytes.begin(), bytes.end(), key.begin() + 1);
  } else {
    const auto bytes = address.to_v6().to_bytes();
    key[0] = 6;
    std::copy_n(bytes.begin(), key.size() - 1, key.begin() + 1);
  }
  return key;
}

ConnectionCounts::Verdict ConnectionCounts::enter(const Key& key) {
  const std::lock_guard lock(mutex_);
  if (open_ >= total_max_) return Verdict::total_full;
  if (key != Key()) {
    const auto found = by_client_.find(key);
    const auto has = found == by_client_.end() ? 0 : found->second;
    if (has >= per_client_max_) return Verdict::client_full;
    by_client_[key] = has + 1;
  }
  ++open_;
  return Verdict::admitted;
}

void ConnectionCounts::leave(const Key& key) noexcept {
  const std::lock_guard lock(mutex_);
  --open_;
  const auto found = by_client_.find(key);
  if (found != by_client_.end() && --found->second == 0) by_client_.erase(found);
}

}  // namespace lmb::proxy
