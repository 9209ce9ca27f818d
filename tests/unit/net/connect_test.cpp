#include "lmb/net/connect.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

namespace lmb::net {
namespace {

using boost::asio::ip::tcp;

std::vector<tcp::endpoint> endpoints(const std::vector<std::string>& addresses) {
  std::vector<tcp::endpoint> made;
  for (const auto& address : addresses) {
    made.emplace_back(boost::asio::ip::make_address(address), 1234);
  }
  return made;
}

TEST(InterleaveFamilies, takes_them_in_turn_and_begins_with_the_firsts) {
  EXPECT_EQ(interleave_families(endpoints({"::1", "::2", "::3", "10.0.0.1", "10.0.0.2"})),
            endpoints({"::1", "10.0.0.1", "::2", "10.0.0.2", "::3"}));
  EXPECT_EQ(interleave_families(endpoints({"10.0.0.1", "10.0.0.2", "::1"})),
            endpoints({"10.0.0.1", "::1", "10.0.0.2"}));
}

TEST(InterleaveFamilies, leaves_one_family_and_nothing_as_they_are) {
  EXPECT_EQ(interleave_families(endpoints({"10.0.0.2", "10.0.0.1"})),
            endpoints({"10.0.0.2", "10.0.0.1"}));
  EXPECT_TRUE(interleave_families({}).empty());
}

}  // namespace
}  // namespace lmb::net
