#include "lmb/dispatch/dispatcher.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <set>
#include <utility>

#include "lmb/telemetry/log.hpp"

namespace lmb::dispatch {
using scheduling::Effects;

Dispatcher::Dispatcher(const Setup& setup)
    : shards_(setup.shards),
      metrics_(setup.metrics),
      on_wedged_(setup.on_wedged),
      on_overdue_(setup.on_overdue),
      on_doubted_(setup.on_doubted),
      scheduler_(setup.options, setup.fleet, Clock::now()),
      model_names_(std::make_shared<const std::vector<std::string>>()),
      rooms_(setup.shards.size()) {
  for (std::uint32_t i = 0; i < setup.fleet.size(); ++i) set_name(WorkerId(i), setup.fleet[i].name);
  for (const auto& alias : setup.options.models.aliases) aliases_.push_back(alias.name);
}

void Dispatcher::note_failure(WorkerId worker, const char* by, ErrorKind kind) noexcept {
  const std::lock_guard lock(mutex_);
  last_failure_[worker.value()] = {by, kind};
}

void Dispatcher::note_delivery(WorkerId worker, TimePoint now) noexcept {
  delivered_[worker.value()].store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

void Dispatcher::observe_probe(WorkerId worker, scheduling::ProbeReport probe) {
  const auto now = Clock::now();
  const auto delivered = delivered_[worker.value()].load(std::memory_order_relaxed);
  if (delivered != 0) probe.last_bytes = TimePoint(Duration(delivered));
  std::unique_lock lock(mutex_);
  note_pause(now);
  auto effects = scheduler_.observe_probe(worker, probe, now);
  lock.unlock();
  carry_out(std::move(effects));
}

void Dispatcher::set_offers(WorkerId worker, const scheduling::Offers& offers) {
  const std::lock_guard in_order(offers_mutex_);
  auto& offered = offered_[worker.value()];
  offered.clear();
  for (const auto& model : offers.models) offered.push_back(model.key);
  auto all = list_names();
  const auto now = Clock::now();
  std::unique_lock lock(mutex_);
  model_names_.swap(all);
  auto effects = scheduler_.set_offers(worker, offers, now);
  lock.unlock();
  carry_out(std::move(effects));
}

void Dispatcher::set_draining(WorkerId worker, bool draining) {
  const auto now = Clock::now();
  std::unique_lock lock(mutex_);
  auto effects = scheduler_.set_draining(worker, draining, now);
  lock.unlock();
  carry_out(std::move(effects));
}

bool Dispatcher::take_retry() {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  return scheduler_.take_retry(now);
}

void Dispatcher::give_back_retry() {
  const std::lock_guard lock(mutex_);
  scheduler_.give_back_retry();
}

/// Ticks come many times a second, unless this process was held up or its machine slept: what the
/// workers said meanwhile has not been read yet.
void Dispatcher::note_pause(TimePoint now) {
  constexpr auto longest_delay = std::chrono::seconds(10);
  if (ticked_ && now - *ticked_ > longest_delay) scheduler_.excuse_silence(now);
}

void Dispatcher::tick(TimePoint now) {
  std::unique_lock lock(mutex_);
  note_pause(now);
  ticked_ = now;
  const bool idle =
      scheduler_.queued() == 0 && !scheduler_.any_loads() && !scheduler_.any_settling();
  if (idle) return;
  auto effects = scheduler_.tick(now);
  lock.unlock();
  carry_out(std::move(effects));
}

void Dispatcher::close() {
  std::unique_lock lock(mutex_);
  auto effects = scheduler_.close();
  lock.unlock();
  carry_out(std::move(effects));
}

bool Dispatcher::loading(WorkerId worker) const {
  const std::lock_guard lock(mutex_);
  return scheduler_.loading(worker);
}

std::string Dispatcher::load_error(std::string_view model) const {
  const std::lock_guard lock(mutex_);
  return scheduler_.load_error(model);
}

bool Dispatcher::awaited(const scheduling::Slot& slot) const {
  const std::lock_guard lock(mutex_);
  return scheduler_.awaited(slot);
}

bool Dispatcher::servable(const scheduling::Demand& demand) const {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  return scheduler_.servable(demand, now);
}

scheduling::FleetSnapshot Dispatcher::snapshot(scheduling::SnapshotScope scope) const {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  return scheduler_.snapshot(now, scope);
}

std::shared_ptr<const std::vector<std::string>> Dispatcher::model_names() const {
  const std::lock_guard lock(mutex_);
  return model_names_;
}

bool Dispatcher::any_up() const {
  const std::lock_guard lock(mutex_);
  return scheduler_.any_up();
}

bool Dispatcher::is_open(WorkerId worker) const {
  const std::lock_guard lock(mutex_);
  return scheduler_.is_open(worker);
}

std::uint32_t Dispatcher::retry_after_seconds() const {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  return scheduler_.retry_after_seconds(now);
}

std::uint32_t Dispatcher::load_retry_after_seconds(std::string_view model) const {
  constexpr std::int64_t most = 600;
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  const auto at = scheduler_.loadable_at(model);
  if (!at || *at <= now) return scheduler_.retry_after_seconds(now);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*at - now).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 1, most));
}

