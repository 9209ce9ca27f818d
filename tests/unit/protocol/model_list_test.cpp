#include "lmb/protocol/model_list.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lmb::protocol {
namespace {

using Json = nlohmann::json;

constexpr std::string_view v1_answer = R"({
  "models": [
    {
      "type": "llm", "publisher": "qwen", "key": "qwen/qwen3-30b-a3b", "display_name": "Qwen3 30B A3B",
      "architecture": "qwen3_moe", "quantization": {"name": "4bit", "bits_per_weight": 4},
      "size_bytes": 17190000000, "params_string": "30B-A3B",
      "loaded_instances": [
        {"id": "qwen/qwen3-30b-a3b", "config": {"context_length": 32768, "eval_batch_size": 512,
         "parallel": 4, "flash_attention": true}},
        {"id": "qwen/qwen3-30b-a3b:2", "config": {"context_length": 8192, "parallel": 2}}],
      "max_context_length": 262144, "format": "mlx",
      "capabilities": {"vision": false, "trained_for_tool_use": true, "reasoning": {"default": "on"}},
      "description": null, "variants": ["qwen/qwen3-30b-a3b@4bit"],
      "selected_variant": "qwen/qwen3-30b-a3b@4bit"
    },
    {"type": "embedding", "publisher": "nomic-ai", "key": "text-embedding-nomic", "quantization": null,
     "loaded_instances": [{"id": "text-embedding-nomic", "config": {"context_length": 2048}}],
     "max_context_length": 2048, "format": "gguf"}
  ]
})";

constexpr std::string_view v0_answer = R"({"object":"list","data":[
 {"id":"qwen3-30b-a3b","object":"model","type":"llm","publisher":"lmstudio-community","arch":"qwen3_moe",
  "compatibility_type":"mlx","quantization":"4bit","state":"loaded","max_context_length":262144,
  "loaded_context_length":32768,"capabilities":["tool_use"]},
 {"id":"text-embedding-nomic","object":"model","type":"embeddings","publisher":"nomic-ai",
  "arch":"nomic-bert","compatibility_type":"gguf","quantization":"Q4_0","state":"not-loaded",
  "max_context_length":2048}]})";

constexpr std::string_view openai_answer =
    R"({"data":[{"id":"qwen3-30b-a3b","object":"model","owned_by":"organization_owner"},
       {"id":"b","object":"model","owned_by":"organization_owner"}],"object":"list"})";

ModelCatalogue parsed(std::string_view body) {
  Result<ModelCatalogue> catalogue = parse_model_list(body);
  EXPECT_TRUE(catalogue.has_value()) << body;
  return catalogue.has_value() ? *catalogue : ModelCatalogue{};
}

ErrorKind refused(std::string_view body) {
  const Result<ModelCatalogue> catalogue = parse_model_list(body);
  EXPECT_TRUE(catalogue.has_error()) << body;
  return catalogue.has_error() ? catalogue.error().kind() : ErrorKind::internal;
}

ModelEntry entry(std::string id, std::vector<ModelInstance> instances = {}) {
  ModelEntry made;
  made.id = std::move(id);
  made.instances = std::move(instances);
  return made;
}

TEST(ModelList, reads_the_answer_of_api_v1) {
  const ModelCatalogue catalogue = parsed(v1_answer);
  EXPECT_TRUE(catalogue.tells_loaded);
  ASSERT_EQ(catalogue.models.size(), 2U);
  ModelEntry qwen = entry("qwen/qwen3-30b-a3b",
                          {{"qwen/qwen3-30b-a3b", 4, 32768}, {"qwen/qwen3-30b-a3b:2", 2, 8192}});
  qwen.publisher = "qwen";
  qwen.architecture = "qwen3_moe";
  qwen.quantization = "4bit";
  qwen.format = "mlx";
  qwen.max_context_length = 262144;
  qwen.variants = {"qwen/qwen3-30b-a3b@4bit"};
  EXPECT_EQ(catalogue.models[0], qwen);
  EXPECT_EQ(catalogue.models[1].type, "embedding");
  EXPECT_EQ(catalogue.models[1].instances,
            (std::vector<ModelInstance>{{"text-embedding-nomic", 0, 2048}}));
}

