// One wait, many ends: the client leaves, a deadline passes, the program stops, the worker sends.
#include "lmb/net/interruption.hpp"

#include "turned_loop.hpp"

namespace lmb::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Peer;

/// How a wait ended. `other` is what the waiting code looks for itself: a byte from the worker.
struct Wait {
  bool ended = false;
  int wakes = 0;
  std::optional<ErrorKind> reason;
};

/// As every wait of the proxy is written.
Task<void> wait_for_byte(Interruption& interruption, Stream& worker, Wait& wait) {
  for (;;) {
    worker.arm_read(interruption.bell());
    co_await interruption.bell().wait();
    ++wait.wakes;
    wait.reason = interruption.reason();
    if (wait.reason || worker.read_ready() || interruption.step().passed()) break;
  }
  wait.ended = true;
}

class InterruptionTest : public test::TurnedLoop {
 protected:
  InterruptionTest() {
    interruption.watch(client);
    shard.sessions().spawn(wait_for_byte(interruption, worker, wait));
    turn();
    EXPECT_FALSE(wait.ended);
    begun = Clock::now();
  }
  ~InterruptionTest() override {
    // Whatever still waits goes home, so that no frame outlives what it refers to.
    shard.sessions().stop(StopLevel::now);
    turn();
    EXPECT_TRUE(wait.ended);
  }

  std::pair<Stream, Peer> client_pair = connect_pair();
  std::pair<Stream, Peer> worker_pair = connect_pair();
  Stream& client = client_pair.first;
  Stream& worker = worker_pair.first;
  Bell bell;
  Interruption interruption{bell, shard.deadlines(), shard.sessions()};
  Wait wait;
  TimePoint begun;
};

TEST_F(InterruptionTest, a_clients_fin_ends_a_wait_in_the_turn_that_brings_it) {
  client_pair.second.close();
  ASSERT_TRUE(run_one());
  EXPECT_TRUE(wait.ended) << "within the one handler that saw the socket";
  EXPECT_EQ(wait.reason, ErrorKind::client_gone);
  EXPECT_EQ(wait.wakes, 1);
  EXPECT_EQ(Clock::now(), begun);
}

TEST_F(InterruptionTest, a_clients_rst_ends_a_wait_in_the_turn_that_brings_it) {
  client_pair.second.reset();
  ASSERT_TRUE(run_one());
  EXPECT_TRUE(wait.ended);
  EXPECT_EQ(wait.reason, ErrorKind::client_gone);
  EXPECT_EQ(Clock::now(), begun);
}

TEST_F(InterruptionTest, a_client_that_ends_only_its_sending_side_counts_as_gone) {
  client_pair.second.shutdown_send();
  ASSERT_TRUE(run_one());
  EXPECT_EQ(wait.reason, ErrorKind::client_gone);
}

TEST_F(InterruptionTest, a_half_closed_client_that_is_kept_may_still_read) {
  interruption.watch(client, HalfClose::keep);
  client_pair.second.shutdown_send();
  ASSERT_TRUE(run_one());
  EXPECT_FALSE(wait.ended);
  EXPECT_EQ(turn(), 0U) << "a FIN stays readable: it must not ring for ever";
  for (int i = 0; i < 3; ++i) pass(DeadlineList::tick_interval);
  EXPECT_FALSE(wait.ended);
  client_pair.second.reset();
  ASSERT_TRUE(until([this] { return client.peer_gone(); }));
  pass(DeadlineList::tick_interval);
  EXPECT_TRUE(wait.ended);
  EXPECT_EQ(wait.reason, ErrorKind::client_gone);
}

TEST_F(InterruptionTest, an_rst_ends_a_wait_also_where_half_closed_clients_are_kept) {
  interruption.watch(client, HalfClose::keep);
  client_pair.second.reset();
  ASSERT_TRUE(run_one());
  EXPECT_EQ(wait.reason, ErrorKind::client_gone);
}

TEST_F(InterruptionTest, a_pipelined_request_neither_ends_the_wait_nor_is_eaten) {
  client_pair.second.send("GET /");
  ASSERT_TRUE(run_one());
  EXPECT_FALSE(wait.ended);
  EXPECT_EQ(wait.wakes, 1);
  EXPECT_EQ(turn(), 0U) << "looking ends with the first byte: no ring for each of them";
  std::array<char, 16> bytes{};
  const auto step = client.try_read(bytes);
  EXPECT_EQ(std::string_view(bytes.data(), step.bytes), "GET /");
}

TEST_F(InterruptionTest, a_fin_behind_a_pipelined_request_is_seen_with_the_next_tick) {
  client_pair.second.send("GET /");
  ASSERT_TRUE(run_one());
  client_pair.second.close();
  turn();
  EXPECT_FALSE(wait.ended) << "unread bytes hide it from the socket's readiness";
  ASSERT_TRUE(until([this] { return client.peer_ended(); }));
  pass(DeadlineList::tick_interval);
  EXPECT_TRUE(wait.ended);
  EXPECT_EQ(wait.reason, ErrorKind::client_gone);
}

TEST_F(InterruptionTest, a_client_with_a_pipelined_request_that_stays_is_looked_at_and_left) {
  client_pair.second.send("GET /");
  ASSERT_TRUE(run_one());
  for (int i = 0; i < 3; ++i) pass(DeadlineList::tick_interval);
  EXPECT_FALSE(wait.ended);
  EXPECT_EQ(wait.wakes, 4) << "once by the bytes, then once a tick";
  interruption.unwatch();
  for (int i = 0; i < 3; ++i) pass(DeadlineList::tick_interval);
  EXPECT_EQ(wait.wakes, 4);
}

