#include "story.hpp"
#include "wait_queue.hpp"

namespace lmb::scheduling {
namespace {

Offers with_context(std::uint64_t tokens) {
  Offers offers = offers_of({{"m", true}}, 1);
  offers.models[0].instances[0].context_length = tokens;
  return offers;
}

Submitted submit(Story& story, std::uint64_t tokens) {
  Demand demand;
  demand.model = "m";
  demand.deadline = story.now() + 1h;
  demand.prompt_tokens = tokens;
  return story.submit(demand);
}

/// a has room for 8,192 tokens, b for 32,768; one slot each.
Story two_contexts() {
  Story story({auto_slots(), auto_slots()});
  story.all_up();
  (void)story.offer(0, with_context(8192));
  (void)story.offer(1, with_context(32768));
  return story;
}

TEST(ContextStory, a_prompt_goes_where_it_fits) {
  Story story = two_contexts();
  EXPECT_EQ(std::get<Slot>(submit(story, 20'000)).worker, WorkerId(1));
  // Rather wait than be refused by the worker.
  const TicketId waiting = std::get<TicketId>(submit(story, 20'000));
  EXPECT_EQ(std::get<Slot>(submit(story, 8192)).worker, WorkerId(0));
  EXPECT_EQ(story.finish(0), nothing);
  EXPECT_EQ(story.finish(1), granted({{waiting, WorkerId(1)}}));
}

TEST(ContextStory, one_that_fits_nowhere_goes_anywhere) {
  Story story = two_contexts();
  EXPECT_TRUE(std::holds_alternative<Slot>(submit(story, 100'000)));
  EXPECT_TRUE(std::holds_alternative<Slot>(submit(story, 100'000)));
}

TEST(ContextStory, an_unknown_context_or_prompt_fits) {
  Story story = two_contexts();
  EXPECT_EQ(std::get<Slot>(submit(story, 0)).worker, WorkerId(0));
  (void)story.finish(0);
  (void)story.offer(0, with_context(0));
  EXPECT_EQ(std::get<Slot>(submit(story, 1'000'000)).worker, WorkerId(0));
}

TEST(ContextStory, when_the_one_that_fits_goes_the_other_serves) {
  Story story = two_contexts();
  (void)submit(story, 20'000);
  const TicketId waiting = std::get<TicketId>(submit(story, 20'000));
  EXPECT_EQ(story.drain(1, true), granted({{waiting, WorkerId(0)}}));
}

TEST(ContextStory, sizes_are_rounded_up_to_eighths_of_a_power_of_two) {
  EXPECT_EQ(context_step(0), 0U);
  EXPECT_EQ(context_step(1), 1024U);
  EXPECT_EQ(context_step(1024), 1024U);
  EXPECT_EQ(context_step(1025), 1152U);
  EXPECT_EQ(context_step(8192), 8192U);
  EXPECT_EQ(context_step(8193), 9216U);
  EXPECT_EQ(context_step(32768), 32768U);
  for (std::uint64_t tokens = 1024; tokens < 300'000; tokens += 7) {
    ASSERT_GE(context_step(tokens), tokens);
    ASSERT_LE(context_step(tokens) - tokens, tokens / 8);
  }
}

}  // namespace
}  // namespace lmb::scheduling
