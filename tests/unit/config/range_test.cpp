// Each key's range, by what the parser does at its ends.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "key.hpp"
#include "lmb/config/config.hpp"
#include "schema_text.hpp"

namespace lmb::config {
namespace {

using Json = nlohmann::ordered_json;

/// The smallest config with `value` at the key.
Json config_with(const Key& key, const Json& value) {
  Json config{{"workers", {{{"url", "http://mac"}}}}};
  std::string path(key.path);
  if (const auto list = path.find("[]."); list != std::string::npos) {
    config["workers"][0][path.substr(list + 3)] = value;
  } else if (const auto dot = path.find('.'); dot != std::string::npos) {
    config[path.substr(0, dot)][path.substr(dot + 1)] = value;
  } else {
    config[path] = value;
  }
  return config;
}

std::string concrete_path(const Key& key) {
  auto path = std::string(key.path);
  if (const auto list = path.find("[]"); list != std::string::npos) path.insert(list + 1, "0");
  return path;
}

/// Problems of this key's own value; a broken relation to another key is none.
std::string own_problems(const Key& key, const Json& value) {
  const auto parsed = parse_config(config_with(key, value).dump(), no_environment);
  std::string text;
  for (const auto& problem : parsed.problems) {
    EXPECT_EQ(problem.path, concrete_path(key)) << problem.message;
    const bool relation = problem.message.find(", the default)") != std::string::npos;
    if (!relation) text += problem.message;
  }
  return text;
}

Json spelt(const Key& key, std::int64_t number) {
  if (key.type == KeyType::duration) return std::to_string(number) + "ms";
  if (key.type == KeyType::size && number >= 0) return std::to_string(number) + "B";
  return number;
}

bool is_number(const Key& key) {
  return key.type == KeyType::count || key.type == KeyType::duration || key.type == KeyType::size ||
         key.type == KeyType::slots;
}

TEST(Ranges, hold_at_both_ends_of_every_number) {
  for (const auto& key : all_keys()) {
    if (!is_number(key)) continue;
    const auto& [least, most] = key.range;
    EXPECT_EQ(own_problems(key, spelt(key, least)), "") << key.path;
    EXPECT_EQ(own_problems(key, spelt(key, most)), "") << key.path;
    const auto named = "must be from " + number_text(key, least) + " to " + number_text(key, most);
    EXPECT_TRUE(own_problems(key, spelt(key, most + 1)).starts_with(named)) << key.path;
    const bool negative = least == 0;
    if (negative && key.type == KeyType::duration) continue;  // "-1ms" is no duration at all.
    EXPECT_TRUE(own_problems(key, spelt(key, least - 1)).starts_with(named)) << key.path;
  }
}

TEST(Ranges, of_sizes_hold_for_plain_bytes_too) {
  for (const auto& key : all_keys()) {
    if (key.type != KeyType::size) continue;
    EXPECT_EQ(own_problems(key, key.range.least), "") << key.path;
    EXPECT_EQ(own_problems(key, key.range.most), "") << key.path;
    EXPECT_NE(own_problems(key, key.range.least - 1), "") << key.path;
    EXPECT_NE(own_problems(key, key.range.most + 1), "") << key.path;
    EXPECT_NE(own_problems(key, -1), "") << key.path;
  }
}

TEST(Ranges, hold_for_the_length_of_every_text) {
  for (const auto& key : all_keys()) {
    if (key.type != KeyType::text && key.type != KeyType::secret) continue;
    if (key.path.ends_with(".api_key_env"))
      continue;  // Its value must name a variable that is set.
    const auto most = static_cast<std::size_t>(key.range.most);
    EXPECT_EQ(own_problems(key, std::string(most, 'x')), "") << key.path;
    EXPECT_TRUE(own_problems(key, std::string(most + 1, 'x'))
                    .starts_with("must be at most " + std::to_string(most) + " characters"))
        << key.path;
    EXPECT_EQ(own_problems(key, ""), key.range.least == 0 ? "" : "must not be empty") << key.path;
  }
}

TEST(Types, that_are_wrong_name_what_is_expected_and_what_was_found) {
  const std::pair<Json, const char*> wrong[] = {
      {nullptr, "found null"},
      {true, "found true"},
      {1.5, "found the number 1.5"},
      {Json::object(), "found an object"},
      {Json{{"a", 1}}, "found an object"},
      {Json::array({Json::array()}), "found a list"},
  };
  for (const auto& key : all_keys()) {
    for (const auto& [value, found] : wrong) {
      if (key.type == KeyType::listen && value.is_array()) continue;
      if (key.type == KeyType::flag && value.is_boolean()) continue;
      const bool names = key.type == KeyType::aliases || key.type == KeyType::fallbacks ||
                         key.type == KeyType::client_keys;
      if (key.type == KeyType::networks && value.is_array()) continue;
      if (names && value.is_object()) continue;
      const auto message = own_problems(key, value);
      EXPECT_TRUE(message.starts_with("expected ")) << key.path << ": " << message;
      if (key.type == KeyType::secret && value.is_number()) continue;  // Not shown, see BadConfig.
      EXPECT_TRUE(message.ends_with(found)) << key.path << ": " << message;
    }
  }
}

TEST(Values, reach_the_field_of_their_key_and_no_other) {
  for (const auto& key : all_keys()) {
    if (key.path.starts_with("workers[]") || !is_number(key)) continue;
    // The default plus or minus one of the key's unit breaks no relation.
    Config config;
    WorkerDraft none;
    const auto standard = number_in(key, {config, none});
    const auto changed = standard == key.range.most ? standard - 1 : standard + 1;
    auto parsed = parse_config(config_with(key, spelt(key, changed)).dump(), no_environment);
    ASSERT_TRUE(parsed.ok()) << describe(parsed.problems, key.path);
    for (const auto& other : all_keys()) {
      if (other.path == key.path) {
        EXPECT_EQ(number_in(key, {parsed.config, none}), changed) << key.path;
      } else {
        EXPECT_EQ(value_in(other, parsed.config), value_in(other, config))
            << key.path << " changed " << other.path;
      }
    }
  }
}

}  // namespace
}  // namespace lmb::config
