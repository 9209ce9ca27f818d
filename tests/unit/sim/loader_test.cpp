#include "loader.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace lmb::sim {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint start = TimePoint(1h);
constexpr std::size_t a = 0;
constexpr std::size_t b = 1;

/// A loader with two models that take 10 s and 4 s, and its story as text.
class LoaderTest : public ::testing::Test {
 protected:
  void use(Loader::Rules rules) { loader_.emplace(rules, models_); }
  Loader& loader() {
    if (!loader_) use(Loader::Rules());
    return *loader_;
  }
  InstanceNumber jit(std::size_t model, TimePoint now, Duration ttl = 1h) {
    const auto number = loader().load(model, Origin::just_in_time, ttl, now);
    EXPECT_TRUE(number.has_value());
    return number.value_or(InstanceNumber());
  }
  /// What happened up to `now` but progress: "a loaded 10s, ...".
  std::string story(TimePoint now) {
    std::string out;
    for (const auto& event : loader().advance(now)) {
      if (event.kind == LoadEventKind::progress) continue;
      const auto at = std::chrono::duration_cast<std::chrono::seconds>(event.at - start);
      out += (out.empty() ? "#" : ", #") + std::to_string(event.instance.value());
      out += event.kind == LoadEventKind::loaded ? " loaded " : " " + reason(event.reason) + " ";
      out += std::to_string(at.count()) + "s";
    }
    return out;
  }
  static std::string reason(UnloadReason reason) {
    switch (reason) {
      case UnloadReason::asked:
        return "asked";
      case UnloadReason::idle:
        return "idle";
      case UnloadReason::evicted:
        return "evicted";
      case UnloadReason::crashed:
        return "crashed";
      case UnloadReason::load_failed:
        return "failed";
    }
    return "?";
  }
  std::string id(InstanceNumber number) {
    const Residence* residence = loader().residence(number);
    return residence != nullptr ? residence->id : "";
  }

  std::vector<DiskModel> models_ = {{"a", 10, 10s, LoadFault::none}, {"b", 4, 4s, LoadFault::none}};
  std::optional<Loader> loader_;
};

TEST_F(LoaderTest, a_load_takes_its_time_and_tells_its_progress) {
  const InstanceNumber number = jit(a, start);
  EXPECT_EQ(id(number), "a");
  EXPECT_FALSE(loader().find(a));
  EXPECT_EQ(loader().next_event(), start + 500ms);
  const auto events = loader().advance(start + 5s);
  ASSERT_EQ(events.size(), 10u);
  EXPECT_EQ(events[0].at, start + 500ms);
  EXPECT_DOUBLE_EQ(events[0].progress, 0.05);
  EXPECT_DOUBLE_EQ(events[9].progress, 0.5);
  EXPECT_EQ(story(start + 10s - 1ns), "");
  EXPECT_EQ(story(start + 10s), "#1 loaded 10s");
  EXPECT_EQ(loader().find(a), number);
}

TEST_F(LoaderTest, each_request_for_a_model_on_its_way_loads_one_more_instance) {
  jit(a, start);
  EXPECT_FALSE(loader().find(a));
  EXPECT_EQ(id(jit(a, start)), "a:2");
  EXPECT_EQ(id(jit(a, start + 1s)), "a:3");
  EXPECT_EQ(story(start + 11s), "#1 loaded 10s, #2 loaded 10s, #3 loaded 11s");
  EXPECT_EQ(loader().find(a), InstanceNumber(1));
  EXPECT_EQ(loader().find_id("a:3"), InstanceNumber(3));
  loader().unload(InstanceNumber(1), UnloadReason::asked, start + 12s);
  EXPECT_EQ(loader().find(a), InstanceNumber(2));
  EXPECT_EQ(id(jit(a, start + 12s)), "a");  // The lowest name that is free.
}

TEST_F(LoaderTest, without_duplicates_all_wait_for_the_first) {
  Loader::Rules rules;
  rules.duplicate_loads = false;
  use(rules);
  const InstanceNumber number = jit(a, start);
  EXPECT_EQ(loader().find(a), number);
}

TEST_F(LoaderTest, an_instance_loaded_just_in_time_goes_when_it_was_idle_for_its_ttl) {
  const InstanceNumber number = jit(a, start, 60s);
  loader().hold(number, start);
  EXPECT_EQ(story(start + 200s), "#1 loaded 10s");
  EXPECT_EQ(loader().next_event(), std::nullopt);  // In use: no clock runs.
  loader().release(number, start + 200s);
  EXPECT_EQ(loader().next_event(), start + 260s);
  loader().hold(number, start + 259s);  // Each request starts it anew.
  loader().release(number, start + 259s);
  EXPECT_EQ(story(start + 318s), "");
  EXPECT_EQ(story(start + 400s), "#1 idle 319s");
  EXPECT_EQ(loader().residence(number), nullptr);
  loader().release(number, start + 400s);  // Gone: nothing to release.
}

