#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lmb/scheduling/scheduler.hpp"
#include "story_fleet.hpp"
#include "told.hpp"

namespace lmb::scheduling {

/// One scheduler, its workers a, b, c (numbers 0, 1, 2 …) and a time that the test moves.
class Story {
 public:
  explicit Story(std::vector<WorkerSpec> fleet, SchedulerOptions options = plain_options())
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

  Told probe(std::uint32_t worker, const ProbeReport& probe) {
    return tell(scheduler_.observe_probe(WorkerId(worker), probe, now_));
  }
  Told offer(std::uint32_t worker, const std::vector<Has>& models, std::uint32_t parallel = 0) {
    return offer(worker, offers_of(models, parallel));
  }
  Told offer(std::uint32_t worker, const Offers& offers) {
    return tell(scheduler_.set_offers(WorkerId(worker), offers, now_));
  }
  Told drain(std::uint32_t worker, bool draining) {
    return tell(scheduler_.set_draining(WorkerId(worker), draining, now_));
  }
  Told join(std::uint32_t place, WorkerSpec spec, const std::string& name) {
    spec.name = name;
    return tell(scheduler_.add_worker(WorkerId(place), spec, now_));
  }
  Told leave(std::uint32_t id) { return tell(scheduler_.retire_worker(WorkerId(id), now_)); }
  Told change(std::uint32_t worker, WorkerSpec spec, const std::string& name) {
    spec.name = name;
    return tell(scheduler_.change_worker(WorkerId(worker), spec, now_));
  }
  /// Ends the worker's oldest request.
  Told finish(std::uint32_t worker, const Report& report = {}) {
    std::deque<Slot>& running = running_[worker];
    if (running.empty()) {
      ADD_FAILURE() << "nothing runs on worker " << worker;
      return {};
    }
    const Slot slot = running.front();
    running.pop_front();
    return finish(slot, report);
  }
  Told finish(const Slot& slot, const Report& report = {}) {
    return tell(scheduler_.finish(slot, report, now_));
  }
  Told first_token(const Slot& slot) { return tell(scheduler_.first_token(slot, now_)); }
  Told tick() { return tell(scheduler_.tick(now_)); }
  Told close() { return tell(scheduler_.close()); }
  /// Three failed probes, as the default health options want.
  Told take_down(std::uint32_t worker) {
    (void)probe(worker, false);
    (void)probe(worker, false);
    return probe(worker, false);
  }

  Submitted submit(std::string_view model = "m", WorkerSet tried = {}, Duration wait = 10min) {
    Demand demand;
    demand.model = model;
    demand.deadline = now_ + wait;
    demand.tried = tried;
    return submit(demand);
  }
  Submitted submit(const Demand& demand) {
    Submitted submitted = scheduler_.submit(demand, now_);
    if (const Slot* slot = std::get_if<Slot>(&submitted)) {
      running_[slot->worker.value()].push_back(*slot);
    }
    return submitted;
  }
  /// A request that must be refused.
  void is_refused(Refusal why, std::string_view model = "m", WorkerSet tried = {},
                  Duration wait = 10min) {
    const Submitted submitted = submit(model, tried, wait);
    const Refusal* refusal = std::get_if<Refusal>(&submitted);
    ASSERT_NE(refusal, nullptr) << "the request is not refused";
    EXPECT_EQ(*refusal, why);
  }
  /// A request that must be given this worker; its slot.
  Slot runs_on(std::uint32_t worker, std::string_view model = "m", WorkerSet tried = {},
               Duration wait = 10min) {
    const Submitted submitted = submit(model, tried, wait);
    const Slot* slot = std::get_if<Slot>(&submitted);
    EXPECT_NE(slot, nullptr) << "the request does not run";
    if (slot != nullptr) {
      EXPECT_EQ(slot->worker, WorkerId(worker));
    }
    return slot == nullptr ? Slot() : *slot;
  }
  /// A request that must wait; its ticket.
  TicketId waits(std::string_view model = "m", WorkerSet tried = {}, Duration wait = 10min) {
    const Submitted submitted = submit(model, tried, wait);
    const TicketId* ticket = std::get_if<TicketId>(&submitted);
    EXPECT_NE(ticket, nullptr) << "the request does not wait";
    return ticket == nullptr ? TicketId() : *ticket;
  }
  /// The slot granted last.
  [[nodiscard]] const Slot& last_slot(std::uint32_t worker) { return running_[worker].back(); }
  [[nodiscard]] std::uint32_t in_flight(std::uint32_t worker) const {
    const auto told = find(worker);
    return told ? told->in_flight : 0;
  }
  /// What the snapshot tells of a worker; nothing = its place is vacant.
  [[nodiscard]] std::optional<WorkerSnapshot> find(std::uint32_t worker) const {
    for (const WorkerSnapshot& each : scheduler_.snapshot(now_).workers) {
      if (each.id == WorkerId(worker)) {
        return each;
      }
    }
    return std::nullopt;
  }

 private:
  Told tell(const Effects& effects) {
    Told told{{},
              effects.refusals,
              effects.transitions,
              effects.wedged,
              effects.overdue,
              effects.doubted};
    for (const Grant& grant : effects.grants) {
      told.grants.push_back({grant.ticket, grant.slot.worker});
      running_[grant.slot.worker.value()].push_back(grant.slot);
    }
    return told;
  }
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
  std::map<std::uint32_t, std::deque<Slot>> running_;  ///< By worker, in the order of the grants.
};

/// a and b are up; what they have is told by the story.
inline Story fleet_of_two() {
  Story story({slots(2), slots(2)});
  (void)story.probe(0, true);
  (void)story.probe(1, true);
  return story;
}

}  // namespace lmb::scheduling
