#include "json_document.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace lmb::protocol {
namespace {

/// Keys that a reader is shown as members of the object under "inner".
std::vector<std::string> inner_keys(std::string_view text) {
  std::vector<std::string> keys;
  const JsonCheck check =
      read_json_object(padded_copy(text), [&keys](std::string_view key, JsonValue& value) {
        if (key != "inner") return true;
        return each_member(value, [&keys](std::string_view inner, JsonValue&) {
          keys.emplace_back(inner);
          return true;
        });
      });
  if (!check.ok()) keys.emplace_back("refused");
  return keys;
}

using Keys = std::vector<std::string>;

TEST(JsonDocument, shows_each_object_its_own_members) {
  EXPECT_EQ(inner_keys(R"({"inner":{"a":"b","c":[{"x":1}]},"outer":1})"), (Keys{"a", "c"}));
}

// simdjson takes a skipped string with a colon behind it for a key, and would leave the object.
TEST(JsonDocument, never_shows_an_object_the_members_of_the_one_around_it) {
  EXPECT_EQ(inner_keys(R"({"inner":{"a":"b":1},"outer":1})"), (Keys{"a", "refused"}));
  EXPECT_EQ(inner_keys(R"({"inner":{"a":},"outer":1})"), (Keys{"refused"}));
}

TEST(JsonDocument, tells_where_the_outline_breaks) {
  EXPECT_EQ(check_json_outline(R"({"a":[1}})").fault, JsonFault::mismatched);
  EXPECT_EQ(check_json_outline(R"({"a":[1}})").at, 7U);
  EXPECT_EQ(check_json_outline(R"({"a":"]}\"{"})").fault, JsonFault::none);
}

}  // namespace
}  // namespace lmb::protocol
