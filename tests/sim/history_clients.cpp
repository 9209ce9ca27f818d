#include <algorithm>
#include <chrono>
#include <ostream>
#include <variant>

#include "sim/history.hpp"
#include "unit/scheduling/printing.hpp"

namespace lmb::history {

using namespace std::chrono_literals;
using scheduling::Outcome;
using scheduling::Refusal;
using scheduling::RetryDecision;

namespace {

scheduling::Report abandoned_after(TimePoint sent) {
  scheduling::Report report(Outcome::abandoned);
  report.sent = sent;
  return report;
}

}  // namespace

void History::plan_arrival() {
  timeline_.after(chance_.around(setting_.arrivals_mean), [this] {
    if (peace_) {
      return;
    }
    // Now and then a burst, as when a classroom or an agent starts.
    const std::uint32_t count = chance_.happens(0.05) ? chance_.between(2U, 15U) : 1;
    for (std::uint32_t i = 0; i < count && !complaint_; ++i) {
      arrive();
      oracle_.compare(scheduler_);
    }
    plan_arrival();
  });
}

void History::arrive() {
  Request& request = requests_.emplace_back();
  request.number = static_cast<std::uint32_t>(requests_.size());
  request.model = random_model(chance_);
  const Duration patience = chance_.happens(0.02) ? Duration{} : chance_.between(1ms, 60s);
  request.queue_deadline = now() + patience;
  request.attempt.deadline = now() + 10min;
  request.prompt = chance_.happens(0.1) ? chance_.between(1U, 3U) : 1000 + request.number;
  request.prompt_tokens = chance_.happens(0.5) ? chance_.between(1U, 20'000U) : 0;
  request.stream = chance_.happens(0.5);
  if (chance_.happens(setting_.leaver_rate)) {
    timeline_.after(chance_.around(5s), [this, &request] { leave(request); });
  }
  submit(request);
}

void History::submit(Request& request) {
  scheduling::Demand demand;
  demand.model = request.model;
  demand.deadline = request.queue_deadline;
  demand.tried = request.tried;
  demand.again = !request.tried.empty();
  demand.prompt_tokens = request.prompt_tokens;
  demand.stream = request.stream;
  const scheduling::Submitted result = scheduler_.submit(demand, now());
  oracle_.submitted(demand, result, now());
  log() << "request " << request.number << " for '" << request.model << "' tried " << request.tried
        << ": ";
  if (const auto* slot = std::get_if<scheduling::Slot>(&result)) {
    if (trace_ != nullptr) {
      *trace_ << "runs on " << *slot << '\n';
    }
    request.slot = *slot;
    begin_exchange(request);
    if (slot->watched && scheduler_.queued() > 0) {
      tick();
    }
  } else if (const TicketId* ticket = std::get_if<TicketId>(&result)) {
    if (trace_ != nullptr) {
      *trace_ << "waits with ticket " << *ticket << '\n';
    }
    request.stage = Stage::waiting;
    request.ticket = *ticket;
    by_ticket_[*ticket] = &request;
  } else {
    const Refusal why = std::get<Refusal>(result);
    if (trace_ != nullptr) {
      *trace_ << "refused, " << why << '\n';
    }
    end(request, ends_.refused[why]);
  }
}

void History::leave(Request& request) {
  switch (request.stage) {
    case Stage::waiting:
    case Stage::told: {
      const bool waited = scheduler_.withdraw(*request.ticket);
      log() << "client " << request.number << " leaves the queue: " << waited << '\n';
      oracle_.withdrew(*request.ticket, waited);
      request.client_left = true;
      if (waited) {
        by_ticket_.erase(*request.ticket);
        end(request, ends_.left);
      } else {
        // The message on its way will find nobody; deliver_* undoes it.
        ++ends_.withdrawn_too_late;
      }
      break;
    }
    case Stage::running:
      log() << "client " << request.number << " leaves worker " << request.slot.worker << '\n';
      finish(request, request.sent ? abandoned_after(*request.sent) : Outcome::abandoned);
      end(request, ends_.left);
      break;
    case Stage::ended:
      break;
  }
}

void History::deliver_grant(Request& request) {
  if (request.client_left) {
    finish(request, Outcome::abandoned);
    end(request, ends_.left);
    return;
  }
  begin_exchange(request);
}

void History::deliver_refusal(Request& request, Refusal why) {
  end(request, request.client_left ? ends_.left : ends_.refused[why]);
}

void History::begin_exchange(Request& request) {
  request.stage = Stage::running;
  const TrueWorker& truth = setting_.workers[request.slot.worker.value()];
  const std::uint32_t life = truth.lives;
  const std::uint32_t exchange = ++request.exchange;
  request.attempt.connection_reused = chance_.happens(0.5);
  request.attempt.answer_begun = false;
  // A dead worker is found out after a refused connection or a time-out.
  const Duration takes =
      truth.alive ? chance_.around(truth.service_mean) : chance_.between(Duration{}, 2s);
  const bool was_alive = truth.alive;
  request.sent.reset();
  if (truth.alive) {
    request.sent = now();
    if ((request.slot.watched || request.stream) && chance_.happens(0.8)) {
      timeline_.after(takes / 3,
                      [this, &request, exchange] { see_first_token(request, exchange); });
    }
  }
  timeline_.after(takes, [this, &request, exchange, life, was_alive] {
    if (request.stage != Stage::running || request.exchange != exchange) {
      return;  // The client left in the meantime.
    }
    if (!was_alive) {
      fail(request, request.attempt.connection_reused ? ErrorKind::worker_closed
                                                      : ErrorKind::connect_failed);
    } else {
      end_exchange(request, life);
    }
  });
}

void History::see_first_token(Request& request, std::uint32_t exchange) {
  if (request.stage != Stage::running || request.exchange != exchange) {
    return;
  }
  if (!request.slot.watched) {
    scheduler_.note_first_token(request.slot, now());
    return oracle_.noted_first_token(request.slot);
  }
  const scheduling::Effects effects = scheduler_.first_token(request.slot, now());
  log() << "first token of request " << request.number << ": " << effects << '\n';
  oracle_.saw_first_token(request.slot, effects, now());
  deliver(effects);
}

void History::end_exchange(Request& request, std::uint32_t life) {
  const TrueWorker& truth = setting_.workers[request.slot.worker.value()];
  request.attempt.answer_begun = chance_.happens(0.5);
  if (life != truth.lives) {
    request.attempt.committed = request.attempt.answer_begun && chance_.happens(0.8);
    fail(request, ErrorKind::worker_closed);
  } else if (chance_.happens(truth.fault_rate)) {
    fail(request, ErrorKind::worker_error);
  } else {
    finish(request, Outcome::answered);
    end(request, ends_.answered);
  }
}

void History::fail(Request& request, ErrorKind error) {
  RetryDecision decision =
      scheduling::decide_retry(error, request.attempt, scheduling::RetryOptions{}, now());
  if (decision == RetryDecision::another_worker && !scheduler_.take_retry(now())) {
    decision = RetryDecision::give_up;
  }
  log() << "request " << request.number << " fails on " << request.slot.worker << ", "
        << to_string(error) << ": " << decision << '\n';
  switch (decision) {
    case RetryDecision::give_up:
      finish(request, Outcome::worker_fault);
      end(request, ends_.failed);
      break;
    case RetryDecision::same_worker_fresh_connection:
      request.attempt.reconnected = true;
      begin_exchange(request);
      break;
    case RetryDecision::another_worker:
      finish(request, Outcome::worker_fault);
      ++ends_.retries;
      ++request.attempt.attempts;
      request.attempt.reconnected = false;
      request.tried.insert(request.slot.worker);
      submit(request);
      break;
  }
}

void History::finish(Request& request, scheduling::Report report) {
  if (report.outcome == Outcome::worker_fault && chance_.happens(request.slot.cold ? 0.3 : 0.1)) {
    report.outcome = Outcome::model_unavailable;
    report.load_tried = request.slot.cold || chance_.happens(0.7);
  }
  if (report.outcome == Outcome::answered && request.slot.cold) {
    report.by_model = chance_.happens(0.8);
  }
  if (report.outcome == Outcome::worker_fault) {
    report.prompt = request.prompt;
    report.sent = request.sent;
  }
  const scheduling::Effects effects = scheduler_.finish(request.slot, report, now());
  log() << "worker " << request.slot.worker << " is rid of request " << request.number << ": "
        << effects << '\n';
  oracle_.finished(request.slot, report, effects, now());
  oracle_.compare(scheduler_);
  deliver(effects);
}

void History::end(Request& request, std::uint32_t& count) {
  if (request.stage == Stage::ended) {
    complain("a request ended twice");
  }
  request.stage = Stage::ended;
  ++count;
}

}  // namespace lmb::history
