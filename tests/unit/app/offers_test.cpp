#include "offers.hpp"

#include <gtest/gtest.h>

namespace lmb::app {
namespace {

protocol::ModelEntry model(std::string id, std::vector<protocol::ModelInstance> instances) {
  protocol::ModelEntry entry;
  entry.id = std::move(id);
  entry.instances = std::move(instances);
  return entry;
}

TEST(Offers, slots_are_the_parallel_of_all_loaded_instances) {
  protocol::ModelCatalogue catalogue;
  catalogue.models.push_back(model("a", {{"a", 4, 0}, {"a:2", 2, 0}}));
  catalogue.models.push_back(model("disk", {}));
  EXPECT_EQ(offers_of(catalogue).slots, 6U);
}

TEST(Offers, an_embedding_instance_is_one_slot) {
  protocol::ModelCatalogue catalogue;
  catalogue.models.push_back(model("a", {{"a", 4, 0}}));
  catalogue.models.push_back(model("e", {{"e", 0, 0}}));
  catalogue.models.back().type = "embedding";
  EXPECT_EQ(offers_of(catalogue).slots, 5U);
}

TEST(Offers, an_old_list_tells_no_slots) {
  protocol::ModelCatalogue catalogue;
  catalogue.models.push_back(model("a", {{"a", 0, 0}}));
  EXPECT_EQ(offers_of(catalogue).slots, std::nullopt);
}

TEST(Offers, every_name_that_a_request_may_use_is_offered_once) {
  protocol::ModelCatalogue catalogue;
  auto entry = model("a", {{"a", 4, 0}, {"a:2", 4, 0}});
  entry.variants = {"a@4bit", "a"};
  catalogue.models.push_back(entry);
  catalogue.models.push_back(model("disk", {}));
  const std::vector<scheduling::ModelOffer> expected{
      {"a", true}, {"a@4bit", true}, {"a:2", true}, {"disk", false}};
  EXPECT_EQ(offers_of(catalogue).models, expected);
}

}  // namespace
}  // namespace lmb::app
