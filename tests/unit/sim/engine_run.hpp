#pragma once

#include <map>
#include <vector>

#include "lmb/sim/engine.hpp"

namespace lmb::test {

inline constexpr TimePoint start = TimePoint(std::chrono::hours(1));

inline double seconds_of(Duration d) {
  return std::chrono::duration<double>(d).count();
}

/// What happened to one job.
struct JobStory {
  std::optional<TimePoint> prompt_started;
  std::optional<TimePoint> first_token;
  std::optional<TimePoint> finished;
  std::optional<TimePoint> cancelled;
  std::uint32_t cached = 0;
  std::vector<std::uint32_t> prompt_progress;  // Prompt tokens after each chunk.
  std::uint32_t tokens = 0;
  std::vector<TimePoint> token_times;  // One entry a token.
};

/// Plays an engine from event to event and keeps what it says, by job number.
class EngineRun {
 public:
  explicit EngineRun(sim::Engine& engine) : engine_(engine) {}

  sim::JobId submit(std::uint32_t prompt, std::uint32_t answer, TimePoint at,
                    std::vector<std::uint64_t> prefix = {}) {
    sim::Job job;
    job.prompt_tokens = prompt;
    job.answer_tokens = answer;
    job.prefix = std::move(prefix);
    play_to(at);
    return engine_.submit(std::move(job), at);
  }
  void cancel(sim::JobId job, TimePoint at) {
    play_to(at);
    engine_.cancel(job, at);
  }
  void play_to(TimePoint end) {
    for (auto next = engine_.next_event(); next && *next <= end; next = engine_.next_event()) {
      take(*next);
    }
    take(end);
  }
  void play_out() {
    for (auto next = engine_.next_event(); next; next = engine_.next_event()) take(*next);
  }
  JobStory& operator[](sim::JobId job) { return stories_[job]; }
  [[nodiscard]] TimePoint last() const { return last_; }
  [[nodiscard]] const std::vector<sim::Event>& events() const { return events_; }

 private:
  void take(TimePoint now) {
    for (const auto& event : engine_.advance(now)) {
      events_.push_back(event);
      last_ = event.at;
      JobStory& story = stories_[event.job];
      switch (event.kind) {
        case sim::EventKind::prompt_started:
          story.prompt_started = event.at;
          story.cached = event.tokens;
          break;
        case sim::EventKind::prompt_progress:
          story.prompt_progress.push_back(event.tokens);
          break;
        case sim::EventKind::first_token:
          story.first_token = event.at;
          [[fallthrough]];
        case sim::EventKind::tokens:
          story.tokens += event.tokens;
          story.token_times.insert(story.token_times.end(), event.tokens, event.at);
          break;
        case sim::EventKind::finished:
          story.finished = event.at;
          break;
        case sim::EventKind::cancelled:
          story.cancelled = event.at;
          break;
      }
    }
  }

  sim::Engine& engine_;
  std::map<sim::JobId, JobStory> stories_;
  std::vector<sim::Event> events_;
  TimePoint last_;
};

}  // namespace lmb::test
