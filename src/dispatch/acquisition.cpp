#include "lmb/dispatch/acquisition.hpp"

#include <utility>

#include "lmb/base/assert.hpp"
#include "lmb/dispatch/dispatcher.hpp"

namespace lmb::dispatch {
namespace {

ErrorKind kind_of(scheduling::Refusal refusal) noexcept {
  switch (refusal) {
    case scheduling::Refusal::queue_full:
      return ErrorKind::queue_full;
    case scheduling::Refusal::unknown_model:
      return ErrorKind::model_not_found;
    case scheduling::Refusal::deadline:
      return ErrorKind::queue_timeout;
    case scheduling::Refusal::closed:
      return ErrorKind::shutting_down;
    case scheduling::Refusal::load_failed:
      return ErrorKind::model_unavailable;
    case scheduling::Refusal::no_worker:
    case scheduling::Refusal::all_tried:
      return ErrorKind::no_worker;
  }
  return ErrorKind::internal;
}

}  // namespace

Lease::Lease(Lease&& other) noexcept
    : dispatcher_(std::exchange(other.dispatcher_, nullptr)),
      slot_(std::move(other.slot_)),
      noted_(other.noted_) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  finish(scheduling::Outcome::abandoned);
  dispatcher_ = std::exchange(other.dispatcher_, nullptr);
  slot_ = std::move(other.slot_);
  noted_ = other.noted_;
  return *this;
}

Lease::~Lease() {
  finish(scheduling::Outcome::abandoned);
}

void Lease::note_sent(TimePoint now) noexcept {
  if (!noted_.sent) noted_.sent = now;
}

void Lease::note_first_token(TimePoint now) noexcept {
  if (noted_.first_token) return;
  noted_.first_token = now;
  if (dispatcher_ != nullptr) dispatcher_->first_token(slot_);
}

void Lease::note_delivery(TimePoint now) noexcept {
  if (dispatcher_ != nullptr) dispatcher_->note_delivery(slot_.worker, now);
}

void Lease::note_held_back() noexcept {
  if (dispatcher_ != nullptr) dispatcher_->held_back(slot_);
}

void Lease::finish(scheduling::Outcome outcome) noexcept {
  finish(scheduling::Report(outcome));
}

void Lease::finish(scheduling::Report report) noexcept {
  auto* dispatcher = std::exchange(dispatcher_, nullptr);
  if (dispatcher == nullptr) return;
  if (!report.sent) report.sent = noted_.sent;
  if (!report.first_token) report.first_token = noted_.first_token;
  dispatcher->finish(slot_, report);
}

void Lease::finish_with_fault(ErrorKind kind, std::uint64_t prompt) noexcept {
  if (dispatcher_ != nullptr) dispatcher_->note_failure(slot_.worker, "request", kind);
  scheduling::Report report(scheduling::Outcome::worker_fault);
  report.prompt = prompt;
  finish(report);
}

Acquisition::Acquisition(Dispatcher& dispatcher, std::size_t shard,
                         const scheduling::Demand& demand, net::Bell& bell)
    : dispatcher_(dispatcher), bell_(bell), shard_(shard) {
  const auto now = Clock::now();
  scheduling::Submitted submitted;
  scheduling::Effects before;
  scheduling::Effects after;
  {
    const std::lock_guard lock(dispatcher_.mutex_);
    auto& scheduler = dispatcher_.scheduler_;
    if (scheduler.queued() > 0) before = scheduler.tick(now);
    submitted = scheduler.submit(demand, now);
    if (const auto* ticket = std::get_if<TicketId>(&submitted)) {
      note_shard(*ticket);
    }
    const auto* slot = std::get_if<scheduling::Slot>(&submitted);
    if (slot != nullptr && slot->watched && scheduler.queued() > 0) after = scheduler.tick(now);
  }
  if (!before.empty()) dispatcher_.carry_out(std::move(before));
  if (!after.empty()) dispatcher_.carry_out(std::move(after));
  if (auto* slot = std::get_if<scheduling::Slot>(&submitted)) {
    outcome_ = Lease(dispatcher_, std::move(*slot));
  } else if (const auto* ticket = std::get_if<TicketId>(&submitted)) {
    ticket_ = *ticket;
    waiting_ = true;
    // A grant from another thread may be posted already; it is delivered on this shard, after this
    // call.
    dispatcher_.rooms_[shard_].emplace(ticket_, this);
  } else {
    outcome_ = std::get<scheduling::Refusal>(submitted);
  }
}

/// Where a grant finds the one that waits. Without memory for that nobody waits.
void Acquisition::note_shard(TicketId ticket) {
  try {
    dispatcher_.ticket_shard_.emplace(ticket, shard_);
  } catch (const std::bad_alloc&) {
    (void)dispatcher_.scheduler_.withdraw(ticket);
    throw;
  }
}

Acquisition::~Acquisition() {
  if (!waiting_) return;
  dispatcher_.rooms_[shard_].erase(ticket_);
  const std::lock_guard lock(dispatcher_.mutex_);
  // When it was granted meanwhile, the grant is on its way here: Dispatcher::deliver finds nobody
  // and undoes it.
  if (dispatcher_.scheduler_.withdraw(ticket_)) dispatcher_.ticket_shard_.erase(ticket_);
}

bool Acquisition::all_tried() const noexcept {
  const auto* why = std::get_if<scheduling::Refusal>(&outcome_);
  return !waiting_ && why != nullptr && *why == scheduling::Refusal::all_tried;
}

Result<Lease> Acquisition::take() {
  LMB_ASSERT(settled());
  if (auto* lease = std::get_if<Lease>(&outcome_)) return std::move(*lease);
  return Error(kind_of(std::get<scheduling::Refusal>(outcome_)));
}

void Acquisition::settle(std::variant<Lease, scheduling::Refusal> outcome) {
  outcome_ = std::move(outcome);
  waiting_ = false;
  bell_.ring();
}

}  // namespace lmb::dispatch
