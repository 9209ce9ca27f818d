#include "running.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace lmb::admin {
namespace {

using namespace std::chrono_literals;
using telemetry::Phase;
using telemetry::RequestRecord;

constexpr TimePoint start{};

RequestRecord record(std::string id, std::string model, TimePoint begun, Phase phase) {
  RequestRecord made;
  made.phases = telemetry::PhaseClock(begun);
  made.phases.enter(phase, begun + 1s);
  made.request_id = std::move(id);
  made.model = std::move(model);
  return made;
}

VisitRequests visitor(const std::vector<RequestRecord>& records) {
  return [&records](const auto& look) {
    for (const auto& each : records) look(each);
  };
}

TEST(RunningRequests, tell_age_phase_and_progress_of_the_oldest) {
  std::vector<RequestRecord> records{record("a", "m", start, Phase::generate),
                                     record("b", std::string(999, 'x'), start + 5s, Phase::queue),
                                     record("c", "m", start + 6s, Phase::queue)};
  records[0].worker = WorkerId(1);
  records[0].generated_tokens = 7;
  const auto list = list_requests(visitor(records), 2, start + 10s);
  ASSERT_EQ(list.rows.size(), 2U);
  EXPECT_EQ(list.left_out, 1U);
  EXPECT_EQ(list.rows[0].id, "a");
  EXPECT_EQ(list.rows[0].worker, WorkerId(1));
  EXPECT_EQ(list.rows[0].phase, Phase::generate);
  EXPECT_EQ(list.rows[0].age, 10s);
  EXPECT_EQ(list.rows[0].in_phase, 9s);
  EXPECT_EQ(list.rows[0].tokens, 7U);
  EXPECT_EQ(list.rows[1].model.size(), 200U);
}

TEST(RunningRequests, of_several_shards_are_the_oldest_of_all) {
  const std::vector<RequestRecord> one{record("a", "m", start, Phase::read),
                                       record("c", "m", start + 2s, Phase::read)};
  const std::vector<RequestRecord> two{record("b", "m", start + 1s, Phase::read),
                                       record("d", "m", start + 3s, Phase::read)};
  auto list = list_requests(visitor(one), 3, start + 9s);
  merge(list, list_requests(visitor(two), 3, start + 9s), 3);
  ASSERT_EQ(list.rows.size(), 3U);
  EXPECT_EQ(list.rows[0].id + list.rows[1].id + list.rows[2].id, "abc");
  EXPECT_EQ(list.left_out, 1U);
}

TEST(Waits, count_the_queue_phase_only_by_model_with_the_longest_wait) {
  const std::vector<RequestRecord> one{record("a", "m", start, Phase::queue),
                                       record("b", "m", start + 1s, Phase::queue),
                                       record("c", "n", start, Phase::prefill)};
  const std::vector<RequestRecord> two{record("d", "n", start + 3s, Phase::queue),
                                       record("e", "o", start + 4s, Phase::queue)};
  auto waits = list_waits(visitor(one), 2, start + 10s);
  merge(waits, list_waits(visitor(two), 2, start + 10s), 2);
  ASSERT_EQ(waits.models.size(), 2U);
  EXPECT_EQ(waits.models.at("m").waiting, 2U);
  EXPECT_EQ(waits.models.at("m").oldest, 9s);
  EXPECT_EQ(waits.models.at("n").waiting, 1U);
  EXPECT_EQ(waits.others.waiting, 1U) << "o is beyond the limit, but not lost";
  EXPECT_EQ(waits.others.oldest, 5s);
}

}  // namespace
}  // namespace lmb::admin
