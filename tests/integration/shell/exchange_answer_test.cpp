// The answer: interim heads, framing, and all the ways in which it can be wrong.
#include "exchange_fixture.hpp"

namespace lmb::upstream {
namespace {

using Status = Exchange::BodyStatus;
using test::Peer;

std::string interim(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes += i % 2 == 0 ? "HTTP/1.1 100 Continue\r\n\r\n"
                        : "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
  }
  return bytes;
}

const std::string short_answer =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody";

class ExchangeAnswerTest : public ExchangeFixture {
 protected:
  /// An answer that must be whole: does its connection go back to the pool?
  bool reusable_after(std::string_view bytes) {
    Exchange exchange(shard, interruption, options, head);
    auto peer = ask(exchange);
    const auto answer = answer_of(exchange, peer, bytes);
    EXPECT_TRUE(answer.body.complete) << bytes;
    exchange.recycle(pool, w0);
    const bool reusable = pool.idle(w0) == 1;
    pool.keep_only(w0, {});
    return reusable;
  }
};

TEST_F(ExchangeAnswerTest, is_read_in_one_piece) {
  const auto answer = answer_of(short_answer);
  EXPECT_EQ(answer.error, std::nullopt);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.type, "text/plain");
  EXPECT_EQ(answer.body.bytes, "body");
  EXPECT_TRUE(answer.body.complete);
}

TEST_F(ExchangeAnswerTest, is_the_same_when_it_arrives_in_two_reads_cut_anywhere) {
  const auto whole = interim(1) + short_answer;
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    Exchange exchange(shard, interruption, options, head);
    auto peer = ask(exchange);
    const auto reading = begin(read_answer(exchange, interruption, false));
    peer.send(whole.substr(0, cut));
    ASSERT_TRUE(until([&] { return exchange.bytes_received() == cut; })) << cut;
    ASSERT_FALSE(reading.done()) << cut;
    peer.send(whole.substr(cut));
    ASSERT_TRUE(until([&] { return reading.done(); })) << cut;
    EXPECT_EQ(reading.value().error, std::nullopt) << cut;
    EXPECT_EQ(reading.value().type, "text/plain") << cut;
    EXPECT_EQ(reading.value().body.bytes, "body") << cut;
    EXPECT_TRUE(reading.value().body.complete) << cut;
  }
}

TEST_F(ExchangeAnswerTest, is_the_same_when_every_byte_comes_alone) {
  const auto whole = interim(2) + short_answer;
  Exchange exchange(shard, interruption, options, head);
  auto peer = ask(exchange);
  const auto reading = begin(read_answer(exchange, interruption, false));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    ASSERT_FALSE(reading.done()) << i;
    peer.send(whole.substr(i, 1));
    ASSERT_TRUE(until([&] { return exchange.bytes_received() == i + 1; })) << i;
  }
  ASSERT_TRUE(until([&] { return reading.done(); }));
  EXPECT_EQ(reading.value().body.bytes, "body");
}

TEST_F(ExchangeAnswerTest, interim_heads_are_skipped_up_to_their_limit) {
  for (const int count : {1, 2, 8}) {
    const auto answer = answer_of(interim(count) + short_answer);
    EXPECT_EQ(answer.error, std::nullopt) << count;
    EXPECT_EQ(answer.status, 200U) << count;
    EXPECT_EQ(answer.body.bytes, "body") << count;
  }
  EXPECT_EQ(answer_of(interim(9) + short_answer).error, ErrorKind::bad_response);
}

TEST_F(ExchangeAnswerTest, endless_interim_heads_are_refused_before_they_end) {
  EXPECT_EQ(answer_of(interim(400)).error, ErrorKind::bad_response);
}

TEST_F(ExchangeAnswerTest, an_end_after_an_interim_head_is_no_answer) {
  const auto answer = answer_of(interim(1), true);
  EXPECT_EQ(answer.error, ErrorKind::worker_closed);
}

