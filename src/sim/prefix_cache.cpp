#include "prefix_cache.hpp"

namespace lmb::sim {

std::size_t PrefixCache::held(const std::vector<std::uint64_t>& prefix) const {
  std::size_t n = 0;
  while (n < prefix.size() && where_.contains(prefix[n])) ++n;
  return n;
}

void PrefixCache::insert(const std::vector<std::uint64_t>& prefix) {
  // Last block first, so that the head of the prefix is the youngest and is evicted last: a tail
  // without its head is worth nothing.
  for (auto block = prefix.rbegin(); block != prefix.rend(); ++block) {
    if (const auto found = where_.find(*block); found != where_.end()) {
      order_.splice(order_.begin(), order_, found->second);
    } else {
      order_.push_front(*block);
      where_.emplace(*block, order_.begin());
    }
  }
  while (order_.size() > blocks_max_) {
    where_.erase(order_.back());
    order_.pop_back();
  }
}

}  // namespace lmb::sim
