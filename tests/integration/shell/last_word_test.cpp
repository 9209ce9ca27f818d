// Workers that have said the last word of a stream and do not end it: clients and slots do not wait
// for them.
#include <sstream>
#include <string>

#include "times_fixture.hpp"

namespace lmb::proxy {
namespace {

using std::chrono::seconds;
using test::Peer;

constexpr const char* head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& data) {
  std::ostringstream size;
  size << std::hex << data.size();
  return size.str() + "\r\n" + data + "\r\n";
}

const std::string token = chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n");
const std::string role = chunk("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n");
const std::string last_word = chunk("data: [DONE]\n\n");
const std::string error = chunk("data: {\"error\":{\"message\":\"Compute error.\"}}\n\n");

class LastWord : public test::TimesFixture {
 protected:
  LastWord() { raise(0); }

  [[nodiscard]] std::uint32_t in_flight() const {
    return dispatcher->snapshot().workers[0].in_flight;
  }
  /// The client has got the answer up to this text.
  void expect_told(Peer& client, const std::string& text) {
    EXPECT_TRUE(until([&] {
      answer += client.read_available();
      return answer.find(text) != std::string::npos;
    })) << answer;
  }

  std::string answer;
};

TEST_F(LastWord, of_a_stream_is_its_end_a_second_later) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + token + last_word);
  expect_told(client, "[DONE]");
  EXPECT_EQ(in_flight(), 1U) << "its end may still come";
  expect_after(seconds(1), [&] { return in_flight() == 0; });
  expect_told(client, "\r\n0\r\n\r\n");
  EXPECT_TRUE(idle());
  EXPECT_TRUE(worker->at_end()) << "who knows what it would say next";
  EXPECT_NE(log().find(R"("termination":"--")"), std::string::npos) << log();
  client.send(chat());
  auto again = accept_request();
  again->send(head + token + last_word + "0\r\n\r\n");
  answer.clear();
  expect_told(client, "\r\n0\r\n\r\n");
}

TEST_F(LastWord, that_is_an_error_is_the_end_when_nothing_follows_for_a_second) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + token + error);
  expect_told(client, "Compute error");
  pass(seconds(1) - moment);
  answer.clear();
  worker->send(token);
  expect_told(client, "Hi");
  pass(seconds(60));
  EXPECT_EQ(in_flight(), 1U) << "it goes on";
  worker->send(error);
  expect_told(client, "Compute error");
  expect_after(seconds(1), [&] { return in_flight() == 0; });
  answer.clear();
  expect_told(client, "0\r\n\r\n");
  expect_line("worker_error", "WD");
}

TEST_F(LastWord, that_is_an_error_is_not_put_off_by_what_no_client_reads) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + token + error);
  expect_told(client, "Compute error");
  pass(seconds(1) - moment);
  EXPECT_EQ(in_flight(), 1U);
  worker->send(chunk(": ping\n\n") + chunk("data: half an ev"));
  expect_told(client, "half an ev");
  pass(moment);
  EXPECT_EQ(in_flight(), 0U);
  expect_line("worker_error", "WD");
}

TEST_F(LastWord, that_is_an_error_is_the_only_one_when_the_answer_is_cut_behind_it) {
  for (const std::string words :
       {"Compute error.", "The number of tokens to keep from the initial prompt is too"}) {
    SCOPED_TRACE(words);
    auto client = connect();
    client.send(chat());
    auto worker = accept_request();
    answer.clear();
    worker->send(head + token + chunk(R"(data: {"error":{"message":")" + words + "\"}}\n\n"));
    expect_told(client, words);
    worker->reset();
    expect_told(client, "\r\n0\r\n\r\n");
    EXPECT_EQ(test::count_of(answer, "\"error\""), 1U) << answer;
    EXPECT_TRUE(until([&] { return idle(); }));
  }
  const auto lines = log();
  EXPECT_NE(lines.find(R"("error":"worker_error")"), std::string::npos) << lines;
  EXPECT_NE(lines.find(R"("error":"request_refused")"), std::string::npos) << lines;
  const std::string failures = "lmbalancer_attempt_failures_total{kind=";
  EXPECT_TRUE(counted(failures + R"("worker_error",worker="w0"} 1)"));
  EXPECT_TRUE(counted(failures + R"("request_refused",worker="w0"} 0)"))
      << "the client's own fault";
}

TEST_F(LastWord, that_is_an_error_before_any_token_frees_the_slot) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + role);
  expect_told(client, "assistant");
  worker->send(error);
  expect_told(client, "Compute error");
  expect_after(seconds(1), [&] { return in_flight() == 0; });
  EXPECT_EQ(dispatcher->snapshot().workers[0].settling, 0U) << "it works on nothing any more";
  EXPECT_EQ(dispatcher->snapshot().workers[0].state, scheduling::WorkerState::suspect);
  expect_line("worker_error", "WH");
}

