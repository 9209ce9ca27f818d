#include "lmb/net/session_group.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <stdexcept>
#include <string>

namespace lmb::net {
namespace {

Task<void> run_until(SessionGroup& group, StopLevel level) {
  Bell bell;
  const StopWatch stop(group, bell);
  while (stop.level() < level) co_await bell.wait();
}

Task<void> fail() {
  throw std::runtime_error("on purpose");
  co_return;
}

TEST(SessionGroup, counts_and_stops_its_sessions_by_level) {
  boost::asio::io_context context;
  SessionGroup group([](const char* what) { FAIL() << what; });
  group.spawn(run_until(group, StopLevel::finish_request));
  group.spawn(run_until(group, StopLevel::now));
  context.poll();
  EXPECT_EQ(group.active(), 2U);
  group.stop(StopLevel::finish_request);
  context.poll();
  EXPECT_EQ(group.active(), 1U);
  group.stop(StopLevel::now);
  context.poll();
  EXPECT_EQ(group.active(), 0U);
}

TEST(SessionGroup, never_lowers_the_level) {
  boost::asio::io_context context;
  SessionGroup group([](const char* what) { FAIL() << what; });
  group.stop(StopLevel::now);
  group.stop(StopLevel::finish_request);
  EXPECT_EQ(group.level(), StopLevel::now);
}

TEST(SessionGroup, tells_of_an_exception_and_goes_on) {
  boost::asio::io_context context;
  std::string told;
  SessionGroup group([&](const char* what) { told = what; });
  group.spawn(fail());
  context.poll();
  EXPECT_EQ(told, "on purpose");
  EXPECT_EQ(group.active(), 0U);
}

}  // namespace
}  // namespace lmb::net
