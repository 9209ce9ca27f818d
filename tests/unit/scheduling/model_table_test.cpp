#include "model_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "story.hpp"

namespace lmb::scheduling {
namespace {

/// A worker with that catalogue, and nothing else.
Worker worker_with(const Offers& offers) {
  Worker worker({}, {});
  adopt_offers(worker, offers, 1, TimePoint{});
  return worker;
}

/// Worker, instance, rename.
using Row = std::tuple<std::uint32_t, std::uint32_t, bool>;

std::vector<Row> places(const ModelTable& table, std::string_view name) {
  std::vector<Row> rows;
  for (const Place& place : table.find(name).places) {
    rows.emplace_back(place.worker.value(), place.instance.value(), place.rename);
  }
  return rows;
}

Row place(std::uint32_t worker, std::uint32_t instance, bool rename = false) {
  return {worker, instance, rename};
}

TEST(ModelTable, tells_who_lists_a_name_and_on_which_instances) {
  ModelTable table;
  table.set_offers(WorkerId(1), worker_with(offers_of({{"m", true}, {"n", false}})));
  table.set_offers(WorkerId(0), worker_with(offers_of({{"m", false}})));
  EXPECT_EQ(table.find("m").listed, workers({0, 1}));
  EXPECT_EQ(places(table, "m"), (std::vector{place(0, 0), place(1, 0)}));
  EXPECT_EQ(places(table, "n"), (std::vector{place(1, 1)}));
  EXPECT_TRUE(table.find("o").listed.empty());
  EXPECT_TRUE(table.find("").listed.empty());
}

TEST(ModelTable, an_instance_id_means_one_instance_any_other_name_all) {
  ModelTable table;
  Offers offers;
  offers.models.push_back({.key = "p/m", .names = {"m", "p/m@4bit"}, .instances = {}});
  offers.models[0].instances = {{.id = "p/m"}, {.id = "p/m:2"}, {.id = "mine"}};
  table.set_offers(WorkerId(0), worker_with(offers));
  for (const char* name : {"p/m", "m", "p/m@4bit"}) {
    EXPECT_EQ(places(table, name).size(), 3U) << name;
  }
  EXPECT_EQ(places(table, "p/m:2"), (std::vector{place(0, 1)}));
  EXPECT_EQ(places(table, "mine"), (std::vector{place(0, 2)}));
  EXPECT_EQ(places(table, "p/m"), (std::vector{place(0, 0), place(0, 1, true), place(0, 2, true)}));
}

TEST(ModelTable, a_spelling_is_never_told_to_the_worker) {
  ModelTable table;
  Offers offers = offers_of({{"p/m", true}, {"p/n", false}});
  offers.models[0].names = {"p/m@4bit"};
  offers.models[0].spellings = {"m", "p/m@4bit"};
  offers.models[1].spellings = {"n"};
  table.set_offers(WorkerId(0), worker_with(offers));
  EXPECT_EQ(places(table, "p/m@4bit"), (std::vector{place(0, 0)}));
  EXPECT_EQ(places(table, "m"), (std::vector{place(0, 0, true)}));
  EXPECT_EQ(places(table, "n"), (std::vector{place(0, 1, true)}));
  EXPECT_EQ(places(table, "p/n"), (std::vector{place(0, 1)}));
}

TEST(ModelTable, one_name_may_mean_two_models) {
  ModelTable table;
  Offers offers = offers_of({{"a/m", true}, {"b/m", true}});
  offers.models[0].names = offers.models[1].names = {"m"};
  table.set_offers(WorkerId(0), worker_with(offers));
  EXPECT_EQ(places(table, "m").size(), 2U);
  EXPECT_EQ(places(table, "b/m"), (std::vector{place(0, 1)}));
}

TEST(ModelTable, new_offers_replace_the_old_ones) {
  ModelTable table;
  table.set_offers(WorkerId(0), worker_with(offers_of({{"m", true}, {"n", true}})));
  table.set_offers(WorkerId(1), worker_with(offers_of({{"m", true}})));
  table.set_offers(WorkerId(0), worker_with(offers_of({{"n", false}})));
  EXPECT_EQ(places(table, "m"), (std::vector{place(1, 0)}));
  EXPECT_EQ(table.find("m").listed, workers({1}));
  EXPECT_EQ(table.find("n").listed, workers({0}));
}

TEST(ModelTable, forgets_names_that_nobody_offers_or_waits_for) {
  ModelTable table;
  table.set_offers(WorkerId(0), worker_with(offers_of({{"m", true}, {"n", true}})));
  const ModelId m = table.retain("m");
  const ModelId again = table.retain("m");
  EXPECT_EQ(m, again);
  table.set_offers(WorkerId(0), worker_with({}));
  EXPECT_EQ(table.size(), 1U) << "m is waited for";
  EXPECT_EQ(table.waiting(), 2U);
  table.release(m);
  EXPECT_EQ(table.size(), 1U);
  table.release(m);
  EXPECT_EQ(table.size(), 0U);
}

TEST(ModelTable, names_of_waiting_requests_do_not_pile_up) {
  ModelTable table;
  for (int i = 0; i < 1000; ++i) {
    table.release(table.retain("made-up-" + std::to_string(i)));
  }
  EXPECT_EQ(table.size(), 0U);
  // A place that was used before brings nothing of its past with it.
  table.set_offers(WorkerId(0), worker_with(offers_of({{"m", true}})));
  table.set_offers(WorkerId(0), worker_with({}));
  const ModelId n = table.retain("n");
  EXPECT_TRUE(table.find(n).listed.empty());
  EXPECT_TRUE(table.find(n).places.empty());
}

}  // namespace
}  // namespace lmb::scheduling
