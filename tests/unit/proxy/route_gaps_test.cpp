#include "lmb/proxy/route_gaps.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace lmb::proxy {
namespace {

using scheduling::WorkerSet;

WorkerSet set_of(std::initializer_list<std::uint32_t> ids) {
  WorkerSet set;
  for (const auto id : ids) set.insert(WorkerId(id));
  return set;
}

const TimePoint now = TimePoint{} + std::chrono::hours(1);

TEST(RouteGaps, belong_to_one_worker_and_one_route) {
  RouteGaps gaps;
  gaps.note(WorkerId(0), "/v1/responses", now);
  gaps.note(WorkerId(63), "/v1/responses", now);
  gaps.note(WorkerId(2), "/v1/messages", now);
  EXPECT_EQ(gaps.of("/v1/responses", now), set_of({0, 63}));
  EXPECT_EQ(gaps.of("/v1/messages", now), set_of({2}));
  EXPECT_EQ(gaps.of("/v1/chat/completions", now), WorkerSet());
}

TEST(RouteGaps, of_a_worker_are_forgotten_together) {
  RouteGaps gaps;
  gaps.note(WorkerId(1), "/v1/responses", now);
  gaps.note(WorkerId(1), "/v1/messages", now);
  gaps.note(WorkerId(2), "/v1/messages", now);
  gaps.forget(WorkerId(1));
  EXPECT_EQ(gaps.of("/v1/responses", now), WorkerSet());
  EXPECT_EQ(gaps.of("/v1/messages", now), set_of({2}));
}

TEST(RouteGaps, are_asked_again_after_a_minute) {
  RouteGaps gaps;
  gaps.note(WorkerId(1), "/v1/responses", now);
  EXPECT_EQ(gaps.of("/v1/responses", now + RouteGaps::believed - Duration(1)), set_of({1}));
  EXPECT_EQ(gaps.of("/v1/responses", now + RouteGaps::believed), WorkerSet());
  gaps.note(WorkerId(1), "/v1/responses", now + RouteGaps::believed);
  EXPECT_EQ(gaps.of("/v1/responses", now + RouteGaps::believed), set_of({1}));
}

TEST(RouteGaps, a_route_that_a_worker_answered_on_is_there) {
  RouteGaps gaps;
  gaps.note(WorkerId(1), "/v1/responses", now);
  gaps.note_answer(WorkerId(1), "/v1/responses");
  EXPECT_EQ(gaps.of("/v1/responses", now), WorkerSet());
  gaps.note(WorkerId(1), "/v1/responses", now);
  EXPECT_EQ(gaps.of("/v1/responses", now), WorkerSet()) << "a passing fault";
  gaps.forget(WorkerId(1));
  gaps.note(WorkerId(1), "/v1/responses", now);
  EXPECT_EQ(gaps.of("/v1/responses", now), set_of({1})) << "perhaps another version";
}

TEST(RouteGaps, are_not_kept_for_routes_that_no_worker_serves) {
  RouteGaps gaps;
  gaps.note(WorkerId(1), "/metrics", now);
  EXPECT_EQ(gaps.of("/metrics", now), WorkerSet());
}

}  // namespace
}  // namespace lmb::proxy
