// What a request may wait for, against the default times, on a clock that only the test moves.
#include <functional>
#include <string>

#include "full_listener.hpp"
#include "times_fixture.hpp"

namespace lmb::proxy {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::Peer;

constexpr const char* stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& data) {
  std::string size;
  for (auto left = data.size(); left > 0; left /= 16)
    size.insert(0, 1, "0123456789abcdef"[left % 16]);
  return size + "\r\n" + data + "\r\n";
}

/// A stream's event with so many bytes of text.
std::string event(std::size_t bytes) {
  return chunk("data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(bytes, 'x') +
               "\"}}]}\n\n");
}

class RequestTimes : public test::TimesFixture {
 protected:
  static std::string whole_chat() {
    auto text = chat();
    text.replace(text.find("true"), 4, "null");
    return text;
  }
  /// A request whose worker has it, and no answer yet.
  std::optional<Peer> ask(Peer& client, const std::string& request) {
    client.send(request);
    return accept_request();
  }
  [[nodiscard]] std::uint32_t in_flight() const {
    return dispatcher->snapshot().workers[0].in_flight;
  }
};

TEST_F(RequestTimes, a_client_that_never_reads_its_whole_answer_has_a_minute_and_holds_no_slot) {
  raise(0);
  auto client = connect_narrow();
  auto worker = ask(client, whole_chat());
  const std::string body = R"({"x":")" + std::string(200'000, 'x') + "\"}";
  worker->send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_TRUE(until([&] { return in_flight() == 0; }));
  EXPECT_FALSE(idle());
  expect_stall();
  expect_line("client_stalled", "CL");
  expect_hit("timeouts.client_write");
}

