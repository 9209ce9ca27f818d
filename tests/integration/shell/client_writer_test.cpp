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
  static void write(ClientWriter& writer, std::size_t count) {
    const std::string bytes(count, 'y');
    ASSERT_TRUE(writer.write({asio::buffer(bytes), {}, {}}));
  }
  /// Writes until the kernel takes no more and exactly one byte waits: from then on everything
  /// waits until it is flushed, whatever room the kernel finds later.
  void fill(ClientWriter& writer) {
    const std::string page(4096, 'x');
    const std::array<asio::const_buffer, 1> buffers{asio::buffer(page)};
    auto step = pair.first.try_write(buffers);
    while (step.ok()) step = pair.first.try_write(buffers);
    ASSERT_TRUE(step.would_block());
    for (int i = 0; i < 1'000'000 && writer.pending() == 0 && !HasFailure(); ++i) write(writer, 1);
    ASSERT_EQ(writer.pending(), 1U);
  }

  std::pair<net::Stream, test::Peer> pair = connect_pair();
};

TEST_F(ClientWriterTest, of_one_stream_waits_what_its_limit_allows) {
  constexpr std::size_t limit = 1000;
  MemoryBudget budget(10 * limit);
  ClientWriter writer(pair.first, budget, limit);
  fill(writer);
  write(writer, limit - 2);
  EXPECT_TRUE(writer.has_room()) << "the limit is not reached";
  write(writer, 1);
  EXPECT_EQ(writer.full_limit(), "limits.stream_buffer");
  EXPECT_EQ(writer.pending(), limit);
  EXPECT_EQ(budget.used(), limit);
}

TEST_F(ClientWriterTest, of_all_streams_waits_what_their_limit_allows) {
  constexpr std::size_t total = 1000;
  MemoryBudget budget(total);
  {
    ClientWriter writer(pair.first, budget, 10 * total);
    fill(writer);
    write(writer, total - 1);
    EXPECT_TRUE(writer.has_room()) << "the limit is reached, not passed";
    write(writer, 1);
    EXPECT_EQ(writer.full_limit(), "limits.stream_buffer_total");
    EXPECT_EQ(writer.pending(), total + 1) << "what was read is kept all the same";
    EXPECT_EQ(budget.used(), total);
    ASSERT_TRUE(until([&] {
      pair.second.read_available();
      return writer.flush() && writer.pending() == 0;
    }));
    EXPECT_TRUE(writer.has_room());
    EXPECT_EQ(budget.used(), 0U);
    fill(writer);
    EXPECT_EQ(budget.used(), 1U);
  }
  EXPECT_EQ(budget.used(), 0U) << "nothing is kept for a writer that is gone";
}

}  // namespace
}  // namespace lmb::proxy
