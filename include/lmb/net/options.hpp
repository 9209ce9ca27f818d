#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmb::net {

/// An address to listen on. `host` is an IPv4 or IPv6 literal without brackets; port 0 = any free
/// one.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const ListenAddress&) const = default;
};

/// "host:port" as a URL's authority and a Host field have it (RFC 3986 section 3.2); IPv6 literals
/// in brackets.
inline std::string host_port_text(std::string_view host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  return (v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + std::to_string(port);
}

/// The same for a Host field: the zone of a link-local address ("fe80::1%en0") has a meaning on
/// this machine only (RFC 6874 section 1).
inline std::string host_field_text(std::string_view host, std::uint16_t port) {
  return host_port_text(host.substr(0, host.find('%')), port);
}

/// Whether only programs on this machine can connect there: 127.0.0.0/8 and ::1.
inline bool is_loopback(const ListenAddress& address) {
  return address.host.starts_with("127.") || address.host == "::1";
}

/// What a FIN from a client whose request runs means: RFC 9112 section 9.6 leaves that to the
/// server.
enum class HalfClose : std::uint8_t {
  abort,  ///< It has left: nobody waits for the answer.
  keep,   ///< It has sent all it wants to send, and still reads.
};

struct NetOptions {
  /// listen: where clients connect. The default is this machine only, both address families.
  std::vector<ListenAddress> listen{{"127.0.0.1", 8080}, {"::1", 8080}};
  std::size_t threads = 0;               ///< threads: shards, 1..64; 0 = min(4, cores).
  std::size_t connections_max = 10'000;  ///< limits.connections: client connections at once.
  /// limits.connections_per_client: of those, from one address.
  std::size_t connections_per_client_max = 5'000;
};

}  // namespace lmb::net
