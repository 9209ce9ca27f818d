#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace lmb::sim {

/// A conversation up to and including an answer.
struct StoredResponse {
  std::string prompt;  ///< As GenerationRequest::prompt.
  std::uint64_t content_bytes = 0;
};

/// The conversations that `previous_response_id` may go on with; kept by one LM Studio alone, and
/// gone when its process ends (assumption). The oldest go first.
class ResponseStore {
 public:
  explicit ResponseStore(std::size_t responses_max) : responses_max_(responses_max) {}

  void keep(const std::string& id, StoredResponse response);
  /// nullptr for an unknown id; valid until the next call that is not const.
  [[nodiscard]] const StoredResponse* find(const std::string& id) const;
  void clear();

 private:
  std::size_t responses_max_;
  std::unordered_map<std::string, StoredResponse> responses_;
  std::deque<std::string> order_;
};

}  // namespace lmb::sim
