#include "batch_engine.hpp"

#include <algorithm>

#include "duration.hpp"
#include "lmb/base/assert.hpp"

namespace lmb::sim {

BatchEngine::BatchEngine(BatchPhysics physics, std::uint32_t parallel, std::uint64_t seed)
    : physics_(std::move(physics)),
      cache_(physics_.prefix_cache_tokens / prefix_block_tokens),
      random_(seed) {
  if (parallel != 0) physics_.parallel = parallel;
}

JobId BatchEngine::submit(Job job, TimePoint now) {
  LMB_ASSERT(job.prompt_tokens > 0 && job.answer_tokens > 0);
  run_to(now);
  const JobId id(++last_id_);
  Work work;
  work.job = std::move(job);
  work_.emplace(id, std::move(work));
  queue_.push_back(id);
  admit(now);
  if (!step_) start_step(now);
  return id;
}

void BatchEngine::cancel(JobId id, TimePoint now) {
  run_to(now);
  const auto found = work_.find(id);
  if (found == work_.end()) return;
  Work& work = found->second;
  if (work.phase == Phase::prompt) {
    work.cancelled = true;
    return;
  }
  outbox_.drop(id);
  outbox_.push({now, id, EventKind::cancelled, 0});
  if (work.phase == Phase::waiting) {
    std::erase(queue_, id);
  } else {
    release(id);
    admit(now);
  }
  work_.erase(id);
  if (!step_) start_step(now);
}

std::uint32_t BatchEngine::running() const {
  return static_cast<std::uint32_t>(slots_.size());
}

std::uint32_t BatchEngine::waiting() const {
  return static_cast<std::uint32_t>(queue_.size());
}

std::optional<TimePoint> BatchEngine::next_internal() const {
  if (step_) return step_->end;
  std::optional<TimePoint> first;
  for (const JobId id : slots_) {
    const Work& work = work_.at(id);
    if (work.phase == Phase::ready && (!first || work.ready_at < *first)) first = work.ready_at;
  }
  return first;
}

std::optional<TimePoint> BatchEngine::next_event() const {
  const auto inner = next_internal();
  const auto outer = outbox_.next();
  if (inner && outer) return std::min(*inner, *outer);
  return inner ? inner : outer;
}

std::vector<Event> BatchEngine::advance(TimePoint now) {
  run_to(now);
  std::vector<Event> events = outbox_.take(now);
  for (const Event& event : events) {
    if (event.kind == EventKind::finished) work_.erase(event.job);
  }
  return events;
}

void BatchEngine::run_to(TimePoint now) {
  for (auto next = next_internal(); next && *next <= now; next = next_internal()) {
    if (step_) end_step();
    start_step(*next);
  }
}

void BatchEngine::admit(TimePoint now) {
  while (!queue_.empty() && slots_.size() < physics_.parallel) {
    const JobId id = queue_.front();
    queue_.pop_front();
    slots_.push_back(id);
    Work& work = work_.at(id);
    work.phase = Phase::ready;
    work.ready_at = now + physics_.overhead;
  }
}

std::optional<JobId> BatchEngine::next_prompt(TimePoint now) const {
  if (prompt_) return prompt_;
  for (const JobId id : slots_) {
    const Work& work = work_.at(id);
    if (work.phase == Phase::ready && work.ready_at <= now) return id;
  }
  return std::nullopt;
}

void BatchEngine::start_step(TimePoint now) {
  std::vector<JobId> sequences;
  for (const JobId id : slots_) {
    if (work_.at(id).phase == Phase::decoding) sequences.push_back(id);
  }
  const auto prompt = next_prompt(now);
  const bool chunk_is_due = sequences.empty() || decoded_last_ || physics_.prompt_stops_decoding;
  if (prompt && chunk_is_due) {
    start_chunk(*prompt, now);
  } else if (!sequences.empty()) {
    start_decode(std::move(sequences), now);
  }
}

void BatchEngine::start_chunk(JobId id, TimePoint now) {
  Work& work = work_.at(id);
  if (work.phase == Phase::ready) {
    const std::size_t held = cache_.held(work.job.prefix) * prefix_block_tokens;
    // The last prompt token is always computed: the first answer token comes out of it.
    work.context =
        static_cast<std::uint32_t>(std::min<std::size_t>(held, work.job.prompt_tokens - 1));
    work.phase = Phase::prompt;
    prompt_ = id;
    outbox_.push({now, id, EventKind::prompt_started, work.context});
  }
  Step step{StepKind::chunk, now, Duration::zero(), 0, {}};
  step.tokens = std::min(chunk_tokens, work.job.prompt_tokens - work.context);
  // The rate falls within the chunk too: its middle stands for it.
  const double depth = work.context + step.tokens / 2.0;
  step.end += seconds(step.tokens * (1 + depth / physics_.prompt_depth) / physics_.prompt_rate);
  decoded_last_ = false;
  step_ = std::move(step);
}

void BatchEngine::start_decode(std::vector<JobId> sequences, TimePoint now) {
  double depth = 0;
  for (const JobId id : sequences) depth += work_.at(id).context;
  depth /= static_cast<double>(sequences.size());
  const double factor = batch_factor(physics_, static_cast<std::uint32_t>(sequences.size()));
  Step step{StepKind::decode, now, Duration::zero(), 0, {}};
  step.token_time = scaled(physics_.token_time, factor * (1 + depth / physics_.decode_depth));
  step.end += step.token_time;
  step.sequences = std::move(sequences);
  decoded_last_ = true;
  step_ = std::move(step);
}

void BatchEngine::end_step() {
  const Step step = std::move(*step_);
  step_.reset();
  if (step.kind == StepKind::chunk) {
    end_chunk(step.end, step.tokens);
    return;
  }
  for (const JobId id : step.sequences) {
    const auto found = work_.find(id);  // Cancelled ones are gone.
    if (found != work_.end() && found->second.phase == Phase::decoding) {
      generated(id, step.end, step.token_time);
    }
  }
}

void BatchEngine::end_chunk(TimePoint now, std::uint32_t tokens) {
  const JobId id = *prompt_;
  Work& work = work_.at(id);
  work.context += tokens;
  outbox_.push({now, id, EventKind::prompt_progress, work.context});
  if (work.context < work.job.prompt_tokens) return;
  prompt_.reset();
  end_prompt(id, now);
}

void BatchEngine::end_prompt(JobId id, TimePoint now) {
  Work& work = work_.at(id);
  cache_.insert(work.job.prefix);
  if (work.cancelled) {
    outbox_.push({now, id, EventKind::cancelled, 0});
    release(id);
    work_.erase(id);
    admit(now);
    return;
  }
  work.phase = Phase::decoding;
  generated(id, now, Duration::zero());
}

void BatchEngine::generated(JobId id, TimePoint now, Duration token_time) {
  Work& work = work_.at(id);
  ++work.generated;
  ++work.context;
  const bool last = work.generated == work.job.answer_tokens;
  TimePoint left = now;
  if (work.generated == 1) {
    outbox_.push({work.emission.first(now).at, id, EventKind::first_token, 1});
  } else if (const auto burst = work.emission.next(now, token_time, last, random_)) {
    outbox_.push({burst->at, id, EventKind::tokens, burst->tokens});
    left = burst->at;
  }
  if (!last) return;
  outbox_.push({left, id, EventKind::finished, 0});
  work.phase = Phase::leaving;
  release(id);
  admit(now);
}

void BatchEngine::release(JobId id) {
  std::erase(slots_, id);
}

}  // namespace lmb::sim
