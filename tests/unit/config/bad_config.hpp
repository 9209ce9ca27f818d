#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "lmb/config/config.hpp"

namespace lmb::config {

/// EMPTY is set to nothing, SECRET to a key, LINE_END to a key with a line end.
inline const char* environment(const char* name) {
  if (std::strcmp(name, "EMPTY") == 0) return "";
  if (std::strcmp(name, "SECRET") == 0) return "sk-secret";
  if (std::strcmp(name, "LINE_END") == 0) return "sk-secret\n";
  return nullptr;
}

inline std::string problems_of(std::string_view text) {
  const auto parsed = parse_config(text, environment);
  return describe(parsed.problems, "F");
}

/// A config with one good worker and `rest`.
inline std::string with(const std::string& rest) {
  return R"({"workers": [{"url": "http://mac"}], )" + rest + "}";
}
/// A config with one worker of these keys.
inline std::string worker(const std::string& keys) {
  return R"({"workers": [{)" + keys + "}]}";
}

struct Case {
  std::string text;
  const char* problems;
};

inline void expect(std::initializer_list<Case> cases) {
  for (const auto& c : cases) EXPECT_EQ(problems_of(c.text), c.problems) << c.text;
}

}  // namespace lmb::config
