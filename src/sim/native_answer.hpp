#pragma once

#include <nlohmann/json_fwd.hpp>

#include "answer.hpp"

namespace lmb::sim {

/// POST /api/v1/chat, LM Studio's own API: the only one that tells of loads and prompts.
class NativeAnswer final : public Answer {
 public:
  explicit NativeAnswer(const AnswerText& text) : text_(text) {}

  [[nodiscard]] std::string started() const override;
  [[nodiscard]] std::string load_started() const override;
  [[nodiscard]] std::string load_progress(double progress) const override;
  [[nodiscard]] std::string load_ended(double seconds) const override;
  [[nodiscard]] std::string prompt_started() const override;
  [[nodiscard]] std::string prompt_progress(double progress) const override;
  [[nodiscard]] std::string prompt_ended() const override;
  [[nodiscard]] std::string token(std::size_t index) override;
  [[nodiscard]] std::string ended(const AnswerStats& stats) override;
  [[nodiscard]] std::string ended_by_error(const AnswerStats& stats) const override;
  [[nodiscard]] std::string whole(const AnswerStats& stats) const override;

 private:
  [[nodiscard]] nlohmann::ordered_json result(const AnswerStats& stats, bool complete) const;
  [[nodiscard]] std::string tool_calls() const;

  const AnswerText& text_;
};

}  // namespace lmb::sim