TEST_F(RequestTimes, a_client_that_never_reads_its_stream_has_a_minute_whatever_the_worker_sends) {
  raise(0);
  auto client = connect_narrow();
  auto worker = ask(client, chat());
  worker->send(stream_head + event(100'000));
  ASSERT_TRUE(until([&] { return shared->stream_memory.used() > 0; }));
  EXPECT_EQ(in_flight(), 1U);
  int seconds_passed = 0;
  for (; !idle() && seconds_passed < 300; seconds_passed += 10) {
    turn();
    pass(seconds(10));
    const auto held = shared->stream_memory.used();
    if (!idle()) worker->send(event(1000));
    ASSERT_TRUE(until([&] { return idle() || shared->stream_memory.used() > held; }));
  }
  EXPECT_GE(seconds_passed, 60);
  EXPECT_TRUE(idle());
  EXPECT_EQ(in_flight(), 0U);
  EXPECT_EQ(connections(), 0U);
  EXPECT_EQ(shared->stream_memory.used(), 0U);
  expect_line("client_stalled", "CD");
  expect_hit("timeouts.client_write");
}

TEST_F(RequestTimes, what_a_slow_client_reads_is_progress_also_while_the_kernel_asks_for_no_more) {
  raise(0);
  auto client = connect_narrow(64 * 1024, 400 * 1024);
  auto worker = ask(client, chat());
  worker->send(stream_head);
  for (int i = 0; i < 40; ++i) {
    worker->send(event(64 * 1024));
    turn();
  }
  ASSERT_TRUE(until([&] { return shared->stream_memory.used() > 0; }));
  // Less than a third of the kernel's buffer in a minute.
  for (int i = 0; i < 8; ++i) {
    pass(seconds(40));
    ASSERT_EQ(connections(), 1U) << i;
    EXPECT_EQ(client.read(70'000).size(), 70'000U);
    turn();
  }
  expect_stall();
}

TEST_F(RequestTimes, a_client_that_always_reads_a_little_of_its_answer_has_thirty_minutes) {
  ProxyOptions options;
  options.timeouts.client_write = minutes(14);
  make_front(options);
  raise(0);
  auto client = connect_narrow(64 * 1024);
  auto worker = ask(client, chat());
  std::string events;
  while (events.size() < 1'000'000) events += event(1000);
  worker->send(stream_head + events + chunk("data: [DONE]\n\n") + "0\r\n\r\n");
  ASSERT_TRUE(until([&] { return in_flight() == 0; }));
  turn();
  for (int i = 0; i < 2; ++i) {
    pass(minutes(14) - moment);
    ASSERT_TRUE(read_a_part(client)) << i;
  }
  expect_after(minutes(2) + 2 * moment, [&] { return connections() == 0; });
  expect_line("request_timeout", "PL");
  expect_hit("timeouts.request");
}

TEST_F(RequestTimes, a_connection_to_a_worker_has_two_seconds) {
  raise(0);
  const test::FullListener silent(peers);
  if (!silent.full()) GTEST_SKIP() << "this kernel refuses instead of waiting";
  front->set_endpoints(WorkerId(0), {silent.endpoint()});
  shared->retry.attempts_max = 1;
  auto client = connect();
  client.send(chat());
  ASSERT_TRUE(until([&] { return in_flight() == 1; }));
  turn();
  expect_after(seconds(2), [&] { return client.has_bytes(); });
  EXPECT_NE(expect_answer(client, "504").find(R"("code":"connect_timeout")"), std::string::npos);
  expect_line("connect_timeout", "WC");
  EXPECT_TRUE(counted(R"(lmbalancer_limit_hits_total{limit="timeouts.connect"} 1)"));
  EXPECT_TRUE(
      counted(R"(lmbalancer_attempt_failures_total{kind="connect_timeout",worker="w0"} 1)"));
}

TEST_F(RequestTimes, a_worker_that_cannot_be_connected_to_costs_another_ones_client_two_seconds) {
  raise(0);
  const test::FullListener silent(peers);
  if (!silent.full()) GTEST_SKIP() << "this kernel refuses instead of waiting";
  front->set_endpoints(WorkerId(0), {silent.endpoint()});
  auto client = connect();
  client.send(chat());
  ASSERT_TRUE(until([&] { return in_flight() == 1; }));
  raise(1);
  turn();
  pass(seconds(2));
  auto worker = accept_request(1);
  ASSERT_TRUE(worker);
  worker->send(stream_head + event(1) + chunk("data: [DONE]\n\n") + "0\r\n\r\n");
  expect_answer(client, "200");
  EXPECT_TRUE(counted(R"(lmbalancer_limit_hits_total{limit="timeouts.connect"} 0)"))
      << "no request ended by it";
}

TEST_F(RequestTimes, a_worker_may_pause_for_thirty_seconds_while_it_takes_a_request) {
  raise(0);
  shared->retry.attempts_max = 1;
  auto client = connect();
  // More than a kernel keeps for a worker that reads nothing.
  const auto request = chat(24 * 1024 * 1024);
  std::size_t sent = 0;
  ASSERT_TRUE(until([&] {
    if (sent < request.size()) client.send(request.substr(sent, 16 * 1024));
    sent += 16 * 1024;
    return sent >= request.size();
  }));
  auto worker = accept();
  ASSERT_TRUE(until(
      [&] { return front->running().front().record().phases.open() == telemetry::Phase::send; }));
  turn();
  expect_after(seconds(30), [&] { return client.has_bytes(); });
  EXPECT_NE(expect_answer(client, "504").find(R"("code":"send_timeout")"), std::string::npos);
  expect_line("send_timeout", "WS");
  EXPECT_TRUE(counted(R"(lmbalancer_limit_hits_total{limit="timeouts.send"} 1)"));
  EXPECT_EQ(shared->body_memory.used(), 0U);
}

TEST_F(RequestTimes, a_worker_that_leaves_while_it_takes_a_request_is_told_as_that) {
  raise(0);
  shared->retry.attempts_max = 1;
  auto client = connect();
  const auto request = chat(24 * 1024 * 1024);
  std::size_t sent = 0;
  ASSERT_TRUE(until([&] {
    if (sent < request.size()) client.send(request.substr(sent, 16 * 1024));
    sent += 16 * 1024;
    return sent >= request.size();
  }));
  auto worker = accept();
  ASSERT_TRUE(until(
      [&] { return front->running().front().record().phases.open() == telemetry::Phase::send; }));
  worker->reset();
  ASSERT_TRUE(until([&] { return client.has_bytes(); }));
  EXPECT_NE(expect_answer(client, "502").find(R"("code":"send_failed")"), std::string::npos);
  expect_line("send_failed", "WS");
}

TEST_F(RequestTimes, a_worker_that_never_answers_has_what_the_request_has_thirty_minutes) {
  raise(0);
  auto client = connect();
  auto worker = ask(client, chat());
  expect_after(minutes(30), [&] { return client.has_bytes(); });
  EXPECT_NE(expect_answer(client, "504").find(R"("code":"request_timeout")"), std::string::npos);
  EXPECT_TRUE(worker->at_end());
  expect_line("request_timeout", "PH");
  expect_hit("timeouts.request");
}

TEST_F(RequestTimes, an_answers_head_that_comes_byte_by_byte_is_bounded_by_the_request) {
  raise(0);
  auto client = connect();
  auto worker = ask(client, chat());
  worker->send("HTTP/1.1 200 OK\r\nX: ");
  for (int i = 0; i < 29; ++i) {
    ASSERT_TRUE(run_one());
    pass(minutes(1));
    ASSERT_FALSE(client.has_bytes());
    worker->send("x");
  }
  ASSERT_TRUE(run_one());
  expect_after(minutes(1), [&] { return client.has_bytes(); });
  expect_answer(client, "504");
  expect_line("request_timeout", "PH");
}

TEST_F(RequestTimes, a_stream_may_be_silent_until_the_requests_thirty_minutes_are_over) {
  raise(0);
  auto client = connect();
  auto worker = ask(client, chat());
  worker->send(stream_head + event(1));
  expect_answer(client, "200");
  expect_after(minutes(30), [&] { return client.has_bytes(); });
  const auto end = client.read_available();
  EXPECT_NE(end.find("request_timeout"), std::string::npos) << end;
  EXPECT_TRUE(end.ends_with("0\r\n\r\n")) << "told, not cut";
  EXPECT_EQ(in_flight(), 0U);
  expect_line("request_timeout", "PD");
  expect_hit("timeouts.request");
}

TEST_F(RequestTimes, an_answer_without_end_has_what_the_request_has_thirty_minutes) {
  raise(0);
  auto client = connect();
  auto worker = ask(client, whole_chat());
  worker->send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"x\":\"");
  std::size_t passed_on = 0;
  for (int i = 0; i < 30; ++i) {
    worker->send(std::string(50'000, 'x'));
    EXPECT_FALSE(idle()) << i;
    turn();
    pass(minutes(1));
    turn();
    passed_on += client.read_available().size();
  }
  EXPECT_GT(passed_on, 256U * 1024) << "what is too large to be held passes on";
  EXPECT_TRUE(until([&] { return idle(); }));
  EXPECT_EQ(in_flight(), 0U);
  EXPECT_TRUE(worker->at_end());
  EXPECT_EQ(connections(), 0U) << "cut: it must not look whole";
  expect_line("request_timeout", "PD");
}

TEST_F(RequestTimes, a_wait_for_a_slot_has_four_minutes_or_ten_for_a_stream) {
  raise(0);
  auto running = connect();
  auto worker = ask(running, chat());
  auto whole = connect();
  whole.send(whole_chat());
  auto stream = connect();
  stream.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 2; }));
  expect_after(minutes(4), [&] { return whole.has_bytes(); });
  const auto answer = expect_answer(whole, "504");
  EXPECT_NE(answer.find(R"("code":"queue_timeout")"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\r\nRetry-After: "), std::string::npos) << answer;
  expect_line("queue_timeout", "PQ");
  expect_hit("queue.max_wait");
  expect_after(minutes(6), [&] { return stream.has_bytes(); });
  expect_answer(stream, "504");
  EXPECT_TRUE(counted(R"(lmbalancer_limit_hits_total{limit="queue.max_wait_stream"} 1)"));
}

TEST_F(RequestTimes, before_the_first_worker_is_found_requests_wait_fifteen_seconds) {
  auto client = connect();
  client.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 1; }));
  // startup_grace, and queue.no_worker_grace after it.
  expect_after(seconds(15), [&] { return client.has_bytes(); });
  EXPECT_NE(expect_answer(client, "503").find(R"("code":"no_worker")"), std::string::npos);
  expect_line("no_worker", "PQ");
}

