// The brain under any order of events: bytes become events, its own invariants are checked by
// itself at the end of each, and here that nobody is answered twice or forgotten.
#include "lmb/scheduling/scheduler.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "input.hpp"
#include "lmb/base/assert.hpp"

namespace lmb::fuzz {
namespace {

using namespace scheduling;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Story {
 public:
  explicit Story(Input& input)
      : input_(input), workers_(1 + input.below(4)), scheduler_(options(input), fleet(), now_) {}

  void run() {
    for (int events = 0; events < 400 && !input_.empty(); ++events) step();
    finish_everything();
  }

 private:
  static SchedulerOptions options(Input& input) {
    SchedulerOptions options;
    options.queue_length = input.below(8);
    options.no_worker_grace = seconds(input.below(4));
    options.startup_grace = seconds(input.below(4));
    options.abandon_settle_max = seconds(input.below(4));
    options.health.breaker_faults = 1 + static_cast<std::uint32_t>(input.below(3));
    options.health.slow_start = seconds(input.below(4));
    options.models.switch_after = seconds(input.below(8));
    options.models.min_residency = seconds(input.below(8));
    options.models.load_timeout = seconds(1 + input.below(16));
    if (input.below(2) == 1) options.models.aliases = {{"alias", "a"}};
    if (input.below(2) == 1) options.models.fallbacks = {{"a", {"b", "c"}}};
    return options;
  }
  [[nodiscard]] std::vector<WorkerSpec> fleet() {
    std::vector<WorkerSpec> fleet;
    for (std::size_t i = 0; i < workers_; ++i) fleet.push_back(any_spec(i));
    return fleet;
  }
  WorkerSpec any_spec(std::size_t place) {
    WorkerSpec spec;
    spec.name = "w" + std::to_string(place);
    spec.weight = 1 + static_cast<std::uint32_t>(input_.below(3));
    if (input_.below(2) == 1) spec.slots = 1 + static_cast<std::uint32_t>(input_.below(3));
    if (input_.below(2) == 1) spec.max_in_flight = 1 + static_cast<std::uint32_t>(input_.below(4));
    spec.auto_evict = input_.below(2) == 1;
    return spec;
  }
  /// A worker leaves, comes back or is changed.
  void change_fleet() {
    const WorkerId worker = any_worker();
    if (gone_.contains(worker)) {
      gone_.erase(worker);
      return take(scheduler_.add_worker(worker, any_spec(worker.value()), now_));
    }
    if (input_.below(2) == 1) {
      return take(scheduler_.change_worker(worker, any_spec(worker.value()), now_));
    }
    gone_.insert(worker);
    take(scheduler_.retire_worker(worker, now_));
  }
  WorkerId any_worker() { return WorkerId(static_cast<std::uint32_t>(input_.below(workers_))); }
  std::string any_model() {
    constexpr const char* names[] = {"a", "b", "c", "a:2", "alias", "none"};
    return names[input_.below(std::size(names))];
  }

  void step() {
    switch (input_.below(10)) {
      case 0:
      case 1:
        return submit();
      case 2:
        return withdraw();
      case 3:
      case 4:
        return finish();
      case 5:
        return probe();
      case 6:
        return offer();
      case 7:
        return input_.below(2) == 1
                   ? change_fleet()
                   : take(scheduler_.set_draining(any_worker(), input_.below(2) == 1, now_));
      case 8:
        now_ += milliseconds(input_.byte() * 16);
        return take(scheduler_.tick(now_));
      default:
        return look();
    }
  }

  void submit() {
    const auto model = any_model();
    Demand demand;
    demand.model = model;
    demand.deadline = now_ + milliseconds(input_.byte() * 64);
    demand.tried = WorkerSet(input_.below(16));
    demand.lacking = demand.tried & WorkerSet(input_.below(16));
    demand.cannot_load = WorkerSet(input_.below(8) == 0 ? input_.below(16) : 0);
    (void)scheduler_.servable(demand, now_);
    demand.again = input_.below(4) == 0;
    demand.prompt_tokens = input_.byte() * 100U;
    demand.stream = input_.below(2) == 1;
    demand.acts = input_.below(8) == 0;
    if (!waiting_.empty()) take(scheduler_.tick(now_));
    const auto submitted = scheduler_.submit(demand, now_);
    if (const auto* slot = std::get_if<Slot>(&submitted)) {
      begin(*slot);
      if (slot->watched && !waiting_.empty()) take(scheduler_.tick(now_));
    } else if (const auto* ticket = std::get_if<TicketId>(&submitted)) {
      LMB_ASSERT(waiting_.emplace(*ticket, true).second);
    }
    LMB_ASSERT(scheduler_.queued() == waiting_.size());
  }
  void withdraw() {
    if (waiting_.empty()) return;
    auto chosen = waiting_.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(input_.below(waiting_.size())));
    LMB_ASSERT(scheduler_.withdraw(chosen->first));
    LMB_ASSERT(!scheduler_.withdraw(chosen->first));
    waiting_.erase(chosen);
  }
  void finish() {
    if (running_.empty()) return;
    const auto at = input_.below(running_.size());
    const Slot slot = running_[at];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
    Report report(static_cast<Outcome>(input_.below(4)));
    const auto shape = input_.byte();
    if ((shape & 1U) != 0) report.sent = now_;
    if ((shape & 2U) != 0) report.first_token = now_;
    if ((shape & 4U) != 0) report.last_token = now_;
    report.tokens = shape;
    report.prompt = input_.below(4);
    report.by_model = (shape & 8U) == 0;
    report.load_tried = (shape & 16U) == 0;
    (void)scheduler_.awaited(slot);
    take(scheduler_.finish(slot, report, now_));
  }
  void probe() {
    ProbeReport report(input_.below(2) == 1);
    report.timed_out = !report.alive && input_.below(2) == 1;
    report.connected = report.timed_out && input_.below(2) == 1;
    report.begun = now_ - milliseconds(input_.byte());
    if (input_.below(2) == 1) report.last_bytes = now_ - milliseconds(input_.byte());
    take(scheduler_.observe_probe(any_worker(), report, now_));
  }
  void offer() {
    Offers offers;
    const auto which = input_.byte();
    for (unsigned i = 0; i < 3; ++i) {
      if ((which >> i & 1U) == 0) continue;
      ModelOffer model;
      model.key = std::string(1, static_cast<char>('a' + i));
      const auto instances = which >> (3 + i) & 1U;
      for (unsigned k = 0; k < instances + (which >> 6U & 1U) * instances; ++k) {
        InstanceOffer instance;
        instance.id = k == 0 ? model.key : model.key + ":2";
        instance.parallel = static_cast<std::uint32_t>(input_.below(4));
        instance.context_length = input_.byte() * 100U;
        model.instances.push_back(instance);
      }
      if (which >> 7U != 0) model.kind = ModelKind::embedding;
      offers.models.push_back(model);
    }
    take(scheduler_.set_offers(any_worker(), offers, now_));
  }
  void look() {
    if (!running_.empty()) {
      const Slot& slot = running_[input_.below(running_.size())];
      if (input_.below(2) == 1) {
        scheduler_.held_back(slot);
      } else if (slot.watched) {
        take(scheduler_.first_token(slot, now_));
      } else {
        scheduler_.note_first_token(slot, now_);
      }
    }
    const auto seconds_left = scheduler_.retry_after_seconds(now_);
    LMB_ASSERT(seconds_left >= 1 && seconds_left <= 60);
    check();
  }

