#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generation_request.hpp"
#include "lmb/sim/presets.hpp"
#include "problem.hpp"

namespace lmb::sim {

/// What a generation route answers with.
enum class AnswerForm : std::uint8_t {
  chat,           ///< /v1/chat/completions
  completion,     ///< /v1/completions
  v0_chat,        ///< /api/v0/chat/completions: whole answers carry stats, model_info and runtime.
  v0_completion,  ///< /api/v0/completions
  responses,      ///< /v1/responses
  messages,       ///< /v1/messages
  native_chat,    ///< /api/v1/chat
};

Dialect dialect_of(AnswerForm form);

/// All that an answer says, but for when.
struct AnswerText {
  std::string id;
  std::string instance_id;  ///< `model` of the answer: who answered, not who was asked.
  ModelFacts model;         ///< With the instance's context length.
  std::int64_t created = 0;
  std::uint32_t prompt_tokens = 1;
  std::vector<std::string> tokens;
  std::size_t reasoning_tokens = 0;  ///< So many of the first tokens.
  bool length_reached = false;
  bool stored = false;  ///< The id may be a later request's previous_response_id.
  std::string previous_response_id;
  std::vector<Integration> integrations;  ///< Each is called once, before the message.
  bool usage_wanted = false;              ///< The event that OpenAI's streams have on demand.

  /// Tokens from `first` on, up to `last`, in one piece.
  [[nodiscard]] std::string joined(std::size_t first, std::size_t last) const;
  [[nodiscard]] std::string reasoning() const { return joined(0, reasoning_tokens); }
  [[nodiscard]] std::string message() const { return joined(reasoning_tokens, tokens.size()); }
};

/// How the generation went, on the simulated machine's clock.
struct AnswerStats {
  double time_to_first_token = 0;   ///< Seconds.
  double generation_time = 0;       ///< Seconds from the first token to the last.
  std::optional<double> load_time;  ///< Seconds, if this request loaded the instance.
  std::uint32_t cached_tokens = 0;
};

/// Builds the JSON of one answer in the words of one API. Every event ends with an empty line;
/// an empty text is no event.
class Answer {
 public:
  virtual ~Answer() = default;

  // What comes before the first token; only the native API tells anything then.
  [[nodiscard]] virtual std::string started() const { return {}; }
  [[nodiscard]] virtual std::string load_started() const { return {}; }
  [[nodiscard]] virtual std::string load_progress(double /*progress*/) const { return {}; }
  [[nodiscard]] virtual std::string load_ended(double /*seconds*/) const { return {}; }
  [[nodiscard]] virtual std::string prompt_started() const { return {}; }
  [[nodiscard]] virtual std::string prompt_progress(double /*progress*/) const { return {}; }
  [[nodiscard]] virtual std::string prompt_ended() const { return {}; }

  /// The event of one token, and those that begin or end a part of the answer there. For each token
  /// once, in order.
  [[nodiscard]] virtual std::string token(std::size_t index) = 0;
  /// All that follows the last token.
  [[nodiscard]] virtual std::string ended(const AnswerStats& stats) = 0;
  /// All that follows an error event.
  [[nodiscard]] virtual std::string ended_by_error(const AnswerStats& /*stats*/) const {
    return {};
  }
  /// The whole answer of a request that is not streamed.
  [[nodiscard]] virtual std::string whole(const AnswerStats& stats) const = 0;
};

/// `text` outlives the answer.
std::unique_ptr<Answer> make_answer_of(AnswerForm form, const AnswerText& text);

std::string embedding_answer(const ModelFacts& model, const std::vector<std::string>& inputs);

}  // namespace lmb::sim
