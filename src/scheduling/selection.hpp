#pragma once

#include <cstdint>

#include "lmb/base/strong_id.hpp"
#include "lmb/scheduling/slot.hpp"

namespace lmb::scheduling {

/// An eligible instance, as the choice sees it. Eligibility was decided before.
struct Candidate {
  WorkerId worker;
  InstanceId instance;
  bool suspect = false;          ///< The worker; any that is not is preferred.
  std::uint32_t in_flight = 0;   ///< Of the worker, over all its instances.
  std::uint32_t weight = 1;      ///< Of the worker.
  std::uint64_t last_grant = 0;  ///< Number of the grant that chose the worker last; 0 = never.
  std::uint32_t instance_in_flight = 0;
  std::uint64_t instance_last_grant = 0;
};

/// Least outstanding requests: true when `a` is to be chosen rather than `b`. The worker with the
/// lowest (in_flight + 1) / weight, that is, with the lowest load once it has this request;
/// compared exactly, in integers. On one worker, the instance that runs the least.
///
/// Ties go to the one whose last grant is the longest ago. A cursor over positions would favour
/// the neighbours of workers that are often not eligible; the age of the last grant is fair
/// whatever set is eligible each time: nobody wins two ties while another tied worker wins none.
bool better(const Candidate& a, const Candidate& b) noexcept;

}  // namespace lmb::scheduling
