#include "lmb/protocol/body_decoder.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace lmb::protocol {
namespace {

struct Outcome {
  std::string payload;
  std::size_t consumed = 0;
  bool broken = false;
  bool done = false;
};

Outcome decode_chunked(std::string_view wire) {
  BodyDecoder decoder(BodyFraming::chunked, 0);
  std::string data(wire);
  const BodyDecoder::Step step = decoder.decode(data);
  EXPECT_EQ(data.substr(step.consumed), wire.substr(step.consumed));
  return {data.substr(0, step.payload), step.consumed, step.broken, decoder.done()};
}

TEST(BodyDecoder, is_done_at_once_without_a_body) {
  for (BodyDecoder decoder :
       {BodyDecoder(), BodyDecoder(BodyFraming::none, 7), BodyDecoder(BodyFraming::counted, 0)}) {
    EXPECT_TRUE(decoder.done());
    EXPECT_FALSE(decoder.may_end_by_close());
    std::string next = "GET";
    const BodyDecoder::Step step = decoder.decode(next);
    EXPECT_EQ(step.payload, 0U);
    EXPECT_EQ(step.consumed, 0U);
    EXPECT_FALSE(step.broken);
    EXPECT_EQ(next, "GET");
  }
}

TEST(BodyDecoder, counts) {
  BodyDecoder decoder(BodyFraming::counted, 5);
  std::string first = "abc";
  BodyDecoder::Step step = decoder.decode(first);
  EXPECT_EQ(step.payload, 3U);
  EXPECT_EQ(step.consumed, 3U);
  EXPECT_FALSE(decoder.done());
  EXPECT_FALSE(decoder.may_end_by_close());
  std::string second = "deNEXT";
  step = decoder.decode(second);
  EXPECT_EQ(step.payload, 2U);
  EXPECT_EQ(step.consumed, 2U);
  EXPECT_TRUE(decoder.done());
  EXPECT_EQ(second, "deNEXT");
}

TEST(BodyDecoder, counts_beyond_32_bits) {
  BodyDecoder decoder(BodyFraming::counted, std::numeric_limits<std::uint64_t>::max());
  std::string data = "abc";
  EXPECT_EQ(decoder.decode(data).payload, 3U);
  EXPECT_FALSE(decoder.done());
}

TEST(BodyDecoder, takes_everything_until_close) {
  BodyDecoder decoder(BodyFraming::until_close, 0);
  EXPECT_TRUE(decoder.may_end_by_close());
  std::string data = "0\r\n\r\n";
  const BodyDecoder::Step step = decoder.decode(data);
  EXPECT_EQ(step.payload, 5U);
  EXPECT_EQ(step.consumed, 5U);
  EXPECT_FALSE(decoder.done());
  EXPECT_TRUE(decoder.may_end_by_close());
}

TEST(BodyDecoder, moves_chunks_together_and_stops_behind_the_body) {
  const std::string body = "5\r\nhello\r\n1\r\n,\r\n6;x=\"y z\"\r\n world\r\n0\r\nA: b\r\n\r\n";
  const Outcome outcome = decode_chunked(body + "HTTP/1.1");
  EXPECT_EQ(outcome.payload, "hello, world");
  EXPECT_TRUE(outcome.done);
  EXPECT_FALSE(outcome.broken);
  EXPECT_EQ(outcome.consumed, body.size());
}

TEST(BodyDecoder, keeps_bytes_that_look_like_framing) {
  const Outcome outcome = decode_chunked("a\r\n0\r\n\r\n5\r\nab\r\n0\r\n\r\n");
  EXPECT_EQ(outcome.payload, "0\r\n\r\n5\r\nab");
  EXPECT_TRUE(outcome.done);
}

TEST(BodyDecoder, is_not_done_before_the_last_line_feed) {
  const std::string wire = "3\r\nabc\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < wire.size(); ++size) {
    const Outcome outcome = decode_chunked(wire.substr(0, size));
    EXPECT_FALSE(outcome.done) << size;
    EXPECT_FALSE(outcome.broken) << size;
    EXPECT_EQ(outcome.consumed, size);
  }
  EXPECT_TRUE(decode_chunked(wire).done);
}

