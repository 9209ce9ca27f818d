#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>

#include "lmb/protocol/request_facts.hpp"
#include "padded_text.hpp"

namespace lmb::protocol {
namespace {

using Json = nlohmann::json;

constexpr std::string_view bytes =
    "{}[]:,\"\\ \n0123456789-+.eEtruefalsnl/abmodstream\x01\x7F\xC3\xA9\xFF";

std::string mutated(std::string body, std::mt19937& random) {
  const auto below = [&random](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (std::size_t changes = below(4) + 1; changes > 0 && !body.empty(); --changes) {
    const std::size_t at = below(body.size());
    const char byte = bytes[below(bytes.size())];
    switch (below(4)) {
      case 0:
        body[at] = byte;
        break;
      case 1:
        body.insert(at, 1, byte);
        break;
      case 2:
        body.erase(at, below(3) + 1);
        break;
      default:
        body.insert(at, body.substr(below(body.size()), below(20)));
        break;
    }
  }
  return body;
}

/// Refusals that are right for valid JSON too.
bool is_rule_of_ours(const Error& error) {
  return error.kind() == ErrorKind::bad_model ||
         error.detail().find("\"stream\"") != std::string::npos;
}

void compare(const std::string& body, char padding) {
  const PaddedText padded(body, padding);
  const Result<RequestFacts> facts = inspect_request(padded.view(), Dialect::openai_chat);
  const Json reference = Json::parse(body, nullptr, false);
  if (reference.is_object() && facts.has_error()) {
    EXPECT_TRUE(is_rule_of_ours(facts.error())) << facts.error().detail() << "\n" << body;
  }
  if (!reference.is_object() && !reference.is_discarded()) {
    EXPECT_TRUE(facts.has_error()) << body;
  }
  if (!reference.is_object() || facts.has_error()) return;
  EXPECT_EQ(facts->model, reference["model"]) << body;
  EXPECT_EQ(facts->stream, reference.value("stream", Json()) == true) << body;
}

// What another parser accepts we accept, with the same facts; and nothing makes the parser fall.
TEST(RequestFactsProperty, agrees_with_another_parser_on_mutated_bodies) {
  const std::string_view seeds[] = {
      R"({"model":"m","stream":true,"messages":[{"role":"user","content":"a\"b\\"}],"n":[1,{"x":{}}]})",
      R"({"mod\u0065l":"a","prompt":"x","stream":null,"t":-1.5e3,"z":[[],{}],"s":""})",
      R"({ "a" : { "model" : "no" } , "model" : "yes" , "stream" : false , "input" : [ "" ] })"};
  std::mt19937 random(20'260'901);
  for (int round = 0; round < 30'000; ++round) {
    const std::string body = mutated(std::string(seeds[round % 3]), random);
    compare(body, "\0}],\":{0"[round % 8]);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace lmb::protocol
