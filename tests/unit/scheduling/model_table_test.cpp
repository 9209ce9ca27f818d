#include "model_table.hpp"

#include <gtest/gtest.h>

#include <string>

#include "story.hpp"

namespace lmb::scheduling {
namespace {

TEST(ModelTable, tells_who_lists_and_who_has_loaded) {
  ModelTable table(workers({0, 1}));
  table.set_offers(WorkerId(0), {{"m", false}});
  table.set_offers(WorkerId(1), {{"m", true}, {"n", false}});
  EXPECT_EQ(table.find("m").listed, workers({0, 1}));
  EXPECT_EQ(table.find("m").loaded, workers({1}));
  EXPECT_EQ(table.find("n").listed, workers({1}));
  EXPECT_TRUE(table.find("o").listed.empty());
}

TEST(ModelTable, the_empty_name_is_every_workers) {
  ModelTable table(workers({0, 1, 5}));
  EXPECT_EQ(table.find("").listed, workers({0, 1, 5}));
  // Not even a catalogue with an empty name changes that.
  table.set_offers(WorkerId(0), {{"", true}});
  table.set_offers(WorkerId(0), {});
  EXPECT_EQ(table.find("").listed, workers({0, 1, 5}));
  EXPECT_TRUE(table.find("").loaded.empty());
}

TEST(ModelTable, a_name_listed_twice_is_loaded_if_loaded_once) {
  ModelTable table(workers({0}));
  table.set_offers(WorkerId(0), {{"m", true}, {"m", false}});
  EXPECT_EQ(table.find("m").loaded, workers({0}));
}

TEST(ModelTable, new_offers_replace_the_old_ones) {
  ModelTable table(workers({0, 1}));
  table.set_offers(WorkerId(0), {{"m", true}, {"n", true}});
  table.set_offers(WorkerId(1), {{"m", true}});
  table.set_offers(WorkerId(0), {{"n", false}});
  EXPECT_EQ(table.find("m").listed, workers({1}));
  EXPECT_EQ(table.find("n").listed, workers({0}));
  EXPECT_TRUE(table.find("n").loaded.empty());
}

TEST(ModelTable, forgets_names_that_nobody_offers_or_waits_for) {
  ModelTable table(workers({0}));
  const std::size_t empty = table.size();
  table.set_offers(WorkerId(0), {{"m", true}, {"n", true}});
  const ModelId m = table.retain("m");
  const ModelId again = table.retain("m");
  EXPECT_EQ(m, again);
  table.set_offers(WorkerId(0), {});
  EXPECT_EQ(table.size(), empty + 1) << "m is waited for";
  EXPECT_EQ(table.waiting(), 2U);
  table.release(m);
  EXPECT_EQ(table.size(), empty + 1);
  table.release(m);
  EXPECT_EQ(table.size(), empty);
}

TEST(ModelTable, names_of_waiting_requests_do_not_pile_up) {
  ModelTable table(workers({0}));
  const std::size_t empty = table.size();
  for (int i = 0; i < 1000; ++i) {
    table.release(table.retain("made-up-" + std::to_string(i)));
  }
  EXPECT_EQ(table.size(), empty);
  // A place that was used before brings nothing of its past with it.
  table.set_offers(WorkerId(0), {{"m", true}});
  table.set_offers(WorkerId(0), {});
  const ModelId n = table.retain("n");
  EXPECT_TRUE(table.find(n).listed.empty());
  EXPECT_TRUE(table.find(n).loaded.empty());
}

}  // namespace
}  // namespace lmb::scheduling