TEST(BodyDecoder, reads_sizes_of_up_to_16_hex_digits) {
  EXPECT_EQ(decode_chunked("0000000000000003\r\nabc\r\n0\r\n\r\n").payload, "abc");
  EXPECT_EQ(decode_chunked("1\r\nx\r\n0000000000000003\r\nabc\r\n0\r\n\r\n").payload, "xabc");
  EXPECT_TRUE(decode_chunked("00000000000000003\r\nabc\r\n0\r\n\r\n").broken);
  EXPECT_TRUE(decode_chunked("1\r\nx\r\n00000000000000003\r\nabc\r\n0\r\n\r\n").broken);
  EXPECT_TRUE(decode_chunked("0000000000000000\r\n\r\n").done);
  EXPECT_TRUE(decode_chunked("1\r\nx\r\n0000000000000000\r\n\r\n").done);
  EXPECT_EQ(decode_chunked("fFfFfFfFfFfFfFfF\r\nabc").payload, "abc");
  EXPECT_EQ(decode_chunked("1\r\nx\r\nFFFFFFFFFFFFFFFF\r\nabc").payload, "xabc");
  EXPECT_TRUE(decode_chunked("10000000000000000\r\nabc").broken);
  EXPECT_EQ(decode_chunked("aA\r\n" + std::string(170, 'p') + "\r\n0\r\n\r\n").payload,
            std::string(170, 'p'));
}

TEST(BodyDecoder, breaks_on_every_deviation_from_the_grammar) {
  for (const std::string_view wire : {
           std::string_view("\r\n"),
           std::string_view("\n"),
           std::string_view("g\r\n"),
           std::string_view("-1\r\n"),
           std::string_view("+1\r\nx"),
           std::string_view("0x1\r\nx"),
           std::string_view(" 1\r\nx"),
           std::string_view("1 \r\nx"),
           std::string_view("1\t;a\r\nx"),
           std::string_view("1\nx\r\n0\r\n\r\n"),
           std::string_view("1\rx"),
           std::string_view("1\r\r\nx"),
           std::string_view(";a\r\n"),
           std::string_view("1,\r\nx"),
           std::string_view("1\0\r\nx", 5),
           std::string_view("1;a\nx"),
           std::string_view("1;a\rx"),
           std::string_view("1;a\r\r\nx"),
           std::string_view("1;\0\r\nx", 6),
           std::string_view("1;\x7f\r\nx"),
           std::string_view("1;\x1b\r\nx"),
           std::string_view("1\r\nxy\r\n"),
           std::string_view("1\r\nx\n"),
           std::string_view("1\r\nx\rz"),
           std::string_view("1\r\nx0\r\n\r\n"),
           std::string_view("1\r\nx\r\n\r\n"),
           std::string_view("1\r\nx\r\n 1\r\n"),
           std::string_view("1\r\nx\r\n1 \r\n"),
           std::string_view("1\r\nx\r\n1\n"),
           std::string_view("0\n\n"),
           std::string_view("0\r\n\n"),
           std::string_view("0\r\n\rx"),
           std::string_view("0\r\nNoColon\r\n\r\n"),
           std::string_view("0\r\n: v\r\n\r\n"),
           std::string_view("0\r\nA : v\r\n\r\n"),
           std::string_view("0\r\nA: v\n\r\n"),
           std::string_view("0\r\nA: v\rx"),
           std::string_view("0\r\nA: v\r\n folded\r\n\r\n"),
           std::string_view("0\r\nA: v\r\n\tfolded\r\n\r\n"),
           std::string_view("0\r\nA: \0\r\n\r\n", 10),
           std::string_view("0\r\nGET / HTTP/1.1\r\n\r\n"),
       }) {
    const Outcome outcome = decode_chunked(wire);
    EXPECT_TRUE(outcome.broken) << wire;
    EXPECT_FALSE(outcome.done) << wire;
  }
}

