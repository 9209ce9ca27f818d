// What waits for a client that reads nothing, against limits.stream_buffer and
// limits.stream_buffer_total.
#include "client_writer.hpp"

#include <array>
#include <string>

#include "turned_loop.hpp"

namespace lmb::proxy {
namespace {

namespace asio = boost::asio;

class ClientWriterTest : public test::TurnedLoop {
 protected:
  /// From here on the kernel takes nothing for the client.
  ClientWriterTest() {
    const std::string bytes(64 * 1024, 'x');
    const std::array<asio::const_buffer, 1> buffers{asio::buffer(bytes)};
    while (!pair.first.try_write(buffers).would_block()) continue;
  }
  static bool write(ClientWriter& writer, std::size_t count) {
    const std::string bytes(count, 'y');
    return writer.write({asio::buffer(bytes), {}, {}});
  }

  std::pair<net::Stream, test::Peer> pair = connect_pair();
};

TEST_F(ClientWriterTest, of_one_stream_waits_what_its_limit_allows) {
  constexpr std::size_t limit = 1000;
  MemoryBudget budget(10 * limit);
  ClientWriter writer(pair.first, budget, limit);
  ASSERT_TRUE(write(writer, limit - 1));
  EXPECT_TRUE(writer.has_room()) << "the limit is not reached";
  ASSERT_TRUE(write(writer, 1));
  EXPECT_EQ(writer.full_limit(), "limits.stream_buffer");
  EXPECT_EQ(writer.pending(), limit);
  EXPECT_EQ(budget.used(), limit);
}

TEST_F(ClientWriterTest, of_all_streams_waits_what_their_limit_allows) {
  constexpr std::size_t total = 1000;
  MemoryBudget budget(total);
  {
    ClientWriter writer(pair.first, budget, 10 * total);
    ASSERT_TRUE(write(writer, total));
    EXPECT_TRUE(writer.has_room()) << "the limit is reached, not passed";
    ASSERT_TRUE(write(writer, 1));
    EXPECT_EQ(writer.full_limit(), "limits.stream_buffer_total");
    EXPECT_EQ(writer.pending(), total + 1) << "what was read is kept all the same";
    EXPECT_EQ(budget.used(), total);
    ASSERT_TRUE(until([&] {
      pair.second.read_available();
      return writer.flush() && writer.pending() == 0;
    }));
    EXPECT_TRUE(writer.has_room());
    EXPECT_EQ(budget.used(), 0U);
    pair.second.read_available();
    ASSERT_TRUE(write(writer, 1));
  }
  EXPECT_EQ(budget.used(), 0U) << "nothing is kept of a writer that is gone";
}

}  // namespace
}  // namespace lmb::proxy
