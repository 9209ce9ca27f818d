#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lmb/scheduling/scheduler.hpp"
#include "printing.hpp"

namespace lmb::scheduling {

using namespace std::chrono_literals;

inline const Effects nothing{};

inline Effects granted(std::initializer_list<Grant> grants) {
  return {grants, {}, {}};
}
inline Effects refused(std::initializer_list<RefusedTicket> refusals) {
  return {{}, refusals, {}};
}
inline Effects changed(std::initializer_list<Transition> transitions) {
  return {{}, {}, transitions};
}

inline WorkerSet workers(std::initializer_list<std::uint32_t> ids) {
  WorkerSet set;
  for (const std::uint32_t id : ids) {
    set.insert(WorkerId(id));
  }
  return set;
}

/// A worker with that many slots, set by the operator.
inline WorkerSpec slots(std::uint32_t count) {
  WorkerSpec spec;
  spec.slots = count;
  return spec;
}

/// A worker whose slots its catalogue tells.
inline WorkerSpec auto_slots() {
  return {};
}

/// One scheduler, its workers a, b, c (numbers 0, 1, 2 …) and a time that the test moves.
class Story {
 public:
  explicit Story(std::vector<WorkerSpec> fleet, SchedulerOptions options = {})
      : size_(static_cast<std::uint32_t>(fleet.size())), scheduler_(options, named(fleet), now_) {}

  Scheduler* operator->() { return &scheduler_; }
  [[nodiscard]] TimePoint now() const { return now_; }
  void pass(Duration time) { now_ += time; }

  /// Every worker answers a probe and lists model "m", loaded.
  Story& all_up() {
    for (std::uint32_t i = 0; i < size_; ++i) {
      (void)offer(i, {{"m", true}});
      (void)probe(i, true);
    }
    return *this;
  }

  Effects probe(std::uint32_t worker, bool alive) {
    return scheduler_.observe_probe(WorkerId(worker), alive, now_);
  }
  Effects offer(std::uint32_t worker, std::vector<ModelOffer> models,
                std::optional<std::uint32_t> told_slots = {}) {
    return scheduler_.set_offers(WorkerId(worker), {std::move(models), told_slots}, now_);
  }
  Effects drain(std::uint32_t worker, bool draining) {
    return scheduler_.set_draining(WorkerId(worker), draining, now_);
  }
  Effects finish(std::uint32_t worker, Outcome outcome = Outcome::answered) {
    return scheduler_.finish(WorkerId(worker), outcome, now_);
  }
  Effects tick() { return scheduler_.tick(now_); }
  /// Three failed probes, as the default health options want.
  Effects take_down(std::uint32_t worker) {
    (void)probe(worker, false);
    (void)probe(worker, false);
    return probe(worker, false);
  }

  Submitted submit(std::string_view model = "m", WorkerSet tried = {}, Duration wait = 10min) {
    return scheduler_.submit({model, now_ + wait, tried}, now_);
  }
  /// A request that must be given this worker.
  void runs_on(std::uint32_t worker, std::string_view model = "m", WorkerSet tried = {}) {
    EXPECT_EQ(submit(model, tried), Submitted(WorkerId(worker)));
  }
  /// A request that must wait; its ticket.
  TicketId waits(std::string_view model = "m", WorkerSet tried = {}, Duration wait = 10min) {
    const Submitted submitted = submit(model, tried, wait);
    const TicketId* ticket = std::get_if<TicketId>(&submitted);
    EXPECT_NE(ticket, nullptr) << "the request does not wait";
    return ticket == nullptr ? TicketId() : *ticket;
  }
  [[nodiscard]] std::uint32_t in_flight(std::uint32_t worker) const {
    return scheduler_.snapshot().workers[worker].in_flight;
  }

 private:
  static std::vector<WorkerSpec> named(std::vector<WorkerSpec>& fleet) {
    char name = 'a';
    for (WorkerSpec& spec : fleet) {
      spec.name = std::string(1, name++);
    }
    return fleet;
  }

  TimePoint now_ = TimePoint{} + 1h;
  std::uint32_t size_;
  Scheduler scheduler_;
};

}  // namespace lmb::scheduling
