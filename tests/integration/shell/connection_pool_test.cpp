#include "lmb/upstream/connection_pool.hpp"

#include <vector>

#include "turned_loop.hpp"

namespace lmb::upstream {
namespace {

using net::Stream;
using std::chrono::seconds;
using test::Peer;

constexpr WorkerId w0{0};
constexpr WorkerId w1{1};
constexpr Duration idle_max = seconds(4);

class ConnectionPoolTest : public test::TurnedLoop {
 protected:
  /// Puts a new connection in; its other end is peers_of_pool[index].
  void put(WorkerId worker = w0) {
    auto [stream, peer] = connect_pair();
    pool.put(worker, std::move(stream), Clock::now());
    ends.push_back(std::move(peer));
  }
  /// Which of the connections put in comes out; nothing when none does.
  std::optional<std::size_t> take(WorkerId worker = w0) {
    auto stream = pool.take(worker, Clock::now());
    if (!stream) return std::nullopt;
    const std::string name = "?";
    const std::array<asio_buffer, 1> buffers{boost::asio::buffer(name)};
    EXPECT_EQ(stream->try_write(buffers).bytes, 1U);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].has_bytes()) {
        EXPECT_EQ(ends[i].read(1), "?");
        return i;
      }
    }
    ADD_FAILURE() << "the connection taken leads nowhere";
    return std::nullopt;
  }

  using asio_buffer = boost::asio::const_buffer;
  telemetry::Metrics metrics{{"w0", "w1"}, {}, {}};
  ConnectionPool pool{2, idle_max, 3, metrics};
  std::vector<Peer> ends;
};

TEST_F(ConnectionPoolTest, has_nothing_at_first) {
  EXPECT_FALSE(pool.take(w0, Clock::now()).has_value());
  EXPECT_EQ(pool.idle(w0), 0U);
}

TEST_F(ConnectionPoolTest, gives_the_newest_first) {
  for (int i = 0; i < 3; ++i) put();
  EXPECT_EQ(pool.idle(w0), 3U);
  EXPECT_EQ(take(), 2U);
  EXPECT_EQ(take(), 1U);
  EXPECT_EQ(take(), 0U);
  EXPECT_EQ(take(), std::nullopt);
}

TEST_F(ConnectionPoolTest, keeps_workers_apart) {
  put(w0);
  put(w1);
  EXPECT_EQ(take(w0), 0U);
  EXPECT_EQ(take(w0), std::nullopt);
  EXPECT_EQ(take(w1), 1U);
}

TEST_F(ConnectionPoolTest, a_connection_is_young_until_its_age_is_reached_exactly) {
  put();
  put();
  manual_clock::advance(idle_max - Duration(1));
  EXPECT_EQ(take(), 1U);
  manual_clock::advance(Duration(1));
  EXPECT_EQ(take(), std::nullopt);
  EXPECT_TRUE(ends[0].at_end()) << "what is too old is closed, not kept";
  EXPECT_EQ(pool.idle(w0), 0U);
}

TEST_F(ConnectionPoolTest, a_tick_closes_the_old_and_leaves_the_young) {
  put(w0);
  put(w1);
  manual_clock::advance(seconds(1));
  put(w0);
  manual_clock::advance(idle_max - seconds(1) - Duration(1));
  pool.tick(Clock::now());
  EXPECT_EQ(pool.idle(w0), 2U);
  manual_clock::advance(Duration(1));
  pool.tick(Clock::now());
  EXPECT_EQ(pool.idle(w0), 1U);
  EXPECT_EQ(pool.idle(w1), 0U);
  EXPECT_TRUE(ends[0].at_end());
  EXPECT_TRUE(ends[1].at_end());
  EXPECT_EQ(take(w0), 2U);
}

TEST_F(ConnectionPoolTest, beyond_its_size_the_oldest_is_closed) {
  for (int i = 0; i < 4; ++i) put();
  EXPECT_EQ(pool.idle(w0), 3U);
  EXPECT_TRUE(ends[0].at_end());
  EXPECT_EQ(take(), 3U);
  EXPECT_EQ(take(), 2U);
  EXPECT_EQ(take(), 1U);
}