  void begin(const Slot& slot) {
    LMB_ASSERT(slot.worker.value() < workers_);
    LMB_ASSERT(slot.id != nullptr);
    running_.push_back(slot);
  }
  void take(const Effects& effects) {
    for (const auto& grant : effects.grants) {
      LMB_ASSERT(waiting_.erase(grant.ticket) == 1);
      begin(grant.slot);
    }
    for (const auto& refused : effects.refusals) LMB_ASSERT(waiting_.erase(refused.ticket) == 1);
    LMB_ASSERT(scheduler_.queued() == waiting_.size());
  }
  void check() {
    const auto snapshot = scheduler_.snapshot(now_);
    std::size_t in_flight = 0;
    for (const auto& worker : snapshot.workers) in_flight += worker.in_flight;
    LMB_ASSERT(in_flight == running_.size());
    LMB_ASSERT(snapshot.queued == waiting_.size());
    const auto next = scheduler_.next_tick(now_);
    LMB_ASSERT(waiting_.empty() || next.has_value());
  }
  /// Every deadline passes: nobody is left.
  void finish_everything() {
    check();
    while (!running_.empty()) {
      const Slot slot = running_.back();
      running_.pop_back();
      take(scheduler_.finish(slot, Outcome::answered, now_));
    }
    take(scheduler_.close());
    LMB_ASSERT(waiting_.empty());
    check();
  }

  Input& input_;
  const std::size_t workers_;
  TimePoint now_ = TimePoint{} + std::chrono::hours(1);
  Scheduler scheduler_;
  WorkerSet gone_;
  std::map<TicketId, bool> waiting_;
  std::vector<Slot> running_;
};

}  // namespace
}  // namespace lmb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lmb::fuzz::Input input(data, size);
  lmb::fuzz::Story(input).run();
  return 0;
}