TEST_F(RequestTimes, when_no_worker_is_left_requests_wait_five_seconds) {
  raise(0);
  pass(minutes(1));
  for (int i = 0; i < 3; ++i) {
    dispatcher->observe_probe(WorkerId(0), scheduling::ProbeReport(false));
    dispatcher->observe_probe(WorkerId(1), scheduling::ProbeReport(false));
  }
  auto client = connect();
  client.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 1; }));
  expect_after(seconds(5), [&] { return client.has_bytes(); });
  EXPECT_NE(expect_answer(client, "503").find(R"("code":"no_worker")"), std::string::npos);
}

/// The client sends half of a next request, which hides its end from the socket's readiness.
void leave_behind_bytes(Peer& client, const std::function<void()>& turn) {
  client.send("GET /healthz HTTP/1.1\r\n");
  turn();
  client.close();
  turn();
}

TEST_F(RequestTimes, a_client_that_left_behind_its_next_request_is_found_in_the_queue) {
  raise(0);
  auto running = connect();
  auto worker = ask(running, chat());
  auto client = connect();
  client.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 1; }));
  leave_behind_bytes(client, [this] { turn(); });
  for (int ticks = 0; ticks < 100 && dispatcher->snapshot().queued > 0; ++ticks) {
    pass(net::DeadlineList::tick_interval);
  }
  EXPECT_EQ(dispatcher->snapshot().queued, 0U);
  expect_line("client_gone", "CQ");
  EXPECT_EQ(front->running().size(), 1U);
}

TEST_F(RequestTimes, a_client_that_left_behind_its_next_request_stops_the_generation) {
  raise(0);
  auto client = connect();
  auto worker = ask(client, chat());
  leave_behind_bytes(client, [this] { turn(); });
  for (int ticks = 0; ticks < 100 && !idle(); ++ticks) pass(net::DeadlineList::tick_interval);
  EXPECT_TRUE(idle());
  EXPECT_TRUE(worker->at_end());
  expect_line("client_gone", "CH");
}

}  // namespace
}  // namespace lmb::proxy
