#include "lmb/admin/model_lists.hpp"

#include <gtest/gtest.h>

namespace lmb::admin {
namespace {

ModelLists two_workers() {
  ModelLists lists(2);
  protocol::ModelCatalogue catalogue;
  protocol::ModelEntry entry;
  entry.id = "qwen/qwen3";
  catalogue.models.push_back(entry);
  lists.set(WorkerId(0), catalogue);
  catalogue.models[0].id = "b";
  lists.set(WorkerId(1), catalogue);
  return lists;
}

TEST(ModelLists, lists_the_union) {
  const auto list = two_workers().render("/v1/models", "/v1/models");
  EXPECT_NE(list.find("\"qwen/qwen3\""), std::string::npos);
  EXPECT_NE(list.find("\"b\""), std::string::npos);
}

TEST(ModelLists, finds_one_model_by_plain_and_percent_coded_id) {
  const auto lists = two_workers();
  for (const auto* target :
       {"/v1/models/qwen/qwen3", "/v1/models/qwen%2Fqwen3?x=1", "/v1/models/qwen%2fqwen3"}) {
    EXPECT_FALSE(lists.render("/v1/models/{id}", target).empty()) << target;
  }
}

TEST(ModelLists, an_unknown_id_or_route_is_empty) {
  const auto lists = two_workers();
  for (const auto* target :
       {"/v1/models/x", "/v1/models/qwen%2", "/v1/models/%zz", "/v1/models/"}) {
    EXPECT_TRUE(lists.render("/v1/models/{id}", target).empty()) << target;
  }
  EXPECT_TRUE(lists.render("/metrics", "/metrics").empty());
}

TEST(ModelLists, models_of_a_worker_that_left_are_gone) {
  auto lists = two_workers();
  lists.remove(WorkerId(0));
  const auto list = lists.render("/v1/models", "/v1/models");
  EXPECT_EQ(list.find("\"qwen/qwen3\""), std::string::npos);
  EXPECT_NE(list.find("\"b\""), std::string::npos);
  EXPECT_TRUE(lists.complete()) << "nobody is missing";
}

TEST(ModelLists, are_not_complete_until_a_worker_that_joined_was_read) {
  auto lists = two_workers();
  lists.add(WorkerId(63));
  EXPECT_FALSE(lists.complete());
  lists.set(WorkerId(63), {});
  EXPECT_TRUE(lists.complete());
  lists.add(WorkerId(40));
  EXPECT_FALSE(lists.complete());
  lists.remove(WorkerId(40));
  EXPECT_TRUE(lists.complete());
}

TEST(ModelLists, a_new_catalogue_replaces_the_old) {
  auto lists = two_workers();
  lists.set(WorkerId(1), {});
  EXPECT_EQ(lists.render("/v1/models", "/v1/models").find("\"b\""), std::string::npos);
}

}  // namespace
}  // namespace lmb::admin
