#pragma once

#include <string>
#include <string_view>

#include "admin_client.hpp"

namespace lmb::app {

/// `lmbalancer status`: what a running lmbalancer and its fleet do now, as a table, or as one JSON
/// object with the members `status`, `workers` and `queue`. Returns the exit code: 1 when it does
/// not answer, 2 when the target is wrong.
int status(const AdminTarget& target, bool json);

/// `lmbalancer drain NAME` and `undrain NAME`. Returns the exit code: 1 when there is no such
/// worker (stderr names the nearest) or no answer, 2 when the target is wrong.
int set_draining(const AdminTarget& target, const std::string& worker, bool draining);

/// `lmbalancer reload`: what changed, or every problem of the config file. Returns the exit code: 1
/// when nothing was changed or there is no answer, 2 when the target is wrong.
int reload(const AdminTarget& target);

/// The table of `status` out of the bodies of GET /admin/status, /admin/workers and /admin/queue.
/// Lines end with "\n". Throws nlohmann's exceptions when they are not what they should be.
std::string status_table(std::string_view status, std::string_view workers, std::string_view queue);

}  // namespace lmb::app
