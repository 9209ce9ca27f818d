// Random damage to the example file: parsing never crashes, never gives a config with problems, and
// never tells a secret.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

#include "lmb/config/config.hpp"
#include "schema_text.hpp"

namespace lmb::config {
namespace {

constexpr std::string_view secret = "Zq9Xw7Vt5";

const char* environment(const char* name) {
  return std::strcmp(name, "STUDIO_09_KEY") == 0 ? "Zq9Xw7Vt5" : nullptr;
}

/// Pieces that a slip of an editor or an attacker would put there.
constexpr std::string_view pieces[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "//",
    "/*",
    "*/",
    "null",
    "true",
    "-1",
    "1e308",
    "1e999",
    "\xFF",
    "\xC3\xA4",
    "\\u0",
    "\\ud8",
    "\n",
    "\"a\":1",
    "\"10s\"",
    "0.5",
    "[[[[",
    "{\"\":",
    "9223372036854775808",
    "ms",
    "\x01",
    "\"*:0\"",
    "18446744073709551616",
};

class Damage {
 public:
  explicit Damage(std::uint64_t seed) : random_(seed) {}

  void once(std::string& text) {
    const auto at = below(text.size() + 1);
    const auto length = std::min(below(12), text.size() - at);
    switch (below(6)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(below(text.size() + 1), below(60)));
        break;
      case 2:
        text.insert(at, pieces[below(std::size(pieces))]);
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 4:
        text.replace(at, length, pieces[below(std::size(pieces))]);
        break;
      default:
        if (below(20) == 0) text.resize(at);
    }
  }
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

 private:
  std::mt19937_64 random_;
};

/// The example with its commented keys in force.
std::string armed_example() {
  auto text = read_text(repository_file("config/lmbalancer.example.jsonc"));
  const auto place = text.find("\"url\": \"http://10.0.0.9\"");
  EXPECT_NE(place, std::string::npos);
  text.insert(place, "\"api_key\": \"" + std::string(secret) + "\",\n      ");
  const auto second = text.find("\"url\": \"http://mac-studio-05");
  EXPECT_NE(second, std::string::npos);
  text.insert(second, "\"api_key_env\": \"STUDIO_09_KEY\",\n      ");
  return text;
}

TEST(MutatedExample, never_crashes_and_never_gives_half_a_config) {
  const auto original = armed_example();
  ASSERT_TRUE(parse_config(original, environment).ok());
  int valid = 0;
  int broken = 0;
  int semantic = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    Damage damage(seed);
    auto text = original;
    const auto times = 1 + damage.below(4);
    for (std::size_t i = 0; i < times; ++i) damage.once(text);
    const auto parsed = parse_config(text, environment);
    if (parsed.ok()) {
      ++valid;
      ASSERT_FALSE(parsed.config.fleet.empty()) << seed;
      ASSERT_EQ(parsed.config.fleet.size(), parsed.config.addresses.size()) << seed;
      ASSERT_FALSE(parsed.config.net.listen.empty()) << seed;
      continue;
    }
    ASSERT_TRUE(parsed.config.fleet.empty()) << seed;
    (parsed.problems.front().path.empty() ? broken : semantic) += 1;
    const auto text_of_problems = describe(parsed.problems, "F");
    for (const char c : text_of_problems) ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << seed;
    const auto lines = std::count(text_of_problems.begin(), text_of_problems.end(), '\n');
    ASSERT_EQ(static_cast<std::size_t>(lines), parsed.problems.size()) << seed;
  }
  // Otherwise the mutations reach only one part of the parser.
  EXPECT_GT(valid, 500);
  EXPECT_GT(broken, 500);
  EXPECT_GT(semantic, 500);
}

TEST(MutatedExample, never_tells_a_secret_while_its_own_quotes_and_key_are_whole) {
  const auto original = armed_example();
  const auto line = original.find("\"api_key\"");
  const auto end = original.find('\n', line);
  int told = 0;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    Damage damage(seed);
    auto before = original.substr(0, line);
    auto after = original.substr(end);
    damage.once(damage.below(2) == 0 ? before : after);
    const auto parsed =
        parse_config(before + original.substr(line, end - line) + after, environment);
    if (parsed.ok()) continue;
    ++told;
    ASSERT_EQ(describe(parsed.problems, "F").find(secret), std::string::npos)
        << seed << ": " << describe(parsed.problems, "F");
  }
  EXPECT_GT(told, 1000);
}

}  // namespace
}  // namespace lmb::config