TEST(BodyDecoder, stays_broken) {
  BodyDecoder decoder(BodyFraming::chunked, 0);
  std::string bad = "2\r\nabX";
  const BodyDecoder::Step first = decoder.decode(bad);
  EXPECT_TRUE(first.broken);
  EXPECT_EQ(bad.substr(0, first.payload), "ab");
  std::string good = "1\r\nx\r\n0\r\n\r\n";
  const BodyDecoder::Step second = decoder.decode(good);
  EXPECT_TRUE(second.broken);
  EXPECT_EQ(second.payload, 0U);
  EXPECT_EQ(second.consumed, 0U);
  EXPECT_TRUE(decoder.decode({}).broken);
}

std::string extended_chunk(std::size_t extension_bytes) {
  return "1;" + std::string(extension_bytes - 1, 'e') + "\r\nx\r\n";
}

TEST(BodyDecoder, takes_extensions_by_their_grammar_only) {
  const auto broken = [](const std::string& extension) {
    std::string text = "1" + extension + "\r\nx\r\n0\r\n\r\n";
    BodyDecoder decoder(BodyFraming::chunked, 0);
    const auto step = decoder.decode(text);
    EXPECT_EQ(step.broken, !decoder.done()) << extension;
    return step.broken;
  };
  for (const auto* good : {";a", ";a=b", ";a=\"b\"", "; a = b", ";a;b=c ;d", ";a=\"x;\\\"y\"",
                           ";a=\"\"", ";a=\"\xE9\"", ";\ta\t=\t\"b\"\t;c"}) {
    EXPECT_FALSE(broken(good)) << good;
  }
  for (const auto* bad :
       {";", ";;a", ";a=", ";=b", ";a=\"b", ";a=\"b\\", ";a=b\"c\"", ";a=\"b\"c", ";a b", ";a=b c",
        ";a ", ";a=b\t", ";a\x7F", ";a=\"\x01\"", ";a,b", ";a\xE9", " ;a", ";a=\"b\r\n\""}) {
    EXPECT_TRUE(broken(bad)) << bad;
  }
}

TEST(BodyDecoder, limits_each_extension_line) {
  EXPECT_TRUE(decode_chunked(extended_chunk(4096) + "0\r\n\r\n").done);
  EXPECT_TRUE(decode_chunked(extended_chunk(4097) + "0\r\n\r\n").broken);
}

TEST(BodyDecoder, limits_each_trailer_line) {
  const auto with_trailer = [](std::size_t line_bytes) {
    return "0\r\nA:" + std::string(line_bytes - 2, 't') + "\r\n\r\n";
  };
  EXPECT_TRUE(decode_chunked(with_trailer(4096)).done);
  EXPECT_TRUE(decode_chunked(with_trailer(4097)).broken);
  const auto with_name = [](std::size_t line_bytes) {
    return "0\r\n" + std::string(line_bytes - 1, 'n') + ":\r\n\r\n";
  };
  EXPECT_TRUE(decode_chunked(with_name(4096)).done);
  EXPECT_TRUE(decode_chunked(with_name(4097)).broken);
}

TEST(BodyDecoder, counts_each_line_for_itself) {
  const std::string line = "A:" + std::string(4000, 't') + "\r\n";
  EXPECT_TRUE(decode_chunked("0\r\n" + line + line + line + "\r\n").done);
  EXPECT_TRUE(decode_chunked("0;e\r\nA:" + std::string(4094, 't') + "\r\n\r\n").done);
}

TEST(BodyDecoder, limits_extensions_and_trailers_of_the_whole_body_together) {
  const std::string three = extended_chunk(4096) + extended_chunk(4096) + extended_chunk(4096);
  const auto with_trailers = [&](std::size_t bytes) {
    return three + "0;e\r\nA:" + std::string(bytes - 4, 't') + "\r\n\r\n";
  };
  EXPECT_TRUE(decode_chunked(with_trailers(4096)).done);
  EXPECT_TRUE(decode_chunked(with_trailers(4097)).broken);
}

TEST(BodyDecoder, counts_no_overhead_for_plain_chunks) {
  std::string wire;
  for (int i = 0; i < 20000; ++i) {
    wire += "1\r\nx\r\n";
  }
  const Outcome outcome = decode_chunked(wire + "0\r\n\r\n");
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.payload, std::string(20000, 'x'));
}

}  // namespace
}  // namespace lmb::protocol
