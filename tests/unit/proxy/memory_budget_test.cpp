#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "lmb/proxy/front.hpp"

namespace lmb::proxy {
namespace {

TEST(MemoryBudget, gives_up_to_its_limit_and_not_a_byte_more) {
  MemoryBudget budget(10);
  EXPECT_TRUE(budget.take(10));
  EXPECT_FALSE(budget.take(1));
  EXPECT_EQ(budget.used(), 10U) << "a refused take leaves nothing behind";
  budget.give_back(1);
  EXPECT_TRUE(budget.take(1));
}

TEST(MemoryBudget, holds_among_threads) {
  MemoryBudget budget(1000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) {
        if (budget.take(3)) budget.give_back(3);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace lmb::proxy
