#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "lmb/net/bell.hpp"
#include "lmb/net/task.hpp"

namespace lmb::net {

/// Where a value that is made elsewhere arrives for a task. The maker and the waiting task share
/// it; when the task is destroyed, what arrives later is dropped. Only the task's shard touches it.
template <class Value>
struct Arrival {
  std::optional<Value> value;
  std::exception_ptr failure;
  Bell* bell = nullptr;

  void arrive() {
    if (bell != nullptr) bell->ring();
  }
};

/// Waits on `arrival`, which nobody may have filled yet.
template <class Value>
Task<Value> wait_for(std::shared_ptr<Arrival<Value>> arrival) {
  struct Presence {
    explicit Presence(Arrival<Value>& its_arrival) : arrival(its_arrival) { arrival.bell = &bell; }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;
    ~Presence() { arrival.bell = nullptr; }
    Arrival<Value>& arrival;
    Bell bell;
  };
  Presence presence(*arrival);
  while (!arrival->value && !arrival->failure) co_await presence.bell.wait();
  if (arrival->failure) std::rethrow_exception(arrival->failure);
  co_return std::move(*arrival->value);
}

}  // namespace lmb::net
