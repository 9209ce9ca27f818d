#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace lmb::telemetry {

/// How long whole answers are on the average: what an answer that nobody waited for would probably
/// have become. Thread safety: safe.
class AnswerLengths {
 public:
  void note_whole(std::uint64_t tokens) noexcept {
    tokens_.fetch_add(tokens, std::memory_order_relaxed);
    answers_.fetch_add(1, std::memory_order_relaxed);
  }
  /// Tokens that are not generated because an answer that may have `most` ended after `generated`;
  /// 0 while no whole answer was seen.
  [[nodiscard]] std::uint64_t left_of(std::uint64_t most, std::uint64_t generated) const noexcept {
    const auto answers = answers_.load(std::memory_order_relaxed);
    if (answers == 0) return 0;
    const auto whole = std::min(most, tokens_.load(std::memory_order_relaxed) / answers);
    return whole > generated ? whole - generated : 0;
  }

 private:
  std::atomic<std::uint64_t> tokens_{0};
  std::atomic<std::uint64_t> answers_{0};
};

}  // namespace lmb::telemetry