TEST_F(LastWord, is_what_a_client_waits_for_that_leaves_then) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + last_word);
  expect_told(client, "[DONE]");
  client.close();
  EXPECT_TRUE(until([&] { return in_flight() == 0; }));
  EXPECT_EQ(dispatcher->snapshot().workers[0].settling, 0U) << "there is no prompt to finish";
  expect_line("client_gone", "CL");
  EXPECT_TRUE(counted("lmbalancer_saved_tokens_total 0"));
}

TEST_F(LastWord, makes_whole_what_is_cut_behind_it) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + token + last_word);
  expect_told(client, "[DONE]");
  worker->reset();
  EXPECT_TRUE(until([&] { return idle(); }));
  expect_told(client, "\r\n0\r\n\r\n");
  EXPECT_EQ(answer.find("error"), std::string::npos) << "nothing is missing: " << answer;
  EXPECT_EQ(dispatcher->snapshot().workers[0].state, scheduling::WorkerState::up);
  EXPECT_NE(log().find(R"("termination":"--")"), std::string::npos) << log();
}

TEST_F(LastWord, is_the_last_also_when_the_program_ends) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + token + last_word);
  expect_told(client, "[DONE]");
  shard.sessions().stop(net::StopLevel::now);
  EXPECT_TRUE(until([&] { return idle(); }));
  expect_told(client, "\r\n0\r\n\r\n");
  EXPECT_EQ(answer.find("error"), std::string::npos) << answer;
}

TEST_F(LastWord, of_which_a_slow_client_has_not_read_all_when_the_program_ends_is_cut) {
  auto client = connect_narrow();
  client.send(chat());
  auto worker = accept_request();
  std::string many;
  while (many.size() < 100'000) many += token;
  worker->send(head + many + last_word);
  ASSERT_TRUE(until([&] { return shared->stream_memory.used() > 0; }));
  turn();
  shard.sessions().stop(net::StopLevel::now);
  EXPECT_TRUE(until([&] { return shard.sessions().active() == 0; })) << "nobody rings again";
}

TEST_F(LastWord, is_followed_by_the_end_that_came_while_the_client_took_nothing) {
  ProxyOptions options;
  options.limits.stream_buffer = 64 * 1024;
  make_front(options);
  raise(0);
  auto client = connect_narrow();
  client.send(chat());
  auto worker = accept_request();
  std::string some;
  while (some.size() < 4 * 1024) some += token;
  worker->send(head);
  ASSERT_TRUE(run_one());
  // Up to a little below the limit; the next read brings the last word and passes it.
  const auto little = options.limits.stream_buffer - 8 * 1024;
  while (shared->stream_memory.used() < little) {
    worker->send(some);
    ASSERT_TRUE(run_one());
    turn();
  }
  ASSERT_LT(shared->stream_memory.used(), options.limits.stream_buffer);
  worker->send(some + some + some + last_word);
  ASSERT_TRUE(until([&] { return shared->stream_memory.used() > options.limits.stream_buffer; }));
  worker->send("0\r\n\r\n");
  expect_after(seconds(1), [&] { return in_flight() == 0; });
  expect_told(client, "\r\n0\r\n\r\n");
  client.send(chat());
  std::string next;
  EXPECT_TRUE(until([&] {
    next += worker->read_available();
    return next.ends_with("]}");
  })) << "a good connection was given up";
}

TEST_F(LastWord, that_tells_of_a_failed_load_is_believed_though_its_client_has_left) {
  raise(0, false);
  auto leader = connect();
  leader.send(chat());
  auto worker = accept_request();
  worker->send(head + role);
  expect_told(leader, "assistant");
  auto follower = connect();
  follower.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 1; }));
  leader.close();
  ASSERT_TRUE(run_one());
  turn();
  EXPECT_EQ(in_flight(), 1U) << "others wait for what it loads";
  worker->send(chunk(R"(data: {"error":{"message":"Failed to load model \"m\"."}})"
                     "\n\n"));
  ASSERT_TRUE(run_one());
  for (int i = 0; i < 5 && in_flight() > 0; ++i) pass(seconds(1));
  EXPECT_EQ(in_flight(), 0U);
  EXPECT_TRUE(until([&] { return follower.has_bytes(); }));
  EXPECT_TRUE(follower.read_head().starts_with("HTTP/1.1 503 "));
}

}  // namespace
}  // namespace lmb::proxy
