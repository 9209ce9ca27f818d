#include "lmb/protocol/worker_answer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lmb::protocol {
namespace {

std::string quoted(std::string_view message) {
  std::string out = "\"";
  for (const char c : message) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// LM Studio sends one and the same message in both forms.
void expect_verdict(std::string_view message, Verdict verdict, unsigned status = 400) {
  EXPECT_EQ(judge_answer(status, "{\"error\":" + quoted(message) + "}"), verdict) << message;
  EXPECT_EQ(
      judge_answer(status, "{\n  \"error\": {\"type\":\"invalid_request_error\",\"message\": " +
                               quoted(message) + ",\"param\":null}\n}"),
      verdict)
      << message;
}

TEST(WorkerAnswer, passes_on_what_succeeded) {
  EXPECT_EQ(judge_answer(200, R"({"id":"x","choices":[]})"), Verdict::ok);
  EXPECT_EQ(judge_answer(200, ""), Verdict::ok);
  EXPECT_EQ(judge_answer(204, ""), Verdict::ok);
  EXPECT_EQ(judge_answer(200, R"({"id":"resp_1","error":null,"output":[]})"), Verdict::ok);
}

TEST(WorkerAnswer, is_not_misled_by_a_models_text_about_errors) {
  EXPECT_EQ(
      judge_answer(200, R"({"choices":[{"message":{"content":"{\"error\":\"Channel Error\"}"}}]})"),
      Verdict::ok);
  EXPECT_EQ(judge_answer(200, R"({"choices":[{"error":"Channel Error"}]})"), Verdict::ok);
}

TEST(WorkerAnswer, knows_a_route_that_the_worker_lacks) {
  expect_verdict("Unexpected endpoint or method. (POST /v1/responses)", Verdict::lacks_route, 200);
  expect_verdict("Unexpected endpoint or method. (POST /v1/responses)", Verdict::lacks_route, 400);
}

TEST(WorkerAnswer, knows_a_model_that_the_worker_lacks) {
  expect_verdict(
      "No models loaded. Please load a model in the developer page or use the 'lms load' command.",
      Verdict::lacks_model);
  expect_verdict("No models loaded", Verdict::lacks_model, 404);
  expect_verdict(
      "Invalid model identifier \"x\". Please specify a valid downloaded model (e.g., a, b).",
      Verdict::lacks_model);
  expect_verdict(
      "Failed to load model \"x\". Error: Model loading was stopped due to insufficient system "
      "resources.",
      Verdict::lacks_model);
  EXPECT_EQ(judge_answer(400, R"({"error":{"message":"?","code":"model_not_found"}})"),
            Verdict::lacks_model);
  EXPECT_EQ(judge_answer(404, R"({"error":{"type":"model_not_found","message":"?"}})"),
            Verdict::lacks_model);
}

TEST(WorkerAnswer, a_model_that_was_unloaded_meanwhile_is_not_there_and_nobodys_fault) {
  for (const std::string_view message :
       {"Model is unloaded.", "Model unloaded.", "Model unloaded by user or API request."}) {
    expect_verdict(message, Verdict::lacks_model);
  }
}

TEST(WorkerAnswer, blames_the_worker_for_its_400s) {
  for (const std::string_view message :
       {"The model has crashed without additional information. (Exit code: 6)",
        "The model has crashed without additional information. (Exit code: null)", "Channel Error",
        "Compute error.", "Engine protocol predict request failed: fetch failed",
        "Error in iterating prediction stream: x: Encountered fatal exception in the backend "
        "scheduler",
        "Engine protocol predict stream returned an error: {\"code\":500,\"message\":\"Context "
        "size has "
        "been exceeded.\",\"type\":\"server_error\"}"}) {
    expect_verdict(message, Verdict::worker_fault);
    expect_verdict(message, Verdict::worker_fault, 200);
  }
}

