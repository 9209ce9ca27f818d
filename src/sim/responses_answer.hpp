#pragma once

#include <nlohmann/json_fwd.hpp>

#include "answer.hpp"

namespace lmb::sim {

/// POST /v1/responses, with the events of OpenAI's API; which of them LM Studio sends besides
/// created, output_text.delta and completed is not known.
class ResponsesAnswer final : public Answer {
 public:
  explicit ResponsesAnswer(const AnswerText& text) : text_(text) {}

  [[nodiscard]] std::string token(std::size_t index) override;
  [[nodiscard]] std::string ended(const AnswerStats& stats) override;
  [[nodiscard]] std::string whole(const AnswerStats& stats) const override;

 private:
  [[nodiscard]] nlohmann::ordered_json response(const char* status) const;
  [[nodiscard]] nlohmann::ordered_json finished(const AnswerStats& stats) const;
  [[nodiscard]] nlohmann::ordered_json reasoning_item(bool done) const;
  [[nodiscard]] nlohmann::ordered_json message_item(bool done) const;
  [[nodiscard]] std::string event(nlohmann::ordered_json data);
  [[nodiscard]] std::string begin();
  [[nodiscard]] std::string delta(const char* type, std::size_t index);
  [[nodiscard]] std::string begin_item(bool reasoning);
  [[nodiscard]] std::string end_item(bool reasoning);
  [[nodiscard]] int message_index() const { return text_.reasoning_tokens > 0 ? 1 : 0; }

  const AnswerText& text_;
  std::uint64_t sequence_ = 0;  // Of the next event.
};

}  // namespace lmb::sim