TEST_F(ConnectionPoolTest, its_size_counts_for_each_worker) {
  for (int i = 0; i < 3; ++i) put(w0);
  for (int i = 0; i < 3; ++i) put(w1);
  EXPECT_EQ(pool.idle(w0), 3U);
  EXPECT_EQ(pool.idle(w1), 3U);
}

TEST_F(ConnectionPoolTest, bytes_that_came_in_this_turn_make_a_connection_dead) {
  put();
  put();
  ends[1].send("HTTP/1.1 200 OK");
  // Not a turn of the loop: nothing has told of them.
  EXPECT_EQ(take(), 0U);
}

TEST_F(ConnectionPoolTest, an_end_of_file_makes_a_connection_dead) {
  put();
  put();
  ends[1].close();
  ASSERT_TRUE(run_one());
  EXPECT_EQ(take(), 0U) << "the live one behind it is found";
  EXPECT_EQ(pool.idle(w0), 0U);
}

TEST_F(ConnectionPoolTest, a_reset_makes_a_connection_dead) {
  put();
  ends[0].reset();
  ASSERT_TRUE(run_one());
  EXPECT_EQ(take(), std::nullopt);
}

TEST_F(ConnectionPoolTest, bytes_that_nobody_asked_for_make_a_connection_dead) {
  put();
  ends[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(run_one());
  EXPECT_EQ(take(), std::nullopt) << "they would be taken for the next answer";
  EXPECT_TRUE(ends[0].at_end());
}

TEST_F(ConnectionPoolTest, closes_what_leads_to_an_address_that_the_worker_has_lost) {
  put(w0);
  put(w0);
  put(w1);
  auto newest = pool.take(w0, Clock::now());
  ASSERT_TRUE(newest.has_value());
  const auto kept = newest->peer();
  pool.put(w0, std::move(*newest), Clock::now());
  pool.keep_only(w0, {{kept.address(), 1}, kept});
  EXPECT_EQ(pool.idle(w0), 1U);
  EXPECT_TRUE(ends[0].at_end());
  EXPECT_EQ(take(), 1U);
  EXPECT_EQ(pool.idle(w1), 1U) << "another worker's";
}

TEST_F(ConnectionPoolTest, of_a_worker_that_left_nothing_is_kept_until_its_place_is_taken) {
  put(w0);
  put(w1);
  auto busy = connect_pair();
  pool.shut(w0);
  EXPECT_EQ(pool.idle(w0), 0U);
  EXPECT_EQ(pool.idle(w1), 1U) << "another worker's";
  EXPECT_TRUE(ends[0].at_end());
  pool.put(w0, std::move(busy.first), Clock::now());
  EXPECT_EQ(pool.idle(w0), 0U) << "it came back after its worker left";
  pool.reopen(w0);
  put(w0);
  EXPECT_EQ(pool.idle(w0), 1U);
}

TEST_F(ConnectionPoolTest, a_pool_that_is_destroyed_closes_what_it_holds) {
  {
    ConnectionPool other(1, idle_max, 3, metrics);
    auto [stream, peer] = connect_pair();
    other.put(w0, std::move(stream), Clock::now());
    ends.push_back(std::move(peer));
  }
  EXPECT_TRUE(ends[0].at_end());
}

TEST_F(ConnectionPoolTest, a_connection_can_come_and_go_many_times) {
  put();
  for (int i = 0; i < 50; ++i) {
    auto stream = pool.take(w0, Clock::now());
    ASSERT_TRUE(stream.has_value()) << i;
    ends[0].send("answer");
    ASSERT_TRUE(until([&] { return stream->peek() == Stream::Peer::sent_bytes; }));
    // The wait that the pool armed serves as the wait for the answer.
    ASSERT_TRUE(until([&] { return stream->read_ready(); }));
    std::array<char, 64> bytes{};
    ASSERT_EQ(stream->try_read(bytes).bytes, 6U);
    manual_clock::advance(idle_max - Duration(1));
    pool.put(w0, std::move(*stream), Clock::now());
    turn();
  }
  EXPECT_EQ(pool.idle(w0), 1U);
}

}  // namespace
}  // namespace lmb::upstream