TEST(ModelList, reads_the_answer_of_api_v0) {
  const ModelCatalogue catalogue = parsed(v0_answer);
  EXPECT_TRUE(catalogue.tells_loaded);
  ASSERT_EQ(catalogue.models.size(), 2U);
  EXPECT_EQ(catalogue.models[0].architecture, "qwen3_moe");
  EXPECT_EQ(catalogue.models[0].format, "mlx");
  EXPECT_EQ(catalogue.models[0].quantization, "4bit");
  EXPECT_EQ(catalogue.models[0].instances,
            (std::vector<ModelInstance>{{"qwen3-30b-a3b", 0, 32768}}));
  EXPECT_EQ(catalogue.models[1].type, "embedding");
  EXPECT_TRUE(catalogue.models[1].instances.empty());
}

TEST(ModelList, reads_the_answer_of_v1_models) {
  const ModelCatalogue catalogue = parsed(openai_answer);
  EXPECT_FALSE(catalogue.tells_loaded);
  ASSERT_EQ(catalogue.models.size(), 2U);
  EXPECT_EQ(catalogue.models[0], entry("qwen3-30b-a3b"));
  EXPECT_EQ(catalogue.models[1], entry("b"));
}

TEST(ModelList, tells_vision_models_apart) {
  EXPECT_EQ(parsed(R"({"models":[{"key":"a","type":"llm","capabilities":{"vision":true}}]})")
                .models[0]
                .type,
            "vlm");
  EXPECT_EQ(parsed(R"({"data":[{"id":"a","type":"vlm"}]})").models[0].type, "vlm");
}

TEST(ModelList, tolerates_what_is_missing_or_of_another_type) {
  const ModelCatalogue catalogue = parsed(
      R"({"models":[{"key":"a"},{"key":"b","loaded_instances":[{},{"id":"b:2","config":null},7,
      {"id":"b:3","config":{"parallel":"4","context_length":-1}}],"quantization":7,"variants":[1,"b@q"]},
      {"type":"llm"},{"key":7},"x",null,{"key":"","type":null}]})");
  ASSERT_EQ(catalogue.models.size(), 2U);
  EXPECT_EQ(catalogue.models[0], entry("a"));
  ModelEntry b = entry("b", {{"b", 0, 0}, {"b:2", 0, 0}, {"b:3", 0, 0}});
  b.variants = {"b@q"};
  EXPECT_EQ(catalogue.models[1], b);
}

TEST(ModelList, takes_an_absurd_number_of_slots_for_not_told) {
  const auto parallel = [](std::string_view number) {
    return parsed(R"({"models":[{"key":"a","loaded_instances":[{"id":"a","config":{"parallel":)" +
                  std::string(number) + "}}]}]}")
        .models[0]
        .instances[0]
        .parallel;
  };
  EXPECT_EQ(parallel("32"), 32U);
  EXPECT_EQ(parallel("4294967298"), 0U);
  EXPECT_EQ(parallel("1000000000"), 0U);
}

TEST(ModelList, takes_an_empty_list_and_a_repeated_id) {
  EXPECT_TRUE(parsed(R"({"models":[]})").models.empty());
  EXPECT_TRUE(parsed(R"({"object":"list","data":[]})").models.empty());
  const ModelCatalogue twice = parsed(
      R"({"data":[{"id":"a","state":"loaded"},{"id":"a","state":"loaded","loaded_context_length":9}]})");
  ASSERT_EQ(twice.models.size(), 1U);
  EXPECT_EQ(twice.models[0].instances.size(), 2U);
}

