#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lmb/base/clock.hpp"
#include "lmb/base/strong_id.hpp"

namespace lmb::sim {

struct Preset;

/// A job's number within one engine, in order of submission from 1; never reused.
using JobId = StrongId<struct JobIdTag, std::uint64_t>;

/// What the physics needs to know of a request.
struct Job {
  std::uint32_t prompt_tokens = 1;
  /// One chained hash per full block of `prefix_block_tokens` prompt tokens: equal hashes mean
  /// equal prompts up to there (see hash_prefix).
  std::vector<std::uint64_t> prefix;
  std::uint32_t answer_tokens = 1;  ///< Tokens to generate, at least 1.
};

/// Tokens per entry of Job::prefix.
inline constexpr std::uint32_t prefix_block_tokens = 64;

enum class EventKind : std::uint8_t {
  prompt_started,   ///< Got the engine after waiting; `tokens` = prompt tokens found in the prefix
                    ///< cache.
  prompt_progress,  ///< A chunk is done; `tokens` = prompt tokens processed so far, cached ones
                    ///< too.
  first_token,      ///< `tokens` = 1.
  tokens,           ///< A burst of `tokens` more.
  finished,         ///< The last token was given out. The job is gone.
  cancelled,        ///< A cancelled job gave its slot back. The job is gone.
};

struct Event {
  TimePoint at;
  JobId job;
  EventKind kind = EventKind::finished;
  std::uint32_t tokens = 0;
};

/// The physics of one loaded model instance: no I/O, clock or thread; the same calls with the same
/// times and the same seed give the same events.
///
/// Times are the owner's (of the simulated machine, not of the wall) and must not decrease from
/// call to call. All calls first let everything happen that was due by then.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Takes a request; it waits silently when all slots are busy, however many wait already.
  virtual JobId submit(Job job, TimePoint now) = 0;
  /// The client left. A job that waits or generates is gone at once; a prompt that is being
  /// processed is finished first and keeps its slot until then (LM Studio's server log says so).
  /// Unknown jobs are ignored.
  virtual void cancel(JobId job, TimePoint now) = 0;
  /// When `advance` should be called next; nothing when the engine is idle.
  [[nodiscard]] virtual std::optional<TimePoint> next_event() const = 0;
  /// Everything that happened up to and including `now` since the last call, in order of time.
  virtual std::vector<Event> advance(TimePoint now) = 0;

  [[nodiscard]] virtual std::uint32_t slots() const = 0;
  [[nodiscard]] virtual std::uint32_t running() const = 0;  ///< Slots in use.
  [[nodiscard]] virtual std::uint32_t waiting() const = 0;
  /// True while a prompt is being processed.
  [[nodiscard]] virtual bool prompt_running() const = 0;
};

/// The engine of a preset. `parallel` 0 = the preset's own number of slots.
std::unique_ptr<Engine> make_engine(const Preset& preset, std::uint32_t parallel,
                                    std::uint64_t seed);

}  // namespace lmb::sim