TEST_F(LoaderTest, an_instance_loaded_by_hand_knows_neither_ttl_nor_eviction) {
  const InstanceNumber placed = loader().place(a, start);
  const auto by_hand = loader().load(b, Origin::by_hand, 1s, start);
  jit(b, start);
  EXPECT_EQ(story(start + 10s), "#2 loaded 4s, #3 loaded 4s");
  EXPECT_EQ(story(start + 10h), "#3 idle 3604s");
  EXPECT_NE(loader().residence(placed), nullptr);
  EXPECT_NE(loader().residence(*by_hand), nullptr);
}

TEST_F(LoaderTest, only_the_last_just_in_time_model_stays) {
  const InstanceNumber first = jit(a, start);
  loader().hold(first, start);
  EXPECT_EQ(story(start + 20s), "#1 loaded 10s");
  jit(b, start + 20s);  // Goes at once, although it is in use.
  EXPECT_EQ(story(start + 20s), "#1 evicted 20s");
  EXPECT_EQ(story(start + 30s), "#2 loaded 24s");
}

TEST_F(LoaderTest, of_two_loads_at_once_the_later_to_end_evicts_the_other) {
  jit(a, start);
  jit(b, start);
  EXPECT_EQ(story(start + 20s), "#2 loaded 4s, #1 loaded 10s, #2 evicted 10s");
}

TEST_F(LoaderTest, without_auto_evict_all_stay) {
  Loader::Rules rules;
  rules.auto_evict = false;
  use(rules);
  jit(a, start);
  jit(b, start);
  EXPECT_EQ(story(start + 20s), "#2 loaded 4s, #1 loaded 10s");
}

TEST_F(LoaderTest, the_memory_guard_counts_what_is_there_and_what_is_on_its_way) {
  Loader::Rules rules;
  rules.memory_bytes = 20;
  use(rules);
  loader().place(b, start);
  EXPECT_TRUE(loader().load(a, Origin::by_hand, 1h, start));
  EXPECT_TRUE(loader().load(b, Origin::by_hand, 1h, start));
  EXPECT_FALSE(loader().load(b, Origin::by_hand, 1h, start));
  loader().unload(InstanceNumber(3), UnloadReason::asked, start);
  EXPECT_TRUE(loader().load(b, Origin::by_hand, 1h, start));
}

TEST_F(LoaderTest, eviction_makes_room_before_the_guard_looks) {
  Loader::Rules rules;
  rules.memory_bytes = 12;
  use(rules);
  jit(a, start);
  EXPECT_EQ(story(start + 10s), "#1 loaded 10s");
  EXPECT_TRUE(loader().load(b, Origin::just_in_time, 1h, start + 10s));
}

TEST_F(LoaderTest, loads_fail_as_told) {
  loader().set_fault(a, LoadFault::refused);
  EXPECT_FALSE(loader().load(a, Origin::just_in_time, 1h, start));
  loader().set_fault(a, LoadFault::fails);
  jit(a, start);
  EXPECT_EQ(story(start + 10s), "#1 failed 10s");
  loader().set_fault(a, LoadFault::hangs);
  const InstanceNumber hanging = jit(a, start + 20s);
  EXPECT_EQ(story(start + 100h), "");
  EXPECT_EQ(loader().next_event(), std::nullopt);
  ASSERT_NE(loader().residence(hanging), nullptr);
  EXPECT_FALSE(loader().residence(hanging)->loaded);
  loader().unload(hanging, UnloadReason::asked, start + 101h);
  EXPECT_EQ(story(start + 101h), "#2 asked 363600s");
  loader().set_fault(a, LoadFault::none);
  jit(a, start + 102h);
  EXPECT_EQ(story(start + 103h), "#3 loaded 367210s");
}

TEST_F(LoaderTest, the_same_calls_give_the_same_events_however_often_one_looks) {
  const auto play = [this](Duration step) {
    loader_.reset();
    jit(a, start, 30s);
    std::string out;
    for (TimePoint now = start; now <= start + 60s; now += step) {
      const std::string part = story(now);
      if (!part.empty()) out += part + ";";
    }
    return out;
  };
  EXPECT_EQ(play(1s), "#1 loaded 10s;#1 idle 40s;");
  EXPECT_EQ(play(60s), "#1 loaded 10s, #1 idle 40s;");
}

}  // namespace
}  // namespace lmb::sim
