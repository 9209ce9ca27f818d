#include "lmb/upstream/connection_pool.hpp"

#include <algorithm>
#include <utility>

namespace lmb::upstream {

ConnectionPool::ConnectionPool(std::size_t workers, Duration idle_max, std::size_t size_max)
    : idle_max_(idle_max), size_max_(size_max), idle_(workers) {}

std::optional<net::Stream> ConnectionPool::take(WorkerId worker, TimePoint now) {
  auto& idle = idle_[worker.value()];
  while (!idle.empty()) {
    auto newest = std::move(idle.back());
    idle.pop_back();
    const bool fresh = now - newest.since < idle_max_;
    // Bytes that nobody asked for would be taken for the next answer: such a connection is as dead
    // as a closed one.
    if (fresh && newest.stream.peek() == net::Stream::Peer::quiet) return std::move(newest.stream);
  }
  return std::nullopt;
}

void ConnectionPool::put(WorkerId worker, net::Stream stream, TimePoint now) {
  auto& idle = idle_[worker.value()];
  stream.set_bell(nullptr);
  if (idle.size() >= size_max_) idle.erase(idle.begin());
  idle.push_back(Idle{std::move(stream), now});
}

void ConnectionPool::tick(TimePoint now) {
  for (auto& idle : idle_) {
    const auto young = std::find_if(
        idle.begin(), idle.end(), [&](const Idle& entry) { return now - entry.since < idle_max_; });
    idle.erase(idle.begin(), young);
  }
}

void ConnectionPool::clear(WorkerId worker) {
  idle_[worker.value()].clear();
}

void ConnectionPool::clear() {
  for (auto& idle : idle_) idle.clear();
}

std::size_t ConnectionPool::idle(WorkerId worker) const noexcept {
  return idle_[worker.value()].size();
}

}  // namespace lmb::upstream
