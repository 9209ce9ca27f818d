#pragma once

#include "access.hpp"
#include "lmb/admin/reload.hpp"

namespace lmb::admin {

/// The answer to POST /admin/reload: 200 with what changed; 400 with every problem of the file; 409
/// without a file, or while another reload is under way; 503 while the program ends.
AdminAnswer reload_answer(const ReloadReport& report);

}  // namespace lmb::admin
