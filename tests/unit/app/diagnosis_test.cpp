#include "diagnosis.hpp"

#include <gtest/gtest.h>

namespace lmb::app {
namespace {

upstream::WorkerAddress studio() {
  upstream::WorkerAddress address;
  address.name = "studio-05";
  address.host = "mac-studio-05.local";
  return address;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

protocol::ModelCatalogue catalogue(const char* json) {
  auto parsed = protocol::parse_model_list(json);
  EXPECT_TRUE(parsed.has_value());
  return *parsed;
}

TEST(Diagnosis, a_refused_connection_names_the_switch_in_lm_studio) {
  const auto findings = judge_greeting(studio(), Error(ErrorKind::connect_failed));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].step, "connect");
  EXPECT_TRUE(has(findings[0].says, "mac-studio-05.local:1234: connect_failed"));
  EXPECT_TRUE(has(findings[0].mend, "Serve on Local Network"));
  EXPECT_FALSE(usable(findings));
}

TEST(Diagnosis, a_silent_server_is_no_connect_failure) {
  const auto findings = judge_greeting(studio(), Error(ErrorKind::request_timeout));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].step, "greeting");
  EXPECT_TRUE(has(findings[0].mend, "restart LM Studio"));
}

TEST(Diagnosis, an_unknown_greeting_is_doubtful_but_usable) {
  http::FetchedAnswer answer;
  answer.status = 200;
  answer.body = R"({"error":"Unexpected endpoint or method."})";
  const auto findings = judge_greeting(studio(), answer);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[1].verdict, Verdict::doubtful);
  EXPECT_TRUE(usable(findings));
}

TEST(Diagnosis, a_name_that_does_not_resolve_names_bonjour_for_local_names_only) {
  auto address = studio();
  EXPECT_TRUE(has(judge_unresolved(address, "Host not found").mend, "libnss-mdns"));
  address.host = "studio.example";
  EXPECT_FALSE(has(judge_unresolved(address, "Host not found").mend, "libnss-mdns"));
}

TEST(Diagnosis, tells_a_missing_key_from_a_wrong_one_and_shows_none) {
  auto address = studio();
  EXPECT_TRUE(has(judge_refused_token(address).says, "none is configured"));
  address.api_key = "sk-secret";
  const auto wrong = judge_refused_token(address);
  EXPECT_TRUE(has(wrong.says, "refuses the configured key"));
  EXPECT_FALSE(has(describe({wrong}), "sk-secret"));
}

TEST(Diagnosis, lets_no_name_drive_the_terminal) {
  const auto findings = judge_models(
      catalogue("{\"models\": [{\"key\": \"b\u009b31m\u202e\\u001b[0m\", \"type\": \"llm\", "
                "\"loaded_instances\": [{\"id\": \"b\u009b31m\u202e\\u001b[0m\", "
                "\"config\": {\"parallel\": 4}}]}]}"),
      false);
  const auto text = describe(findings);
  EXPECT_TRUE(has(text, "b?31m")) << text;
  for (const char* forbidden : {"\u009b", "\u202e", "\x1b"}) EXPECT_FALSE(has(text, forbidden));
}

TEST(Diagnosis, tells_slots_and_contexts_of_loaded_models) {
  const auto findings = judge_models(catalogue(R"({"models": [
          {"key": "m", "type": "llm", "loaded_instances": [
            {"id": "m", "config": {"parallel": 4, "context_length": 8192}}]},
          {"key": "n", "type": "llm", "loaded_instances": []}]})"),
                                     false);
  const auto text = describe(findings);
  EXPECT_TRUE(has(text, "2 models, 1 loaded")) << text;
  EXPECT_TRUE(has(text, "m: 4 slots")) << text;
  EXPECT_TRUE(has(text, "m: 8192 tokens")) << text;
  EXPECT_TRUE(usable(findings));
}

TEST(Diagnosis, nothing_loaded_is_doubtful_and_nothing_at_all_is_bad) {
  const auto unloaded = judge_models(
      catalogue(R"({"models":[{"key":"m","type":"llm","loaded_instances":[]}]})"), false);
  EXPECT_TRUE(has(describe(unloaded), "none is loaded")) << describe(unloaded);
  EXPECT_TRUE(usable(unloaded));
  EXPECT_FALSE(usable(judge_models(protocol::ModelCatalogue{}, false)));
}

}  // namespace
}  // namespace lmb::app
