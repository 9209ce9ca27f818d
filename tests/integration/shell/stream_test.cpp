#include "lmb/net/stream.hpp"

#include <array>
#include <vector>

#include "turned_loop.hpp"

namespace lmb::net {
namespace {

namespace asio = boost::asio;
using Status = IoStep::Status;
using test::Peer;

Task<void> count_rings(Bell& bell, int& rings, const bool& enough) {
  while (!enough) {
    co_await bell.wait();
    ++rings;
  }
}

class StreamTest : public test::TurnedLoop {
 protected:
  StreamTest() { shard.sessions().spawn(count_rings(bell, rings, enough)), turn(); }
  ~StreamTest() override {
    enough = true;
    bell.ring();
    turn();
  }
  bool until_rings(int count) {
    return until([this, count] { return rings == count; });
  }
  static std::string read_some(Stream& from) {
    std::array<char, 64> bytes{};
    const auto step = from.try_read(bytes);
    return {bytes.data(), step.ok() ? step.bytes : 0};
  }
  static IoStep write(Stream& to, std::string_view bytes) {
    const std::array<asio::const_buffer, 1> buffers{asio::buffer(bytes.data(), bytes.size())};
    return to.try_write(buffers);
  }

  std::pair<Stream, Peer> pair = connect_pair();
  Stream& stream = pair.first;
  Peer& peer = pair.second;
  Bell bell;
  int rings = 0;
  bool enough = false;
};

TEST_F(StreamTest, reads_what_is_there_and_never_blocks) {
  std::array<char, 3> bytes{};
  EXPECT_TRUE(stream.try_read(bytes).status == Status::would_block);
  peer.send("hello");
  ASSERT_TRUE(until([this] { return stream.peek() == Stream::Peer::sent_bytes; }));
  EXPECT_EQ(stream.try_read(bytes).bytes, 3U) << "at most what there is room for";
  EXPECT_EQ(read_some(stream), "lo");
  EXPECT_TRUE(stream.try_read(bytes).would_block());
}

TEST_F(StreamTest, tells_an_orderly_end_from_a_reset) {
  std::array<char, 8> bytes{};
  auto [other, other_peer] = connect_pair();
  peer.send("last");
  peer.close();
  other_peer.reset();
  ASSERT_TRUE(until([this] { return stream.peek() != Stream::Peer::quiet; }));
  EXPECT_EQ(read_some(stream), "last") << "what came before the end is not lost";
  ASSERT_TRUE(until([this] { return stream.peek() == Stream::Peer::gone; }));
  EXPECT_TRUE(stream.try_read(bytes).status == Status::closed);
  ASSERT_TRUE(until([&other = other] { return other.peek() == Stream::Peer::gone; }));
  EXPECT_TRUE(other.try_read(bytes).ended());
}

TEST_F(StreamTest, peeking_takes_nothing) {
  EXPECT_TRUE(stream.peek() == Stream::Peer::quiet);
  peer.send("x");
  ASSERT_TRUE(until([this] { return stream.peek() == Stream::Peer::sent_bytes; }));
  EXPECT_TRUE(stream.peek() == Stream::Peer::sent_bytes);
  EXPECT_EQ(read_some(stream), "x");
}

TEST_F(StreamTest, gathers_up_to_four_buffers_in_one_write) {
  const std::string a = "one ", b = "two ", d = "four";
  const std::array<asio::const_buffer, 4> buffers{asio::buffer(a), asio::buffer(b),
                                                  asio::const_buffer(), asio::buffer(d)};
  const auto step = stream.try_write(buffers);
  EXPECT_EQ(step.bytes, 12U);
  EXPECT_EQ(peer.read(12), "one two four");
}

TEST_F(StreamTest, rings_once_for_each_wait_that_was_armed) {
  stream.arm_read(bell);
  EXPECT_TRUE(stream.read_pending());
  EXPECT_FALSE(stream.read_ready());
  stream.arm_read(bell);
  peer.send("x");
  ASSERT_TRUE(until_rings(1));
  EXPECT_TRUE(stream.read_ready());
  EXPECT_FALSE(stream.read_pending());
  peer.send("y");
  turn();
  EXPECT_EQ(rings, 1) << "nothing is armed";
  stream.arm_read(bell);
  EXPECT_FALSE(stream.read_ready()) << "a new wait has told nothing yet";
  EXPECT_TRUE(until_rings(2)) << "there is something to read already";
}

TEST_F(StreamTest, a_silent_wait_rings_nobody_and_still_tells) {
  stream.arm_read_silently();
  peer.send("x");
  EXPECT_TRUE(until([this] { return stream.read_ready(); }));
  EXPECT_EQ(rings, 0);
}

TEST_F(StreamTest, a_pending_wait_can_be_given_another_bell_or_none) {
  auto [other, other_peer] = connect_pair();
  Bell silent;
  stream.arm_read(silent);
  stream.set_bell(&bell);
  peer.send("x");
  ASSERT_TRUE(until_rings(1));
  other.arm_read(bell);
  other.set_bell(nullptr);
  other_peer.send("x");
  EXPECT_TRUE(until([&other = other] { return other.read_ready(); }));
  EXPECT_EQ(rings, 1);
}

TEST_F(StreamTest, tells_when_the_peer_makes_room) {
  const std::string block(256 * 1024, 'x');
  std::size_t sent = 0;
  for (auto step = write(stream, block); step.ok(); step = write(stream, block)) sent += step.bytes;
  ASSERT_GT(sent, 0U);
  stream.arm_write(bell);
  turn();
  EXPECT_EQ(rings, 0) << "the kernel is full";
  EXPECT_EQ(peer.read(sent).size(), sent);
  ASSERT_TRUE(until_rings(1));
  EXPECT_TRUE(write(stream, block).ok());
}

TEST_F(StreamTest, closing_completes_what_is_pending_and_the_peer_sees_the_end) {
  stream.arm_read(bell);
  stream.close();
  EXPECT_FALSE(stream.is_open());
  EXPECT_TRUE(until_rings(1));
  EXPECT_TRUE(peer.at_end());
}

TEST_F(StreamTest, a_destroyed_stream_rings_nobody_any_more) {
  stream.arm_read(bell);
  stream.arm_write(bell);
  { const Stream end(std::move(stream)); }
  EXPECT_TRUE(peer.at_end());
  turn();
  EXPECT_EQ(rings, 0);
}

TEST_F(StreamTest, assigning_over_a_stream_closes_the_one_it_was) {
  auto [other, other_peer] = connect_pair();
  stream.arm_read(bell);
  stream = std::move(other);
  EXPECT_TRUE(peer.at_end());
  turn();
  EXPECT_EQ(rings, 0) << "the old wait has lost its bell";
  other_peer.send("new");
  ASSERT_TRUE(until([this] { return stream.peek() == Stream::Peer::sent_bytes; }));
  EXPECT_EQ(read_some(stream), "new");
}

TEST_F(StreamTest, a_moved_stream_keeps_its_wait) {
  stream.arm_read(bell);
  const Stream moved(std::move(stream));
  peer.send("x");
  ASSERT_TRUE(until_rings(1));
  EXPECT_TRUE(moved.read_ready());
}

TEST_F(StreamTest, ends_one_direction_alone) {
  stream.shutdown_send();
  EXPECT_TRUE(peer.at_end());
  peer.send("still heard");
  ASSERT_TRUE(until([this] { return stream.peek() == Stream::Peer::sent_bytes; }));
  EXPECT_EQ(read_some(stream), "still heard");
}

TEST_F(StreamTest, connects) {
  test::tcp::acceptor acceptor(peers, test::loopback());
  const auto endpoint = acceptor.local_endpoint();
  auto connecting = Stream::start_connect(shard.context().get_executor(), endpoint, bell);
  ASSERT_TRUE(until([&] { return !connecting.connect_pending(); }));
  EXPECT_EQ(rings, 1);
  EXPECT_FALSE(connecting.connect_error());
  EXPECT_EQ(connecting.peer(), endpoint);
  Peer accepted(acceptor.accept());
  EXPECT_EQ(write(connecting, "hi").bytes, 2U);
  EXPECT_EQ(accepted.read(2), "hi");
}

TEST_F(StreamTest, tells_that_a_connection_was_refused) {
  test::tcp::endpoint nobody;
  {
    const test::tcp::acceptor gone(peers, test::loopback());
    nobody = gone.local_endpoint();
  }
  const auto refused = Stream::start_connect(shard.context().get_executor(), nobody, bell);
  ASSERT_TRUE(until([&] { return !refused.connect_pending(); }));
  EXPECT_EQ(rings, 1);
  EXPECT_TRUE(refused.connect_error() == asio::error::connection_refused);
}

TEST_F(StreamTest, one_destroyed_while_it_connects_rings_nobody) {
  test::tcp::acceptor acceptor(peers, test::loopback());
  {
    const auto connecting =
        Stream::start_connect(shard.context().get_executor(), acceptor.local_endpoint(), bell);
  }
  turn();
  EXPECT_EQ(rings, 0);
}

TEST(NoStream, is_harmless) {
  Stream none;
  std::array<char, 1> byte{};
  Bell bell;
  EXPECT_FALSE(none.is_open());
  EXPECT_TRUE(none.try_read(byte).ended());
  EXPECT_TRUE(none.try_write(std::span<const asio::const_buffer>()).ended());
  EXPECT_TRUE(none.peek() == Stream::Peer::gone);
  EXPECT_TRUE(none.connect_error());
  none.arm_read(bell);
  none.arm_write(bell);
  none.shutdown_send();
  none.close();
  EXPECT_FALSE(none.read_ready());
  EXPECT_FALSE(none.read_pending());
}

}  // namespace
}  // namespace lmb::net
