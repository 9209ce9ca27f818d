#include "ledger.hpp"

#include <algorithm>
#include <utility>

namespace lmb::sim {

std::uint64_t Ledger::note(SeenRequest request) {
  const std::lock_guard lock(mutex_);
  ++counters_.requests;
  seen_.push_back(std::move(request));
  if (seen_.size() > seen_max_) {
    seen_.pop_front();
    ++first_seen_;
  }
  return first_seen_ + seen_.size() - 1;
}

void Ledger::note_model(std::uint64_t number, const std::string& model) {
  const std::lock_guard lock(mutex_);
  if (number < first_seen_ || number - first_seen_ >= seen_.size()) return;
  seen_[static_cast<std::size_t>(number - first_seen_)].model = model;
}

void Ledger::note_fault() {
  const std::lock_guard lock(mutex_);
  ++counters_.faults;
}

void Ledger::note_started(std::uint32_t prompt_tokens) {
  const std::lock_guard lock(mutex_);
  ++counters_.started;
  counters_.prompt_tokens += prompt_tokens;
}

void Ledger::note_zombie() {
  const std::lock_guard lock(mutex_);
  ++counters_.zombies;
}

void Ledger::note_load() {
  const std::lock_guard lock(mutex_);
  ++counters_.loads;
}

void Ledger::note_unload() {
  const std::lock_guard lock(mutex_);
  ++counters_.unloads;
}

void Ledger::observe(const Event& event, const Progress& progress) {
  const std::lock_guard lock(mutex_);
  switch (event.kind) {
    case EventKind::prompt_started:
      ++counters_.prompts;
      counters_.cached_tokens += event.tokens;
      break;
    case EventKind::prompt_progress:
      break;
    case EventKind::first_token:
    case EventKind::tokens:
      counters_.generated_tokens += event.tokens;
      break;
    case EventKind::finished:
      ++counters_.finished;
      break;
    case EventKind::cancelled:
      ++(progress.failure ? counters_.killed : counters_.cancelled);
      break;
  }
}

void Ledger::set_load(std::uint32_t running, std::uint32_t waiting) {
  const std::lock_guard lock(mutex_);
  counters_.running = running;
  counters_.waiting = waiting;
  counters_.running_max = std::max(counters_.running_max, running);
  counters_.waiting_max = std::max(counters_.waiting_max, waiting);
}

void Ledger::set_instances(std::vector<SeenInstance> instances) {
  const std::lock_guard lock(mutex_);
  instances_ = std::move(instances);
}

WorkerCounters Ledger::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

std::vector<SeenRequest> Ledger::seen() const {
  const std::lock_guard lock(mutex_);
  return {seen_.begin(), seen_.end()};
}

std::vector<SeenInstance> Ledger::instances() const {
  const std::lock_guard lock(mutex_);
  return instances_;
}

}  // namespace lmb::sim
