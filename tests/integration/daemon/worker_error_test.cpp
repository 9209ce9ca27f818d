// Every error that LM Studio is known to answer with, played by a simulated worker: what the client
// is told, what is counted and logged, and whether it is held against the worker.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "lmb/sim/error_answer.hpp"
#include "support/access_lines.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {
namespace {

using sim::ErrorAnswer;
using namespace std::chrono_literals;

constexpr const char* chat_route = "/v1/chat/completions";

/// Whose fault the error is, and so what becomes of it.
enum class Fault { client, worker, lacks_model, lacks_route, key };

struct Outcome {
  unsigned status = 0;
  const char* kind = "";
  const char* termination = "";
};

Outcome outcome_of(Fault fault) {
  switch (fault) {
    case Fault::client:
      return {400, "request_refused", "--"};
    case Fault::worker:
      return {502, "worker_error", "WH"};
    case Fault::lacks_model:
      return {503, "model_unavailable", "WH"};
    case Fault::lacks_route:
      return {501, "route_unsupported", "WH"};
    case Fault::key:
      return {502, "worker_refused_key", "WH"};
  }
  return {};
}

struct Case {
  ErrorAnswer error;
  Fault fault;
  const char* words = "";  ///< Of the worker, which its client should read.
  const char* route = chat_route;
};

const std::vector<Case> cases{
    {ErrorAnswer::unexpected_endpoint, Fault::lacks_route},
    {ErrorAnswer::no_models_loaded, Fault::lacks_model, "No models loaded"},
    {ErrorAnswer::no_models_loaded_string, Fault::lacks_model, "No models loaded"},
    {ErrorAnswer::no_models_loaded_404, Fault::lacks_model, "No models loaded"},
    {ErrorAnswer::unknown_model, Fault::lacks_model, "Invalid model identifier"},
    {ErrorAnswer::load_refused, Fault::lacks_model, "insufficient system resources"},
    {ErrorAnswer::load_refused_memory, Fault::lacks_model, "90.17 GB"},
    {ErrorAnswer::load_refused_404, Fault::lacks_model, "insufficient system resources"},
    {ErrorAnswer::model_is_unloaded, Fault::lacks_model, "Model is unloaded."},
    {ErrorAnswer::model_is_unloaded_200, Fault::lacks_model, "Model is unloaded."},
    {ErrorAnswer::model_unloaded, Fault::lacks_model, "Model unloaded."},
    {ErrorAnswer::model_unloaded_by_user, Fault::lacks_model, "Model unloaded by user"},
    {ErrorAnswer::crashed_exit_code, Fault::worker},
    {ErrorAnswer::crashed_null, Fault::worker},
    {ErrorAnswer::channel_error, Fault::worker},
    {ErrorAnswer::engine_fetch_failed, Fault::worker},
    {ErrorAnswer::engine_returned_400, Fault::client, "request returned 400"},
    {ErrorAnswer::iteration_error, Fault::worker},
    {ErrorAnswer::express_failure, Fault::worker},
    {ErrorAnswer::prompt_too_long, Fault::client, "n_keep: 13055>= n_ctx: 4096"},
    {ErrorAnswer::prompt_exceeds_context, Fault::client, "request (20018 tokens) exceeds"},
    {ErrorAnswer::context_exceeded, Fault::worker},
    {ErrorAnswer::context_exceeded_responses, Fault::worker, "", "/v1/responses"},
    {ErrorAnswer::anthropic_error, Fault::worker, "", "/v1/messages"},
    {ErrorAnswer::token_required, Fault::key},
    {ErrorAnswer::missing_parameter, Fault::client, "is required", "/api/v1/chat"},
};

std::string request_for(const std::string& route, bool stream) {
  if (route == chat_route || route == "/v1/messages") return post(route, chat(stream));
  return post(route, std::string(R"({"model":")") + model + R"(","stream":)" +
                         (stream ? "true" : "false") + R"(,"input":"Hello there"})");
}

class WorkerError : public ::testing::TestWithParam<Case> {
 protected:
  /// A request that the only worker answers with the error, whenever it is asked.
  void expect_outcome(bool stream) {
    const auto& expected = GetParam();
    const auto outcome = outcome_of(expected.fault);
    DaemonOptions options;
    options.workers = 1;
    options.adjust = [this](config::Config& config) {
      config.telemetry.access_log = lines_.path();
      config.upstream.probe_interval = 1h;
    };
    Daemon daemon(options);
    daemon.fleet().with(0, [&](sim::Worker& worker) { worker.set_error(expected.error); });
    RawClient client(daemon.port());
    client.send(request_for(expected.route, stream));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, outcome.status) << answer.body;
    EXPECT_TRUE(answer.complete);
    EXPECT_NE(answer.body.find(expected.words), std::string::npos) << answer.body;
    EXPECT_EQ(answer.body.find("<!DOCTYPE"), std::string::npos) << answer.body;
    const auto line = lines_.of(answer.fields.at("x-request-id"));
    const bool passed = expected.fault == Fault::client;
    // Under a status of success the body is taken for an answer until it is whole.
    const bool under_200 = expected.error == ErrorAnswer::unexpected_endpoint ||
                           expected.error == ErrorAnswer::model_is_unloaded_200;
    EXPECT_EQ(line.at("termination"), under_200 ? "WD" : outcome.termination) << line;
    EXPECT_EQ(line.at("error").is_null(), passed) << line;
    if (!passed) {
      EXPECT_EQ(line.at("error"), outcome.kind);
      // The form of Anthropic's errors has no place for it.
      const bool has_code = std::string_view(expected.route) != "/v1/messages";
      EXPECT_EQ(answer.body.find(outcome.kind) != std::string::npos, has_code) << answer.body;
      const std::string failures = std::string("lmbalancer_attempt_failures_total{kind=\"") +
                                   outcome.kind + "\",worker=\"w1\"}";
      EXPECT_TRUE(eventually([&] { return daemon.metric(failures) >= 1; }));
    }
    const bool held_against_it = expected.fault == Fault::worker || expected.fault == Fault::key;
    EXPECT_EQ(daemon.server().fleet().workers[0].state == scheduling::WorkerState::suspect,
              held_against_it);
  }

 private:
  AccessLines lines_;
};

TEST_P(WorkerError, is_told_as_what_it_is) {
  for (const bool stream : {false, true}) {
    SCOPED_TRACE(stream ? "stream" : "whole");
    expect_outcome(stream);
  }
}

TEST(WorkerErrors, are_all_here) {
  EXPECT_EQ(cases.size(), static_cast<std::size_t>(ErrorAnswer::missing_parameter));
}

INSTANTIATE_TEST_SUITE_P(Known, WorkerError, ::testing::ValuesIn(cases),
                         [](const auto& each) { return std::string(to_string(each.param.error)); });

}  // namespace
}  // namespace lmb::test
