#include "lmb/base/error.hpp"

#include <stdexcept>

namespace lmb {

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
#define LMB_KIND(name)  \
  case ErrorKind::name: \
    return #name;
    LMB_KIND(bad_request)
    LMB_KIND(head_too_large)
    LMB_KIND(too_many_headers)
    LMB_KIND(target_too_long)
    LMB_KIND(unsupported_version)
    LMB_KIND(unsupported_transfer_coding)
    LMB_KIND(expectation_failed)
    LMB_KIND(head_timeout)
    LMB_KIND(body_timeout)
    LMB_KIND(length_required)
    LMB_KIND(body_too_large)
    LMB_KIND(bad_chunk)
    LMB_KIND(unsupported_content_coding)
    LMB_KIND(bad_content_coding)
    LMB_KIND(bad_json)
    LMB_KIND(bad_model)
    LMB_KIND(unknown_route)
    LMB_KIND(method_not_allowed)
    LMB_KIND(not_proxied)
    LMB_KIND(loop)
    LMB_KIND(model_not_found)
    LMB_KIND(response_unknown)
    LMB_KIND(response_away)
    LMB_KIND(unauthorized)
    LMB_KIND(client_gone)
    LMB_KIND(client_stalled)
    LMB_KIND(queue_full)
    LMB_KIND(queue_timeout)
    LMB_KIND(no_worker)
    LMB_KIND(body_memory_full)
    LMB_KIND(out_of_memory)
    LMB_KIND(inspections_full)
    LMB_KIND(too_many_connections)
    LMB_KIND(request_timeout)
    LMB_KIND(shutting_down)
    LMB_KIND(internal)
    LMB_KIND(connect_failed)
    LMB_KIND(connect_timeout)
    LMB_KIND(send_failed)
    LMB_KIND(send_timeout)
    LMB_KIND(worker_closed)
    LMB_KIND(worker_silent)
    LMB_KIND(bad_response)
    LMB_KIND(request_refused)
    LMB_KIND(load_timeout)
    LMB_KIND(model_unavailable)
    LMB_KIND(worker_error)
    LMB_KIND(worker_refused_key)
    LMB_KIND(route_unsupported)
#undef LMB_KIND
  }
  return "internal";
}

void throw_exception_from_error(const Error& error, const boost::source_location& /*at*/) {
  throw std::runtime_error(std::string(to_string(error.kind())) + ": " + error.detail());
}

}  // namespace lmb
