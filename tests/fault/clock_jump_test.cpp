// Clocks that jump: the wall clock ends nothing; the steady one, as after a machine's sleep, ends
// what its time limits say and nothing else.
#include <string>

#include "integration/shell/front_fixture.hpp"

namespace lmb::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class ClockJump : public FrontFixture {
 protected:
  ClockJump() { raise(0); }

  static constexpr const char* token = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
  static constexpr const char* end = "data: [DONE]\n\n";
  static std::string head() {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
           std::to_string(std::string(token).size() * 2 + std::string(end).size()) + "\r\n\r\n";
  }
  /// A stream that has begun: its first token has reached the client.
  std::optional<Peer> begin_stream(Peer& client) {
    client.send(chat());
    auto worker = accept_request();
    worker->send(head() + token);
    EXPECT_TRUE(until([&] { return client.has_bytes(); }));
    return worker;
  }
  void expect_whole(Peer& client, std::optional<Peer>& worker) {
    worker->send(std::string(token) + end);
    std::string heard;
    EXPECT_TRUE(until([&] {
      heard += client.read_available();
      return heard.find("[DONE]") != std::string::npos && heard.ends_with("0\r\n\r\n");
    })) << heard;
  }
  void expect_nothing_left() {
    EXPECT_TRUE(until([&] { return front->running().empty(); }));
    const auto fleet = dispatcher->snapshot();
    EXPECT_EQ(fleet.workers[0].in_flight, 0U);
    EXPECT_EQ(fleet.queued, 0U);
    EXPECT_EQ(shared->body_memory.used(), 0U);
  }
};

TEST_F(ClockJump, of_the_wall_clock_ends_nothing_and_shows_in_dates_only) {
  auto client = connect();
  auto worker = begin_stream(client);
  auto waiting = connect();
  waiting.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 1; }));
  for (const auto jump : {hours(-24 * 400), hours(24 * 400)}) {
    manual_clock::set_wall(jump);
    pass(std::chrono::seconds(1));
    EXPECT_EQ(front->running().size(), 2U);
  }
  expect_whole(client, worker);
  ASSERT_TRUE(until([&] { return worker->has_bytes(); })) << "the one that waited";
  (void)worker->read_available();
  worker->send(head() + token);
  ASSERT_TRUE(until([&] { return waiting.has_bytes(); }));
  EXPECT_NE(waiting.read_head().find("Date: Sat, 23 Jan 2021 "), std::string::npos);
  expect_whole(waiting, worker);
  EXPECT_NE(log().find(R"("time":"2021-01-23T)"), std::string::npos) << log();
  expect_nothing_left();
}

TEST_F(ClockJump, of_the_steady_clock_ends_what_is_over_and_nothing_else) {
  auto client = connect();
  auto worker = begin_stream(client);
  auto waiting = connect();
  waiting.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 1; }));
  auto uploading = connect();
  uploading.send(chat().substr(0, 100));
  ASSERT_TRUE(until([&] { return front->running().size() == 3; }));
  auto silent = connect();
  pass(minutes(20));
  ASSERT_TRUE(until([&] { return waiting.has_bytes() && uploading.has_bytes(); }));
  EXPECT_TRUE(waiting.read_head().starts_with("HTTP/1.1 504 ")) << "queue.max_wait_stream";
  EXPECT_TRUE(uploading.read_head().starts_with("HTTP/1.1 408 ")) << "timeouts.client_body";
  ASSERT_TRUE(until([&] { return silent.has_bytes() || silent.at_end(); }));
  expect_whole(client, worker);
  auto later = connect();
  later.send(chat());
  ASSERT_TRUE(until([&] { return worker->has_bytes(); }));
  (void)worker->read_available();
  worker->send(head() + token);
  expect_whole(later, worker);
  expect_nothing_left();
}

}  // namespace
}  // namespace lmb::test
