#include "response_store.hpp"

#include <utility>

namespace lmb::sim {

void ResponseStore::keep(const std::string& id, StoredResponse response) {
  if (!responses_.emplace(id, std::move(response)).second) return;
  order_.push_back(id);
  if (order_.size() <= responses_max_) return;
  responses_.erase(order_.front());
  order_.pop_front();
}

const StoredResponse* ResponseStore::find(const std::string& id) const {
  const auto found = responses_.find(id);
  return found == responses_.end() ? nullptr : &found->second;
}

void ResponseStore::clear() {
  responses_.clear();
  order_.clear();
}

}  // namespace lmb::sim
