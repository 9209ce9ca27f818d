#include "story.hpp"

namespace lmb::scheduling {
namespace {

/// One model with these loaded instances.
Offers instances(std::string key, std::vector<InstanceOffer> loaded) {
  Offers offers;
  offers.models.push_back({.key = std::move(key), .names = {}, .instances = std::move(loaded)});
  return offers;
}

std::string sent_as(const Slot& slot) {
  return slot.rename ? *slot.id : "";
}

TEST(InstancesStory, each_instance_has_its_own_slots) {
  Story story({auto_slots()});
  (void)story.probe(0, true);
  (void)story.offer(0, instances("m", {{.id = "m", .parallel = 2}, {.id = "m:2", .parallel = 1}}));
  EXPECT_EQ(sent_as(story.runs_on(0)), "") << "the model's own name reaches this one";
  EXPECT_EQ(sent_as(story.runs_on(0)), "m:2");
  story.runs_on(0);
  const TicketId waiting = story.waits();
  (void)story.waits("m:2");
  // The second one's slot goes to the older of the two, which may take either.
  EXPECT_EQ(story.finish(story.last_slot(0)), granted({{waiting, WorkerId(0)}}));
}

TEST(InstancesStory, an_instance_named_by_its_id_is_the_only_one_that_will_do) {
  Story story({auto_slots()});
  (void)story.probe(0, true);
  (void)story.offer(0, instances("m", {{.id = "m", .parallel = 2}, {.id = "m:2", .parallel = 1}}));
  EXPECT_EQ(sent_as(story.runs_on(0, "m:2")), "") << "the client named it itself";
  const TicketId waiting = story.waits("m:2");
  story.runs_on(0, "m");
  EXPECT_EQ(story.finish(0), granted({{waiting, WorkerId(0)}}));
}

TEST(InstancesStory, a_single_instance_under_another_name_is_told_by_its_id) {
  Story story({auto_slots()});
  (void)story.probe(0, true);
  (void)story.offer(0, instances("m", {{.id = "mine", .parallel = 4}}));
  EXPECT_EQ(sent_as(story.runs_on(0, "m")), "mine");
  EXPECT_EQ(sent_as(story.runs_on(0, "mine")), "");
}

TEST(InstancesStory, slots_come_from_the_operator_else_the_catalogue_else_the_default) {
  WorkerSpec capped;
  capped.max_in_flight = 3;
  Story story({slots(7), auto_slots(), capped});
  const auto all_slots = [&story] {
    std::vector<std::uint32_t> found;
    for (const WorkerSnapshot& worker : story->snapshot(story.now()).workers) {
      found.push_back(worker.slots);
    }
    return found;
  };
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    (void)story.offer(worker,
                      instances("m", {{.id = "m", .parallel = 9}, {.id = "m:2", .parallel = 2}}));
  }
  EXPECT_EQ(all_slots(), (std::vector<std::uint32_t>{14, 11, 3}));
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    (void)story.offer(worker, instances("m", {{.id = "m"}, {.id = "m:2"}}));
  }
  EXPECT_EQ(all_slots(), (std::vector<std::uint32_t>{14, 2, 2})) << "not told: one each";
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    Offers offers = instances("e", {{.id = "e", .parallel = 9}});
    offers.models[0].kind = ModelKind::embedding;
    (void)story.offer(worker, offers);
  }
  EXPECT_EQ(all_slots(), (std::vector<std::uint32_t>{1, 1, 1})) << "embeddings: one at a time";
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    (void)story.offer(worker, instances("m", {}));
  }
  EXPECT_EQ(all_slots(), (std::vector<std::uint32_t>{1, 1, 1})) << "on disk: one loads it";
}

TEST(InstancesStory, max_in_flight_counts_over_all_models) {
  WorkerSpec spec = slots(2);
  spec.max_in_flight = 3;
  Story story({spec});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"m", true}, {"n", true}});
  story.runs_on(0, "m");
  story.runs_on(0, "m");
  story.runs_on(0, "n");
  const TicketId waiting = story.waits("n");
  EXPECT_EQ(story.finish(0), granted({{waiting, WorkerId(0)}}));
}

TEST(InstancesStory, one_request_at_a_time_loads_a_model) {
  Story story({slots(4)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"m", false}});
  EXPECT_TRUE(story.runs_on(0).cold);
  const TicketId first = story.waits();
  const TicketId second = story.waits();
  // It is loaded now: the leader still runs, three more may.
  EXPECT_EQ(story.offer(0, {{"m", true}}), granted({{first, WorkerId(0)}, {second, WorkerId(0)}}));
  EXPECT_FALSE(story.last_slot(0).cold);
  story.runs_on(0);
  story.waits();
}

TEST(InstancesStory, the_loading_request_counts_on_the_instance_that_appears_whatever_its_name) {
  Story story({auto_slots()});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"m", false}});
  const Slot leader = story.runs_on(0);
  (void)story.offer(0, instances("m", {{.id = "m:3", .parallel = 1}}));
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(leader), granted({{waiting, WorkerId(0)}}));
}

TEST(InstancesStory, an_instance_that_vanishes_keeps_its_count_until_its_requests_are_finished) {
  Story story({slots(2)});
  (void)story.probe(0, true);
  (void)story.offer(0, instances("m", {{.id = "m"}, {.id = "m:2"}}));
  for (int i = 0; i < 4; ++i) {
    story.runs_on(0);
  }
  (void)story.offer(0, {{"n", true}});
  EXPECT_EQ(story.in_flight(0), 4U);
  story.is_refused(Refusal::unknown_model);
  EXPECT_EQ(story->snapshot(story.now()).workers[0].instances.size(), 3U);
  EXPECT_FALSE(story->snapshot(story.now()).workers[0].instances[1].listed);
  // It comes back with what it still runs.
  (void)story.finish(0);
  (void)story.finish(0);
  (void)story.offer(0, instances("m", {{.id = "m"}, {.id = "m:2"}}));
  EXPECT_EQ(story.in_flight(0), 2U);
  story.runs_on(0);
  story.runs_on(0);
  story.waits();
  for (int i = 0; i < 4; ++i) {
    (void)story.finish(0);
  }
  (void)story.finish(0);
  EXPECT_EQ(story.in_flight(0), 0U);
}

TEST(InstancesStory, the_place_of_a_gone_instance_is_used_again_only_when_nothing_runs_on_it) {
  Story story({slots(1)});
  (void)story.probe(0, true);
  (void)story.offer(0, instances("m", {{.id = "m"}}));
  const Slot old = story.runs_on(0);
  (void)story.offer(0, instances("n", {{.id = "n"}}));
  const Slot on_n = story.runs_on(0, "n");
  EXPECT_NE(on_n.instance, old.instance);
  (void)story.finish(old);
  (void)story.offer(0, instances("n", {{.id = "n"}, {.id = "n:2"}}));
  const Slot second = story.runs_on(0, "n");
  EXPECT_EQ(second.instance, old.instance);
  EXPECT_EQ(sent_as(second), "n:2");
}

TEST(InstancesStory, an_unloaded_model_waits_for_its_running_requests_before_it_is_loaded_again) {
  Story story({slots(2)});
  story.all_up();
  story.runs_on(0);
  story.runs_on(0);
  (void)story.offer(0, {{"m", false}});
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story.finish(0), granted({{waiting, WorkerId(0)}}));
  EXPECT_TRUE(story.last_slot(0).cold);
}

}  // namespace
}  // namespace lmb::scheduling
