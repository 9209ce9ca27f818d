#include "lmb/protocol/model_name.hpp"

#include <gtest/gtest.h>

namespace lmb::protocol {
namespace {

struct Row {
  std::string_view a;
  std::string_view b;
  bool same;
};

constexpr Row truth_table[] = {
    // Whole names and identifiers.
    {"m", "m", true},
    {"m", "n", false},
    {"", "", true},
    {"", "m", false},
    {"m", "M", false},
    {"my-own", "my-own", true},
    {"my-own", "m", false},
    {"qwen3-30b", "qwen3-30b-a3b", false},
    // Publisher.
    {"qwen/m", "qwen/m", true},
    {"qwen/m", "m", true},
    {"qwen/m", "other/m", false},
    {"qwen/m", "n", false},
    {"qwen/m", "qwen", false},
    {"a/b/m", "m", true},
    {"a/b/m", "b/m", false},
    {"/m", "m", true},
    {"qwen/", "qwen", false},
    // Quantisation.
    {"m@4bit", "m", true},
    {"m@4bit", "m@4bit", true},
    {"m@4bit", "m@8bit", false},
    {"m@4bit", "n@4bit", false},
    {"qwen/m@4bit", "m", true},
    {"qwen/m", "m@4bit", true},
    {"qwen/m@4bit", "other/m@4bit", false},
    {"qwen/m@4bit", "qwen/m@8bit", false},
    {"@4bit", "", false},
    {"m@", "m", true},
    // Instances.
    {"m:2", "m", true},
    {"m:2", "m:2", true},
    {"m:2", "m:3", false},
    {"m:2", "n:2", false},
    {"m:2", "qwen/m", true},
    {"qwen/m@4bit:2", "m", true},
    {"qwen/m@4bit:2", "qwen/m@8bit", false},
    {"m:10", "m", true},
    // Not LM Studio's numbering: part of the name.
    {"m:1", "m", false},
    {"m:0", "m", false},
    {"m:02", "m:2", false},
    {"m:", "m", false},
    {"m:8b", "m", false},
    {"m:latest", "m", false},
    {"m:8b:2", "m:8b", true},
    {"m:-2", "m", false},
    {":2", "", false},
};

TEST(SameModel, the_whole_truth_table) {
  for (const Row& row : truth_table) {
    EXPECT_EQ(same_model(row.a, row.b), row.same) << row.a << " and " << row.b;
    EXPECT_EQ(same_model(row.b, row.a), row.same) << row.b << " and " << row.a;
    EXPECT_TRUE(same_model(row.a, row.a)) << row.a;
  }
}

TEST(ModelName, is_split_into_its_parts) {
  const ModelName all = split_model_name("lmstudio-community/qwen3-30b@q4_k_m:12");
  EXPECT_EQ(all.publisher, "lmstudio-community");
  EXPECT_EQ(all.name, "qwen3-30b");
  EXPECT_EQ(all.quant, "q4_k_m");
  EXPECT_EQ(all.instance, "12");
  const ModelName bare = split_model_name("qwen3");
  EXPECT_EQ(bare.name, "qwen3");
  EXPECT_TRUE(bare.publisher.empty() && bare.quant.empty() && bare.instance.empty());
  // An '@' before the slash is the publisher's.
  EXPECT_EQ(split_model_name("a@b/m").publisher, "a@b");
  for (const std::string_view nameless : {"a/", "@4bit", ":2", "a/@4bit:2"}) {
    EXPECT_EQ(split_model_name(nameless).name, nameless);
    EXPECT_TRUE(split_model_name(nameless).instance.empty());
  }
}

TEST(ModelSpellings, leave_out_the_publisher_of_key_and_variants) {
  EXPECT_EQ(spellings_of_model("qwen/m", {"qwen/m@4bit"}),
            (std::vector<std::string>{"m", "m@4bit", "qwen/m@4bit"}));
  EXPECT_EQ(spellings_of_model("m", {"m"}), std::vector<std::string>{});
}

TEST(ModelSpellings, mean_the_model) {
  const std::string key = "lmstudio-community/qwen3-30b-a3b";
  for (const std::string& name : spellings_of_model(key, {key + "@4bit", key + "@8bit"})) {
    EXPECT_TRUE(same_model(name, key)) << name;
    EXPECT_NE(name, key);
  }
}

}  // namespace
}  // namespace lmb::protocol
