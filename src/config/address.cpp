#include "lmb/config/address.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

namespace lmb::config {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return port;
}

/// The canonical spelling of an IP literal; nothing when it is none.
std::optional<std::string> canonical_ip(int family, std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> spelling{};
  if (text.find('\0') != std::string_view::npos)
    return std::nullopt;  // inet_pton would stop there.
  if (::inet_pton(family, std::string(text).c_str(), bytes.data()) != 1) return std::nullopt;
  if (::inet_ntop(family, bytes.data(), spelling.data(), spelling.size()) == nullptr) {
    return std::nullopt;
  }
  return std::string(spelling.data());
}

struct Split {
  std::string_view host;  ///< Without brackets.
  std::string_view port;
  bool bracketed = false;
  bool has_port = false;
};

/// Splits "host", "host:port", "[v6]" or "[v6]:port"; nothing when the brackets or colons are
/// wrong.
std::optional<Split> split_host_port(std::string_view text) noexcept {
  Split split;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    split.bracketed = true;
    split.host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (text.empty()) return split;
    if (!text.starts_with(':')) return std::nullopt;
    split.port = text.substr(1);
    split.has_port = true;
    return split;
  }
  const auto colon = text.find(':');
  split.host = text.substr(0, colon);
  if (colon == std::string_view::npos) return split;
  split.port = text.substr(colon + 1);
  split.has_port = true;
  if (split.port.find(':') != std::string_view::npos) return std::nullopt;
  return split;
}

bool is_dns_name(std::string_view host) noexcept {
  if (host.empty() || host.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : host) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!letter || ++label > 63) return false;
  }
  return true;
}

/// RFC 3986 section 3.2.2: what looks like an IPv4 address is one.
bool looks_like_ipv4(std::string_view host) noexcept {
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_zone(std::string_view zone) noexcept {
  constexpr std::size_t longest = 15;  // IFNAMSIZ without its end.
  return !zone.empty() && zone.size() <= longest &&
         std::all_of(zone.begin(), zone.end(), [](char c) {
           const char small = lower(c);
           return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.' || c == '_';
         });
}

/// "fe80::1%25en0" as RFC 6874 wants it in a URL, or "fe80::1%en0" as everybody writes it. `host`
/// becomes the latter.
std::optional<AddressFault> check_zoned_host(std::string_view written, std::string& host) {
  const auto percent = written.find('%');
  const auto literal = canonical_ip(AF_INET6, written.substr(0, percent));
  auto zone = written.substr(percent + 1);
  if (zone.starts_with("25") && zone.size() > 2) zone.remove_prefix(2);
  if (!literal) return AddressFault{"no IPv6 address stands between the brackets"};
  const bool link_local = literal->size() > 3 && literal->starts_with("fe") &&
                          std::string_view("89ab").find((*literal)[2]) != std::string_view::npos;
  if (!link_local) return AddressFault{"only link-local addresses (fe80::...) have a zone"};
  if (!is_zone(zone)) {
    return AddressFault{"the zone must be a network interface, such as in http://[fe80::1%25en0]"};
  }
  host = *literal + "%" + std::string(zone);
  return std::nullopt;
}

std::optional<AddressFault> check_worker_host(const Split& split, std::string& host) {
  if (split.host.empty()) return AddressFault{"the host is missing after http://"};
  const bool zoned = split.bracketed && split.host.find('%') != std::string_view::npos;
  if (zoned) return check_zoned_host(split.host, host);
  if (split.bracketed || looks_like_ipv4(host)) {
    auto literal = canonical_ip(split.bracketed ? AF_INET6 : AF_INET, host);
    if (!literal) {
      return AddressFault{split.bracketed ? "no IPv6 address stands between the brackets"
                                          : "the host looks like an IPv4 address but is none"};
    }
    host = std::move(*literal);
    return std::nullopt;
  }
  if (is_dns_name(host)) return std::nullopt;
  return AddressFault{
      "the host is neither a DNS name (letters, digits, '-', '_', '.') nor an IP address"};
}

}  // namespace

std::variant<std::vector<net::ListenAddress>, AddressFault> parse_listen(std::string_view text) {
  const auto split = split_host_port(text);
  if (!split) {
    return AddressFault{
        "expected \"host:port\", an IPv6 address in brackets, such as \"[::1]:8080\""};
  }
  const auto port = parse_port(split->port);
  if (!split->has_port || split->host.empty()) {
    return AddressFault{"expected \"host:port\", such as \"127.0.0.1:8080\" or \"*:8080\""};
  }
  if (!port) return AddressFault{"the port must be a number from 0 to 65535"};
  using Addresses = std::vector<net::ListenAddress>;
  if (!split->bracketed && split->host == "localhost") {
    return Addresses{{"127.0.0.1", *port}, {"::1", *port}};
  }
  if (!split->bracketed && split->host == "*") return Addresses{{"0.0.0.0", *port}, {"::", *port}};
  const auto literal = canonical_ip(split->bracketed ? AF_INET6 : AF_INET, split->host);
  if (literal) return Addresses{{*literal, *port}};
  return AddressFault{
      "the host must be an IPv4 address, an IPv6 address in brackets, localhost (this machine "
      "only), or * (every address of this machine)"};
}

std::variant<HostPort, AddressFault> parse_worker_url(std::string_view text,
                                                      std::uint16_t default_port) {
  std::string scheme(text.substr(0, 8));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), lower);
  if (scheme.starts_with("https://")) {
    return AddressFault{
        "https is not supported yet; use http:// (LM Studio itself serves http only)"};
  }
  if (!scheme.starts_with("http://")) {
    return AddressFault{"must begin with http://, such as \"http://mac-studio-05.local:1234\""};
  }
  text.remove_prefix(7);
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  const auto authority = text.substr(0, end);
  const auto rest = text.substr(end);
  if (authority.find('@') != std::string_view::npos) {
    return AddressFault{"must not hold a user or password; a worker's key goes to api_key_env"};
  }
  if (!rest.empty() && rest != "/") {
    return AddressFault{
        "must end after host and port: paths such as /v1 come from the client's request"};
  }
  const auto split = split_host_port(authority);
  if (!split) return AddressFault{"an IPv6 address needs brackets, such as http://[fd00::5]:1234"};
  HostPort result;
  result.host.resize(split->host.size());
  std::transform(split->host.begin(), split->host.end(), result.host.begin(), lower);
  if (auto fault = check_worker_host(*split, result.host)) return std::move(*fault);
  result.port = default_port;
  if (split->has_port) {
    const auto port = parse_port(split->port);
    if (!port || *port == 0) return AddressFault{"the port must be a number from 1 to 65535"};
    result.port = *port;
  }
  return result;
}

}  // namespace lmb::config
