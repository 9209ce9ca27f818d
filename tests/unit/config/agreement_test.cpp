// The parser's key table, the schema, the example files and the reference page say the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "json_reader.hpp"
#include "key.hpp"
#include "lmb/config/config.hpp"
#include "schema_text.hpp"

namespace lmb::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* example_file = "config/lmbalancer.example.jsonc";
constexpr const char* schema_file = "config/lmbalancer.schema.json";

std::set<std::string> key_paths() {
  std::set<std::string> paths;
  for (const auto& key : all_keys()) EXPECT_TRUE(paths.emplace(key.path).second) << key.path;
  return paths;
}

/// Paths of all properties that are no objects or lists of objects.
void collect(const Json& schema, const std::string& path, std::set<std::string>& paths) {
  EXPECT_EQ(schema.at("additionalProperties"), false) << path;
  for (const auto& [name, property] : schema.at("properties").items()) {
    const auto at = path.empty() ? name : path + "." + name;
    if (property.contains("properties")) {
      collect(property, at, paths);
    } else if (property.contains("items") && property.at("items").contains("properties")) {
      collect(property.at("items"), at + "[]", paths);
    } else {
      paths.insert(at);
    }
  }
}

TEST(Schema, has_exactly_the_keys_of_the_parser) {
  std::set<std::string> paths;
  collect(Json::parse(read_text(repository_file(schema_file))), "", paths);
  EXPECT_EQ(paths, key_paths());
}

TEST(Schema, has_the_types_ranges_defaults_and_sentences_of_the_parser) {
  const auto expected = schema_text();
  if (read_text(repository_file(schema_file)) == expected) return;
  const auto copy = testing::TempDir() + "lmbalancer.schema.json";
  std::ofstream(copy) << expected;
  FAIL() << schema_file << " differs from the key table; the text it should have is in " << copy;
}

void collect(const Node& node, const std::string& path, std::set<std::string>& paths) {
  for (std::size_t i = 0; i < node.names.size(); ++i) {
    const auto at = path.empty() ? node.names[i] : path + "." + node.names[i];
    if (at == "workers") {
      for (const auto& worker : node.elements[i].elements) collect(worker, "workers[]", paths);
    } else if (node.elements[i].kind == NodeKind::object && find_key(at) == nullptr) {
      collect(node.elements[i], at, paths);
    } else {
      paths.insert(at);
    }
  }
}

TEST(Example, mentions_every_key) {
  const auto text = read_text(repository_file(example_file));
  auto tree = read_json(text);
  ASSERT_TRUE(std::holds_alternative<Node>(tree));
  std::set<std::string> paths;
  collect(std::get<Node>(tree), "", paths);
  // Keys would tie the example to secrets that its reader does not have: they stand in comments.
  for (const std::string name : {"api_key", "api_key_env"}) {
    EXPECT_NE(text.find("// \"" + name + "\": "), std::string::npos) << name;
    EXPECT_TRUE(paths.insert("workers[]." + name).second);
    EXPECT_TRUE(paths.insert("admin." + name).second);
  }
  EXPECT_EQ(paths, key_paths());
}

TEST(Example, is_valid_and_its_values_are_the_defaults_but_for_listen_and_workers) {
  auto parsed = load_config(repository_file(example_file), no_environment);
  ASSERT_TRUE(parsed.ok()) << describe(parsed.problems, example_file);
  Config defaults;
  for (const auto& key : all_keys()) {
    if (key.path == "listen" || key.path.starts_with("workers[]")) continue;
    EXPECT_EQ(value_in(key, parsed.config), value_in(key, defaults)) << key.path;
  }
  EXPECT_EQ(parsed.config.net.listen, (std::vector<net::ListenAddress>{{"::", 8080}}));
  ASSERT_EQ(parsed.config.fleet.size(), 3U);
  EXPECT_EQ(parsed.config.fleet[1].slots, 4U);
  EXPECT_EQ(parsed.config.fleet[1].max_in_flight, 8U);
  EXPECT_EQ(parsed.config.fleet[1].weight, 2U);
  EXPECT_EQ(parsed.config.addresses[2].host, "10.0.0.9");
}

TEST(Minimal, is_valid_and_changes_no_default) {
  auto parsed = load_config(repository_file("config/lmbalancer.minimal.jsonc"), no_environment);
  ASSERT_TRUE(parsed.ok()) << describe(parsed.problems, "minimal");
  Config defaults;
  for (const auto& key : all_keys()) {
    EXPECT_EQ(value_in(key, parsed.config), value_in(key, defaults)) << key.path;
  }
  EXPECT_EQ(parsed.config.fleet.size(), 2U);
}

struct Row {
  std::string default_cell;
  std::string range_cell;
  std::size_t cells = 0;
};

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

/// The table rows of the reference page that begin with a key in backticks.
std::multimap<std::string, Row> reference_rows() {
  std::istringstream page(read_text(repository_file("docs/configuration.md")));
  std::multimap<std::string, Row> rows;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    std::istringstream stream(line.substr(1));
    for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(trimmed(cell));
    if (cells.size() < 3 || cells[0].size() < 2) continue;
    rows.emplace(cells[0].substr(1, cells[0].size() - 2), Row{cells[1], cells[2], cells.size()});
  }
  return rows;
}

/// Keys without a default value: what the page says instead.
const std::map<std::string, std::string, std::less<>> no_default{
    {"$schema", "none"},           {"workers[].name", "host:port of the url"},
    {"admin.api_key", "none"},     {"admin.api_key_env", "none"},
    {"workers[].url", "required"}, {"workers[].max_in_flight", "no cap"},
    {"workers[].api_key", "none"}, {"workers[].api_key_env", "none"},
};

TEST(ReferencePage, has_one_complete_row_for_each_key) {
  std::set<std::string> paths;
  for (const auto& [path, row] : reference_rows()) {
    EXPECT_TRUE(paths.insert(path).second) << path << " has two rows";
    EXPECT_EQ(row.cells, 5U) << path;
  }
  EXPECT_EQ(paths, key_paths());
}

TEST(ReferencePage, has_the_default_and_range_of_each_key) {
  const auto rows = reference_rows();
  Config defaults;
  for (const auto& key : all_keys()) {
    const auto row = rows.find(std::string(key.path));
    ASSERT_NE(row, rows.end()) << key.path;
    const auto value = value_in(key, defaults);
    const auto special = no_default.find(key.path);
    ASSERT_EQ(value.is_null(), special != no_default.end()) << key.path;
    EXPECT_EQ(row->second.default_cell,
              value.is_null() ? special->second : "`" + value.dump() + "`")
        << key.path;
    EXPECT_EQ(row->second.range_cell, range_text(key)) << key.path;
  }
}

TEST(KeyTable, has_a_section_for_each_key_and_a_sentence_for_each) {
  std::set<std::string_view> sections;
  for (const auto& section : all_sections()) sections.insert(section.path);
  std::set<std::string_view> used;
  for (const auto& key : all_keys()) {
    const auto dot = key.path.rfind('.');
    used.insert(dot == std::string_view::npos ? "" : key.path.substr(0, dot));
    EXPECT_TRUE(key.help.ends_with('.')) << key.path;
    EXPECT_EQ(key.type == KeyType::choice, !key.choices.empty()) << key.path;
  }
  EXPECT_EQ(used, sections);
}

}  // namespace
}  // namespace lmb::config
