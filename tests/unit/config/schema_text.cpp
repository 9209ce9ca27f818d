#include "schema_text.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lmb/config/address.hpp"
#include "units.hpp"

namespace lmb::config {

using Json = nlohmann::ordered_json;

namespace {

Json text_rules(const Key& key) {
  Json rules{{"type", "string"}};
  if (key.range.least > 0) rules["minLength"] = key.range.least;
  rules["maxLength"] = key.range.most;
  if (key.path == "workers[].name") {
    rules["pattern"] = "^[A-Za-z0-9._:\\[\\]][A-Za-z0-9._:\\[\\]-]*$";
  }
  if (key.path.ends_with(".api_key_env")) rules["pattern"] = "^[A-Za-z_][A-Za-z0-9_]*$";
  if (key.type == KeyType::secret) rules["pattern"] = "^[!-~]+$";
  if (key.type == KeyType::url) rules["pattern"] = "^[Hh][Tt][Tt][Pp]://[^/?#@]+/?$";
  return rules;
}

Json model_rules() {
  return {{"type", "string"}, {"minLength", 1}, {"maxLength", 512}};
}

Json names_to(const Json& value) {
  return {{"type", "object"}, {"additionalProperties", value}, {"maxProperties", 1000}};
}

Json rules_of(const Key& key) {
  const Json number{{"type", "integer"}, {"minimum", key.range.least}, {"maximum", key.range.most}};
  switch (key.type) {
    case KeyType::count:
      return number;
    case KeyType::duration:
      return {{"type", "string"}, {"pattern", duration_pattern}};
    case KeyType::size: {
      auto rules = number;
      rules["type"] = {"string", "integer"};
      rules["pattern"] = size_pattern;
      return rules;
    }
    case KeyType::choice:
      return {{"enum", std::vector<std::string>(key.choices.begin(), key.choices.end())}};
    case KeyType::slots:
      return {{"oneOf", {{{"const", "auto"}}, number}}};
    case KeyType::listen: {
      const Json one{{"type", "string"}};
      const Json several{{"type", "array"},
                         {"items", one},
                         {"minItems", key.range.least},
                         {"maxItems", key.range.most}};
      return {{"oneOf", {one, several}}};
    }
    case KeyType::flag:
      return {{"type", "boolean"}};
    case KeyType::aliases:
      return names_to(model_rules());
    case KeyType::fallbacks: {
      const Json several{
          {"type", "array"}, {"items", model_rules()}, {"minItems", 1}, {"maxItems", 16}};
      return names_to({{"oneOf", {model_rules(), several}}});
    }
    case KeyType::client_keys: {
      const Json itself{
          {"type", "string"}, {"minLength", 1}, {"maxLength", 1024}, {"pattern", "^[!-~]+$"}};
      const Json variable{{"type", "object"},
                          {"additionalProperties", false},
                          {"required", {"env"}},
                          {"properties", {{"env", {{"type", "string"}}}}}};
      return names_to({{"oneOf", {itself, variable}}});
    }
    case KeyType::networks:
      return {{"type", "array"}, {"items", {{"type", "string"}}}, {"maxItems", key.range.most}};
    case KeyType::text:
    case KeyType::secret:
    case KeyType::url:
      return text_rules(key);
  }
  return {};
}

Json property(const Key& key) {
  Config defaults;
  std::string description(key.help);
  // JSON Schema has no ranges for the texts that durations and sizes are.
  if (key.type == KeyType::duration || key.type == KeyType::size) {
    description += " From " + range_text(key) + ".";
  }
  Json result{{"description", description}};
  result.update(rules_of(key));
  if (auto value = value_in(key, defaults); !value.is_null()) result["default"] = std::move(value);
  return result;
}

Json object(const Section& section) {
  Json properties = Json::object();
  for (const auto& key : all_keys()) {
    const auto dot = key.path.rfind('.');
    const auto parent = dot == std::string_view::npos ? "" : key.path.substr(0, dot);
    if (parent != section.path) continue;
    properties[std::string(key.path.substr(dot + 1))] = property(key);
  }
  return {{"description", section.help},
          {"type", "object"},
          {"additionalProperties", false},
          {"properties", std::move(properties)}};
}

}  // namespace

std::string repository_file(const std::string& path) {
  return LMB_SOURCE_DIR "/" + path;
}

std::string read_text(const std::string& path) {
  const std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

Json value_in(const Key& key, Config& config) {
  WorkerDraft worker;
  const Target target{config, worker};
  const auto field = key.field(target);
  if (const auto* const* level = std::get_if<telemetry::LogLevel*>(&field)) {
    return key.choices[static_cast<std::size_t>(**level)];
  }
  if (const auto* const* choice = std::get_if<net::HalfClose*>(&field)) {
    return key.choices[static_cast<std::size_t>(**choice)];
  }
  if (const auto* const* text = std::get_if<std::string*>(&field)) {
    return key.range.least == 0 ? Json(**text) : Json();
  }
  if (const auto* const* list = std::get_if<std::vector<net::ListenAddress>*>(&field)) {
    Json addresses = Json::array();
    for (const auto& [host, port] : **list) addresses.push_back(net::host_port_text(host, port));
    return addresses;
  }
  if (const auto* const* flag = std::get_if<bool*>(&field)) return **flag;
  if (const auto* const* aliases = std::get_if<std::vector<scheduling::ModelAlias>*>(&field)) {
    Json names = Json::object();
    for (const auto& [name, model] : **aliases) names[name] = model;
    return names;
  }
  if (const auto* const* fallbacks = std::get_if<std::vector<scheduling::ModelFallback>*>(&field)) {
    Json names = Json::object();
    for (const auto& [model, instead] : **fallbacks) names[model] = instead;
    return names;
  }
  if (const auto* const* keys = std::get_if<std::vector<proxy::ClientKey>*>(&field)) {
    Json names = Json::object();
    for (const auto& each : **keys) names[each.name] = {{"env", each.variable}};
    return names;
  }
  if (const auto* const* networks = std::get_if<std::vector<net::Network>*>(&field)) {
    Json texts = Json::array();
    for (const auto& each : **networks) texts.push_back(each.text());
    return texts;
  }
  if (std::holds_alternative<std::optional<std::uint32_t>*>(field)) {
    return key.type == KeyType::slots ? Json("auto") : Json();
  }
  if (std::holds_alternative<std::monostate>(field) ||
      std::holds_alternative<upstream::WorkerAddress*>(field)) {
    return {};
  }
  const auto number = number_in(key, target);
  return key.type == KeyType::count ? Json(number) : Json(number_text(key, number));
}

std::string schema_text() {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "lmbalancer"}};
  for (const auto& section : all_sections()) {
    auto node = object(section);
    if (section.path.empty()) {
      schema.update(node);
      schema["required"] = {"workers"};
    } else if (section.path == "workers[]") {
      node["required"] = {"url"};
      node["not"] = {{"required", {"api_key", "api_key_env"}}};
      schema["properties"]["workers"] = {{"description", "The fleet."},
                                         {"type", "array"},
                                         {"minItems", 1},
                                         {"maxItems", scheduling::fleet_size_max},
                                         {"items", std::move(node)}};
    } else {
      if (section.path == "admin") node["not"] = {{"required", {"api_key", "api_key_env"}}};
      schema["properties"][std::string(section.path)] = std::move(node);
    }
  }
  return schema.dump(2) + "\n";
}

const char* no_environment(const char* /*name*/) {
  return nullptr;
}

}  // namespace lmb::config
