#include "lmb/proxy/connection_counts.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <utility>

namespace lmb::proxy {
namespace {

using Verdict = ConnectionCounts::Verdict;

ConnectionCounts::Key key_of(const char* address) {
  return ConnectionCounts::key_of(boost::asio::ip::make_address(address));
}

TEST(ConnectionCounts, admits_up_to_each_limit_and_again_when_one_is_over) {
  ConnectionCounts counts(3, 2);
  const auto a = key_of("10.0.0.1");
  const auto b = key_of("10.0.0.2");
  ASSERT_EQ(counts.enter(a), Verdict::admitted);
  std::optional<ConnectionCounts::Place> first(std::in_place, counts, a);
  ASSERT_EQ(counts.enter(a), Verdict::admitted);
  const ConnectionCounts::Place second(counts, a);
  EXPECT_EQ(counts.enter(a), Verdict::client_full);
  ASSERT_EQ(counts.enter(b), Verdict::admitted);
  const ConnectionCounts::Place third(counts, b);
  EXPECT_EQ(counts.enter(b), Verdict::total_full);
  EXPECT_EQ(counts.open(), 3U);
  first.reset();
  EXPECT_EQ(counts.open(), 2U);
  EXPECT_EQ(counts.enter(a), Verdict::admitted);
  const ConnectionCounts::Place fourth(counts, a);
}

TEST(ConnectionCounts, a_proxy_for_many_is_bound_by_the_total_alone) {
  ConnectionCounts counts(2, 1);
  const ConnectionCounts::Key proxy{};
  ASSERT_EQ(counts.enter(proxy), Verdict::admitted);
  const ConnectionCounts::Place first(counts, proxy);
  ASSERT_EQ(counts.enter(proxy), Verdict::admitted);
  const ConnectionCounts::Place second(counts, proxy);
  EXPECT_EQ(counts.enter(proxy), Verdict::total_full);
}

TEST(ConnectionCounts, tells_clients_apart_by_address_or_network) {
  EXPECT_EQ(key_of("10.0.0.1"), key_of("::ffff:10.0.0.1"));
  EXPECT_NE(key_of("10.0.0.1"), key_of("10.0.0.2"));
  EXPECT_EQ(key_of("2001:db8:0:1::1"), key_of("2001:db8:0:1:ffff::2")) << "one /64";
  EXPECT_NE(key_of("2001:db8:0:1::1"), key_of("2001:db8:0:2::1"));
  EXPECT_NE(key_of("0.0.0.4"), key_of("::4"));
}

TEST(ConnectionCounts, a_moved_place_is_given_back_once) {
  ConnectionCounts counts(5, 5);
  const auto key = key_of("10.0.0.1");
  ASSERT_EQ(counts.enter(key), Verdict::admitted);
  {
    ConnectionCounts::Place place(counts, key);
    const ConnectionCounts::Place moved(std::move(place));
    EXPECT_EQ(counts.open(), 1U);
  }
  EXPECT_EQ(counts.open(), 0U);
}

}  // namespace
}  // namespace lmb::proxy
