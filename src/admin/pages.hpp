#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lmb/admin/service.hpp"
#include "lmb/base/clock.hpp"
#include "running.hpp"

namespace lmb::admin {

/// What the config and probes told of a worker.
struct WorkerNotes {
  struct Probe {
    bool alive = false;
    Duration took{};
    TimePoint at{};
  };
  struct Failure {
    ErrorKind kind = ErrorKind::internal;
    TimePoint at{};
  };
  scheduling::WorkerSpec spec;
  std::string url;
  bool member = false;             ///< In the fleet; false while it only finishes requests.
  std::optional<Probe> probe;      ///< The last one.
  std::optional<Failure> failure;  ///< The last one, also when probes succeed since.
};

/// Most requests, and most models in the queue, that are told one by one.
inline constexpr std::size_t rows_max = 1000;

// JSON bodies; docs/admin.md has their members. They take up to some milliseconds: for the helper
// thread. Bytes that are no UTF-8 come out as U+FFFD.
std::string status_page(const ServiceSetup& setup, TimePoint started, TimePoint now);
std::string workers_page(const ServiceSetup& setup, const std::vector<WorkerNotes>& notes,
                         TimePoint now);
/// The one worker, as in workers_page().
std::string worker_page(const ServiceSetup& setup, WorkerId worker, const WorkerNotes& notes,
                        TimePoint now);
std::string queue_page(const ServiceSetup& setup, const WaitList& waits);
std::string requests_page(const ServiceSetup& setup, const RequestList& requests);

}  // namespace lmb::admin
