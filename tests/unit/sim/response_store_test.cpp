#include "response_store.hpp"

#include <gtest/gtest.h>

namespace lmb::sim {
namespace {

TEST(ResponseStore, keeps_the_youngest) {
  ResponseStore store(2);
  store.keep("a", {"one", 3});
  store.keep("b", {"two", 3});
  store.keep("c", {"three", 5});
  EXPECT_EQ(store.find("a"), nullptr);
  ASSERT_NE(store.find("c"), nullptr);
  EXPECT_EQ(store.find("c")->prompt, "three");
  store.clear();
  EXPECT_EQ(store.find("c"), nullptr);
  store.keep("d", {"four", 4});
  EXPECT_NE(store.find("d"), nullptr);
}

}  // namespace
}  // namespace lmb::sim
