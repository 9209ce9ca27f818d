#include "story.hpp"

namespace lmb::scheduling {
namespace {

TEST(WorkersStory, the_least_loaded_worker_gets_the_request) {
  Story story({slots(4), slots(4)});
  story.all_up();
  story.runs_on(0);
  story.runs_on(1);
  story.runs_on(0);
  story.runs_on(1);
  // a becomes free of both its requests: the next two are its own.
  (void)story.finish(0);
  (void)story.finish(0);
  story.runs_on(0);
  story.runs_on(0);
}

TEST(WorkersStory, sequential_requests_rotate) {
  Story story({slots(4), slots(4), slots(4)});
  story.all_up();
  for (int round = 0; round < 4; ++round) {
    for (std::uint32_t worker = 0; worker < 3; ++worker) {
      story.runs_on(worker);
      (void)story.finish(worker);
    }
  }
}

TEST(WorkersStory, a_worker_that_comes_back_does_not_get_all_ties) {
  Story story({slots(4), slots(4)});
  story.all_up();
  (void)story.drain(1, true);
  for (int i = 0; i < 10; ++i) {
    story.runs_on(0);
    (void)story.finish(0);
  }
  (void)story.drain(1, false);
  for (const std::uint32_t worker : {1U, 0U, 1U, 0U}) {
    story.runs_on(worker);
    (void)story.finish(worker);
  }
}

TEST(WorkersStory, weights_share_the_load) {
  WorkerSpec light = slots(100);
  WorkerSpec heavy = slots(100);
  heavy.weight = 3;
  Story story({light, heavy});
  story.all_up();
  for (int i = 0; i < 80; ++i) {
    EXPECT_TRUE(std::holds_alternative<Slot>(story.submit()));
  }
  EXPECT_EQ(story.in_flight(0), 20U);
  EXPECT_EQ(story.in_flight(1), 60U);
}

TEST(WorkersStory, a_heavy_worker_is_still_bounded_by_its_slots) {
  WorkerSpec heavy = slots(2);
  heavy.weight = 1000;
  Story story({slots(2), heavy});
  story.all_up();
  story.runs_on(1);
  story.runs_on(1);
  story.runs_on(0);
  story.runs_on(0);
  story.waits();
}

TEST(WorkersStory, slots_that_shrink_stop_grants_until_enough_have_finished) {
  Story story({auto_slots()});
  (void)story.offer(0, {{"m", true}}, 3);
  (void)story.probe(0, true);
  story.runs_on(0);
  story.runs_on(0);
  story.runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.offer(0, {{"m", true}}, 1), nothing);
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story.in_flight(0), 1U);
  EXPECT_EQ(story.finish(0), granted({{waiting, WorkerId(0)}}));
}

TEST(WorkersStory, slots_that_grow_let_the_waiting_in_at_once) {
  Story story({auto_slots()});
  (void)story.offer(0, {{"m", true}}, 1);
  (void)story.probe(0, true);
  story.runs_on(0);
  const TicketId first = story.waits();
  const TicketId second = story.waits();
  const TicketId third = story.waits();
  EXPECT_EQ(story.offer(0, {{"m", true}}, 3),
            granted({{first, WorkerId(0)}, {second, WorkerId(0)}}));
  EXPECT_EQ(story.finish(0), granted({{third, WorkerId(0)}}));
}

TEST(WorkersStory, only_probes_bring_a_worker_back) {
  Story story({slots(9)});
  story.all_up();
  for (int i = 0; i < 3; ++i) {
    story.runs_on(0);
  }
  (void)story.take_down(0);
  // Answers that were begun before prove nothing.
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_FALSE(story->any_up());
  EXPECT_EQ(story.probe(0, true), nothing);
  EXPECT_EQ(story.probe(0, true), changed({{WorkerId(0), WorkerState::down, WorkerState::up}}));
  EXPECT_TRUE(story->any_up());
}

