#pragma once

#include <nlohmann/json_fwd.hpp>

#include "answer.hpp"

namespace lmb::sim {

/// POST /v1/messages, Anthropic's API.
class MessagesAnswer final : public Answer {
 public:
  explicit MessagesAnswer(const AnswerText& text) : text_(text) {}

  [[nodiscard]] std::string token(std::size_t index) override;
  [[nodiscard]] std::string ended(const AnswerStats& stats) override;
  [[nodiscard]] std::string whole(const AnswerStats& stats) const override;

 private:
  [[nodiscard]] nlohmann::ordered_json message() const;
  [[nodiscard]] std::string begin() const;
  [[nodiscard]] std::string begin_block(bool thinking) const;
  [[nodiscard]] std::string end_block(bool thinking) const;
  [[nodiscard]] const char* stop_reason() const;
  [[nodiscard]] int block_of(bool thinking) const;

  const AnswerText& text_;
};

}  // namespace lmb::sim
