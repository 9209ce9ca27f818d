#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "lmb/sim/worker.hpp"
#include "pacer.hpp"

namespace lmb::sim {

/// What a worker remembers for those who watch it. Thread: any.
class Ledger {
 public:
  explicit Ledger(std::size_t seen_max) : seen_max_(seen_max) {}

  /// Remembers a request; the number returned names it for note_model.
  std::uint64_t note(SeenRequest request);
  void note_model(std::uint64_t number, const std::string& model);
  void note_fault();
  void note_started(std::uint32_t prompt_tokens);
  void note_zombie();
  void note_load();
  void note_unload();
  void observe(const Event& event, const Progress& progress);
  void set_load(std::uint32_t running, std::uint32_t waiting);
  void set_instances(std::vector<SeenInstance> instances);

  [[nodiscard]] WorkerCounters counters() const;
  [[nodiscard]] std::vector<SeenRequest> seen() const;
  [[nodiscard]] std::vector<SeenInstance> instances() const;

 private:
  const std::size_t seen_max_;
  mutable std::mutex mutex_;
  WorkerCounters counters_;
  std::deque<SeenRequest> seen_;
  std::uint64_t first_seen_ = 0;  // Number of seen_.front().
  std::vector<SeenInstance> instances_;
};

}  // namespace lmb::sim
