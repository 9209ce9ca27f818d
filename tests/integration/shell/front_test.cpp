// A client's session, step by step, on a loop that the test turns.
#include <stdexcept>
#include <string>

#include "front_fixture.hpp"

namespace lmb::proxy {
namespace {

net::Task<LocalAnswer> answer_never(net::Bell& never) {
  co_await never.wait();
  co_return LocalAnswer();
}

net::Task<LocalAnswer> answer_at_once() {
  co_return LocalAnswer(200, "text/plain", "well");
}

class FrontTest : public test::FrontFixture {
 protected:
  FrontTest() {
    shared->local = [](const LocalRequest&) { return answer_at_once(); };
  }

  static constexpr const char* request = "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n";
  net::Bell never;
};

TEST_F(FrontTest, an_empty_line_before_a_request_may_be_cut_anywhere) {
  const std::string lines = "\r\n\r\n";
  for (std::size_t cut = 1; cut <= lines.size(); ++cut) {
    auto client = connect();
    client.send(lines.substr(0, cut));
    ASSERT_TRUE(run_one()) << cut;
    client.send(lines.substr(cut) + request);
    ASSERT_TRUE(until([&] { return client.has_bytes(); })) << cut;
    EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 200 ")) << cut;
  }
}

TEST_F(FrontTest, a_session_that_is_dropped_leaves_its_record) {
  shared->local = [this](const LocalRequest&) { return answer_never(never); };
  auto client = connect();
  client.send(request);
  ASSERT_TRUE(until([&] { return !front->running().empty(); }));
  EXPECT_EQ(log(), "");
  shard.sessions().stop(net::StopLevel::now);
  EXPECT_EQ(shard.sessions().drop(), 1U);
  const auto line = log();
  EXPECT_NE(line.find(R"("route":"/healthz")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("status":0,"error":"shutting_down")"), std::string::npos) << line;
  EXPECT_TRUE(counted(R"(lmbalancer_errors_total{kind="shutting_down"} 1)")) << metrics.render();
  EXPECT_TRUE(front->running().empty());
}

TEST_F(FrontTest, a_session_that_ends_by_an_exception_leaves_its_record) {
  shared->local = [](const LocalRequest&) -> net::Task<LocalAnswer> {
    throw std::runtime_error("broken");
  };
  auto client = connect();
  client.send(request);
  ASSERT_TRUE(until([&] { return !escaped.empty(); }));
  EXPECT_EQ(escaped, "broken");
  const auto line = log();
  EXPECT_NE(line.find(R"("status":0,"error":"internal")"), std::string::npos) << line;
  EXPECT_TRUE(counted(R"(lmbalancer_errors_total{kind="internal"} 1)")) << metrics.render();
  EXPECT_TRUE(client.at_end());
}

TEST_F(FrontTest, a_request_that_ends_well_leaves_one_record) {
  auto client = connect();
  client.send(request);
  ASSERT_TRUE(until([&] { return client.has_bytes(); }));
  const auto line = log();
  EXPECT_EQ(test::count_of(line, "\n"), 1U) << line;
  EXPECT_NE(line.find(R"("status":200,"error":null)"), std::string::npos) << line;
}

constexpr const char* trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST_F(FrontTest, a_clients_trace_is_named_in_its_line_and_told_to_the_worker_as_it_came) {
  raise(0);
  const std::string fields =
      "TraceParent: " + std::string(trace) + "\r\ntracestate: rojo=00f067aa0ba902b7,c=t61\r\n";
  auto text = chat();
  text.insert(text.find("Content-Length"), fields);
  auto client = connect();
  client.send(text);
  auto worker = accept();
  std::string seen;
  ASSERT_TRUE(worker && until([&] {
                seen += worker->read_available();
                return seen.ends_with("]}");
              }));
  EXPECT_NE(seen.find("\r\n" + fields), std::string::npos) << seen;
  EXPECT_EQ(test::count_of(seen, "00f067aa0ba902b7"), 2U) << "nothing is added: " << seen;
  worker->send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  ASSERT_TRUE(until([&] { return client.has_bytes(); }));
  const auto line = log();
  EXPECT_NE(line.find(R"(,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",)"), std::string::npos)
      << line;
}

TEST_F(FrontTest, a_trace_that_cannot_be_one_is_not_logged) {
  const std::string good = trace;
  for (const std::string& fields :
       {std::string(), "traceparent: " + good + R"(","status":999)" + "\r\n",
        "traceparent: ff" + good.substr(2) + "\r\n", "traceparent: " + good.substr(0, 54) + "\r\n",
        "traceparent: " + good + "\r\ntraceparent: " + good + "\r\n"}) {
    auto client = connect();
    client.send("GET /healthz HTTP/1.1\r\nHost: t\r\n" + fields + "\r\n");
    ASSERT_TRUE(until([&] { return client.has_bytes(); })) << fields;
  }
  const auto lines = log();
  EXPECT_EQ(test::count_of(lines, R"(,"trace_id":null,)"), 5U) << lines;
  EXPECT_EQ(lines.find("4bf92f3577b34da6"), std::string::npos) << lines;
  EXPECT_EQ(lines.find(R"("status":999)"), std::string::npos) << lines;
}

TEST_F(FrontTest, a_tls_client_of_the_plain_port_is_told_and_logged_once) {
  testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    auto client = connect();
    client.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
    ASSERT_TRUE(until([&] { return client.has_bytes(); }));
    const auto head = client.read_head();
    EXPECT_TRUE(head.starts_with("HTTP/1.1 400 ")) << head;
    EXPECT_NE(client.read_available().find("this port speaks plain HTTP: use http://"),
              std::string::npos);
  }
  const auto told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(test::count_of(told, "speaks TLS to a plain port"), 1U) << told;
}

TEST_F(FrontTest, a_request_that_is_tried_again_waits_no_longer_than_one_that_is_not) {
  raise(0);
  raise(1);
  auto first = connect();
  first.send(chat());
  auto w0 = accept_request(0);
  auto second = connect();
  second.send(chat());
  auto w1 = accept_request(1);
  auto client = connect();
  client.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 1; }));
  pass(std::chrono::minutes(9));
  w0->send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  ASSERT_TRUE(until([&] { return w0->has_bytes(); })) << "the next request, on that connection";
  w0->close();
  auto fresh = accept_request(0);
  fresh->close();
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 1; })) << "again";
  pass(std::chrono::seconds(59));
  EXPECT_FALSE(client.has_bytes());
  pass(std::chrono::seconds(2));
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 504 ")) << "ten minutes in all";
}

}  // namespace
}  // namespace lmb::proxy
