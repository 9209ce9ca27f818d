#include "report_a_engine.hpp"

#include <algorithm>
#include <cmath>

#include "duration.hpp"
#include "lmb/base/assert.hpp"

namespace lmb::sim {
namespace {

/// Part of a unit by which rounding may miss a token's share.
constexpr double tolerance = 1e-9;

}  // namespace

ReportAEngine::ReportAEngine(SharedWorkPhysics physics, std::uint32_t parallel)
    : physics_(physics) {
  if (parallel != 0) physics_.parallel = parallel;
}

JobId ReportAEngine::submit(Job job, TimePoint now) {
  LMB_ASSERT(job.answer_tokens > 0);
  run_to(now);
  const JobId id(++last_id_);
  Work work;
  work.answer_tokens = job.answer_tokens;
  queue_.emplace_back(id, work);
  admit(now);
  return id;
}

void ReportAEngine::cancel(JobId id, TimePoint now) {
  run_to(now);
  const auto removed = std::erase_if(queue_, [id](const auto& entry) { return entry.first == id; });
  if (removed + running_.erase(id) == 0) return;
  outbox_.drop(id);
  outbox_.push({now, id, EventKind::cancelled, 0});
  admit(now);
}

std::uint32_t ReportAEngine::running() const {
  return static_cast<std::uint32_t>(running_.size());
}

std::uint32_t ReportAEngine::waiting() const {
  return static_cast<std::uint32_t>(queue_.size());
}

std::optional<TimePoint> ReportAEngine::next_event() const {
  const auto inner = next_token();
  const auto outer = outbox_.next();
  if (inner && outer) return std::min(*inner, *outer);
  return inner ? inner : outer;
}

std::vector<Event> ReportAEngine::advance(TimePoint now) {
  run_to(now);
  return outbox_.take(now);
}

double ReportAEngine::seconds_per_unit() const {
  return to_seconds(physics_.alone) +
         to_seconds(physics_.per_request) * static_cast<double>(running_.size());
}

std::optional<TimePoint> ReportAEngine::next_token() const {
  double nearest = 2;
  for (const auto& [id, work] : running_) {
    const double due = static_cast<double>(work.given + 1) / work.answer_tokens;
    nearest = std::min(nearest, due - work.done);
  }
  if (running_.empty()) return std::nullopt;
  // One nanosecond more than computed, so that rounding cannot make this the present for ever.
  return progressed_to_ + seconds(std::max(0.0, nearest) * seconds_per_unit()) + Duration(1);
}

void ReportAEngine::run_to(TimePoint now) {
  for (auto next = next_token(); next && *next <= now; next = next_token()) {
    progress_to(*next);
    give_tokens(*next);
    admit(*next);
  }
  progress_to(now);
}

void ReportAEngine::progress_to(TimePoint now) {
  if (!running_.empty() && now > progressed_to_) {
    const double units = to_seconds(now - progressed_to_) / seconds_per_unit();
    for (auto& [id, work] : running_) work.done += units;
  }
  progressed_to_ = now;
}

void ReportAEngine::give_tokens(TimePoint now) {
  for (auto entry = running_.begin(); entry != running_.end();) {
    auto& [id, work] = *entry;
    const auto due = static_cast<std::uint32_t>(
        std::min<double>(work.answer_tokens, (work.done + tolerance) * work.answer_tokens));
    if (due > work.given) {
      std::uint32_t tokens = due - work.given;
      if (work.given == 0) {
        outbox_.push({now, id, EventKind::first_token, 1});
        --tokens;
      }
      if (tokens > 0) outbox_.push({now, id, EventKind::tokens, tokens});
      work.given = due;
    }
    if (work.given == work.answer_tokens) {
      outbox_.push({now, id, EventKind::finished, 0});
      entry = running_.erase(entry);
    } else {
      ++entry;
    }
  }
}

void ReportAEngine::admit(TimePoint now) {
  while (!queue_.empty() && running_.size() < physics_.parallel) {
    const auto [id, work] = queue_.front();
    queue_.pop_front();
    running_.emplace(id, work);
    outbox_.push({now, id, EventKind::prompt_started, 0});
  }
}

}  // namespace lmb::sim
