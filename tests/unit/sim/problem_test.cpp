#include "problem.hpp"

#include <gtest/gtest.h>

#include <set>

#include "error_answers.hpp"

namespace lmb::sim {
namespace {

TEST(Problem, is_worded_as_each_dialect_does) {
  const Problem crash{ProblemKind::engine, "Channel Error", {}};
  EXPECT_EQ(refusal_of(crash, Dialect::openai).body, R"({"error":"Channel Error"})");
  EXPECT_EQ(refusal_of(crash, Dialect::openai).status, 400u);
  EXPECT_EQ(refusal_of(crash, Dialect::responses).body,
            R"({"error":{"message":"Channel Error","type":"internal_error","param":null,)"
            R"("code":"unknown"}})");
  EXPECT_EQ(refusal_of(crash, Dialect::responses).status, 500u);
  EXPECT_EQ(refusal_of(crash, Dialect::anthropic).body,
            R"({"type":"error","error":{"type":"api_error","message":"Channel Error"}})");
  EXPECT_EQ(refusal_of(crash, Dialect::anthropic).status, 500u);
  EXPECT_EQ(refusal_of(crash, Dialect::native).body,
            R"({"error":{"type":"internal_error","message":"Channel Error"}})");
  EXPECT_EQ(refusal_of(crash, Dialect::native).status, 500u);
}

TEST(Problem, of_a_model_names_it) {
  const Problem unknown = unknown_model("x", {"a", "b"});
  const std::string message =
      R"(Invalid model identifier \"x\". Please specify a valid downloaded model (e.g., a, b).)";
  EXPECT_EQ(refusal_of(unknown, Dialect::openai).body,
            R"({"error":{"message":")" + message +
                R"(","type":"invalid_request_error","param":"model","code":"model_not_found"}})");
  EXPECT_EQ(
      refusal_of(unknown, Dialect::native).body,
      R"({"error":{"type":"model_not_found","message":")" + message + R"(","param":"model"}})");
  EXPECT_EQ(refusal_of(unknown, Dialect::native).status, 404u);
  EXPECT_EQ(
      refusal_of(no_models_loaded(), Dialect::openai).body,
      R"({"error":{"message":"No models loaded. Please load a model in the developer page or )"
      R"(use the 'lms load' command.","type":"invalid_request_error","param":"model",)"
      R"("code":null}})");
}

TEST(Problem, with_a_name_that_is_not_utf_8_can_be_told_too) {
  const Refusal refusal = refusal_of(unknown_model("\xff\xfe", {"a", "b"}), Dialect::openai);
  EXPECT_NE(refusal.body.find("(e.g., a, b)"), std::string::npos);
}

TEST(Problem, inside_a_stream_looks_as_the_dialect_and_version_have_it) {
  ErrorEventForm form;
  EXPECT_EQ(error_event("x", Dialect::openai, form),
            "data: {\"error\":{\"message\":\"x\"},\"message\":\"x\"}\n\n");
  form.named = form.bare = form.done_after = true;
  EXPECT_EQ(error_event("x", Dialect::openai, form),
            "event: error\ndata: {\"error\":\"x\"}\n\ndata: [DONE]\n\n");
  EXPECT_EQ(error_event("x", Dialect::anthropic, form),
            "event: error\ndata: "
            "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"x\"}}\n\n");
  EXPECT_EQ(error_event("x", Dialect::native, ErrorEventForm()),
            "event: error\ndata: "
            "{\"type\":\"error\",\"error\":{\"type\":\"internal_error\",\"message\":\"x\"}}\n\n");
  EXPECT_EQ(error_event("x", Dialect::responses, ErrorEventForm()),
            "event: error\ndata: "
            "{\"type\":\"error\",\"code\":\"unknown\",\"message\":\"x\",\"param\":null}\n\n");
}

TEST(ErrorAnswers, every_error_has_a_name_and_a_body_of_its_own) {
  std::set<std::string> seen;
  for (int i = 1; i <= static_cast<int>(ErrorAnswer::missing_parameter); ++i) {
    const auto error = static_cast<ErrorAnswer>(i);
    EXPECT_EQ(find_error_answer(to_string(error)), error);
    const PlayedError played = play(error, "GET /health", "x");
    EXPECT_FALSE(played.message.empty());
    EXPECT_TRUE(seen.insert(std::to_string(played.status) + played.body).second) << played.body;
    EXPECT_EQ(played.html, error == ErrorAnswer::express_failure);
  }
  EXPECT_EQ(find_error_answer("fire"), std::nullopt);
  EXPECT_EQ(find_error_answer(""), std::nullopt);
}

TEST(ErrorAnswers, are_the_bytes_that_were_seen) {
  const auto body = [](ErrorAnswer error) { return play(error, "GET /health", "x").body; };
  const auto status = [](ErrorAnswer error) { return play(error, "", "").status; };
  EXPECT_EQ(body(ErrorAnswer::unexpected_endpoint),
            R"x({"error":"Unexpected endpoint or method. (GET /health)"})x");
  EXPECT_EQ(status(ErrorAnswer::unexpected_endpoint), 200u);
  EXPECT_EQ(
      body(ErrorAnswer::crashed_exit_code),
      R"x({"error":"The model has crashed without additional information. (Exit code: 6)"})x");
  EXPECT_EQ(body(ErrorAnswer::engine_fetch_failed),
            R"({"error":"Engine protocol predict request failed: fetch failed"})");
  EXPECT_EQ(body(ErrorAnswer::context_exceeded),
            R"({"error":"Engine protocol predict stream returned an error: {\"code\":500,)"
            R"(\"message\":\"Context size has been exceeded.\",\"type\":\"server_error\"}"})");
  EXPECT_EQ(body(ErrorAnswer::context_exceeded_responses),
            R"({"error":{"message":"Engine protocol predict stream returned an error: )"
            R"(Context size has been exceeded.","type":"internal_error","param":null,)"
            R"("code":"unknown"}})");
  EXPECT_EQ(status(ErrorAnswer::context_exceeded_responses), 500u);
  EXPECT_EQ(body(ErrorAnswer::prompt_too_long),
            R"({"error":"The number of tokens to keep from the initial prompt is greater than the )"
            R"(context length (n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger )"
            R"(context length, or provide a shorter input."})");
  EXPECT_EQ(body(ErrorAnswer::missing_parameter),
            R"({"error":{"type":"invalid_request","message":"\"model\" is required",)"
            R"("code":"missing_required_parameter","param":"model"}})");
  EXPECT_EQ(status(ErrorAnswer::no_models_loaded_404), 404u);
  EXPECT_EQ(status(ErrorAnswer::model_is_unloaded_200), 200u);
  EXPECT_EQ(status(ErrorAnswer::token_required), 401u);
  EXPECT_NE(body(ErrorAnswer::load_refused).find(R"(Failed to load model \"x\". Error: Model)"),
            std::string::npos);
}

}  // namespace
}  // namespace lmb::sim
