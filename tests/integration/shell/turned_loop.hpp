#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "integration/http/loop.hpp"
#include "lmb/base/manual_clock.hpp"
#include "lmb/net/interruption.hpp"
#include "lmb/net/shard.hpp"
#include "lmb/net/stream.hpp"
#include "lmb/net/task.hpp"
#include "support/socket_wait.hpp"

namespace lmb::test {

/// A task of a shard; the test looks whether it has ended, and with what.
template <class T>
class Pending {
 public:
  Pending(net::SessionGroup& group, net::Task<T> work) {
    group.spawn(run_to_end(std::move(work), out_));
  }
  [[nodiscard]] bool done() const { return out_->has_value(); }
  [[nodiscard]] T& value() const { return out_->value(); }

 private:
  static net::Task<void> run_to_end(net::Task<T> work, std::shared_ptr<std::optional<T>> out) {
    auto value = co_await std::move(work);
    out->emplace(std::move(value));
  }

  std::shared_ptr<std::optional<T>> out_ = std::make_shared<std::optional<T>>();
};

/// The other end of a connection: without a loop, does only what the test says.
class Peer {
 public:
  explicit Peer(tcp::socket socket) : socket_(std::move(socket)) { socket_.non_blocking(true); }
  void send(std::string_view bytes) {
    while (!bytes.empty() && wait_ready(socket_, tcp::socket::wait_write, limit)) {
      boost::system::error_code ec;
      const auto sent = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), ec);
      if (ec && ec != asio::error::would_block) break;
      bytes.remove_prefix(sent);
    }
    EXPECT_TRUE(bytes.empty()) << "our side does not take what the peer sends";
  }
  /// Exactly `count` bytes, fewer when the connection ends or stays silent for ten seconds.
  std::string read(std::size_t count) {
    std::string bytes(count, '\0');
    std::size_t have = 0;
    while (have < count && wait_ready(socket_, tcp::socket::wait_read, limit)) {
      boost::system::error_code ec;
      have += socket_.read_some(asio::buffer(bytes.data() + have, count - have), ec);
      if (ec && ec != asio::error::would_block) break;
    }
    bytes.resize(have);
    return bytes;
  }
  /// What is there now.
  std::string read_available() { return read(socket_.available()); }
  /// Bytes to the empty line that ends a head.
  std::string read_head() {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      const auto byte = read(1);
      if (byte.empty()) break;
      head += byte;
    }
    return head;
  }
  /// The connection has ended and nothing is left to read.
  bool at_end() {
    if (!wait_ready(socket_, tcp::socket::wait_read, limit)) return false;
    char byte = 0;
    boost::system::error_code ec;
    const auto bytes = socket_.read_some(asio::buffer(&byte, 1), ec);
    return bytes == 0 && (ec == asio::error::eof || ec == asio::error::connection_reset);
  }
  /// Something can be read now.
  bool has_bytes() { return socket_.available() > 0; }
  void shutdown_send() { socket_.shutdown(tcp::socket::shutdown_send); }
  void close() { socket_.close(); }
  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }

 private:
  static constexpr std::chrono::seconds limit{10};
  tcp::socket socket_;
};

/// A shard whose loop turns only when the test turns it, on a clock that only the test moves.
class TurnedLoop : public ::testing::Test {
 protected:
  TurnedLoop() { manual_clock::reset(); }

  /// Runs all handlers that are ready; how many there were.
  std::size_t turn() {
    shard.context().restart();
    return shard.context().poll();
  }
  /// Runs the loop until `done`; false when it is not within ten real seconds. The clock stands
  /// still.
  bool until(const std::function<bool()>& done) { return run_until(shard.context(), done); }
  /// Waits for one handler, however long (ten real seconds) its socket takes, and runs only it.
  bool run_one() {
    shard.context().restart();
    return shard.context().run_one_for(std::chrono::seconds(10)) == 1;
  }
  /// Lets virtual time pass and ticks the shard's deadlines, as its timer would.
  void pass(Duration step) {
    manual_clock::advance(step);
    shard.deadlines().tick(Clock::now());
    turn();
  }

  /// A connection: our end on the shard, the other one in the test's hands.
  std::pair<net::Stream, Peer> connect_pair() {
    tcp::acceptor acceptor(peers, loopback());
    tcp::socket ours(shard.context());
    ours.connect(acceptor.local_endpoint());
    Peer peer(acceptor.accept());
    return {net::Stream(std::move(ours)), std::move(peer)};
  }

  asio::io_context peers{1};
  net::Shard shard{0, [](const char* what) { ADD_FAILURE() << what; }};
};

/// The kind of error a call ended with; nothing when it succeeded.
template <class T>
std::optional<ErrorKind> error_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().kind();
}

}  // namespace lmb::test