TEST(WorkersStory, a_worker_that_comes_up_serves_the_waiting) {
  Story story({slots(1), slots(2)});
  story.all_up();
  (void)story.take_down(1);
  story.runs_on(0);
  const TicketId first = story.waits();
  const TicketId second = story.waits();
  const TicketId third = story.waits();
  (void)story.probe(1, true);
  const Told back = story.probe(1, true);
  EXPECT_EQ(back, (Told{{{first, WorkerId(1)}, {second, WorkerId(1)}},
                        {},
                        {{WorkerId(1), WorkerState::down, WorkerState::up}}}));
  EXPECT_EQ(story.finish(0), granted({{third, WorkerId(0)}}));
}

TEST(WorkersStory, a_draining_worker_finishes_what_it_has) {
  Story story({slots(2)});
  story.all_up();
  story.runs_on(0);
  EXPECT_EQ(story.drain(0, true), nothing);
  EXPECT_FALSE(story->any_up());
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story.drain(0, false), granted({{waiting, WorkerId(0)}}));
}

TEST(WorkersStory, a_tried_worker_is_not_chosen_again) {
  Story story({slots(2), slots(2), slots(2)});
  story.all_up();
  story.runs_on(2, "m", workers({0, 1}));
  story.is_refused(Refusal::all_tried, "m", workers({0, 1, 2}));
}

TEST(WorkersStory, a_snapshot_of_what_is_in_use_leaves_out_what_is_on_disk) {
  Story story({slots(2)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"m", true}, {"cold", false}, {"running", true}});
  story.runs_on(0, "running");
  (void)story.offer(0, {{"m", true}, {"cold", false}});
  const auto models = [&story](SnapshotScope scope) {
    std::vector<std::string> names;
    const FleetSnapshot fleet = story->snapshot(story.now(), scope);
    for (const InstanceSnapshot& instance : fleet.workers[0].instances) {
      names.push_back(instance.model);
    }
    return names;
  };
  EXPECT_EQ(models(SnapshotScope::in_use), (std::vector<std::string>{"m", "running"}));
  EXPECT_EQ(models(SnapshotScope::all_models), (std::vector<std::string>{"m", "cold", "running"}));
}

TEST(WorkersStory, the_snapshot_tells_all) {
  Story story({slots(2), auto_slots()});
  (void)story.offer(0, {{"m", true}});
  (void)story.probe(0, true);
  (void)story.drain(1, true);
  story.runs_on(0);
  story.runs_on(0);
  story.waits();
  const FleetSnapshot snapshot = story->snapshot(story.now());
  EXPECT_EQ(snapshot.queued, 1U);
  ASSERT_EQ(snapshot.workers.size(), 2U);
  const WorkerSnapshot& a = snapshot.workers[0];
  EXPECT_EQ(a.id, WorkerId(0));
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.state, WorkerState::up);
  EXPECT_TRUE(a.catalogue_known);
  EXPECT_FALSE(a.draining);
  EXPECT_EQ(a.in_flight, 2U);
  EXPECT_EQ(a.slots, 2U);
  EXPECT_EQ(a.grants_total, 2U);
  const WorkerSnapshot& b = snapshot.workers[1];
  EXPECT_EQ(b.state, WorkerState::draining);
  EXPECT_TRUE(b.draining);
  EXPECT_FALSE(b.catalogue_known);
  EXPECT_EQ(b.slots, 1U);
  EXPECT_EQ(b.grants_total, 0U);
}

TEST(WorkersStory, the_largest_fleet_works) {
  Story story(std::vector<WorkerSpec>(fleet_size_max, slots(1)));
  story.all_up();
  for (std::uint32_t worker = 0; worker < fleet_size_max; ++worker) {
    story.runs_on(worker);
  }
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(63), granted({{waiting, WorkerId(63)}}));
}

TEST(WorkersStoryDeathTest, giving_back_what_was_never_taken_is_our_bug) {
  Story story({slots(1)});
  story.all_up();
  EXPECT_DEATH((void)story.finish(Slot()), "held");
  const Slot slot = story.runs_on(0);
  (void)story.finish(slot);
  EXPECT_DEATH((void)story.finish(slot), "held");
}

}  // namespace
}  // namespace lmb::scheduling
