// From the connection to the request's last byte.
#include "lmb/upstream/exchange.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "exchange_fixture.hpp"
#include "full_listener.hpp"
#include "lmb/net/connect.hpp"

namespace lmb::upstream {
namespace {

namespace asio = boost::asio;
using std::chrono::seconds;
using test::error_of;
using test::FullListener;
using test::Peer;
using test::tcp;

class ExchangeTest : public ExchangeFixture {
 protected:
  Exchange exchange{shard, interruption, options, head};
};

TEST_F(ExchangeTest, connects_to_the_first_address_that_answers) {
  auto result = finish(exchange.connect({nobody(), nobody(), worker.local_endpoint()}));
  ASSERT_TRUE(result.has_value());
  Peer peer(worker.accept());
  ASSERT_TRUE(finish(exchange.send(Outgoing("head ", "body"))).has_value());
  EXPECT_EQ(peer.read(9), "head body");
  EXPECT_FALSE(exchange.reused());
  EXPECT_FALSE(exchange.answer_begun());
  EXPECT_EQ(exchange.bytes_sent(), 9U);
}

TEST_F(ExchangeTest, does_not_touch_the_second_address_when_the_first_answers) {
  tcp::acceptor second(peers, test::loopback());
  auto result = finish(exchange.connect({worker.local_endpoint(), second.local_endpoint()}));
  ASSERT_TRUE(result.has_value());
  second.non_blocking(true);
  boost::system::error_code ec;
  static_cast<void>(second.accept(ec));
  EXPECT_TRUE(ec == asio::error::would_block) << ec.message();
}

TEST_F(ExchangeTest, tells_why_no_address_could_be_reached) {
  const auto refused = finish(exchange.connect({nobody(), nobody()}));
  ASSERT_EQ(error_of(refused), ErrorKind::connect_failed);
  EXPECT_TRUE(refused.error().cause() == asio::error::connection_refused);
  EXPECT_EQ(error_of(finish(exchange.connect({}))), ErrorKind::connect_failed)
      << "a name that is not resolved has no address";
}

TEST_F(ExchangeTest, gives_each_silent_address_its_own_time) {
  const FullListener first(peers);
  const FullListener second(peers);
  if (!first.full() || !second.full()) GTEST_SKIP() << "this kernel refuses instead of waiting";
  const auto pending = begin(exchange.connect({first.endpoint(), second.endpoint()}));
  pass(net::connect_stagger);
  pass(options.connect_timeout - net::connect_stagger);
  EXPECT_FALSE(pending.done()) << "the second address was tried later";
  pass(net::connect_stagger - Duration(1));
  EXPECT_FALSE(pending.done());
  pass(Duration(1));
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(error_of(pending.value()), ErrorKind::connect_timeout);
}

TEST_F(ExchangeTest, tries_a_live_address_beside_a_silent_one) {
  const FullListener silent(peers);
  if (!silent.full()) GTEST_SKIP() << "this kernel refuses instead of waiting";
  const auto pending = begin(exchange.connect({silent.endpoint(), worker.local_endpoint()}));
  pass(net::connect_stagger - Duration(1));
  EXPECT_FALSE(pending.done());
  pass(Duration(1));
  ASSERT_TRUE(until([&] { return pending.done(); })) << "the silent one is not waited for";
  EXPECT_TRUE(pending.value().has_value());
}

TEST_F(ExchangeTest, an_address_that_refuses_while_another_is_silent_gives_way_at_once) {
  const FullListener silent(peers);
  if (!silent.full()) GTEST_SKIP() << "this kernel refuses instead of waiting";
  const auto pending =
      begin(exchange.connect({silent.endpoint(), nobody(), worker.local_endpoint()}));
  pass(net::connect_stagger);
  ASSERT_TRUE(until([&] { return pending.done(); })) << "the clock stands still";
  EXPECT_TRUE(pending.value().has_value());
}

TEST_F(ExchangeTest, stops_connecting_when_the_request_ends) {
  const FullListener silent(peers);
  if (!silent.full()) GTEST_SKIP() << "this kernel refuses instead of waiting";
  interruption.deadline().set(Clock::now() + seconds(1));
  const auto late = begin(exchange.connect({silent.endpoint(), worker.local_endpoint()}));
  pass(seconds(1));
  ASSERT_TRUE(late.done());
  EXPECT_EQ(error_of(late.value()), ErrorKind::request_timeout);
  interruption.deadline().clear();
  auto [client, client_peer] = connect_pair();
  interruption.watch(client);
  const auto left = begin(exchange.connect({silent.endpoint()}));
  client_peer.close();
  ASSERT_TRUE(until([&] { return left.done(); }));
  EXPECT_EQ(error_of(left.value()), ErrorKind::client_gone);
  interruption.unwatch();
}

TEST_F(ExchangeTest, sends_a_large_body_as_the_worker_takes_it) {
  auto peer = connect(exchange);
  std::string body(16 * 1024 * 1024, 'b');
  body.back() = 'e';
  const auto sending = begin(exchange.send(Outgoing(request, body)));
  EXPECT_FALSE(sending.done()) << "more than the kernel holds";
  std::string read;
  const auto size = request.size() + body.size();
  ASSERT_TRUE(until([&] {
    read += peer.read_available();
    return read.size() == size;
  })) << read.size();
  ASSERT_TRUE(until([&] { return sending.done(); }));
  EXPECT_TRUE(sending.value().has_value());
  EXPECT_TRUE(read == std::string(request) + body);
  EXPECT_EQ(exchange.bytes_sent(), read.size());
}

TEST_F(ExchangeTest, gives_up_on_a_worker_that_takes_no_byte_for_the_whole_limit) {
  auto peer = connect(exchange);
  const std::string body(64 * 1024 * 1024, 'b');
  const auto sending = begin(exchange.send(Outgoing(request, body)));
  pass(options.send_timeout - Duration(1));
  EXPECT_FALSE(sending.done());
  const auto before = exchange.bytes_sent();
  // The kernel may report room only when a good part of its buffer is free.
  EXPECT_FALSE(peer.read(before).empty());
  ASSERT_TRUE(until([&] { return exchange.bytes_sent() > before; }));
  turn();
  pass(options.send_timeout - Duration(1));
  EXPECT_FALSE(sending.done()) << "progress begins the time anew";
  pass(Duration(1));
  ASSERT_TRUE(sending.done());
  EXPECT_EQ(error_of(sending.value()), ErrorKind::send_timeout);
}

TEST_F(ExchangeTest, a_worker_that_answers_and_closes_before_it_read_the_body_is_heard) {
  auto peer = connect(exchange);
  const std::string body(32 * 1024 * 1024, 'b');
  const auto sending = begin(exchange.send(Outgoing(request, body)));
  EXPECT_EQ(peer.read_head(), request);
  peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong");
  peer.close();
  ASSERT_TRUE(until([&] { return sending.done(); }));
  EXPECT_TRUE(sending.value().has_value());
  const auto answer = finish(read_answer(exchange, interruption, false));
  EXPECT_EQ(answer.error, std::nullopt);
  EXPECT_EQ(answer.status, 413U);
  EXPECT_EQ(answer.body.bytes, "long");
  exchange.recycle(pool, w0);
  EXPECT_EQ(pool.idle(w0), 0U) << "half a request is in it";
}

TEST_F(ExchangeTest, a_worker_that_answers_before_it_read_the_body_is_heard_while_it_stays) {
  auto peer = connect(exchange);
  const std::string body(32 * 1024 * 1024, 'b');
  const auto sending = begin(exchange.send(Outgoing(request, body)));
  EXPECT_EQ(peer.read_head(), request);
  peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong");
  ASSERT_TRUE(until([&] { return sending.done(); })) << "the clock stands still";
  EXPECT_TRUE(sending.value().has_value());
  const auto answer = finish(read_answer(exchange, interruption, false));
  EXPECT_EQ(answer.status, 413U);
  EXPECT_EQ(answer.body.bytes, "long");
  exchange.recycle(pool, w0);
  EXPECT_EQ(pool.idle(w0), 0U) << "half a request is in it";
}

TEST_F(ExchangeTest, an_interim_answer_instead_of_taking_the_request_is_no_wait_for_ever) {
  auto peer = connect(exchange);
  const std::string body(32 * 1024 * 1024, 'b');
  const auto sending = begin(exchange.send(Outgoing(request, body)));
  std::size_t said = 0;
  const auto say = [&] {
    const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
    peer.send(interim);
    said += interim.size();
    return until([&] { return exchange.bytes_received() == said; });
  };
  // Each wait that ends lets it try again: until the kernel takes no more.
  std::uint64_t sent = 0;
  for (int i = 0; i < 6 && sent != exchange.bytes_sent(); ++i) {
    sent = exchange.bytes_sent();
    ASSERT_TRUE(say());
  }
  ASSERT_EQ(sent, exchange.bytes_sent());
  pass(options.send_timeout - Duration(1));
  ASSERT_TRUE(say());
  EXPECT_FALSE(sending.done());
  pass(Duration(1));
  ASSERT_TRUE(sending.done()) << "words are no progress";
  EXPECT_EQ(error_of(sending.value()), ErrorKind::send_timeout);
}

TEST_F(ExchangeTest, interim_answers_while_it_sends_are_skipped_and_the_sending_goes_on) {
  auto peer = connect(exchange);
  const std::string body(16 * 1024 * 1024, 'b');
  const auto sending = begin(exchange.send(Outgoing(request, body)));
  EXPECT_FALSE(sending.done()) << "more than the kernel holds";
  // One whole, one in two parts, and the beginning of the answer that follows.
  const std::string first = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Proc";
  peer.send(first);
  ASSERT_TRUE(until([&] { return exchange.bytes_received() == first.size(); }));
  peer.send("essing\r\n\r\nHTTP/1.1 200 O");
  std::string read;
  const auto size = request.size() + body.size();
  ASSERT_TRUE(until([&] {
    read += peer.read_available();
    return read.size() == size;
  })) << read.size();
  ASSERT_TRUE(until([&] { return sending.done(); }));
  EXPECT_TRUE(sending.value().has_value());
  const auto answer = answer_of(exchange, peer, "K\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(answer.error, std::nullopt);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.body.bytes, "hi");
  exchange.recycle(pool, w0);
  EXPECT_EQ(pool.idle(w0), 1U) << "the whole request is in it";
}

TEST_F(ExchangeTest, endless_interim_answers_while_it_sends_are_refused) {
  auto peer = connect(exchange);
  const std::string body(32 * 1024 * 1024, 'b');
  const auto sending = begin(exchange.send(Outgoing(request, body)));
  std::string interim;
  for (int i = 0; i < 9; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  peer.send(interim);
  ASSERT_TRUE(until([&] { return sending.done(); }));
  EXPECT_EQ(error_of(sending.value()), ErrorKind::bad_response);
}

TEST_F(ExchangeTest, a_worker_that_closes_before_it_read_the_body_without_a_word_has_failed) {
  auto peer = connect(exchange);
  const std::string body(32 * 1024 * 1024, 'b');
  const auto sending = begin(exchange.send(Outgoing(request, body)));
  peer.reset();
  ASSERT_TRUE(until([&] { return sending.done(); }));
  const auto answer = finish(read_answer(exchange, interruption, false));
  EXPECT_EQ(answer.error, ErrorKind::send_failed);
  EXPECT_FALSE(exchange.answer_begun());
}

TEST_F(ExchangeTest, stops_sending_when_the_client_leaves) {
  auto peer = connect(exchange);
  auto [client, client_peer] = connect_pair();
  interruption.watch(client);
  const std::string body(32 * 1024 * 1024, 'b');
  const auto sending = begin(exchange.send(Outgoing(request, body)));
  client_peer.reset();
  ASSERT_TRUE(until([&] { return sending.done(); }));
  EXPECT_EQ(error_of(sending.value()), ErrorKind::client_gone);
  interruption.unwatch();
  exchange.close();
}

TEST_F(ExchangeTest, a_deadline_or_a_stop_ends_the_wait_for_an_answer) {
  const auto peer = ask(exchange);
  interruption.deadline().set(Clock::now() + seconds(60));
  const auto waiting = begin(read_answer(exchange, interruption, false));
  pass(seconds(60) - Duration(1));
  EXPECT_FALSE(waiting.done());
  pass(Duration(1));
  ASSERT_TRUE(waiting.done());
  EXPECT_EQ(waiting.value().error, ErrorKind::request_timeout);
  interruption.deadline().clear();
  const auto again = begin(read_answer(exchange, interruption, false));
  EXPECT_FALSE(again.done());
  shard.sessions().stop(net::StopLevel::now);
  turn();
  ASSERT_TRUE(again.done());
  EXPECT_EQ(again.value().error, ErrorKind::shutting_down);
}

TEST_F(ExchangeTest, a_destroyed_exchange_closes_its_connection_at_once) {
  auto left = std::make_unique<Exchange>(shard, interruption, options, head);
  auto peer = ask(*left);
  left.reset();
  EXPECT_TRUE(peer.at_end()) << "without a turn of the loop";
}

TEST_F(ExchangeTest, a_complete_exchange_gives_its_connection_to_the_next) {
  auto peer = ask(exchange);
  auto answer = answer_of(exchange, peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(answer.body.bytes, "hi");
  exchange.recycle(pool, w0);
  ASSERT_EQ(pool.idle(w0), 1U);
  Exchange next(shard, interruption, options, head);
  ASSERT_TRUE(next.open_pooled(pool, w0));
  EXPECT_TRUE(next.reused());
  EXPECT_FALSE(next.open_pooled(pool, w0)) << "it is in use";
  ASSERT_TRUE(finish(next.send(Outgoing(request, {}))).has_value());
  EXPECT_EQ(peer.read_head(), request);
  answer = answer_of(next, peer, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(answer.status, 201U);
}

TEST_F(ExchangeTest, a_reused_connection_that_dies_before_any_byte_says_so) {
  auto peer = ask(exchange);
  answer_of(exchange, peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  exchange.recycle(pool, w0);
  Exchange next(shard, interruption, options, head);
  ASSERT_TRUE(next.open_pooled(pool, w0));
  ASSERT_TRUE(finish(next.send(Outgoing(request, {}))).has_value());
  peer.close();
  const auto answer = finish(read_answer(next, interruption, false));
  EXPECT_EQ(answer.error, ErrorKind::worker_closed);
  EXPECT_TRUE(next.reused());
  EXPECT_FALSE(next.answer_begun());
}

}  // namespace
}  // namespace lmb::upstream
