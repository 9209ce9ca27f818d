#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lmb/http/server.hpp"
#include "route.hpp"

namespace lmb::admin {

/// A whole answer. Not an aggregate on purpose (g++ 12 and co_await).
struct AdminAnswer {
  AdminAnswer() = default;
  AdminAnswer(unsigned answer_status, std::string answer_body)
      : status(answer_status), body(std::move(answer_body)) {}
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  http::Fields fields;
};

/// `{"error":{"message","type","param","code"}}`, as on the client listener.
AdminAnswer refusal(unsigned status, std::string_view code, std::string_view message);

/// Whether a Host field (RFC 9110 section 7.2) names this machine in a way that no foreign name
/// server can: `localhost` or an IP literal, with or without a port. A page that a browser loaded
/// from a name which later points here (DNS rebinding) sends that name.
bool is_safe_host(std::string_view host);

/// Whether `Authorization: Bearer` carries `key`, compared in a time that does not depend on where
/// they differ. An empty key is never carried.
bool carries_key(const http::Request& request, std::string_view key);

/// Why the request is refused before anything is looked up; nothing when it may be answered.
///
/// In this order: 400 not exactly one Host field (HTTP/1.1) · 403 unsafe Host · 401 no key, where
/// `key` is set and the path is below /admin · 404 unknown path · 405 wrong method · 415 a changing
/// call without `Content-Type: application/json`: browsers send that across origins only after a
/// preflight, which gets 405 here. A request that carries the key needs neither Host nor
/// Content-Type: no page can know it.
std::optional<AdminAnswer> refuse(const http::Request& request, Call call, std::string_view key);

}  // namespace lmb::admin
