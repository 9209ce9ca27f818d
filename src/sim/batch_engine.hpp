#pragma once

#include <deque>
#include <map>
#include <random>
#include <vector>

#include "emission.hpp"
#include "lmb/sim/engine.hpp"
#include "lmb/sim/presets.hpp"
#include "outbox.hpp"
#include "prefix_cache.hpp"

namespace lmb::sim {

/// Continuous batching as LM Studio's engines do it: FIFO slots, one prompt at a time in chunks of
/// 2048 tokens, one decode step for all sequences between two chunks.
class BatchEngine final : public Engine {
 public:
  static constexpr std::uint32_t chunk_tokens = 2048;

  /// `parallel` 0 = that of the physics.
  BatchEngine(BatchPhysics physics, std::uint32_t parallel, std::uint64_t seed);

  JobId submit(Job job, TimePoint now) override;
  void cancel(JobId job, TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> next_event() const override;
  std::vector<Event> advance(TimePoint now) override;
  [[nodiscard]] std::uint32_t slots() const override { return physics_.parallel; }
  [[nodiscard]] std::uint32_t running() const override;
  [[nodiscard]] std::uint32_t waiting() const override;
  [[nodiscard]] bool prompt_running() const override { return prompt_.has_value(); }

 private:
  enum class Phase : std::uint8_t { waiting, ready, prompt, decoding, leaving };
  struct Work {
    Job job;
    Phase phase = Phase::waiting;
    TimePoint ready_at;  // A slot is held; the prompt may start from here on.
    std::uint32_t context =
        0;  // Tokens of the prompt that are in the cache, then also generated ones.
    std::uint32_t generated = 0;
    bool cancelled = false;
    Emission emission;
  };
  enum class StepKind : std::uint8_t { decode, chunk };
  struct Step {
    StepKind kind;
    TimePoint end;
    Duration token_time;           // Of a decode step.
    std::uint32_t tokens = 0;      // Of a chunk.
    std::vector<JobId> sequences;  // Of a decode step.
  };

  void run_to(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_internal() const;
  void admit(TimePoint now);
  void start_step(TimePoint now);
  void start_chunk(JobId id, TimePoint now);
  void start_decode(std::vector<JobId> sequences, TimePoint now);
  void end_step();
  void end_chunk(TimePoint now, std::uint32_t tokens);
  void end_prompt(JobId id, TimePoint now);
  void generated(JobId id, TimePoint now, Duration token_time);
  void release(JobId id);
  [[nodiscard]] std::optional<JobId> next_prompt(TimePoint now) const;

  BatchPhysics physics_;
  PrefixCache cache_;
  std::mt19937_64 random_;
  std::uint64_t last_id_ = 0;
  std::map<JobId, Work> work_;
  std::deque<JobId> queue_;
  std::vector<JobId> slots_;     // In order of admission.
  std::optional<JobId> prompt_;  // The one being processed.
  std::optional<Step> step_;
  bool decoded_last_ = false;
  Outbox outbox_;
};

}  // namespace lmb::sim
