#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "lmb/base/clock.hpp"

namespace lmb::scheduling {

/// Which prompts made a worker fail lately.
///
/// A prompt that crashes every engine it reaches, repeated by our retries and by its client's SDK,
/// would take one worker after the other out of the fleet. So a prompt is evidence once: its later
/// faults, on whatever worker, count for nothing during five minutes. 64 prompts are remembered.
class FaultMemory {
 public:
  /// True when this fault is evidence. `prompt` is a hash of the request; 0 = not known: always
  /// evidence.
  bool is_evidence(std::uint64_t prompt, TimePoint now) noexcept {
    if (prompt == 0) {
      return true;
    }
    for (const Fault& fault : faults_) {
      if (fault.prompt == prompt && now - fault.at < memory) {
        return false;
      }
    }
    faults_[next_] = {prompt, now};
    next_ = (next_ + 1) % faults_.size();
    return true;
  }

 private:
  static constexpr Duration memory = std::chrono::minutes(5);
  struct Fault {
    std::uint64_t prompt = 0;
    TimePoint at;
  };
  std::array<Fault, 64> faults_{};
  std::size_t next_ = 0;
};

}  // namespace lmb::scheduling
