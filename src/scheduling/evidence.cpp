#include <algorithm>
#include <chrono>
#include <cstdint>

#include "scheduler_state.hpp"

// What requests and probes tell of the workers: the scheduler's judgement of health.

namespace lmb::scheduling {
namespace {

/// What a prompt takes at most on a worker that has not shown its pace: a 70B model on an M2 Ultra
/// reads about 60 tokens per second.
Duration slow_prefill(std::uint64_t tokens) noexcept {
  constexpr auto first = std::chrono::seconds(1);
  constexpr auto per_token = std::chrono::milliseconds(20);
  constexpr std::uint64_t most = 1'000'000;
  return first + per_token * static_cast<std::int64_t>(std::min(tokens, most));
}

}  // namespace

void Scheduler::State::learn(const Lease& lease, const Report& report, TimePoint now,
                             Effects& effects) {
  const WorkerId worker = lease.place.worker;
  if (!is_evidence(lease)) {
    return;
  }
  if (report.first_token) {
    const TimePoint sent = report.sent.value_or(lease.granted);
    // A cold request's first token tells of the load, not of the prompt.
    if (!lease.cold && *report.first_token > sent) {
      fleet.pace(worker).first_token(lease.work.prompt_tokens, *report.first_token - sent);
    }
    if (report.last_token && report.tokens > 1) {
      const auto gaps = static_cast<Duration::rep>(report.tokens - 1);
      fleet.pace(worker).between_tokens((*report.last_token - *report.first_token) / gaps);
    }
    fleet.delivered(worker, report.last_token.value_or(*report.first_token));
  }
  const bool whole = report.outcome == Outcome::answered && report.by_model &&
                     !report.first_token && !lease.work.stream && !lease.cold &&
                     lease.work.prompt_tokens > 0 &&
                     fleet.instance(lease.place).kind == ModelKind::generating;
  if (whole && report.sent && now > *report.sent) {
    fleet.pace(worker).whole_answer(lease.work.prompt_tokens, now - *report.sent);
  }
  switch (report.outcome) {
    case Outcome::model_unavailable:
      if (!lease.cold && report.load_tried && strike(lease.place, now, effects)) {
        effects.doubted.push_back(worker);
      }
      [[fallthrough]];
    case Outcome::answered:
      fleet.used(lease.place, now);
      fleet.delivered(worker, now);
      fleet.succeeded(worker, now);
      break;
    case Outcome::worker_fault:
      judge_fault(lease, report, now);
      break;
    case Outcome::abandoned:
      if (report.first_token) {
        fleet.succeeded(worker, now);
      } else if (lease.trial) {
        fleet.trial_ended(worker);
      }
      break;
  }
}

void Scheduler::State::judge_fault(const Lease& lease, const Report& report, TimePoint now) {
  // What was never sent cannot have been the prompt's fault.
  if (!report.sent || faults.is_evidence(report.prompt, now)) {
    fleet.failed(lease.place.worker, now);
  } else if (lease.trial) {
    fleet.trial_ended(lease.place.worker);
  }
}

void Scheduler::State::release(const Lease& lease, const Report& report, TimePoint now) {
  const bool unanswered = report.outcome == Outcome::abandoned && report.sent &&
                          !report.first_token && !lease.first_token;
  if (unanswered && explains_silence(lease)) {
    excuse_prompt(lease, now);
  }
  if (!unanswered || options.abandon_settle_max <= Duration::zero()) {
    fleet.give_back(lease.place);
    return;
  }
  Duration wait = options.abandon_settle_max;
  if (lease.work.prompt_tokens > 0 && !lease.cold) {
    const auto prefill = fleet.pace(lease.place.worker).prefill(lease.work.prompt_tokens);
    // Prompts are worked off one after the other, and only those that were patient taught the pace.
    const std::uint32_t prompts = fleet.instance(lease.place).occupied();
    wait = std::min(wait, prefill.value_or(slow_prefill(lease.work.prompt_tokens)) * prompts);
  }
  const TimePoint until = add_saturated(now, wait);
  fleet.settle(lease.place, {lease.granted, until});
}

bool Scheduler::State::explains_silence(const Lease& lease) const {
  const Worker& worker = fleet.worker(lease.place.worker);
  const TimePoint since = std::max(worker.last_delivery, worker.busy_since);
  // What is given to a worker that is silent already must not make its silence look natural:
  // clients that come and go would hide a wedge for ever.
  return lease.granted <= add_saturated(since, options.health.wedge_floor);
}

void Scheduler::State::excuse_prompt(const Lease& lease, TimePoint now) {
  const WorkerId worker = lease.place.worker;
  // The worker goes on with it, however long that is, before it does what others asked for.
  const auto longest = fleet.pace(worker).longest_prefill(lease.work.prompt_tokens);
  if (lease.work.prompt_tokens == 0) {
    fleet.excuse(worker, add_saturated(now, options.abandon_settle_max));
  } else if (longest) {
    fleet.excuse(worker, add_saturated(lease.granted, *longest * options.health.wedge_factor));
  }
}

std::optional<Duration> Scheduler::State::patience(WorkerId worker) const {
  const Pace& pace = fleet.worker(worker).pace;
  const auto gap = pace.longest_gap();
  // A load takes its own time, and LM Studio may answer nothing else meanwhile.
  if (loads.loading(worker) != nullptr || watched_load(worker)) {
    return std::nullopt;
  }
  const auto shortest = pace.longest_prefill(0);
  bool any_stream = false;
  Duration prefills{};
  for (const Lease& lease : leases.all()) {
    if (!lease.held || lease.place.worker != worker) {
      continue;
    }
    // Silent because nobody listens.
    if (lease.held_back) {
      return std::nullopt;
    }
    any_stream = any_stream || lease.work.stream;
    // Prompts are worked off one after the other, and may stop all decoding meanwhile. One whose
    // size is not known, or whose answer is silent until its end, may take any time.
    if (!lease.work.stream || lease.work.acts ||
        (lease.work.prompt_tokens == 0 && !lease.first_token)) {
      if (explains_silence(lease)) {
        return std::nullopt;
      }
      continue;
    }
    if (!shortest) {
      return std::nullopt;
    }
    prefills += *pace.longest_prefill(lease.work.prompt_tokens);
  }
  if (!any_stream || !gap) {
    return std::nullopt;
  }
  const auto longest = std::max(prefills, *gap) * options.health.wedge_factor;
  return std::max<Duration>(options.health.wedge_floor, longest);
}

void Scheduler::State::judge_silence(WorkerId id, TimePoint now, Effects& effects) {
  const Worker& worker = fleet.worker(id);
  if (worker.silent || worker.in_flight == 0) {
    return;
  }
  const auto limit = patience(id);
  if (!limit) {
    fleet.excuse(id, now);
    return;
  }
  if (now - std::max({worker.last_delivery, worker.busy_since, worker.excused_until}) > *limit) {
    fleet.found_wedged(id, now);
    effects.wedged.push_back(id);
  }
}

}  // namespace lmb::scheduling
