#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "integration/http/loop.hpp"
#include "lmb/http/client.hpp"
#include "lmb/sim/worker.hpp"

namespace lmb::sim {

inline constexpr const char* llm = "qwen/qwen3-30b-a3b";
inline constexpr const char* embedder = "text-embedding-nomic-embed-text-v1.5";

/// One worker on the test's own loop, a thousand times faster than a Mac.
class WorkerTest : public ::testing::Test {
 protected:
  using json = nlohmann::json;

  void start(WorkerOptions options = fast()) {
    worker_ = std::make_unique<Worker>(context_.get_executor(), options);
    ASSERT_TRUE(worker_->start());
  }
  static WorkerOptions fast() {
    WorkerOptions options;
    options.speed = 1000;
    return options;
  }

  http::FetchedAnswer fetch(http::FetchRequest request) {
    request.timeout = std::chrono::seconds(8);
    auto answer = test::run(context_, http::fetch(worker_->endpoint(), std::move(request)));
    EXPECT_TRUE(answer.has_value());
    return answer ? *std::move(answer) : http::FetchedAnswer();
  }
  http::FetchedAnswer get(const std::string& target) {
    return fetch(http::FetchRequest("GET", target, "mac:1234"));
  }
  http::FetchedAnswer post(const std::string& target, std::string body) {
    http::FetchRequest request("POST", target, "mac:1234");
    request.fields.emplace_back("Content-Type", "application/json");
    request.body = std::move(body);
    return fetch(std::move(request));
  }
  static std::string chat(bool stream, int max_tokens = 20, const std::string& content = "Hello") {
    const json body = {{"model", llm},
                       {"stream", stream},
                       {"max_tokens", max_tokens},
                       {"messages", {{{"role", "user"}, {"content", content}}}}};
    return body.dump();
  }
  /// A request as bytes on the wire.
  static std::string wire(const std::string& target, const std::string& body,
                          const std::string& fields = "") {
    return "POST " + target + " HTTP/1.1\r\nHost: mac:1234\r\n" + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string fault_field(Fault fault) {
    return "x-sim-fault: " + std::string(to_string(fault)) + "\r\n";
  }
  /// The JSON of every `data:` line of a body, without [DONE].
  static std::vector<json> events_of(const std::string& text) {
    std::vector<json> out;
    for (auto at = text.find("data: "); at != std::string::npos; at = text.find("data: ", at)) {
      at += 6;
      const std::string line = text.substr(at, text.find('\n', at) - at);
      if (line != "[DONE]") out.push_back(json::parse(line, nullptr, false));
    }
    return out;
  }
  bool settles() {
    return test::run_until(context_, [&] {
      const auto c = worker_->counters();
      return c.running == 0 && c.waiting == 0 && c.started == c.finished + c.cancelled;
    });
  }
  test::RawClient client() { return test::RawClient(context_, worker_->endpoint()); }

  test::asio::io_context context_{1};
  std::unique_ptr<Worker> worker_;
};

}  // namespace lmb::sim
