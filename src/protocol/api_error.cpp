#include "lmb/protocol/api_error.hpp"

#include <array>
#include <cstddef>

#include "lmb/base/json_string.hpp"

namespace lmb::protocol {
namespace {

constexpr std::string_view request_error = "invalid_request_error";
constexpr std::string_view server_error = "server_error";

/// What a row adds to its status and texts.
struct Traits {
  bool detail = false;
  bool retry_after = false;
  bool close = false;
};

constexpr Traits plain{};
constexpr Traits detail{.detail = true};
constexpr Traits detail_close{.detail = true, .close = true};
constexpr Traits close_only{.close = true};
constexpr Traits retry{.retry_after = true};
constexpr Traits detail_retry{.detail = true, .retry_after = true};
constexpr Traits retry_close{.retry_after = true, .close = true};

struct TableRow {
  ErrorKind kind;
  ErrorRow row;
};

// lmb-tidy: allow many_parameters (one table row a call; a struct would hide the columns)
constexpr TableRow row(ErrorKind kind, unsigned status, char who, Traits traits,
                       std::string_view code, std::string_view message) {
  const bool clients = (status >= 400 && status < 500) || status == 501 || status == 505;
  // 501 is also ours: a worker's missing route is no fault of the request.
  const bool refused = clients && kind != ErrorKind::route_unsupported;
  return {kind,
          {status, refused ? request_error : server_error, code, message, traits.detail,
           traits.retry_after, traits.close, who}};
}

using enum ErrorKind;

// Texts that a detail may follow have no full stop at their end.
constexpr std::array<TableRow, error_kind_count> table{{
    row(bad_request, 400, 'P', detail_close, "bad_request", "The HTTP request is malformed"),
    row(head_too_large, 431, 'P', close_only, "head_too_large",
        "The request head is too large: send shorter header fields."),
    row(too_many_headers, 431, 'P', close_only, "too_many_headers",
        "The request has too many header fields: send fewer."),
    row(target_too_long, 414, 'P', close_only, "target_too_long",
        "The request target is too long: send a shorter URL."),
    row(unsupported_version, 505, 'P', close_only, "unsupported_version",
        "This HTTP version is not served: use HTTP/1.1 or HTTP/1.0."),
    row(unsupported_transfer_coding, 501, 'P', close_only, "unsupported_transfer_coding",
        "This Transfer-Encoding is not served: use chunked or Content-Length."),
    row(expectation_failed, 417, 'P', close_only, "expectation_failed",
        "This Expect value is not served: send 100-continue or none."),
    row(head_timeout, 408, 'C', close_only, "head_timeout",
        "The request head did not arrive in time; send it again on a new connection."),
    row(body_timeout, 408, 'C', close_only, "body_timeout",
        "The request body stopped arriving; send it again on a new connection."),
    row(length_required, 411, 'P', close_only, "length_required",
        "The length of the body is unknown; send Content-Length or chunked coding."),
    row(body_too_large, 413, 'P', detail_close, "body_too_large",
        "The request body is larger than this server takes: send a smaller one"),
    row(bad_chunk, 400, 'P', detail_close, "bad_chunk", "The chunked coding of the body is broken"),
    row(unsupported_content_coding, 415, 'P', detail, "unsupported_content_coding",
        "This Content-Encoding is not served: use gzip, deflate or none"),
    row(bad_content_coding, 400, 'P', detail, "bad_content_coding",
        "The compressed body cannot be inflated"),
    row(bad_json, 400, 'P', detail, "bad_json", "The request body is not a valid JSON request"),
    row(bad_model, 400, 'P', detail, "bad_model", "The request does not name one model"),
    row(unknown_route, 404, 'P', detail, "unknown_route",
        "There is no such path here: see GET /v1/models and POST /v1/chat/completions"),
    row(method_not_allowed, 405, 'P', detail, "method_not_allowed",
        "This path does not take this method: see the Allow header"),
    row(not_proxied, 403, 'P', plain, "not_proxied",
        "Model management is not proxied; call the worker itself."),
    row(loop, 508, 'P', plain, "loop",
        "This request has come through this server before: its operator must mend workers[].url, "
        "which leads back here."),
    row(model_not_found, 404, 'P', detail, "model_not_found",
        "No worker has this model: GET /v1/models lists what there is"),
    row(response_unknown, 409, 'P', plain, "previous_response_not_found",
        "It is not known which worker made the previous response (ids are remembered for a day and "
        "not over a restart of this server); send the whole conversation instead."),
    row(response_away, 409, 'P', detail, "response_away",
        "The worker that made the previous response, and alone can go on from it, is not there "
        "now: "
        "retry when it is back or send the whole conversation"),
    row(unauthorized, 401, 'P', plain, "invalid_api_key",
        "The API key is missing or wrong; send 'Authorization: Bearer <key>'."),
    row(client_gone, 0, 'C', close_only, "client_gone", "The client closed the connection."),
    row(client_stalled, 0, 'C', close_only, "client_stalled", "The client stopped reading."),
    row(queue_full, 503, 'P', retry, "queue_full",
        "All slots are busy and the queue is full; retry after the time in Retry-After."),
    row(queue_timeout, 504, 'P', retry, "queue_timeout",
        "No slot became free in time; retry after the time in Retry-After."),
    row(no_worker, 503, 'P', retry, "no_worker",
        "No worker for this model is up and not draining; retry after the time in Retry-After."),
    row(body_memory_full, 503, 'P', retry_close, "body_memory_full",
        "The memory for request bodies is used up; retry after the time in Retry-After."),
    row(out_of_memory, 503, 'P', retry_close, "out_of_memory",
        "This server has no memory left for the request; retry after the time in Retry-After."),
    row(inspections_full, 503, 'P', retry, "inspections_full",
        "Too many compressed or large requests wait to be read; retry after the time in "
        "Retry-After."),
    row(too_many_connections, 503, 'P', retry_close, "too_many_connections",
        "Too many connections are open; retry after the time in Retry-After."),
    row(request_timeout, 504, 'P', plain, "request_timeout",
        "The request took longer than this server allows; ask for less."),
    row(shutting_down, 503, 'P', retry_close, "shutting_down",
        "This server is shutting down; retry after the time in Retry-After."),
    row(internal, 500, 'P', close_only, "internal",
        "This server failed; its log tells more under the request's x-request-id."),
    row(connect_failed, 502, 'W', retry, "connect_failed",
        "The worker could not be reached; retry after the time in Retry-After."),
    row(connect_timeout, 504, 'W', retry, "connect_timeout",
        "The worker did not accept a connection in time; retry after the time in Retry-After."),
    row(send_failed, 502, 'W', retry, "send_failed",
        "The worker broke off while it was sent the request; retry."),
    row(send_timeout, 504, 'W', retry, "send_timeout",
        "The worker stopped taking the request; retry."),
    row(worker_closed, 502, 'W', plain, "worker_closed",
        "The worker broke off before its answer was complete; retry."),
    row(worker_silent, 504, 'W', retry, "worker_silent",
        "The worker has delivered nothing for much longer than it ever did; retry."),
    row(bad_response, 502, 'W', plain, "bad_response",
        "The worker's answer cannot be understood; retry, or ask the operator."),
    row(request_refused, 400, 'C', detail, "request_refused", "The worker refused the request"),
    row(load_timeout, 504, 'W', retry, "load_timeout",
        "The worker did not load the model in time; retry after the time in Retry-After."),
    row(model_unavailable, 503, 'W', detail_retry, "model_unavailable",
        "No worker could provide the model now; retry after the time in Retry-After"),
    row(worker_error, 502, 'W', plain, "worker_error",
        "The worker failed while it was answering; retry."),
    row(worker_refused_key, 502, 'W', detail, "worker_refused_key",
        "The worker refuses the key that this server is configured with: its operator must mend "
        "workers[].api_key of this worker"),
    row(route_unsupported, 501, 'W', plain, "route_unsupported",
        "No worker for this model serves this path; its LM Studio may be too old."),
}};

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].kind) != i || table[i].row.message.empty()) return false;
  }
  return true;
}
static_assert(table_is_in_order(), "one row for each ErrorKind, in its order");

