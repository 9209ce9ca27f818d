#include "lmb/upstream/connection_pool.hpp"

#include <algorithm>
#include <utility>

namespace lmb::upstream {

ConnectionPool::ConnectionPool(std::size_t workers, Duration idle_max, std::size_t size_max,
                               telemetry::Metrics& metrics)
    : idle_max_(idle_max), size_max_(size_max), metrics_(metrics), idle_(workers), shut_(workers) {}

std::optional<net::Stream> ConnectionPool::take(WorkerId worker, TimePoint now) {
  auto& idle = idle_[worker.value()];
  while (!idle.empty()) {
    auto newest = std::move(idle.back());
    idle.pop_back();
    const bool fresh = now - newest.since < idle_max_;
    // An end of file, or bytes that nobody asked for and that would be taken for the next answer:
    // dead either way. The wait armed by put() tells what came before this turn of the loop, and
    // then serves as the wait for the next answer; what came since only a look tells.
    const bool quiet =
        !newest.stream.read_ready() && newest.stream.peek() == net::Stream::Peer::quiet;
    if (fresh && quiet) return std::move(newest.stream);
  }
  return std::nullopt;
}

void ConnectionPool::put(WorkerId worker, net::Stream stream, TimePoint now) {
  if (shut_[worker.value()]) return;
  auto& idle = idle_[worker.value()];
  stream.set_bell(nullptr);
  stream.arm_read_silently();
  if (idle.size() >= size_max_) {
    metrics_.count_limit_hit("limits.pool_connections");
    idle.erase(idle.begin());
  }
  idle.push_back(Idle{std::move(stream), now});
}

void ConnectionPool::shut(WorkerId worker) {
  idle_[worker.value()].clear();
  shut_[worker.value()] = true;
}

void ConnectionPool::reopen(WorkerId worker) {
  idle_[worker.value()].clear();
  shut_[worker.value()] = false;
}

void ConnectionPool::tick(TimePoint now) {
  for (auto& idle : idle_) {
    const auto young = std::find_if(
        idle.begin(), idle.end(), [&](const Idle& entry) { return now - entry.since < idle_max_; });
    idle.erase(idle.begin(), young);
  }
}

void ConnectionPool::keep_only(WorkerId worker,
                               const std::vector<boost::asio::ip::tcp::endpoint>& addresses) {
  std::erase_if(idle_[worker.value()], [&](const Idle& entry) {
    return std::find(addresses.begin(), addresses.end(), entry.stream.peer()) == addresses.end();
  });
}

std::size_t ConnectionPool::idle(WorkerId worker) const noexcept {
  return idle_[worker.value()].size();
}

}  // namespace lmb::upstream
