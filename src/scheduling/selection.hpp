#pragma once

#include <cstdint>
#include <span>

#include "lmb/base/strong_id.hpp"

namespace lmb::scheduling {

/// An eligible worker, as the choice sees it. Eligibility was decided before.
struct Candidate {
  WorkerId worker;
  std::uint32_t in_flight = 0;
  std::uint32_t weight = 1;
  std::uint64_t last_grant = 0;  ///< Number of the grant that chose it last; 0 = never.
};

/// Least outstanding requests: the candidate with the lowest (in_flight + 1) / weight, that is,
/// with the lowest load once it has this request; compared exactly, in integers.
///
/// Ties go to the one whose last grant is the longest ago. A cursor over positions would favour
/// the neighbours of workers that are often not eligible; the age of the last grant is fair
/// whatever set is eligible each time: nobody wins two ties while another tied worker wins none.
/// `candidates` must not be empty.
WorkerId pick(std::span<const Candidate> candidates) noexcept;

}  // namespace lmb::scheduling
