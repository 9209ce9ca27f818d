#include "lmb/sim/fleet.hpp"

#include <gtest/gtest.h>

#include <set>

#include "worker_fixture.hpp"

namespace lmb::sim {
namespace {

using test::loopback;

WorkerOptions fast() {
  WorkerOptions options;
  options.speed = 1000;
  return options;
}

TEST(Fleet, serves_on_a_thread_of_its_own) {
  Fleet fleet(FleetOptions::alike(3, fast()));
  ASSERT_TRUE(fleet.start());
  std::set<std::uint16_t> ports;
  test::asio::io_context context(1);
  std::set<std::string> texts;
  for (std::size_t i = 0; i < fleet.size(); ++i) {
    ports.insert(fleet.port(i));
    EXPECT_EQ(fleet.url(i), "http://127.0.0.1:" + std::to_string(fleet.port(i)));
    http::FetchRequest request("POST", "/v1/chat/completions", "m");
    request.body = R"({"model":"qwen/qwen3-30b-a3b","messages":[{"role":"user","content":"Hi"}]})";
    request.timeout = std::chrono::seconds(8);
    const auto answer =
        test::run(context, http::fetch(loopback(fleet.port(i)), std::move(request)));
    ASSERT_TRUE(answer);
    texts.insert(nlohmann::json::parse(answer->body)["choices"][0]["message"]["content"]);
    EXPECT_EQ(fleet.counters(i).finished, 1u);
    EXPECT_EQ(fleet.counters(i).connections_accepted, 1u);
    EXPECT_EQ(fleet.seen(i).size(), 1u);
  }
  EXPECT_EQ(ports.size(), 3u);
  EXPECT_EQ(texts.size(), 1u);  // The same prompt and seed: the same text, whoever answers.
}

TEST(Fleet, a_fault_is_in_effect_when_the_call_returns) {
  Fleet fleet(FleetOptions::alike(1, fast()));
  ASSERT_TRUE(fleet.start());
  test::asio::io_context context(1);
  const auto probe = [&] {
    http::FetchRequest request("GET", "/lmstudio-greeting", "m");
    return test::run(context, http::fetch(loopback(fleet.port(0)), std::move(request)));
  };
  EXPECT_TRUE(probe());
  fleet.set_fault(0, Fault::refuse);
  EXPECT_FALSE(probe());
  fleet.set_fault(0, Fault::none);
  EXPECT_TRUE(probe());
}

TEST(Fleet, stops_in_the_middle_of_a_long_prompt) {
  WorkerOptions slow;
  slow.models.push_back(ModelOptions{*find_preset("m3-ultra-70b"), 0, true});
  Fleet fleet(FleetOptions::alike(2, slow));
  ASSERT_TRUE(fleet.start());
  test::asio::io_context context(1);
  test::RawClient client(context, loopback(fleet.port(1)));
  const std::string body = R"({"model":"llama-3.3-70b-instruct","stream":true,"messages":[{)"
                           R"("role":"user","content":")" +
                           std::string(40'000, 'x') + R"("}]})";
  client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  client.receive_until([](auto& t) { return t.ends_with("\r\n\r\n"); });
  fleet.stop();
  client.receive_all();
  EXPECT_TRUE(client.closed());
}

TEST(Fleet, starts_all_workers_or_none) {
  Fleet first(FleetOptions::alike(1, fast()));
  ASSERT_TRUE(first.start());
  FleetOptions options = FleetOptions::alike(2, fast());
  options.workers[1].port = first.port(0);
  Fleet second(options);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().detail().starts_with("cannot listen on 127.0.0.1:"));
  FleetOptions named = FleetOptions::alike(1, fast());
  named.workers[0].host = "not an address";
  Fleet third(named);
  EXPECT_FALSE(third.start());
}

TEST(Fleet, alike_gives_consecutive_ports_and_own_jitter) {
  WorkerOptions worker = fast();
  worker.port = 1234;
  const auto options = FleetOptions::alike(3, worker);
  EXPECT_EQ(options.workers[2].port, 1236);
  EXPECT_NE(options.workers[1].engine_seed, options.workers[2].engine_seed);
  EXPECT_EQ(options.workers[1].seed, options.workers[2].seed);
}

}  // namespace
}  // namespace lmb::sim
