#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>

#include "story.hpp"

// Counts the heap allocations of this test program. Replaced for the whole program, as the language
// wants.
namespace {
thread_local std::size_t allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) {
    return memory;
  }
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace lmb::scheduling {
namespace {

TEST(Allocation, none_on_the_way_of_a_request_that_need_not_wait) {
  Story story({slots(2), slots(2), slots(2)});
  story.all_up();
  const std::string model(100, 'x');  // Longer than any small-string buffer.
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    (void)story.offer(worker, {{model, true}});
  }
  std::array<Slot, 6> slots_taken;
  Demand demand;
  demand.model = model;
  demand.deadline = story.now() + 1min;
  const std::size_t before = allocations;
  for (Slot& slot : slots_taken) {
    Submitted submitted = story->submit(demand, story.now());
    if (!std::holds_alternative<Slot>(submitted)) {
      FAIL() << "no free slot";
    }
    slot = std::move(std::get<Slot>(submitted));
  }
  Outcome outcome = Outcome::answered;
  for (const Slot& slot : slots_taken) {
    (void)story->finish(slot, outcome, story.now());
    outcome = outcome == Outcome::answered ? Outcome::abandoned : Outcome::answered;
  }
  EXPECT_EQ(allocations - before, 0U);
}

TEST(Allocation, none_for_a_model_that_nobody_has) {
  Story story({slots(2)});
  story.all_up();
  const std::string model(100, 'y');
  const std::size_t before = allocations;
  story.is_refused(Refusal::unknown_model, model);
  EXPECT_EQ(allocations - before, 0U);
}

TEST(Allocation, the_counter_counts) {
  Story story({slots(1)});
  story.all_up();
  story.runs_on(0);
  const std::size_t before = allocations;
  story.waits();
  EXPECT_GT(allocations, before);
}

}  // namespace
}  // namespace lmb::scheduling
