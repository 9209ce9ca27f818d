#pragma once

#include <nlohmann/json_fwd.hpp>

#include "answer.hpp"

namespace lmb::sim {

/// The OpenAI routes for chat and text completions, also those of /api/v0.
class CompletionAnswer final : public Answer {
 public:
  CompletionAnswer(AnswerForm form, const AnswerText& text);

  [[nodiscard]] std::string token(std::size_t index) override;
  [[nodiscard]] std::string ended(const AnswerStats& stats) override;
  [[nodiscard]] std::string whole(const AnswerStats& stats) const override;

 private:
  [[nodiscard]] std::string event_with(const nlohmann::ordered_json& choices) const;
  [[nodiscard]] std::string finish_event() const;
  [[nodiscard]] std::string usage_event() const;

  bool chat_;
  bool native_;
  const AnswerText& text_;
  std::string head_;  // Of a token's event, up to the token's text.
  std::string tail_;
  std::string reasoning_head_;
};

}  // namespace lmb::sim
