#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstdint>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/protocol/body_decoder.hpp"

// The decoder against itself (however the bytes are split, the outcome is the same), against the
// payload that was encoded, and against Beast's own parser.
namespace lmb::protocol {
namespace {

using Engine = std::mt19937_64;

std::size_t pick(Engine& engine, std::size_t low, std::size_t high) {
  return std::uniform_int_distribution<std::size_t>(low, high)(engine);
}

struct Outcome {
  std::string payload;
  std::size_t consumed = 0;
  bool broken = false;
  bool done = false;
  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << outcome.payload.size() << " bytes, consumed " << outcome.consumed << ", broken "
             << outcome.broken << ", done " << outcome.done;
}

/// Feeds `wire` in pieces that end at `cuts` (ascending) as a relay would: stops when the body is
/// done or broken.
Outcome decode(BodyDecoder decoder, std::string_view wire, const std::vector<std::size_t>& cuts) {
  Outcome outcome;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size() && !outcome.broken && !decoder.done(); ++i) {
    const std::size_t to = i == cuts.size() ? wire.size() : cuts[i];
    std::string piece(wire.substr(from, to - from));
    const BodyDecoder::Step step = decoder.decode(piece);
    EXPECT_LE(step.payload, step.consumed);
    EXPECT_LE(step.consumed, piece.size());
    EXPECT_EQ(piece.substr(step.consumed),
              wire.substr(from + step.consumed, to - from - step.consumed))
        << "bytes behind the body were touched";
    EXPECT_TRUE(step.consumed == piece.size() || step.broken || decoder.done());
    outcome.payload.append(piece, 0, step.payload);
    outcome.consumed += step.consumed;
    outcome.broken = step.broken;
    from = to;
  }
  outcome.done = decoder.done();
  return outcome;
}

std::vector<std::size_t> random_cuts(Engine& engine, std::size_t size) {
  std::vector<std::size_t> cuts(pick(engine, 0, 12));
  std::generate(cuts.begin(), cuts.end(), [&] { return pick(engine, 0, size); });
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

std::string random_payload(Engine& engine, std::size_t size) {
  // Half of the bytes come from the framing's own alphabet, to tempt a confused decoder.
  constexpr std::string_view tempting = "\r\n0123456789abcdefABCDEF;:";
  std::string payload(size, '\0');
  for (char& c : payload) {
    c = pick(engine, 0, 1) == 0 ? tempting[pick(engine, 0, tempting.size() - 1)]
                                : static_cast<char>(pick(engine, 0, 255));
  }
  return payload;
}

struct Encoded {
  std::string payload;
  std::string wire;
  std::size_t body_bytes = 0;  ///< Of `wire`; what follows is the next message.
};

Encoded random_chunked(Engine& engine, bool with_extras) {
  Encoded encoded;
  std::ostringstream wire;
  for (std::size_t chunks = pick(engine, 0, 8); chunks > 0; --chunks) {
    const std::size_t longest = pick(engine, 0, 9) == 0 ? 5000 : 40;
    const std::string data = random_payload(engine, pick(engine, 1, longest));
    wire << std::string(pick(engine, 0, 3) == 0 ? pick(engine, 0, 10) : 0, '0');
    wire << (pick(engine, 0, 1) == 0 ? std::uppercase : std::nouppercase);
    wire << std::hex << data.size();
    if (with_extras && pick(engine, 0, 2) == 0) {
      wire << ";name=\"v a\";b";
    }
    wire << "\r\n" << data << "\r\n";
    encoded.payload += data;
  }
  wire << std::string(pick(engine, 1, 4), '0') << "\r\n";
  for (std::size_t trailers = with_extras ? pick(engine, 0, 2) : 0; trailers > 0; --trailers) {
    wire << "X-Trailer: some value\r\n";
  }
  wire << "\r\n";
  encoded.wire = wire.str();
  encoded.body_bytes = encoded.wire.size();
  encoded.wire += random_payload(engine, pick(engine, 0, 20));
  return encoded;
}

/// What Beast makes of a chunked body; nothing when it refuses it or does not reach its end.
std::optional<Outcome> decode_by_beast(std::string_view wire) {
  namespace http = boost::beast::http;
  const std::string message = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string all = message + std::string(wire);
  std::string room(wire.size() + 1, '\0');
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  parser.eager(true);
  parser.get().body().data = room.data();
  parser.get().body().size = room.size();
  std::size_t used = 0;
  while (!parser.is_done()) {
    boost::system::error_code ec;
    used += parser.put(boost::asio::const_buffer(all.data() + used, all.size() - used), ec);
    if (ec && ec != http::error::need_buffer) {
      return std::nullopt;
    }
  }
  room.resize(room.size() - parser.get().body().size);
  return Outcome{room, used - message.size(), false, true};
}

TEST(BodyDecoderProperty, every_single_split_gives_what_one_read_gives) {
  Engine engine(1);
  for (int round = 0; round < 60; ++round) {
    const Encoded encoded = random_chunked(engine, true);
    const Outcome expected{encoded.payload, encoded.body_bytes, false, true};
    const BodyDecoder decoder(BodyFraming::chunked, 0);
    for (std::size_t cut = 0; cut <= encoded.wire.size(); ++cut) {
      ASSERT_EQ(decode(decoder, encoded.wire, {cut}), expected)
          << "round " << round << " cut at " << cut;
    }
  }
}

TEST(BodyDecoderProperty, byte_by_byte_gives_what_one_read_gives) {
  Engine engine(2);
  for (int round = 0; round < 200; ++round) {
    const Encoded encoded = random_chunked(engine, true);
    std::vector<std::size_t> cuts;
    for (std::size_t cut = 1; cut < encoded.wire.size(); ++cut) {
      cuts.push_back(cut);
    }
    ASSERT_EQ(decode(BodyDecoder(BodyFraming::chunked, 0), encoded.wire, cuts),
              (Outcome{encoded.payload, encoded.body_bytes, false, true}))
        << "round " << round;
  }
}

TEST(BodyDecoderProperty, random_splits_of_valid_bodies_give_what_beast_gives) {
  Engine engine(3);
  for (int round = 0; round < 3000; ++round) {
    const Encoded encoded = random_chunked(engine, pick(engine, 0, 1) == 0);
    const Outcome ours = decode(BodyDecoder(BodyFraming::chunked, 0), encoded.wire,
                                random_cuts(engine, encoded.wire.size()));
    ASSERT_EQ(ours, (Outcome{encoded.payload, encoded.body_bytes, false, true})) << round;
    const std::optional<Outcome> beasts = decode_by_beast(encoded.wire);
    ASSERT_TRUE(beasts.has_value()) << round;
    ASSERT_EQ(ours, *beasts) << round;
  }
}

TEST(BodyDecoderProperty, counted_bodies_survive_random_splits) {
  Engine engine(4);
  for (int round = 0; round < 1000; ++round) {
    const std::string payload = random_payload(engine, pick(engine, 0, 300));
    const std::string wire = payload + random_payload(engine, pick(engine, 0, 20));
    ASSERT_EQ(decode(BodyDecoder(BodyFraming::counted, payload.size()), wire,
                     random_cuts(engine, wire.size())),
              (Outcome{payload, payload.size(), false, true}))
        << round;
  }
}

TEST(BodyDecoderProperty, splits_never_change_the_verdict_on_damaged_bodies) {
  Engine engine(5);
  int broken = 0;
  int done = 0;
  for (int round = 0; round < 20000; ++round) {
    Encoded encoded = random_chunked(engine, pick(engine, 0, 1) == 0);
    for (std::size_t edits = pick(engine, 1, 3); edits > 0; --edits) {
      const std::size_t at = pick(engine, 0, encoded.body_bytes - 1);
      encoded.wire[at] = random_payload(engine, 1).front();
    }
    const BodyDecoder decoder(BodyFraming::chunked, 0);
    const Outcome whole = decode(decoder, encoded.wire, {});
    ASSERT_EQ(decode(decoder, encoded.wire, random_cuts(engine, encoded.wire.size())), whole)
        << round;
    broken += whole.broken ? 1 : 0;
    done += whole.done ? 1 : 0;
  }
  EXPECT_GT(broken, 2000);
  EXPECT_GT(done, 2000);
}

TEST(BodyDecoderProperty, whatever_it_accepts_of_damaged_plain_bodies_beast_reads_alike) {
  Engine engine(6);
  int compared = 0;
  for (int round = 0; round < 20000; ++round) {
    Encoded encoded = random_chunked(engine, false);
    encoded.wire[pick(engine, 0, encoded.body_bytes - 1)] = random_payload(engine, 1).front();
    const Outcome ours = decode(BodyDecoder(BodyFraming::chunked, 0), encoded.wire, {});
    if (!ours.done || encoded.wire.find(';') != std::string::npos) {
      continue;
    }
    const std::optional<Outcome> beasts = decode_by_beast(encoded.wire);
    ASSERT_TRUE(beasts.has_value()) << round;
    ASSERT_EQ(ours, *beasts) << round;
    ++compared;
  }
  EXPECT_GT(compared, 1000);
}

}  // namespace
}  // namespace lmb::protocol