TEST(ModelList, keeps_two_thousand_names_and_passes_over_the_rest) {
  const auto list = [](int models, int variants) {
    std::string text;
    for (int i = 0; i < models; ++i) {
      std::string names;
      for (int k = 0; k < variants; ++k) {
        names += (k == 0 ? "\"" : ",\"") + std::to_string(i) + "@" + std::to_string(k) + "\"";
      }
      text += (i == 0 ? "" : ",") + (R"({"key":"m)" + std::to_string(i)) + R"(","variants":[)" +
              names + "]}";
    }
    return R"({"models":[)" + text + "]}";
  };
  EXPECT_EQ(parse_model_list(list(1001, 0))->models.size(), 1000U);
  EXPECT_EQ(parse_model_list(list(200, 9))->models.size(), 200U);
  EXPECT_EQ(parse_model_list(list(201, 9))->models.size(), 200U);
  EXPECT_EQ(parse_model_list(list(1, 100))->models[0].variants.size(), 64U);
}

TEST(ModelList, prefers_the_richer_of_two_lists) {
  for (const std::string_view body : {R"({"models":[{"key":"a"}],"data":[{"id":"b"}]})",
                                      R"({"data":[{"id":"b"}],"models":[{"key":"a"}]})"}) {
    const ModelCatalogue catalogue = parsed(body);
    EXPECT_TRUE(catalogue.tells_loaded);
    ASSERT_EQ(catalogue.models.size(), 1U);
    EXPECT_EQ(catalogue.models[0].id, "a");
  }
}

TEST(ModelList, refuses_what_is_no_list) {
  EXPECT_EQ(refused(R"j({"error":"Unexpected endpoint or method. (GET /api/v1/models)"})j"),
            ErrorKind::route_unsupported);
  for (const std::string_view body :
       {"", "[]", "<html></html>", "{}", R"({"error":"busy"})",
        R"({"error":{"message":"x"},"data":[]})", R"({"models":{}})", R"({"data":null})",
        R"({"models":[{"key":"a"])", R"({"models":[{"key":"a"}]} x)", R"({"models":[{"key":}]})",
        "{\"models\":[{\"key\":\"\xFF\"}]}"}) {
    EXPECT_EQ(refused(body), ErrorKind::bad_response) << body;
  }
}

TEST(ModelList, survives_every_cut) {
  for (const std::string_view body : {v1_answer, v0_answer, openai_answer}) {
    for (std::size_t size = 0; size < body.size(); ++size) {
      EXPECT_EQ(refused(body.substr(0, size)), ErrorKind::bad_response);
    }
  }
}

TEST(ModelNames, are_the_id_its_variants_and_its_instances) {
  const ModelCatalogue catalogue = parsed(v1_answer);
  for (const std::string_view name :
       {"qwen/qwen3-30b-a3b", "qwen/qwen3-30b-a3b:2", "qwen/qwen3-30b-a3b@4bit"}) {
    EXPECT_TRUE(names_model(catalogue.models[0], name)) << name;
  }
  for (const std::string_view name :
       {"", "qwen3-30b-a3b", "qwen/qwen3-30b-a3b:3", "text-embedding-nomic"}) {
    EXPECT_FALSE(names_model(catalogue.models[0], name)) << name;
  }
}

std::vector<ModelCatalogue> sample_fleet() {
  return {parsed(v1_answer),
          parsed(v0_answer),
          parsed(openai_answer),
          {true, {entry("qwen/qwen3-30b-a3b", {{"qwen/qwen3-30b-a3b", 4, 16384}})}}};
}

TEST(RenderedModels, are_a_sorted_union_in_openais_form) {
  const Json list = Json::parse(render_openai_models(sample_fleet()));
  EXPECT_EQ(list["object"], "list");
  std::vector<std::string> ids;
  for (const Json& model : list["data"]) {
    ids.push_back(model["id"]);
    EXPECT_EQ(model["object"], "model");
    EXPECT_EQ(model["created"], 0);
    EXPECT_EQ(model["owned_by"], "organization_owner");
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"b", "qwen/qwen3-30b-a3b", "qwen3-30b-a3b",
                                           "text-embedding-nomic"}));
}

TEST(RenderedModels, are_loaded_in_v0_if_loaded_anywhere) {
  const Json list = Json::parse(render_lmstudio_v0_models(sample_fleet()));
  ASSERT_EQ(list["data"].size(), 4U);
  EXPECT_EQ(list["data"][0],
            Json::parse(R"({"id":"b","object":"model","type":"llm","state":"not-loaded"})"));
  EXPECT_EQ(list["data"][1],
            Json::parse(R"({"id":"qwen/qwen3-30b-a3b","object":"model","type":"llm",
      "publisher":"qwen","arch":"qwen3_moe","compatibility_type":"mlx","quantization":"4bit",
      "state":"loaded","max_context_length":262144,"loaded_context_length":8192})"));
  EXPECT_EQ(list["data"][3]["type"], "embeddings");
  EXPECT_EQ(list["data"][3]["state"], "loaded");
}