std::string message_of(const Error& error) {
  const ErrorRow& shown = error_row(error.kind());
  std::string message(shown.message);
  if (shown.detail_for_client && !error.detail().empty()) {
    message += ": ";
    message += error.detail();
  }
  return message;
}

std::string_view anthropic_type(const ErrorRow& shown) noexcept {
  switch (shown.status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return shown.type == request_error ? request_error : "api_error";
  }
}

/// Types of LM Studio's own API.
std::string_view lmstudio_type(ErrorKind kind) noexcept {
  if (kind == ErrorKind::model_not_found) return "model_not_found";
  if (kind == ErrorKind::route_unsupported) return "not_implemented";
  return error_row(kind).type == request_error ? "invalid_request" : "internal_error";
}

void append_member(std::string& out, std::string_view key, std::string_view text) {
  out += '"';
  out += key;
  out += "\":";
  append_json_string(out, text);
}

/// `"code":…,"param":…`
void append_code(std::string& out, ErrorKind kind) {
  append_member(out, "code", error_row(kind).code);
  const bool models = kind == ErrorKind::bad_model || kind == ErrorKind::model_not_found;
  const bool responses = kind == ErrorKind::response_unknown || kind == ErrorKind::response_away;
  if (responses) {
    out += R"(,"param":"previous_response_id")";
  } else {
    out += models ? R"(,"param":"model")" : R"(,"param":null)";
  }
}

