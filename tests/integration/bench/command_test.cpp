#include "lmb/bench/command.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "servers.hpp"

namespace lmb::bench {
namespace {

using namespace test;

class BenchCommand : public ::testing::Test {
 protected:
  static CommandOptions options_for(std::uint16_t port) {
    CommandOptions options;
    options.url = "http://127.0.0.1:" + std::to_string(port);
    options.requests = 8;
    options.max_tokens = 16;
    options.timeout = std::chrono::seconds(20);
    return options;
  }
  int run(const CommandOptions& options) { return run_command(options, Terminal{out_, err_}); }
  /// Exit code 0; on a machine too busy for a valid run, 1 for that reason alone.
  bool all_answered(const CommandOptions& options) {
    const int code = run(options);
    const auto said = [this](const char* words) {
      return out_.str().find(words) != std::string::npos;
    };
    return code == 0 || (code == 1 && said("RUN INVALID") && !said("failed:"));
  }

  void expect_said(const std::string& part) const {
    EXPECT_NE(err_.str().find(part), std::string::npos) << err_.str();
  }

  std::ostringstream out_;
  std::ostringstream err_;
};

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(BenchCommand, runs_each_concurrency_and_writes_its_files) {
  SimulatedWorker worker;
  const auto folder = std::filesystem::temp_directory_path();
  const std::string name = "lmb_bench_command_" + std::to_string(worker.port());
  CommandOptions options = options_for(worker.port());
  options.concurrency = {2, 4};
  options.json_file = (folder / (name + ".json")).string();
  options.csv_file = (folder / (name + ".csv")).string();
  EXPECT_TRUE(all_answered(options)) << out_.str() << err_.str();
  EXPECT_NE(out_.str().find("concurrency 2\n"), std::string::npos);
  EXPECT_NE(out_.str().find("concurrency 4\n"), std::string::npos);
  EXPECT_EQ(worker.counters().finished, 2u * (8 + 2)) << "warm-up of 2 before each run";

  const auto json = nlohmann::json::parse(file_text(options.json_file));
  ASSERT_EQ(json["runs"].size(), 2u);
  EXPECT_EQ(json["runs"][1]["max_concurrency"], 4);
  EXPECT_EQ(json["runs"][1]["completed"], 8);
  EXPECT_GT(json["runs"][0]["mean_ttft_ms"].get<double>(), 0);
  const std::string csv = file_text(options.csv_file);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 16);
  std::filesystem::remove(options.json_file);
  std::filesystem::remove(options.csv_file);
}

TEST_F(BenchCommand, picks_a_loaded_model_that_generates_text) {
  SimulatedWorker worker;
  EXPECT_TRUE(all_answered(options_for(worker.port()))) << err_.str();
  const auto seen = worker.fleet().seen(0);
  const auto chat = std::find_if(seen.begin(), seen.end(), [](const auto& request) {
    return request.path == "/v1/chat/completions";
  });
  ASSERT_NE(chat, seen.end());
  EXPECT_EQ(chat->model, sim::find_preset(sim::default_preset)->model.key);
}

TEST_F(BenchCommand, falls_back_to_the_openai_list_without_embedding_models) {
  std::string asked_for;
  ScriptedServer server([&](http::Exchange& exchange) -> asio::awaitable<void> {
    const auto& request = exchange.request();
    unsigned status = 200;
    std::string body = R"({"choices":[{"message":{"content":"hi"}}]})";
    if (request.path() == "/v1/models") {
      body = R"({"object":"list","data":[{"id":"text-embedding-x"},{"id":"chat-y"}]})";
    } else if (request.method == "GET") {
      status = 404;
      body = "{}";
    } else {
      asked_for = nlohmann::json::parse(request.body)["model"];
    }
    co_await exchange.respond(status, "application/json", std::move(body));
  });
  CommandOptions options = options_for(server.port());
  options.stream = false;
  EXPECT_TRUE(all_answered(options)) << err_.str();
  EXPECT_EQ(asked_for, "chat-y");
}

TEST_F(BenchCommand, fails_when_a_request_failed) {
  SimulatedWorker worker;
  worker.fleet().set_fault(0, sim::Fault::status_500, sim::FaultScope::generation, 3);
  CommandOptions options = options_for(worker.port());
  options.warmup = 0;
  EXPECT_EQ(run(options), 1);
  EXPECT_NE(out_.str().find("failed: http_500 3"), std::string::npos) << out_.str();
}

TEST_F(BenchCommand, says_that_nobody_listens) {
  EXPECT_EQ(run(options_for(closed_port())), 1);
  expect_said("cannot connect to http://127.0.0.1:");
  EXPECT_TRUE(out_.str().empty());
}

TEST_F(BenchCommand, says_that_a_port_is_no_openai_server) {
  ScriptedServer website([](http::Exchange& exchange) -> asio::awaitable<void> {
    std::string page = "<html>hello</html>";
    co_await exchange.respond(200, "text/html", std::move(page));
  });
  EXPECT_EQ(run(options_for(website.port())), 1);
  expect_said("not an OpenAI-style server");
}

TEST_F(BenchCommand, says_that_a_port_speaks_no_http) {
  ScriptedServer other([](http::Exchange& exchange) -> asio::awaitable<void> {
    std::string greeting = "SSH-2.0-OpenSSH_9\r\n\r\n";
    co_await exchange.send_raw(std::move(greeting));
  });
  EXPECT_EQ(run(options_for(other.port())), 1);
  expect_said("does not speak HTTP");
}

TEST_F(BenchCommand, asks_for_the_key_that_a_server_wants) {
  std::string key;
  ScriptedServer server([&](http::Exchange& exchange) -> asio::awaitable<void> {
    key = exchange.request().field("authorization");
    std::string body = R"({"error":{"message":"who are you?"}})";
    co_await exchange.respond(401, "application/json", std::move(body));
  });
  CommandOptions options = options_for(server.port());
  options.api_key = "sk-1";
  EXPECT_EQ(run(options), 1);
  expect_said("--api-key");
  EXPECT_EQ(key, "Bearer sk-1");
}

TEST_F(BenchCommand, refuses_options_that_make_no_sense) {
  const auto refused = [this](const std::function<void(CommandOptions&)>& change) {
    CommandOptions options;
    change(options);
    return run(options) == 2;
  };
  EXPECT_TRUE(refused([](auto& o) { o.url = "https://h"; }));
  expect_said("plain HTTP only");
  EXPECT_TRUE(refused([](auto& o) { o.concurrency = {}; }));
  EXPECT_TRUE(refused([](auto& o) { o.concurrency = {6, 0}; }));
  EXPECT_TRUE(refused([](auto& o) { o.requests = 0; }));
  EXPECT_TRUE(refused([](auto& o) { o.timeout = {}; }));
  EXPECT_TRUE(refused([](auto& o) { o.max_tokens = 0; }));
  EXPECT_TRUE(refused([](auto& o) { o.api_key = "a\r\nb"; }));
  EXPECT_TRUE(out_.str().empty());
}

TEST_F(BenchCommand, fails_when_it_cannot_write_its_results) {
  SimulatedWorker worker;
  CommandOptions options = options_for(worker.port());
  options.json_file = "/nonexistent/folder/x.json";
  EXPECT_EQ(run(options), 1);
  expect_said("cannot write /nonexistent/folder/x.json");
}

}  // namespace
}  // namespace lmb::bench
