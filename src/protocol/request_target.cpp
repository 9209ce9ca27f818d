#include "request_target.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <charconv>
#include <cstddef>
#include <cstdint>

namespace lmb::protocol {
namespace {

constexpr std::string_view http_scheme = "http://";

bool is_alnum(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool valid_registered_name(std::string_view name) noexcept {
  constexpr std::string_view marks = "-._~!$&'()*+;=";
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '%') {
      if (name.size() - i < 3 || !is_hex(name[i + 1]) || !is_hex(name[i + 2])) {
        return false;
      }
    } else if (!is_alnum(name[i]) && marks.find(name[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

/// The inside of "[...]": an IPv6 address, perhaps with a zone (RFC 6874).
bool valid_ip_literal(std::string_view literal) noexcept {
  constexpr std::string_view marks = ":.%-_~";
  return literal.size() >= 2 && literal.find(':') != std::string_view::npos &&
         std::all_of(literal.begin(), literal.end(), [&](char c) {
           return is_alnum(c) || marks.find(c) != std::string_view::npos;
         });
}

/// What follows the host: nothing, or ":" and a port that may be empty (RFC 3986 section 3.2.3).
bool valid_port_part(std::string_view part) noexcept {
  if (part.empty() || part == ":") {
    return true;
  }
  std::uint16_t port = 0;
  const char* const end = part.data() + part.size();
  const auto parsed = std::from_chars(part.data() + 1, end, port);
  return part.front() == ':' && parsed.ec == std::errc{} && parsed.ptr == end;
}

bool only_target_chars(std::string_view raw) noexcept {
  return std::all_of(raw.begin(), raw.end(),
                     [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

}  // namespace

bool valid_host(std::string_view host) noexcept {
  if (host.starts_with('[')) {
    const std::size_t close = host.find(']');
    return close != std::string_view::npos && valid_ip_literal(host.substr(1, close - 1)) &&
           valid_port_part(host.substr(close + 1));
  }
  const std::size_t colon = std::min(host.find(':'), host.size());
  return valid_registered_name(host.substr(0, colon)) && valid_port_part(host.substr(colon));
}

std::optional<RequestTarget> read_request_target(std::string_view method,
                                                 std::string_view raw) noexcept {
  if (method == "CONNECT" || raw.empty() || !only_target_chars(raw)) {
    return std::nullopt;
  }
  if (raw.front() == '/') {
    return RequestTarget{raw, {}};
  }
  if (raw == "*") {
    return method == "OPTIONS" ? std::optional(RequestTarget{raw, {}}) : std::nullopt;
  }
  if (raw.size() <= http_scheme.size() ||
      !boost::beast::iequals(raw.substr(0, http_scheme.size()), http_scheme)) {
    return std::nullopt;
  }
  const std::string_view rest = raw.substr(http_scheme.size());
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, path);
  // RFC 9110 section 4.2.1: an http URI with an empty host is invalid.
  if (authority.empty() || authority.front() == ':' || !valid_host(authority)) {
    return std::nullopt;
  }
  if (path < rest.size() && rest[path] == '/') {
    return RequestTarget{rest.substr(path), authority};
  }
  const bool whole_server = method == "OPTIONS" && path == rest.size();
  return RequestTarget{whole_server ? "*" : "/", authority};
}

}  // namespace lmb::protocol
