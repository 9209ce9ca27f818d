#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

namespace lmb::sim {

/// The prompt blocks whose keys and values an instance still holds; least recently used go first.
class PrefixCache {
 public:
  explicit PrefixCache(std::size_t blocks_max) : blocks_max_(blocks_max) {}

  /// Number of leading blocks of `prefix` that are held.
  [[nodiscard]] std::size_t held(const std::vector<std::uint64_t>& prefix) const;
  /// Holds all blocks of `prefix` now.
  void insert(const std::vector<std::uint64_t>& prefix);
  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

 private:
  std::size_t blocks_max_;
  std::list<std::uint64_t> order_;  // Most recently used first.
  std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> where_;
};

}  // namespace lmb::sim