TEST_F(ExchangeAnswerTest, what_cannot_be_passed_on_is_a_bad_response) {
  const auto refused = [this](const std::string& bytes) {
    return answer_of(bytes).error == ErrorKind::bad_response;
  };
  EXPECT_TRUE(refused("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(refused("HTTP/1.1 304 Not Modified\r\n\r\n"));
  EXPECT_TRUE(refused("HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\n{}"));
  EXPECT_TRUE(refused(
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"));
  EXPECT_TRUE(refused("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
  EXPECT_TRUE(refused("HTTP/1.1 200 OK\nContent-Length: 0\n\n"));
  EXPECT_TRUE(refused("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"));
  EXPECT_TRUE(refused(
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
}

TEST_F(ExchangeAnswerTest, what_cannot_become_a_status_line_is_not_waited_for) {
  for (const char* bytes : {"{", "SSH-", "HTTP/2", "http/1.1", "\r\nHTTP/1.1 200 OK"}) {
    EXPECT_EQ(answer_of(bytes).error, ErrorKind::bad_response) << bytes;
  }
}

TEST_F(ExchangeAnswerTest, a_head_may_be_long_but_not_endless) {
  const std::string begin = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
  const std::string end = "\r\n\r\n";
  const std::size_t limit = options.answer_head_bytes;
  const auto of_size = [&](std::size_t size) {
    return begin + std::string(size - begin.size() - end.size(), 'x') + end;
  };
  EXPECT_EQ(answer_of(of_size(limit)).error, std::nullopt);
  EXPECT_EQ(answer_of(of_size(limit + 1)).error, ErrorKind::bad_response);
}

TEST_F(ExchangeAnswerTest, an_end_before_the_head_is_complete_is_a_closed_worker) {
  Exchange exchange(shard, interruption, options, head);
  auto peer = ask(exchange);
  EXPECT_EQ(answer_of(exchange, peer, "HTTP/1.1 200 OK\r\nCont", true).error,
            ErrorKind::worker_closed);
  EXPECT_TRUE(exchange.answer_begun());
  Exchange silent(shard, interruption, options, head);
  auto other = ask(silent);
  EXPECT_EQ(answer_of(silent, other, "", true).error, ErrorKind::worker_closed);
  EXPECT_FALSE(silent.answer_begun());
}

TEST_F(ExchangeAnswerTest, a_close_delimited_body_ends_with_the_connection) {
  const auto answer = answer_of("HTTP/1.1 200 OK\r\n\r\nall of it", true);
  EXPECT_EQ(answer.error, std::nullopt);
  EXPECT_TRUE(answer.body.complete);
  EXPECT_EQ(answer.body.bytes, "all of it");
}

TEST_F(ExchangeAnswerTest, a_reset_is_never_the_end_of_a_body) {
  Exchange exchange(shard, interruption, options, head);
  auto peer = ask(exchange);
  peer.send("HTTP/1.1 200 OK\r\n\r\nhalf");
  const auto reading = begin(read_answer(exchange, interruption, false));
  ASSERT_TRUE(until([&] { return exchange.bytes_received() == 23; }));
  peer.reset();
  ASSERT_TRUE(until([&] { return reading.done(); }));
  EXPECT_TRUE(reading.value().body.status == Status::cut);
  EXPECT_FALSE(reading.value().body.complete);
}

TEST_F(ExchangeAnswerTest, a_counted_or_chunked_body_that_ends_early_is_cut) {
  for (const auto* bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf"}) {
    const auto answer = answer_of(bytes, true);
    EXPECT_EQ(answer.error, std::nullopt) << bytes;
    EXPECT_TRUE(answer.body.status == Status::cut) << bytes;
    EXPECT_EQ(answer.body.bytes, "half") << bytes;
  }
}

TEST_F(ExchangeAnswerTest, broken_chunks_are_told_from_a_cut) {
  const auto answer =
      answer_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\nzz\r\nbad\r\n");
  EXPECT_TRUE(answer.body.status == Status::broken);
}

TEST_F(ExchangeAnswerTest, chunks_lose_their_framing_extensions_and_trailers) {
  const auto answer = answer_of(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;a=b\r\none\r\n4\r\n two\r\n0\r\nX-Trailer: t\r\n\r\n");
  EXPECT_TRUE(answer.body.complete);
  EXPECT_EQ(answer.body.bytes, "one two");
}

TEST_F(ExchangeAnswerTest, some_statuses_have_no_body_whatever_follows) {
  const auto answer = answer_of("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(answer.body.complete);
  EXPECT_EQ(answer.body.bytes, "");
  Exchange exchange(shard, interruption, options, head);
  auto peer = ask(exchange);
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  const auto to_head = finish(read_answer(exchange, interruption, true));
  EXPECT_TRUE(to_head.body.complete) << "the answer to HEAD";
}

TEST_F(ExchangeAnswerTest, leaves_a_reusable_connection_when_both_sides_keep_it) {
  EXPECT_TRUE(reusable_after("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_TRUE(
      reusable_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"));
  EXPECT_TRUE(reusable_after("HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_TRUE(reusable_after(interim(1) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(
      reusable_after("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_FALSE(
      reusable_after("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_FALSE(reusable_after("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"));
}

TEST_F(ExchangeAnswerTest, bytes_behind_the_answer_make_its_connection_useless) {
  EXPECT_FALSE(reusable_after("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok+"));
  EXPECT_FALSE(reusable_after("HTTP/1.1 204 No Content\r\n\r\n+"));
  EXPECT_FALSE(
      reusable_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n+"));
}

TEST_F(ExchangeAnswerTest, bytes_that_come_after_the_answer_make_its_connection_useless) {
  Exchange exchange(shard, interruption, options, head);
  auto peer = ask(exchange);
  answer_of(exchange, peer, short_answer);
  peer.send("+");
  exchange.recycle(pool, w0);
  turn();
  ASSERT_TRUE(until([&] { return pool.idle(w0) == 1; }));
  // The loop must have told the pool's silent wait; an exchange of another connection shows that.
  Exchange other(shard, interruption, options, head);
  const auto far = ask(other);
  Exchange next(shard, interruption, options, head);
  EXPECT_FALSE(next.open_pooled(pool, w0));
}

TEST_F(ExchangeAnswerTest, an_incomplete_answers_connection_is_never_pooled) {
  Exchange exchange(shard, interruption, options, head);
  auto peer = ask(exchange);
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  ASSERT_TRUE(finish(exchange.read_head(false)).has_value());
  EXPECT_FALSE(exchange.complete());
  exchange.recycle(pool, w0);
  EXPECT_EQ(pool.idle(w0), 0U);
}

TEST_F(ExchangeAnswerTest, a_large_body_comes_whole_through_the_shared_buffer) {
  Exchange exchange(shard, interruption, options, head);
  auto peer = ask(exchange);
  std::string body;
  for (int i = 0; body.size() < 3'000'000; ++i) body += std::to_string(i) + ' ';
  const auto reading = begin(read_answer(exchange, interruption, false));
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  for (std::size_t at = 0; at < body.size(); at += 100'000) {
    peer.send(std::string_view(body).substr(at, 100'000));
    turn();
  }
  ASSERT_TRUE(until([&] { return reading.done(); }));
  EXPECT_TRUE(reading.value().body.bytes == body);
}

}  // namespace
}  // namespace lmb::upstream
