#include "lmb/sim/fault.hpp"

#include <gtest/gtest.h>

#include "worker_fixture.hpp"

namespace lmb::sim {
namespace {

using test::count_of;
using test::run_until;

class FaultTest : public WorkerTest {
 protected:
  void SetUp() override { start(); }

  /// Everything that comes back until the connection ends or goes quiet as `enough` says.
  std::string play(
      Fault fault, bool stream,
      const std::function<bool(const std::string&)>& enough = [](auto&) { return false; }) {
    client_.emplace(context_, worker_->endpoint());
    client_->send(
        wire("/v1/chat/completions", chat(stream), fault_field(fault) + "Connection: close\r\n"));
    return client_->receive_until(enough);
  }

  std::optional<test::RawClient> client_;
};

TEST_F(FaultTest, every_fault_has_a_name) {
  for (int i = 0; i <= static_cast<int>(Fault::context_overflow); ++i) {
    EXPECT_EQ(find_fault(to_string(static_cast<Fault>(i))), static_cast<Fault>(i));
  }
  EXPECT_EQ(find_fault("fire"), std::nullopt);
  EXPECT_EQ(find_fault(""), std::nullopt);
}

TEST_F(FaultTest, before_the_head) {
  EXPECT_EQ(play(Fault::close_before_head, true), "");
  EXPECT_EQ(client_->error(), test::asio::error::eof);
  EXPECT_FALSE(play(Fault::garbage, true).starts_with("HTTP/"));
  const std::string crash = play(Fault::error_400_crash, true);
  EXPECT_TRUE(crash.starts_with("HTTP/1.1 400 ")) << crash;
  EXPECT_NE(crash.find(R"({"error":"The model has crashed)"), std::string::npos);
  const std::string express = play(Fault::status_500, false);
  EXPECT_TRUE(express.starts_with("HTTP/1.1 500 ")) << express;
  EXPECT_NE(express.find("<pre>Internal Server Error</pre>"), std::string::npos);
  EXPECT_EQ(worker_->counters().started, 0u);
  EXPECT_EQ(worker_->counters().faults, 4u);
}

TEST_F(FaultTest, stalls_until_the_client_leaves) {
  EXPECT_EQ(
      play(Fault::stall_before_head, true, [turns = 0](auto&) mutable { return ++turns > 5; }), "");
  EXPECT_FALSE(client_->closed());
  const std::string some = play(Fault::stall_mid_stream, true, [turns = 0](auto& t) mutable {
    return count_of(t, "data: ") == 3 && ++turns > 5;
  });
  EXPECT_EQ(count_of(some, "data: "), 3u);
  EXPECT_FALSE(client_->closed());
  const std::string half = play(Fault::stall_mid_stream, false, [](auto& t) {
    return t.find("chat.completion") != std::string::npos;
  });
  EXPECT_FALSE(client_->closed());
  client_.reset();
  EXPECT_TRUE(settles());
}

TEST_F(FaultTest, mid_stream) {
  std::string text = play(Fault::close_mid_stream, true);
  EXPECT_EQ(count_of(text, "data: "), 3u) << text;
  EXPECT_FALSE(text.ends_with("0\r\n\r\n"));
  EXPECT_EQ(client_->error(), test::asio::error::eof);
  text = play(Fault::reset_mid_stream, true);
  EXPECT_EQ(client_->error(), test::asio::error::connection_reset);
  text = play(Fault::close_mid_stream, false);
  EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_FALSE(text.ends_with("}"));
  EXPECT_TRUE(settles());
}

TEST_F(FaultTest, errors_inside_a_200) {
  const std::string at_once = play(Fault::error_in_stream, true);
  ASSERT_EQ(events_of(at_once).size(), 1u) << at_once;
  EXPECT_EQ(events_of(at_once)[0]["error"]["message"], "Compute error.");
  EXPECT_TRUE(at_once.ends_with("0\r\n\r\n"));
  EXPECT_EQ(at_once.find("[DONE]"), std::string::npos);
  const std::string later = play(Fault::error_mid_stream, true);
  ASSERT_EQ(events_of(later).size(), 4u) << later;
  EXPECT_TRUE(events_of(later)[3].contains("error"));
  EXPECT_TRUE(play(Fault::error_in_stream, false).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(settles());
}

TEST_F(FaultTest, json_that_ends_half_way) {
  const std::string whole = play(Fault::truncated_json, false);
  const std::string body = whole.substr(whole.find("\r\n\r\n") + 4);
  EXPECT_NE(whole.find("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"),
            std::string::npos);
  EXPECT_FALSE(json::accept(body));
  const auto events = events_of(play(Fault::truncated_json, true));
  ASSERT_EQ(events.size(), 4u);
  EXPECT_TRUE(events[3].is_discarded());
}

TEST_F(FaultTest, a_scripted_fault_lasts_as_long_as_told_and_spares_probes) {
  worker_->set_fault(Fault::status_500, FaultScope::generation, 2);
  EXPECT_EQ(get("/v1/models").status, 200u);
  EXPECT_EQ(post("/v1/chat/completions", chat(false)).status, 500u);
  EXPECT_EQ(post("/v1/chat/completions", chat(false)).status, 500u);
  EXPECT_EQ(post("/v1/chat/completions", chat(false)).status, 200u);
  worker_->set_fault(Fault::status_500, FaultScope::everything);
  EXPECT_EQ(get("/lmstudio-greeting").status, 500u);
  EXPECT_EQ(get("/v1/models").status, 500u);
  worker_->set_fault(Fault::none);
  EXPECT_EQ(get("/v1/models").status, 200u);
}

TEST_F(FaultTest, refuse_closes_everything_and_can_be_lifted) {
  test::RawClient c = client();
  c.send(wire("/v1/chat/completions", chat(true, 30'000)));
  c.receive_until([](auto& t) { return count_of(t, "data: ") > 2; });
  worker_->set_fault(Fault::refuse);
  c.receive_all();
  EXPECT_TRUE(c.closed());
  auto refused = test::run(
      context_, http::fetch(worker_->endpoint(), http::FetchRequest("GET", "/v1/models", "m")));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::connect_failed);
  worker_->set_fault(Fault::none);
  EXPECT_EQ(get("/v1/models").status, 200u);
  EXPECT_TRUE(settles());
}

}  // namespace
}  // namespace lmb::sim
