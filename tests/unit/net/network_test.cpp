#include "lmb/net/network.hpp"

#include <gtest/gtest.h>

namespace lmb::net {
namespace {

using boost::asio::ip::make_address;

bool in(const char* network, const char* address) {
  const auto parsed = parse_network(network);
  EXPECT_TRUE(parsed.has_value()) << network;
  return parsed && parsed->contains(make_address(address));
}

TEST(Network, contains_what_its_prefix_says) {
  EXPECT_TRUE(in("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(in("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(in("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(in("0.0.0.0/0", "203.0.113.9"));
  EXPECT_TRUE(in("10.0.0.5", "10.0.0.5"));
  EXPECT_FALSE(in("10.0.0.5", "10.0.0.4"));
  EXPECT_TRUE(in("fd00::/8", "fdff::1"));
  EXPECT_FALSE(in("fd00::/8", "fe80::1"));
  EXPECT_TRUE(in("::1", "::1"));
  EXPECT_FALSE(in("::/0", "10.0.0.1")) << "the families are apart";
  EXPECT_FALSE(in("0.0.0.0/0", "::1"));
}

TEST(Network, refuses_what_is_none) {
  for (const auto* text :
       {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/08 ",
        "10.0.0.1/8", "fd00::1/8", "::/129", "localhost", "10.0.0", "fe80::1%1/64", "[::1]"}) {
    EXPECT_FALSE(parse_network(text).has_value()) << text;
  }
}

TEST(Network, ipv4_in_ipv6_is_ipv4) {
  EXPECT_EQ(unmapped(make_address("::ffff:10.0.0.1")), make_address("10.0.0.1"));
  EXPECT_EQ(unmapped(make_address("::1")), make_address("::1"));
}

}  // namespace
}  // namespace lmb::net