/// The object that stands under "error".
void append_error_object(std::string& out, const Error& error, std::string_view type,
                         bool with_code) {
  out += '{';
  append_member(out, "message", message_of(error));
  out += ',';
  append_member(out, "type", type);
  if (with_code) {
    out += ',';
    append_code(out, error.kind());
  }
  out += '}';
}

/// The flat form of the responses API's stream.
std::string responses_event(const Error& error) {
  std::string out = "event: error\ndata: {\"type\":\"error\",";
  append_member(out, "message", message_of(error));
  out += ',';
  append_code(out, error.kind());
  out += "}\n\n";
  return out;
}

}  // namespace

const ErrorRow& error_row(ErrorKind kind) noexcept {
  return table[static_cast<std::size_t>(kind)].row;
}

std::string error_body(const Error& error, Dialect dialect) {
  const ErrorRow& shown = error_row(error.kind());
  if (dialect == Dialect::anthropic) {
    std::string out = R"({"type":"error","error":)";
    append_error_object(out, error, anthropic_type(shown), false);
    out += '}';
    return out;
  }
  std::string out = R"({"error":)";
  append_error_object(out, error, shown.type, true);
  out += '}';
  return out;
}

std::string error_event(const Error& error, Dialect dialect) {
  switch (dialect) {
    case Dialect::openai_responses:
      return responses_event(error);
    case Dialect::anthropic:
      return "event: error\ndata: " + error_body(error, dialect) + "\n\n";
    case Dialect::lmstudio_chat: {
      std::string out = "event: error\ndata: {\"type\":\"error\",\"error\":";
      append_error_object(out, error, lmstudio_type(error.kind()), true);
      out += "}\n\n";
      return out;
    }
    case Dialect::openai_chat:
    case Dialect::openai_completions:
    case Dialect::openai_embeddings:
    case Dialect::none:
      break;
  }
  return "data: " + error_body(error, dialect) + "\n\n";
}

}  // namespace lmb::protocol