TEST_F(InterruptionTest, what_others_found_out_ends_every_wait_until_it_is_mended) {
  interruption.fail(ErrorKind::worker_silent);
  EXPECT_FALSE(wait.ended) << "the bell wakes";
  interruption.bell().ring();
  ASSERT_TRUE(wait.ended);
  EXPECT_EQ(wait.reason, ErrorKind::worker_silent);
  EXPECT_EQ(interruption.reason(), ErrorKind::worker_silent);
  interruption.mend();
  EXPECT_EQ(interruption.reason(), std::nullopt);
}

TEST_F(InterruptionTest, an_unwatched_client_may_go) {
  interruption.unwatch();
  client_pair.second.close();
  ASSERT_TRUE(until([this] { return wait.wakes == 1; }));
  EXPECT_FALSE(wait.ended);
}

TEST_F(InterruptionTest, a_client_that_is_outlasted_ends_no_wait_while_the_work_is_wanted) {
  int asked = 0;
  bool wanted = true;
  interruption.outlast_client([&] {
    ++asked;
    return wanted;
  });
  EXPECT_FALSE(interruption.alone());
  client_pair.second.close();
  ASSERT_TRUE(until([&] { return asked == 1; }));
  EXPECT_FALSE(wait.ended);
  EXPECT_TRUE(interruption.alone());
  pass(seconds(1));
  EXPECT_EQ(asked, 2) << "asked again each second";
  EXPECT_FALSE(wait.ended);
  wanted = false;
  pass(seconds(1));
  EXPECT_TRUE(wait.ended);
  EXPECT_EQ(wait.reason, ErrorKind::client_gone);
  EXPECT_FALSE(interruption.alone());
}

TEST_F(InterruptionTest, a_client_that_left_is_a_reason_once_it_is_outlasted_no_more) {
  interruption.outlast_client([] { return true; });
  client_pair.second.close();
  ASSERT_TRUE(until([this] { return interruption.alone(); }));
  EXPECT_EQ(interruption.reason(), std::nullopt);
  interruption.outlast_client(nullptr);
  EXPECT_EQ(interruption.reason(), ErrorKind::client_gone);
}

TEST_F(InterruptionTest, the_workers_byte_is_no_interruption) {
  worker_pair.second.send("x");
  ASSERT_TRUE(run_one());
  EXPECT_TRUE(wait.ended);
  EXPECT_EQ(wait.reason, std::nullopt);
}

TEST_F(InterruptionTest, the_deadline_ends_a_wait_exactly_when_it_passes) {
  interruption.deadline().set(Clock::now() + seconds(30));
  pass(seconds(30) - Duration(1));
  EXPECT_EQ(wait.wakes, 0);
  manual_clock::advance(Duration(1));
  EXPECT_FALSE(wait.ended) << "time alone wakes nobody: the tick does";
  shard.deadlines().tick(Clock::now());
  EXPECT_TRUE(wait.ended) << "within the tick";
  EXPECT_EQ(wait.reason, ErrorKind::request_timeout);
}

TEST_F(InterruptionTest, the_steps_limit_ends_its_wait_without_a_reason_of_its_own) {
  interruption.step().set(Clock::now() + seconds(2));
  interruption.deadline().set(Clock::now() + seconds(3));
  pass(seconds(2));
  EXPECT_TRUE(wait.ended);
  EXPECT_EQ(wait.reason, std::nullopt);
}

TEST_F(InterruptionTest, a_stop_ends_a_wait_within_the_call) {
  shard.sessions().stop(StopLevel::now);
  EXPECT_TRUE(wait.ended);
  EXPECT_EQ(wait.reason, ErrorKind::shutting_down);
  EXPECT_EQ(Clock::now(), begun);
}

TEST_F(InterruptionTest, a_drain_wakes_but_lets_the_request_finish) {
  shard.sessions().stop(StopLevel::finish_request);
  EXPECT_EQ(wait.wakes, 1);
  EXPECT_FALSE(wait.ended);
  EXPECT_EQ(interruption.stop_level(), StopLevel::finish_request);
  client_pair.second.close();
  ASSERT_TRUE(run_one());
  EXPECT_EQ(wait.reason, ErrorKind::client_gone) << "still looked out for";
}

TEST_F(InterruptionTest, a_client_that_left_is_the_first_reason_of_several) {
  interruption.deadline().set(Clock::now() + seconds(1));
  client_pair.second.close();
  ASSERT_TRUE(run_one());
  shard.sessions().stop(StopLevel::now);
  pass(seconds(1));
  EXPECT_EQ(interruption.reason(), ErrorKind::client_gone);
}

TEST_F(InterruptionTest, watching_anew_forgets_the_client_of_before) {
  client_pair.second.close();
  ASSERT_TRUE(run_one());
  auto [next, peer] = connect_pair();
  interruption.watch(next);
  EXPECT_EQ(interruption.reason(), std::nullopt);
  peer.close();
  EXPECT_TRUE(until([this] { return interruption.reason() == ErrorKind::client_gone; }));
}

TEST_F(InterruptionTest, a_fin_that_came_before_the_watch_is_seen_at_the_next_turn) {
  auto [next, peer] = connect_pair();
  peer.close();
  ASSERT_TRUE(until([&next = next] { return next.peek() == Stream::Peer::gone; }));
  interruption.watch(next);
  ASSERT_TRUE(run_one());
  EXPECT_EQ(wait.reason, ErrorKind::client_gone);
  interruption.unwatch();
}

}  // namespace
}  // namespace lmb::net
