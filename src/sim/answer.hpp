#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/sim/presets.hpp"

namespace lmb::sim {

/// The routes of one dialect: /v1/chat/completions, /v1/completions, and the same two of /api/v0.
struct AnswerForm {
  bool chat = true;
  bool native = false;  ///< /api/v0: whole answers carry stats, model_info and runtime.
};

/// How the generation went, on the simulated machine's clock.
struct AnswerStats {
  double time_to_first_token = 0;  ///< Seconds.
  double generation_time = 0;      ///< Seconds from the first token to the last.
};

/// Builds the JSON of one answer.
class Answer {
 public:
  /// `tokens` outlives this.
  Answer(AnswerForm form, const ModelFacts& model, std::string id, std::uint32_t prompt_tokens);

  /// One SSE event with one token's text.
  [[nodiscard]] std::string token_event(std::string_view token) const;
  /// The event with the finish_reason.
  [[nodiscard]] std::string finish_event(bool length_reached) const;
  [[nodiscard]] std::string usage_event(std::size_t generated_tokens) const;
  /// The whole answer of a request that is not streamed.
  [[nodiscard]] std::string whole(std::span<const std::string> tokens, bool length_reached,
                                  const AnswerStats& stats) const;

 private:
  [[nodiscard]] nlohmann::ordered_json stream_chunk(const nlohmann::ordered_json& choices) const;

  AnswerForm form_;
  const ModelFacts& model_;
  std::string id_;
  std::int64_t created_;
  std::uint32_t prompt_tokens_;
  std::string event_head_;  // Up to the token's text.
  std::string event_tail_;
};

/// An error inside a stream; `named`: with an `event: error` line.
std::string error_event(bool named);

std::string embedding_answer(const ModelFacts& model, const std::vector<std::string>& inputs);

}  // namespace lmb::sim
