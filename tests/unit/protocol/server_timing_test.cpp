#include "lmb/protocol/server_timing.hpp"

#include <gtest/gtest.h>

namespace lmb::protocol {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(ServerTiming, finds_its_metric_among_others) {
  const auto value = "read;dur=0.100, proxy;dur=0.002, queue;dur=12.345, connect;dur=1";
  EXPECT_EQ(server_timing(value, "queue"), Duration(microseconds(12345)));
  EXPECT_EQ(server_timing(value, "connect"), Duration(milliseconds(1)));
  EXPECT_EQ(server_timing(value, "que"), std::nullopt);
}

TEST(ServerTiming, takes_blanks_and_other_parameters) {
  EXPECT_EQ(server_timing("a ,queue ; desc=\"x\" ; dur = 7.5 ;z=1", "queue"),
            Duration(microseconds(7500)));
}

TEST(ServerTiming, has_nothing_to_say_about_what_is_no_number) {
  for (const char* value : {"", "queue", "queue;dur=", "queue;dur=-1", "queue;dur=1e3",
                            "queue;dur=99999999999999999999", "queue;dur=1.x", "queue;desc=a"}) {
    EXPECT_EQ(server_timing(value, "queue"), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace lmb::protocol
