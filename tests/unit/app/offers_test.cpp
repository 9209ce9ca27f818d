#include "offers.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lmb::app {
namespace {

using protocol::ModelCatalogue;
using scheduling::InstanceOffer;
using scheduling::ModelKind;
using scheduling::Offers;
using Names = std::vector<std::string>;

protocol::ModelEntry model(std::string id, std::vector<protocol::ModelInstance> instances = {}) {
  protocol::ModelEntry entry;
  entry.id = std::move(id);
  entry.instances = std::move(instances);
  return entry;
}

ModelCatalogue catalogue(std::vector<protocol::ModelEntry> models) {
  return {.tells_loaded = true, .models = std::move(models)};
}

/// What the only worker of a fleet offers.
Offers alone(ModelCatalogue its_catalogue) {
  return *offers_of({std::move(its_catalogue)}).at(0);
}

TEST(Offers, loaded_instances_come_with_their_slots_and_context) {
  const Offers offers = alone(catalogue({model("a", {{"a", 4, 8192}, {"a:2", 0, 0}}), model("d")}));
  ASSERT_EQ(offers.models.size(), 2U);
  EXPECT_EQ(offers.models[0].key, "a");
  EXPECT_EQ(offers.models[0].kind, ModelKind::generating);
  const std::vector<InstanceOffer> expected{{.id = "a", .parallel = 4, .context_length = 8192},
                                            {.id = "a:2", .parallel = 0, .context_length = 0}};
  EXPECT_EQ(offers.models[0].instances, expected);
  EXPECT_TRUE(offers.models[1].instances.empty());
}

TEST(Offers, a_hostile_list_gives_another_workers_models_few_spellings) {
  std::vector<protocol::ModelEntry> models;
  for (int i = 0; i < 1000; ++i) models.push_back(model("p" + std::to_string(i) + "/x"));
  const auto offers = offers_of({catalogue({model("x")}), catalogue(models)});
  EXPECT_EQ(offers[0]->models[0].spellings.size(), 64U);
  EXPECT_EQ(offers[1]->models.size(), 1000U);
}

TEST(Offers, embedding_models_are_known_as_such) {
  auto embedding = model("e", {{"e", 0, 0}});
  embedding.type = "embedding";
  EXPECT_EQ(alone(catalogue({embedding})).models[0].kind, ModelKind::embedding);
}

TEST(Offers, a_list_that_tells_nothing_of_loading_offers_each_model_as_loaded) {
  ModelCatalogue list = catalogue({model("a")});
  list.tells_loaded = false;
  EXPECT_EQ(alone(list).models[0].instances, (std::vector<InstanceOffer>{{.id = "a"}}));
}

TEST(Offers, an_old_list_with_a_second_instance_as_an_entry_has_one_model) {
  const Offers offers = alone(catalogue(
      {model("a:2", {{"a:2", 0, 0}}), model("a", {{"a", 0, 0}}), model("b:2", {{"b:2", 0, 0}})}));
  ASSERT_EQ(offers.models.size(), 2U);
  EXPECT_EQ(offers.models[0].key, "a");
  EXPECT_EQ(offers.models[0].instances, (std::vector<InstanceOffer>{{.id = "a"}, {.id = "a:2"}}));
  EXPECT_EQ(offers.models[1].key, "b:2") << "b itself is not listed";
}

TEST(Offers, variants_are_names_and_the_publisher_may_be_left_out) {
  auto entry = model("qwen/a");
  entry.variants = {"qwen/a@4bit"};
  const Offers offers = alone(catalogue({entry}));
  EXPECT_EQ(offers.models[0].names, (Names{"qwen/a@4bit"}));
  EXPECT_EQ(offers.models[0].spellings, (Names{"a", "a@4bit", "qwen/a@4bit"}));
}

TEST(Offers, a_name_of_one_worker_means_the_same_model_on_another) {
  const auto fleet = offers_of({catalogue({model("qwen/a"), model("other/b")}), std::nullopt,
                                catalogue({model("a"), model("b@8bit")})});
  ASSERT_EQ(fleet.size(), 3U);
  EXPECT_FALSE(fleet[1]);
  EXPECT_EQ(fleet[0]->models[0].spellings, (Names{"a"}));
  EXPECT_EQ(fleet[0]->models[1].spellings, (Names{"b", "b@8bit"}));
  EXPECT_EQ(fleet[2]->models[0].spellings, (Names{"qwen/a"}));
  EXPECT_EQ(fleet[2]->models[1].spellings, (Names{"other/b"}));
}

TEST(Offers, a_models_own_name_means_no_other_model_of_the_worker) {
  const Offers offers = alone(catalogue({model("qwen/a"), model("a")}));
  EXPECT_TRUE(offers.models[0].spellings.empty());
  EXPECT_TRUE(offers.models[1].spellings.empty());
}

}  // namespace
}  // namespace lmb::app
