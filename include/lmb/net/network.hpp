#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lmb::net {

/// A range of addresses in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3). Pure.
struct Network {
  boost::asio::ip::address address;  ///< Its first one.
  std::uint8_t prefix_bits = 0;
  bool operator==(const Network&) const = default;

  [[nodiscard]] bool contains(const boost::asio::ip::address& member) const noexcept;
  /// "10.0.0.0/8", "::1/128".
  [[nodiscard]] std::string text() const;
};

/// Reads "10.0.0.0/8", "fd00::/8", or a single address. Nothing when it is neither, or when bits
/// behind the prefix are set.
std::optional<Network> parse_network(std::string_view text);

/// An IPv4 peer of a listener for both families shows as ::ffff:a.b.c.d: the address in the form
/// that everybody writes.
boost::asio::ip::address unmapped(const boost::asio::ip::address& address);

}  // namespace lmb::net
