#include "lmb/net/network.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>
#include <cstddef>
#include <span>

namespace lmb::net {
namespace asio = boost::asio;

namespace {

struct Bytes {
  std::array<unsigned char, 16> bytes{};
  std::size_t size = 0;
  [[nodiscard]] std::span<const unsigned char> view() const { return {bytes.data(), size}; }
};

Bytes bytes_of(const asio::ip::address& address) {
  Bytes out;
  const auto take = [&out](const auto& from) {
    std::copy(from.begin(), from.end(), out.bytes.begin());
    out.size = from.size();
  };
  if (address.is_v4()) {
    take(address.to_v4().to_bytes());
  } else {
    take(address.to_v6().to_bytes());
  }
  return out;
}

/// The bits of byte `index` that belong to the prefix.
unsigned mask_of(std::size_t index, std::size_t prefix_bits) noexcept {
  const auto before = index * 8;
  if (prefix_bits <= before) return 0;
  const auto bits = std::min<std::size_t>(8, prefix_bits - before);
  return (0xFFU << (8 - bits)) & 0xFFU;
}

bool nothing_behind(const Bytes& address, std::size_t prefix_bits) noexcept {
  for (std::size_t i = 0; i < address.size; ++i) {
    if ((address.bytes[i] & ~mask_of(i, prefix_bits) & 0xFFU) != 0) return false;
  }
  return true;
}

}  // namespace

bool Network::contains(const asio::ip::address& member) const noexcept {
  if (member.is_v4() != address.is_v4()) return false;
  const auto first = bytes_of(address);
  const auto other = bytes_of(member);
  for (std::size_t i = 0; i < first.size; ++i) {
    if (((first.bytes[i] ^ other.bytes[i]) & mask_of(i, prefix_bits)) != 0) return false;
  }
  return true;
}

std::string Network::text() const {
  return address.to_string() + "/" + std::to_string(prefix_bits);
}

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(std::string(text.substr(0, slash)), ec);
  if (ec || (address.is_v6() && address.to_v6().scope_id() != 0)) return std::nullopt;
  const auto bytes = bytes_of(address);
  unsigned bits = static_cast<unsigned>(bytes.size) * 8;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    unsigned given = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), given);
    const bool whole = fault == std::errc() && end == digits.data() + digits.size();
    if (!whole || digits.empty() || given > bits) return std::nullopt;
    bits = given;
  }
  if (!nothing_behind(bytes, bits)) return std::nullopt;
  return Network{address, static_cast<std::uint8_t>(bits)};
}

asio::ip::address unmapped(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

}  // namespace lmb::net