TEST(RenderedModels, have_merged_instances_in_v1) {
  const Json list = Json::parse(render_lmstudio_v1_models(sample_fleet()));
  ASSERT_EQ(list["models"].size(), 4U);
  const Json& qwen = list["models"][1];
  EXPECT_EQ(qwen["key"], "qwen/qwen3-30b-a3b");
  EXPECT_EQ(qwen["variants"], Json::parse(R"(["qwen/qwen3-30b-a3b@4bit"])"));
  EXPECT_EQ(qwen["quantization"], Json::parse(R"({"name":"4bit"})"));
  EXPECT_EQ(qwen["loaded_instances"], Json::parse(R"([
      {"id":"qwen/qwen3-30b-a3b","config":{"context_length":16384,"parallel":8}},
      {"id":"qwen/qwen3-30b-a3b:2","config":{"context_length":8192,"parallel":2}}])"));
  EXPECT_EQ(list["models"][0]["loaded_instances"], Json::array());
  EXPECT_EQ(list["models"][3]["type"], "embedding");
}

TEST(RenderedModels, tell_the_smallest_context_in_whatever_order_workers_are_listed) {
  const auto loaded = [](std::uint64_t context) {
    ModelEntry model = entry("m", {{"m", 1, context}});
    model.max_context_length = context;
    return ModelCatalogue{true, {model}};
  };
  for (const std::vector<std::uint64_t>& contexts :
       std::vector<std::vector<std::uint64_t>>{{4, 8, 0}, {8, 4, 0}, {0, 8, 4}, {8, 0, 4}}) {
    std::vector<ModelCatalogue> fleet;
    for (const std::uint64_t context : contexts) fleet.push_back(loaded(context));
    const Json model = Json::parse(render_lmstudio_v0_model(fleet, "m"));
    EXPECT_EQ(model["loaded_context_length"], 4);
    EXPECT_EQ(model["max_context_length"], 4);
  }
}

TEST(RenderedModels, are_read_back_as_they_were) {
  const ModelCatalogue once = parsed(render_lmstudio_v1_models(sample_fleet()));
  EXPECT_EQ(parsed(render_lmstudio_v1_models({once})), once);
  EXPECT_EQ(once.models.size(), 4U);
}

TEST(RenderedModels, of_an_empty_fleet_are_empty_lists) {
  EXPECT_EQ(render_openai_models({}), R"({"object":"list","data":[]})");
  EXPECT_EQ(render_lmstudio_v0_models({{}}), R"({"object":"list","data":[]})");
  EXPECT_EQ(render_lmstudio_v1_models({}), R"({"models":[]})");
}

TEST(RenderedModels, escape_what_json_must) {
  const std::string id = "a\"\\\n\x01/\xC3\xA9";
  const std::vector<ModelCatalogue> fleet{{true, {entry(id, {{id, 1, 1}})}}};
  EXPECT_EQ(Json::parse(render_openai_models(fleet))["data"][0]["id"], id);
  EXPECT_EQ(Json::parse(render_lmstudio_v0_models(fleet))["data"][0]["id"], id);
  EXPECT_EQ(Json::parse(render_lmstudio_v1_models(fleet))["models"][0]["loaded_instances"][0]["id"],
            id);
}

TEST(RenderedModel, is_found_by_any_of_its_names) {
  const std::vector<ModelCatalogue> fleet = sample_fleet();
  EXPECT_EQ(render_openai_model(fleet, "b"),
            R"({"id":"b","object":"model","created":0,"owned_by":"organization_owner"})");
  EXPECT_EQ(Json::parse(render_lmstudio_v0_model(fleet, "qwen/qwen3-30b-a3b@4bit"))["id"],
            "qwen/qwen3-30b-a3b");
  EXPECT_EQ(Json::parse(render_lmstudio_v0_model(fleet, "qwen/qwen3-30b-a3b:2"))["state"],
            "loaded");
}

TEST(RenderedModel, is_empty_when_nobody_lists_it) {
  EXPECT_EQ(render_openai_model(sample_fleet(), "x"), "");
  EXPECT_EQ(render_lmstudio_v0_model({}, "b"), "");
}

}  // namespace
}  // namespace lmb::protocol
