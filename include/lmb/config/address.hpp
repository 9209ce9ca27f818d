#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lmb/net/options.hpp"

namespace lmb::config {

/// Why a text is no address: a sentence for the operator that does not repeat the text.
struct AddressFault {
  std::string message;
};

/// The addresses of "host:port": an IPv4 literal, an IPv6 literal in brackets, `localhost` (both
/// loopback addresses) or `*` (every address of both families). IPv6 comes out in its canonical
/// spelling (RFC 5952), so that equal addresses are equal texts. Port 0 = any free one.
std::variant<std::vector<net::ListenAddress>, AddressFault> parse_listen(std::string_view text);

struct HostPort {
  std::string host;  ///< Lower case; IPv6 without brackets.
  std::uint16_t port = 0;
};

/// http://host[:port][/] with a DNS name, IPv4 literal or bracketed IPv6 literal. Anything that
/// would be ignored (user, path, query, fragment) is a fault, and so is https.
std::variant<HostPort, AddressFault> parse_worker_url(std::string_view text,
                                                      std::uint16_t default_port);

}  // namespace lmb::config
