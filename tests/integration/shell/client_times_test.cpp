// Clients that are slow, silent or do not read, against the default times, on a clock that only the
// test moves.
#include <string>

#include "times_fixture.hpp"

namespace lmb::proxy {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::Peer;

net::Task<LocalAnswer> answer_with(std::size_t bytes) {
  co_return LocalAnswer(200, "text/plain", std::string(bytes, 'x'));
}

class ClientTimes : public test::TimesFixture {
 protected:
  ClientTimes() {
    shared->local = [this](const LocalRequest&) { return answer_with(local_bytes); };
  }
  /// The connection ends without a word.
  void expect_silent_end(Peer& client) {
    EXPECT_EQ(connections(), 0U);
    EXPECT_EQ(client.read_available(), "");
    EXPECT_TRUE(client.at_end());
  }
  /// What a client may still send to after its refusal: two seconds' worth.
  void expect_linger_ends(Peer& client) {
    EXPECT_EQ(connections(), 1U);
    trickle(client, 'x');
    pass(seconds(2) - moment);
    EXPECT_EQ(connections(), 1U);
    pass(moment);
    EXPECT_EQ(connections(), 0U);
  }

  static constexpr const char* request = "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n";
  static constexpr const char* chat_line = "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\n";
  std::size_t local_bytes = 4;
};

TEST_F(ClientTimes, one_that_never_speaks_has_ten_seconds) {
  auto client = connect();
  turn();
  expect_after(seconds(10), [&] { return connections() == 0; });
  expect_silent_end(client);
  EXPECT_EQ(log(), "");
}

TEST_F(ClientTimes, empty_lines_are_no_request_that_begins) {
  auto client = connect();
  turn();
  for (int i = 0; i < 9; ++i) {
    pass(seconds(1));
    client.send("\r\n");
    ASSERT_TRUE(run_one());
  }
  expect_after(seconds(1), [&] { return connections() == 0; });
  expect_silent_end(client);
}

TEST_F(ClientTimes, a_head_that_comes_byte_by_byte_has_ten_seconds_in_all) {
  auto client = connect();
  turn();
  // The time of silence before it is not the head's.
  pass(seconds(5));
  const std::string endless = "GET /healthz HTTP/1.1\r\nX: xxxxxxx";
  trickle(client, 'G');
  for (int i = 1; i < 10; ++i) {
    pass(seconds(1));
    trickle(client, endless[static_cast<std::size_t>(i)]);
  }
  expect_after(seconds(1), [&] { return client.has_bytes(); });
  EXPECT_NE(expect_answer(client, "408").find(R"("code":"head_timeout")"), std::string::npos);
  expect_line("head_timeout", "CR");
  expect_hit("timeouts.client_head");
  expect_linger_ends(client);
}

TEST_F(ClientTimes, an_idle_connection_stays_75_seconds_after_each_answer) {
  auto client = connect();
  for (int i = 0; i < 2; ++i) {
    client.send(request);
    expect_answer(client, "200");
    pass(seconds(75) - moment);
    EXPECT_EQ(connections(), 1U) << i;
  }
  pass(moment);
  expect_silent_end(client);
  EXPECT_EQ(test::count_of(log(), "\n"), 2U);
}

TEST_F(ClientTimes, a_head_on_a_kept_connection_has_ten_seconds_of_its_own) {
  auto client = connect();
  client.send(request);
  expect_answer(client, "200");
  pass(seconds(74));
  trickle(client, 'G');
  expect_after(seconds(10), [&] { return client.has_bytes(); });
  expect_answer(client, "408");
  expect_hit("timeouts.client_head");
}

TEST_F(ClientTimes, a_body_may_pause_for_thirty_seconds) {
  auto client = connect();
  client.send(std::string(chat_line) + "Content-Length: 10\r\n\r\n");
  ASSERT_TRUE(until([&] { return !idle(); }));
  for (int i = 0; i < 3; ++i) {
    pass(seconds(30) - moment);
    EXPECT_FALSE(client.has_bytes());
    trickle(client, '{');
  }
  expect_after(seconds(30), [&] { return client.has_bytes(); });
  EXPECT_NE(expect_answer(client, "408").find(R"("code":"body_timeout")"), std::string::npos);
  expect_line("body_timeout", "CR");
  expect_hit("timeouts.client_body");
  EXPECT_EQ(shared->body_memory.used(), 0U);
  expect_linger_ends(client);
}

TEST_F(ClientTimes, a_body_whose_pauses_are_all_shorter_has_thirty_minutes_in_all) {
  const std::string endless(100, 'x');
  // A counted body, a chunk's data, its size line, and the trailer section: all are progress.
  for (const std::string& fields : {std::string("Content-Length: 1000\r\n\r\n"),
                                    std::string("Transfer-Encoding: chunked\r\n\r\nfff\r\n"),
                                    std::string("Transfer-Encoding: chunked\r\n\r\n1;"),
                                    std::string("Transfer-Encoding: chunked\r\n\r\n0\r\n")}) {
    auto client = connect();
    client.send(chat_line + fields);
    ASSERT_TRUE(until([&] { return !idle(); }));
    constexpr int pauses = 62;
    for (int i = 0; i < pauses; ++i) {
      pass(seconds(29));
      ASSERT_FALSE(client.has_bytes()) << fields << i;
      trickle(client, 'x');
    }
    expect_after(minutes(30) - pauses * seconds(29), [&] { return client.has_bytes(); });
    const auto answer = expect_answer(client, "504");
    EXPECT_NE(answer.find(R"("code":"request_timeout")"), std::string::npos) << answer;
    EXPECT_EQ(shared->body_memory.used(), 0U);
    client.close();
    ASSERT_TRUE(until([&] { return connections() == 0; })) << fields;
  }
  EXPECT_TRUE(counted(R"(lmbalancer_limit_hits_total{limit="timeouts.request"} 4)"));
  EXPECT_EQ(test::count_of(log(), R"("error":"request_timeout","attempts":0,"termination":"PR")"),
            4U)
      << log();
}

TEST_F(ClientTimes, one_that_never_reads_our_own_answer_has_a_minute) {
  local_bytes = 1'000'000;
  auto client = connect_narrow();
  client.send(request);
  ASSERT_TRUE(until([&] { return client.has_bytes() && !idle(); }));
  expect_stall();
  expect_line("client_stalled", "CP");
  expect_hit("timeouts.client_write");
}

TEST_F(ClientTimes, one_that_never_reads_its_refusals_has_a_minute) {
  auto client = connect_narrow();
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += "GET /nope HTTP/1.1\r\nHost: t\r\n\r\n";
  client.send(requests);
  ASSERT_TRUE(until([&] { return !idle() && shared->stream_memory.used() > 0; }));
  expect_stall();
  EXPECT_LT(test::count_of(log(), "\n"), 100U) << "the test's refusals fit into the kernel";
  expect_hit("timeouts.client_write");
}

TEST_F(ClientTimes, one_that_always_reads_a_little_of_our_own_answer_has_thirty_minutes) {
  ProxyOptions options;
  options.timeouts.client_write = minutes(14);
  make_front(options);
  shared->local = [](const LocalRequest&) { return answer_with(4'000'000); };
  auto client = connect_narrow(64 * 1024);
  client.send(request);
  ASSERT_TRUE(until([&] { return client.has_bytes() && !idle(); }));
  turn();
  for (int i = 0; i < 2; ++i) {
    pass(minutes(14) - moment);
    ASSERT_TRUE(read_a_part(client)) << i;
  }
  expect_after(minutes(2) + 2 * moment, [&] { return connections() == 0; });
  expect_line("request_timeout", "PP");
  expect_hit("timeouts.request");
}

TEST_F(ClientTimes, the_refusal_of_a_request_whose_time_is_over_may_wait_for_its_reader) {
  ProxyOptions options;
  options.timeouts.request = seconds(1);
  make_front(options);
  // So many unread answers before it that the kernel does not take all of the refusal.
  bool waits = false;
  for (int before = 1; before < 100 && !waits; ++before) {
    auto client = connect_narrow();
    std::string requests;
    for (int i = 0; i < before; ++i) requests += "HEAD /nope HTTP/1.1\r\nHost: t\r\n\r\n";
    client.send(requests + chat());
    ASSERT_TRUE(until(
        [&] { return dispatcher->snapshot().queued == 1 || shared->stream_memory.used() > 0; }));
    pass(seconds(1));
    waits = shared->stream_memory.used() > 0;
    std::string answers;
    ASSERT_TRUE(until([&] {
      answers += client.read_available();
      return answers.ends_with("}}") || connections() == 0;
    }));
    EXPECT_NE(answers.find("request_timeout"), std::string::npos) << answers;
    client.close();
    ASSERT_TRUE(until([&] { return connections() == 0; }));
  }
  EXPECT_TRUE(waits);
}

TEST_F(ClientTimes, a_large_upload_leaves_other_clients_their_turn) {
  auto client = connect();
  turn();
  constexpr std::size_t size = 2'000'000;
  client.send(std::string(chat_line) + "Content-Length: " + std::to_string(size) + "\r\n\r\n" +
              std::string(size - 1, ' '));
  ASSERT_TRUE(run_one());
  EXPECT_LE(shared->body_memory.used(), 16 * net::Shard::read_buffer_bytes) << "within one turn";
  ASSERT_TRUE(until([&] { return shared->body_memory.used() >= size - 1; }));
  client.send("x");
  expect_answer(client, "400");
}

TEST_F(ClientTimes, requests_in_a_row_leave_other_clients_their_turn) {
  auto client = connect();
  turn();
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += "GET /nope HTTP/1.1\r\nHost: t\r\n\r\n" + std::string(request);
  client.send(requests);
  ASSERT_TRUE(run_one());
  EXPECT_LE(test::count_of(log(), "\n"), 16U) << "within one turn";
  ASSERT_TRUE(until([&] { return test::count_of(log(), "\n") == 100; }));
  std::string answers;
  ASSERT_TRUE(until([&] {
    answers += client.read_available();
    return test::count_of(answers, "HTTP/1.1 ") == 100;
  }));
  auto at = answers.find("HTTP/1.1 ");
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(at, std::string::npos) << i;
    EXPECT_EQ(answers.substr(at + 9, 3), i % 2 == 0 ? "404" : "200") << "in their order: " << i;
    at = answers.find("HTTP/1.1 ", at + 1);
  }
}

}  // namespace
}  // namespace lmb::proxy
