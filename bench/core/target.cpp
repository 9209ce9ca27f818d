#include "lmb/bench/target.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace lmb::bench {
namespace {

constexpr std::uint16_t http_port = 80;

Error wrong(std::string sentence) {
  return {ErrorKind::bad_request, std::move(sentence)};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || port == 0) return {};
  return port;
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

/// Reads "HOST", "HOST:PORT", "[V6]" or "[V6]:PORT".
Result<void> parse_authority(std::string_view authority, Target& target) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return wrong("the IPv6 address lacks its ']'");
    target.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const auto colon = authority.find(':');
    if (colon != std::string_view::npos &&
        authority.find(':', colon + 1) != std::string_view::npos) {
      return wrong("an IPv6 address needs brackets, as in http://[::1]:8080");
    }
    target.host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
  }
  if (target.host.empty()) return wrong("it names no host");
  target.port = http_port;
  if (port.empty()) return {};
  const auto number = port.starts_with(':') ? parse_port(port.substr(1)) : std::nullopt;
  if (!number) return wrong("the port must be a number from 1 to 65535");
  target.port = *number;
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view url) {
  if (!is_visible_ascii(url)) return wrong("it holds a blank or a character outside ASCII");
  if (url.starts_with("https://")) {
    return wrong("the bench speaks plain HTTP only: use the http:// address");
  }
  if (url.starts_with("http://")) {
    url.remove_prefix(7);
  } else if (url.find("://") != std::string_view::npos) {
    return wrong("it must begin with http://");
  }
  if (url.find_first_of("?#@") != std::string_view::npos) {
    return wrong("a query, a fragment or a user name has no place in it");
  }
  Target target;
  const auto slash = url.find('/');
  if (auto read = parse_authority(url.substr(0, slash), target); !read) return read.error();
  std::string_view path = slash == std::string_view::npos ? std::string_view{} : url.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!path.empty()) target.base_path = path;
  return target;
}

std::string Target::host_field() const {
  const bool v6 = host.find(':') != std::string::npos;
  std::string out = v6 ? "[" + host + "]" : host;
  if (port != http_port) out += ":" + std::to_string(port);
  return out;
}

std::string Target::origin() const {
  return "http://" + host_field();
}

}  // namespace lmb::bench
