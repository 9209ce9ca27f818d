#include "lmb/proxy/route_gaps.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace lmb::proxy {
namespace {

using scheduling::WorkerSet;

WorkerSet set_of(std::initializer_list<std::uint32_t> ids) {
  WorkerSet set;
  for (const auto id : ids) set.insert(WorkerId(id));
  return set;
}

TEST(RouteGaps, belong_to_one_worker_and_one_route) {
  RouteGaps gaps;
  gaps.note(WorkerId(0), "/v1/responses");
  gaps.note(WorkerId(63), "/v1/responses");
  gaps.note(WorkerId(2), "/v1/messages");
  EXPECT_EQ(gaps.of("/v1/responses"), set_of({0, 63}));
  EXPECT_EQ(gaps.of("/v1/messages"), set_of({2}));
  EXPECT_EQ(gaps.of("/v1/chat/completions"), WorkerSet());
}

TEST(RouteGaps, of_a_worker_are_forgotten_together) {
  RouteGaps gaps;
  gaps.note(WorkerId(1), "/v1/responses");
  gaps.note(WorkerId(1), "/v1/messages");
  gaps.note(WorkerId(2), "/v1/messages");
  gaps.forget(WorkerId(1));
  EXPECT_EQ(gaps.of("/v1/responses"), WorkerSet());
  EXPECT_EQ(gaps.of("/v1/messages"), set_of({2}));
}

TEST(RouteGaps, are_not_kept_for_routes_that_no_worker_serves) {
  RouteGaps gaps;
  gaps.note(WorkerId(1), "/metrics");
  EXPECT_EQ(gaps.of("/metrics"), WorkerSet());
}

}  // namespace
}  // namespace lmb::proxy