void Dispatcher::first_token(const scheduling::Slot& slot) {
  const auto now = Clock::now();
  if (!slot.watched) {
    const std::lock_guard lock(mutex_);
    return scheduler_.note_first_token(slot, now);
  }
  std::unique_lock lock(mutex_);
  auto effects = scheduler_.first_token(slot, now);
  lock.unlock();
  if (!effects.empty()) carry_out(std::move(effects));
}

void Dispatcher::held_back(const scheduling::Slot& slot) {
  const std::lock_guard lock(mutex_);
  scheduler_.held_back(slot);
}

void Dispatcher::finish(const scheduling::Slot& slot, const scheduling::Report& report) {
  const auto now = Clock::now();
  std::unique_lock lock(mutex_);
  auto effects = scheduler_.finish(slot, report, now);
  lock.unlock();
  if (!effects.empty()) carry_out(std::move(effects));
}

std::string Dispatcher::failure_text(WorkerId worker) const {
  const std::lock_guard lock(mutex_);
  const auto& [by, kind] = last_failure_[worker.value()];
  return std::string(", last failure: ") + by + " " + std::string(to_string(kind));
}

void Dispatcher::carry_out(Effects effects) {
  const auto shard_of = [this](TicketId ticket) {
    const std::lock_guard lock(mutex_);
    const auto found = ticket_shard_.extract(ticket);
    return found.mapped();
  };
  for (const auto& grant : effects.grants) {
    const auto shard = shard_of(grant.ticket);
    boost::asio::post(shards_[shard],
                      [this, shard, grant] { deliver(shard, grant.ticket, grant.slot); });
  }
  for (const auto& refused : effects.refusals) {
    const auto shard = shard_of(refused.ticket);
    boost::asio::post(shards_[shard],
                      [this, shard, refused] { deliver(shard, refused.ticket, refused.why); });
  }
  for (const auto& transition : effects.transitions) tell(transition);
  for (const auto worker : effects.wedged) {
    telemetry::log(telemetry::LogLevel::warn,
                   "worker " + worker_name(worker) +
                       ": runs requests but delivers nothing: they are tried elsewhere or ended");
    on_wedged_(worker);
  }
  for (const auto& load : effects.overdue) {
    telemetry::log(telemetry::LogLevel::warn,
                   "worker " + worker_name(load.worker) +
                       ": a model was not loaded within models.load_timeout: its request is tried "
                       "elsewhere or ended");
    if (metrics_ != nullptr) metrics_->count_limit_hit("models.load_timeout");
    on_overdue_(load.grant);
  }
  for (const auto worker : effects.doubted) on_doubted_(worker);
}

void Dispatcher::tell(const scheduling::Transition& transition) const {
  using scheduling::WorkerState;
  const auto& [worker, from, to] = transition;
  if (metrics_ != nullptr) {
    if (to == WorkerState::up) metrics_->count_transition(worker, telemetry::WorkerHealth::up);
    if (to == WorkerState::suspect) {
      metrics_->count_transition(worker, telemetry::WorkerHealth::suspect);
    }
    if (to == WorkerState::down) metrics_->count_transition(worker, telemetry::WorkerHealth::down);
  }
  const auto serves = [](WorkerState state) {
    return state == WorkerState::up || state == WorkerState::suspect;
  };
  auto level = serves(to) ? telemetry::LogLevel::info : telemetry::LogLevel::warn;
  // One failed request makes a worker suspect and the next good one clears it: that was logged when
  // it failed.
  if (serves(from) && serves(to)) level = telemetry::LogLevel::debug;
  std::string message = "worker " + worker_name(worker) + ": ";
  message += to_string(from);
  message += " -> ";
  message += to_string(to);
  if (to != WorkerState::up) message += failure_text(worker);
  telemetry::log(level, message);
}

void Dispatcher::deliver(std::size_t shard, TicketId ticket,
                         std::variant<scheduling::Slot, scheduling::Refusal> outcome) {
  auto& room = rooms_[shard];
  const auto found = room.find(ticket);
  auto* slot = std::get_if<scheduling::Slot>(&outcome);
  if (found == room.end()) {
    // Its request left while the grant travelled.
    if (slot != nullptr) finish(*slot, scheduling::Outcome::abandoned);
    return;
  }
  auto* acquisition = found->second;
  room.erase(found);
  if (slot != nullptr) {
    acquisition->settle(Lease(*this, std::move(*slot)));
  } else {
    acquisition->settle(std::get<scheduling::Refusal>(outcome));
  }
}

}  // namespace lmb::dispatch
