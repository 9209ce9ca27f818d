#include "story.hpp"

namespace lmb::scheduling {
namespace {

TEST(ModelsStory, a_worker_that_has_the_model_loaded_is_preferred) {
  Story story({slots(4), slots(4)});
  story.all_up();
  (void)story.offer(0, {{"m", false}});
  (void)story.offer(1, {{"m", true}});
  for (int i = 0; i < 4; ++i) {
    story.runs_on(1);
  }
}

TEST(ModelsStory, a_full_worker_with_the_model_loaded_is_waited_for) {
  Story story({slots(4), slots(1)});
  story.all_up();
  (void)story.offer(0, {{"m", false}});
  story.runs_on(1);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(1), granted({{waiting, WorkerId(1)}}));
}

TEST(ModelsStory, when_the_loaded_worker_goes_the_others_serve_at_once) {
  // Waiting for b, which has the model loaded and is full; a could load it.
  const auto scene = [] {
    Story story({slots(4), slots(1)});
    story.all_up();
    (void)story.offer(0, {{"m", false}});
    story.runs_on(1);
    return story;
  };
  {
    Story story = scene();
    const TicketId waiting = story.waits();
    EXPECT_EQ(story.take_down(1), (Told{{{waiting, WorkerId(0)}},
                                        {},
                                        {{WorkerId(1), WorkerState::suspect, WorkerState::down}}}));
  }
  {
    Story story = scene();
    const TicketId waiting = story.waits();
    EXPECT_EQ(story.drain(1, true), granted({{waiting, WorkerId(0)}}));
  }
  {
    Story story = scene();
    const TicketId waiting = story.waits();
    EXPECT_EQ(story.offer(1, {{"m", false}}), granted({{waiting, WorkerId(0)}}));
  }
  {
    // Who has tried b need not wait for it.
    Story story = scene();
    story.runs_on(0, "m", workers({1}));
  }
}

TEST(ModelsStory, a_model_is_never_sent_to_a_worker_known_to_lack_it) {
  Story story({slots(4), slots(1)});
  story.all_up();
  (void)story.offer(0, {{"other", true}});
  story.runs_on(1);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.finish(1), granted({{waiting, WorkerId(1)}}));
}

TEST(ModelsStory, unknown_only_when_every_catalogue_was_read) {
  Story story({slots(1), slots(1)});
  (void)story.probe(0, true);
  (void)story.offer(0, {{"m", true}});
  // b may have it.
  const TicketId waiting = story.waits("x");
  // It has not.
  EXPECT_EQ(story.offer(1, {{"m", true}}), refused({{waiting, Refusal::unknown_model}}));
  story.is_refused(Refusal::unknown_model, "x");
}

TEST(ModelsStory, a_model_of_a_worker_that_is_down_is_not_unknown) {
  Story story({slots(1), slots(1)});
  story.all_up();
  (void)story.offer(1, {{"x", true}});
  (void)story.take_down(1);
  story.waits("x");
}

TEST(ModelsStory, a_model_that_vanishes_is_unknown_to_those_that_wait_for_it) {
  Story story({slots_in_all(1), slots(1)});
  story.all_up();
  (void)story.offer(0, {{"m", true}, {"x", true}});
  story.runs_on(0, "x");
  const TicketId x = story.waits("x");
  story.runs_on(1, "m");
  const TicketId m = story.waits("m");
  const TicketId x_again = story.waits("x");
  EXPECT_EQ(story.offer(0, {{"m", true}}),
            refused({{x, Refusal::unknown_model}, {x_again, Refusal::unknown_model}}));
  EXPECT_EQ(story.finish(0), granted({{m, WorkerId(0)}}));
}

TEST(ModelsStory, all_tried_also_when_the_last_untried_worker_loses_the_model) {
  Story story({slots(1), slots(1)});
  story.all_up().runs_on(0);
  story.runs_on(1);
  const TicketId waiting = story.waits("m", workers({0}));
  EXPECT_EQ(story.offer(1, {{"other", true}}), refused({{waiting, Refusal::all_tried}}));
}

TEST(ModelsStory, a_new_catalogue_serves_the_waiting) {
  Story story({slots(1), slots(1)});
  story.all_up();
  (void)story.offer(1, {{"other", true}});
  story.runs_on(0);
  const TicketId waiting = story.waits();
  // b has it on disk now; but a has it loaded: still wait.
  EXPECT_EQ(story.offer(1, {{"m", false}}), nothing);
  EXPECT_EQ(story.offer(1, {{"m", true}}), granted({{waiting, WorkerId(1)}}));
}

TEST(ModelsStory, the_same_catalogue_again_changes_nothing) {
  Story story({slots(1)});
  story.all_up().runs_on(0);
  const TicketId waiting = story.waits();
  EXPECT_EQ(story.offer(0, {{"m", true}}), nothing);
  EXPECT_EQ(story.finish(0), granted({{waiting, WorkerId(0)}}));
}

TEST(ModelsStory, names_are_compared_whole) {
  Story story({slots(1)});
  story.all_up();
  story.is_refused(Refusal::unknown_model, "mm");
  story.is_refused(Refusal::unknown_model, std::string_view("m\0", 2));
}

}  // namespace
}  // namespace lmb::scheduling
