#include "access.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <nlohmann/json.hpp>

namespace lmb::admin {
namespace {

namespace beast = boost::beast;

std::size_t count_fields(const http::Request& request, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(request.fields.begin(), request.fields.end(),
                    [name](const auto& field) { return beast::iequals(field.first, name); }));
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_json(const http::Request& request) {
  const auto type = request.field("Content-Type");
  return count_fields(request, "Content-Type") == 1 &&
         beast::iequals(trimmed(type.substr(0, type.find(';'))), "application/json");
}

std::optional<AdminAnswer> refuse_host(const http::Request& request) {
  if (count_fields(request, "Host") != 1) {
    return refusal(400, "bad_request", "The request must have one Host field.");
  }
  if (is_safe_host(request.field("Host"))) return std::nullopt;
  return refusal(403, "host_not_allowed",
                 "The admin listener answers to localhost and to IP addresses only, against pages "
                 "in browsers that reach it by a name of their own; use the address, or the admin "
                 "key.");
}

}  // namespace

AdminAnswer refusal(unsigned status, std::string_view code, std::string_view message) {
  const auto* type = status < 500 ? "invalid_request_error" : "server_error";
  const nlohmann::ordered_json body{
      {"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}};
  return {status, body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

bool is_safe_host(std::string_view host) {
  auto port = host.rfind(':');
  std::string_view name = host.substr(0, port);
  if (host.starts_with('[')) {
    const auto close = host.find(']');
    if (close == std::string_view::npos) return false;
    name = host.substr(1, close - 1);
    port = close + 1;
    if (port == host.size()) port = std::string_view::npos;
    if (port != std::string_view::npos && host[port] != ':') return false;
    boost::system::error_code ec;
    boost::asio::ip::make_address_v6(name, ec);
    if (ec) return false;
  }
  if (port != std::string_view::npos && !is_port(host.substr(port + 1))) return false;
  if (host.starts_with('[') || beast::iequals(name, "localhost")) return true;
  boost::system::error_code ec;
  boost::asio::ip::make_address_v4(name, ec);
  return !ec;
}

bool carries_key(const http::Request& request, std::string_view key) {
  constexpr std::string_view scheme = "bearer ";
  const auto value = request.field("Authorization");
  if (key.empty() || !beast::iequals(value.substr(0, scheme.size()), scheme)) return false;
  const auto given = trimmed(value.substr(scheme.size()));
  unsigned difference = given.size() == key.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto expected = static_cast<unsigned char>(key[i % key.size()]);
    difference |= static_cast<unsigned>(expected ^ static_cast<unsigned char>(given[i]));
  }
  return difference == 0;
}

std::optional<AdminAnswer> refuse(const http::Request& request, Call call, std::string_view key) {
  const bool trusted = carries_key(request, key);
  // Without a key only the Host tells a page in a browser on this machine from a program. With one,
  // what changes anything needs it, and the rest is for whoever monitors from anywhere.
  if (key.empty()) {
    if (auto refused = refuse_host(request)) return refused;
  }
  if (!trusted && !key.empty() && is_guarded(request.path())) {
    auto refused = refusal(401, "invalid_api_key",
                           "The admin key is missing or wrong: send 'Authorization: Bearer "
                           "<admin.api_key>'.");
    refused.fields.emplace_back("WWW-Authenticate", "Bearer");
    return refused;
  }
  if (call == Call::unknown) {
    return refusal(404, "unknown_route",
                   "There is no such path on the admin listener: see GET /admin/status and "
                   "docs/admin.md");
  }
  const bool posted = request.method == "POST";
  const bool read = request.method == "GET" || request.method == "HEAD";
  if (changes(call) ? !posted : !read) {
    const auto* allow = changes(call) ? "POST" : "GET, HEAD";
    auto refused = refusal(405, "method_not_allowed",
                           std::string("This path takes no other method than ") + allow + ".");
    refused.fields.emplace_back("Allow", allow);
    return refused;
  }
  if (!changes(call) || trusted || is_json(request)) return std::nullopt;
  return refusal(415, "content_type_required",
                 "Calls that change something need 'Content-Type: application/json' (the body may "
                 "be empty) or the admin key.");
}

}  // namespace lmb::admin
