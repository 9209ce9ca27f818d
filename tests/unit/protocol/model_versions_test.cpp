#include <gtest/gtest.h>

#include <string_view>

#include "lmb/protocol/model_list.hpp"

namespace lmb::protocol {
namespace {

// What four versions of LM Studio answer for the same two models: an LLM loaded, an embedding model
// on disk. 0.3.6 and 0.3.29 have /api/v0/models at best, 0.4.0 brought /api/v1/models.

constexpr std::string_view v0_3_6 = R"({"object": "list", "data": [
  {"id": "qwen2.5-7b-instruct", "object": "model", "type": "llm", "publisher": "lmstudio-community",
   "arch": "qwen2", "compatibility_type": "mlx", "quantization": "4bit", "state": "loaded",
   "max_context_length": 32768},
  {"id": "text-embedding-nomic", "object": "model", "type": "embeddings", "publisher": "nomic-ai",
   "arch": "nomic-bert", "compatibility_type": "gguf", "quantization": "Q4_0", "state": "not-loaded",
   "max_context_length": 2048}]})";

constexpr std::string_view v0_3_29 = R"({"object": "list", "data": [
  {"id": "qwen2.5-7b-instruct", "object": "model", "type": "llm", "publisher": "lmstudio-community",
   "arch": "qwen2", "compatibility_type": "mlx", "quantization": "4bit", "state": "loaded",
   "max_context_length": 32768, "loaded_context_length": 8192, "capabilities": ["tool_use"]},
  {"id": "text-embedding-nomic", "object": "model", "type": "embeddings", "state": "not-loaded",
   "max_context_length": 2048}]})";

constexpr std::string_view v0_4_0 = R"({"models": [
  {"type": "llm", "publisher": "qwen", "key": "qwen/qwen2.5-7b", "display_name": "Qwen2.5 7B",
   "loaded_instances": [{"id": "qwen/qwen2.5-7b", "config": {"context_length": 8192, "parallel": 4}}],
   "max_context_length": 32768, "format": "mlx"},
  {"type": "embedding", "publisher": "nomic-ai", "key": "text-embedding-nomic",
   "loaded_instances": [], "max_context_length": 2048, "format": "gguf"}]})";

constexpr std::string_view v0_4_26 = R"({"models": [
  {"type": "llm", "publisher": "qwen", "key": "qwen/qwen2.5-7b", "architecture": "qwen2",
   "quantization": {"name": "4bit", "bits_per_weight": 4}, "size_bytes": 4280000000,
   "loaded_instances": [
     {"id": "qwen/qwen2.5-7b", "config": {"context_length": 8192, "eval_batch_size": 512,
      "parallel": 4, "flash_attention": true, "engine": {"name": "splash", "version": [0, 0, 5]}},
      "load_time_seconds": 3.5, "remaining_ttl_seconds": 3600},
     {"id": "qwen/qwen2.5-7b:2", "config": {"context_length": 16384, "parallel": 2}}],
   "max_context_length": 32768, "format": "mlx", "capabilities": {"vision": false},
   "variants": ["qwen/qwen2.5-7b@4bit"], "selected_variant": "qwen/qwen2.5-7b@4bit"},
  {"type": "embedding", "key": "text-embedding-nomic", "loaded_instances": []}]})";

struct Told {
  std::string_view version;
  std::string_view body;
  std::string_view model;
  std::vector<ModelInstance> instances;
};

TEST(ModelVersions, tell_what_each_of_them_can_tell) {
  const std::vector<Told> versions{
      {"0.3.6", v0_3_6, "qwen2.5-7b-instruct", {{"qwen2.5-7b-instruct", 0, 0}}},
      {"0.3.29", v0_3_29, "qwen2.5-7b-instruct", {{"qwen2.5-7b-instruct", 0, 8192}}},
      {"0.4.0", v0_4_0, "qwen/qwen2.5-7b", {{"qwen/qwen2.5-7b", 4, 8192}}},
      {"0.4.26",
       v0_4_26,
       "qwen/qwen2.5-7b",
       {{"qwen/qwen2.5-7b", 4, 8192}, {"qwen/qwen2.5-7b:2", 2, 16384}}}};
  for (const Told& told : versions) {
    const auto catalogue = parse_model_list(told.body);
    ASSERT_TRUE(catalogue.has_value()) << told.version;
    EXPECT_TRUE(catalogue->tells_loaded) << told.version;
    ASSERT_EQ(catalogue->models.size(), 2U) << told.version;
    const ModelEntry& llm = catalogue->models[0];
    EXPECT_EQ(llm.id, told.model) << told.version;
    EXPECT_EQ(llm.type, "llm") << told.version;
    EXPECT_EQ(llm.instances, told.instances) << told.version;
    const ModelEntry& embedding = catalogue->models[1];
    EXPECT_EQ(embedding.id, "text-embedding-nomic") << told.version;
    EXPECT_EQ(embedding.type, "embedding") << told.version;
    EXPECT_TRUE(embedding.instances.empty()) << told.version;
  }
}

TEST(ModelVersions, tell_of_load_times_where_they_do) {
  const auto catalogue = parse_model_list(v0_4_26);
  ASSERT_TRUE(catalogue.has_value());
  EXPECT_EQ(catalogue->models[0].load_time, std::chrono::milliseconds(3500));
  EXPECT_EQ(catalogue->models[1].load_time, std::nullopt);
  EXPECT_EQ(parse_model_list(v0_4_0)->models[0].load_time, std::nullopt);
}

TEST(ModelVersions, no_members_but_the_name_are_needed) {
  const auto v1 = parse_model_list(R"({"models":[{"key":"a","loaded_instances":[{}]}]})");
  ASSERT_TRUE(v1.has_value());
  EXPECT_EQ(v1->models[0].instances, (std::vector<ModelInstance>{{"a", 0, 0}}));
  const auto v0 = parse_model_list(R"({"data":[{"id":"a","state":"loaded"}]})");
  ASSERT_TRUE(v0.has_value());
  EXPECT_EQ(v0->models[0].instances, (std::vector<ModelInstance>{{"a", 0, 0}}));
}

}  // namespace
}  // namespace lmb::protocol