TEST(WorkerAnswer, blames_the_client_for_a_prompt_that_fits_nowhere) {
  for (const std::string_view message :
       {"The number of tokens to keep from the initial prompt is greater than the context length "
        "(n_keep: "
        "13055>= n_ctx: 4096). Try to load the model with a larger context length, or provide a "
        "shorter "
        "input.",
        "Engine protocol predict stream returned an error: {\"code\":400,\"message\":\"request "
        "(20018 "
        "tokens) exceeds the available context size (8192 tokens), try increasing it\",\"type\":"
        "\"exceed_context_size_error\"}",
        "request (20018 tokens) exceeds the available context size (8192 tokens), try increasing "
        "it",
        "Engine protocol predict request returned 400: {}"}) {
    expect_verdict(message, Verdict::client_fault, 400);
    expect_verdict(message, Verdict::client_fault, 500);
  }
}

TEST(WorkerAnswer, blames_the_client_for_any_other_4xx) {
  EXPECT_EQ(judge_answer(
                400, R"({"error":{"type":"invalid_request","message":"\"model\" is required"}})"),
            Verdict::client_fault);
  EXPECT_EQ(judge_answer(400, R"({"error":"'messages' field is required"})"),
            Verdict::client_fault);
  EXPECT_EQ(judge_answer(413, "<html>"), Verdict::client_fault);
  EXPECT_EQ(judge_answer(404, ""), Verdict::client_fault);
  EXPECT_EQ(judge_answer(400, R"({"error":)"), Verdict::client_fault);
}

TEST(WorkerAnswer, cannot_be_led_to_blame_a_worker_by_the_clients_own_words) {
  expect_verdict("Invalid model identifier \"Channel Error\".", Verdict::lacks_model);
  expect_verdict("Error rendering prompt with jinja template: \"Model is unloaded.\"",
                 Verdict::client_fault);
  expect_verdict("'The model has crashed' is not a valid role", Verdict::client_fault);
}

TEST(WorkerAnswer, blames_the_worker_for_5xx_and_overload) {
  EXPECT_EQ(judge_answer(500, "<!DOCTYPE html><pre>Internal Server Error</pre>"),
            Verdict::worker_fault);
  EXPECT_EQ(judge_answer(503, ""), Verdict::worker_fault);
  EXPECT_EQ(judge_answer(429, "{}"), Verdict::worker_fault);
  for (const unsigned of_our_connection : {407U, 421U, 425U, 426U}) {
    EXPECT_EQ(judge_answer(of_our_connection, "{}"), Verdict::worker_fault) << of_our_connection;
  }
  EXPECT_EQ(judge_answer(500, R"({"type":"error","error":{"type":"api_error","message":"x"}})"),
            Verdict::worker_fault);
  EXPECT_EQ(judge_answer(400, R"({"error":{"type":"internal_error","message":"x"}})"),
            Verdict::worker_fault);
}

TEST(WorkerAnswer, blames_the_worker_for_a_failed_response_in_a_200) {
  EXPECT_EQ(
      judge_answer(200, R"({"status":"failed","error":{"code":"server_error","message":"x"}})"),
      Verdict::worker_fault);
}

TEST(WorkerAnswer, judges_an_error_in_a_200_as_one_within_a_stream) {
  for (const char* type : {"", "invalid_request_error", "invalid_request", "something_new"}) {
    const auto body = R"({"error":{"message":"no","type":")" + std::string(type) + "\"}}";
    EXPECT_EQ(judge_answer(200, body), judge_stream_error("no", type)) << type;
  }
  EXPECT_EQ(judge_answer(200, R"({"error":"something new"})"), Verdict::worker_fault);
  EXPECT_EQ(judge_answer(400, R"({"error":"something new"})"), Verdict::client_fault);
}

TEST(WorkerAnswer, tells_the_message_of_an_error_in_either_form) {
  EXPECT_EQ(message_of_answer(R"({"error":"no \"way\""})"), "no \"way\"");
  EXPECT_EQ(message_of_answer(R"({"error":{"type":"t","message":"no"}})"), "no");
  EXPECT_EQ(message_of_answer(R"({"choices":[]})"), "");
  EXPECT_EQ(message_of_answer("{\"error\":\"" + std::string(511, 'x') + "\u00e4\"}"),
            std::string(511, 'x'))
      << "bounded, and no character is cut in two";
}

TEST(WorkerAnswer, knows_a_wrong_token) {
  EXPECT_EQ(judge_answer(401, R"({"error":{"message":"An LM Studio API token is required"}})"),
            Verdict::bad_token);
  EXPECT_EQ(judge_answer(403, ""), Verdict::bad_token);
}

}  // namespace
}  // namespace lmb::protocol
