#include "lmb/protocol/content_coding.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

namespace lmb::protocol {
namespace {

constexpr int gzip_bits = 15 + 16;
constexpr int zlib_bits = 15;
constexpr int raw_bits = -15;
constexpr std::size_t no_limit = 1U << 30;

std::string deflated(std::string_view text, int bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string sample_text() {
  std::mt19937 random(7);
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>('a' + random() % 9);
  return text;
}

ErrorKind failure(std::string_view body, ContentCoding coding, std::size_t size_max = no_limit) {
  std::string out = "before";
  const Result<void> result = inflate_body(body, coding, size_max, out);
  EXPECT_EQ(out, "before");
  return result.has_error() ? result.error().kind() : ErrorKind::internal;
}

TEST(ContentCoding, is_read_without_regard_to_case) {
  EXPECT_EQ(parse_content_coding(""), ContentCoding::identity);
  EXPECT_EQ(parse_content_coding(" identity "), ContentCoding::identity);
  EXPECT_EQ(parse_content_coding("GZip"), ContentCoding::gzip);
  EXPECT_EQ(parse_content_coding("x-gzip"), ContentCoding::gzip);
  EXPECT_EQ(parse_content_coding("\tDeflate"), ContentCoding::deflate);
}

TEST(ContentCoding, does_not_support_lists_and_others) {
  for (const std::string_view value : {"br", "zstd", "gzip, gzip", "gzip,", "gzi", "gzipp", ","}) {
    EXPECT_EQ(parse_content_coding(value), ContentCoding::unsupported) << value;
  }
}

TEST(ContentCoding, inflates_what_zlib_deflated) {
  for (const std::string& text : {std::string(), std::string("{}"), sample_text()}) {
    for (const auto& [bits, coding] :
         {std::pair{gzip_bits, ContentCoding::gzip}, std::pair{zlib_bits, ContentCoding::deflate},
          std::pair{raw_bits, ContentCoding::deflate}}) {
      std::string out = "before";
      const Result<void> result = inflate_body(deflated(text, bits), coding, text.size(), out);
      ASSERT_FALSE(result.has_error()) << result.error().detail() << bits;
      EXPECT_EQ(out, "before" + text);
    }
  }
}

TEST(ContentCoding, copies_a_body_without_coding) {
  std::string out = "before ";
  EXPECT_FALSE(inflate_body("text", ContentCoding::identity, 4, out).has_error());
  EXPECT_EQ(out, "before text");
  EXPECT_EQ(failure("text", ContentCoding::identity, 3), ErrorKind::body_too_large);
  EXPECT_EQ(failure("text", ContentCoding::unsupported), ErrorKind::unsupported_content_coding);
}

TEST(ContentCoding, refuses_data_that_was_cut_anywhere) {
  const std::string text = sample_text().substr(0, 300);
  for (const auto& [bits, coding] :
       {std::pair{gzip_bits, ContentCoding::gzip}, std::pair{zlib_bits, ContentCoding::deflate},
        std::pair{raw_bits, ContentCoding::deflate}}) {
    const std::string whole = deflated(text, bits);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(failure(whole.substr(0, size), coding), ErrorKind::bad_content_coding) << size;
    }
  }
}

TEST(ContentCoding, inflates_all_members_of_gzip_data_within_one_limit) {
  const std::string members =
      deflated("{\"model\":", gzip_bits) + deflated("", gzip_bits) + deflated("\"m\"}", gzip_bits);
  std::string out;
  ASSERT_TRUE(inflate_body(members, ContentCoding::gzip, 13, out));
  EXPECT_EQ(out, "{\"model\":\"m\"}");
  out.clear();
  EXPECT_EQ(inflate_body(members, ContentCoding::gzip, 12, out).error().kind(),
            ErrorKind::body_too_large);
  EXPECT_EQ(failure(members.substr(0, members.size() - 1), ContentCoding::gzip),
            ErrorKind::bad_content_coding);
}

TEST(ContentCoding, refuses_bytes_behind_the_data) {
  EXPECT_EQ(failure(deflated("a", gzip_bits) + "x", ContentCoding::gzip),
            ErrorKind::bad_content_coding);
  EXPECT_EQ(failure(deflated("a", zlib_bits) + deflated("b", zlib_bits), ContentCoding::deflate),
            ErrorKind::bad_content_coding);
  EXPECT_EQ(failure(deflated("a", raw_bits) + "x", ContentCoding::deflate),
            ErrorKind::bad_content_coding);
}

TEST(ContentCoding, refuses_corrupt_data) {
  std::string body = deflated(sample_text(), gzip_bits);
  body[body.size() / 2] = static_cast<char>(~body[body.size() / 2]);
  EXPECT_EQ(failure(body, ContentCoding::gzip), ErrorKind::bad_content_coding);
  EXPECT_EQ(failure("{\"model\":\"m\"}", ContentCoding::gzip), ErrorKind::bad_content_coding);
  EXPECT_EQ(failure("{\"model\":\"m\"}", ContentCoding::deflate), ErrorKind::bad_content_coding);
}

TEST(ContentCoding, stops_a_bomb_at_the_limit) {
  const std::string bomb = deflated(std::string(64 * 1024 * 1024, ' '), gzip_bits);
  ASSERT_LT(bomb.size(), 100'000U);
  std::string out;
  const Result<void> result = inflate_body(bomb, ContentCoding::gzip, 1'000'000, out);
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().kind(), ErrorKind::body_too_large);
  EXPECT_LE(out.capacity(), 3'000'000U);
}

TEST(ContentCoding, grows_only_as_far_as_it_may) {
  const std::string bomb = deflated(std::string(64 * 1024 * 1024, ' '), gzip_bits);
  std::size_t allowed = 0;
  const auto may_grow = [&allowed](std::size_t bytes) -> Result<void> {
    if (allowed + bytes > 1'000'000) return ErrorKind::body_memory_full;
    allowed += bytes;
    return {};
  };
  std::string out;
  const auto refused = inflate_body(bomb, ContentCoding::gzip, 100'000'000, out, may_grow);
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().kind(), ErrorKind::body_memory_full);
  EXPECT_LE(out.capacity(), 3'000'000U);
  allowed = 0;
  const std::string text = sample_text();
  out.clear();
  EXPECT_FALSE(
      inflate_body(deflated(text, gzip_bits), ContentCoding::gzip, text.size(), out, may_grow)
          .has_error());
  EXPECT_EQ(allowed, text.size()) << "every byte was asked for, and none twice";
}

TEST(ContentCoding, takes_exactly_the_limit) {
  const std::string text = sample_text();
  for (const int bits : {zlib_bits, raw_bits}) {
    const std::string body = deflated(text, bits);
    std::string out;
    EXPECT_FALSE(inflate_body(body, ContentCoding::deflate, text.size(), out).has_error());
    EXPECT_EQ(failure(body, ContentCoding::deflate, text.size() - 1), ErrorKind::body_too_large);
  }
}

}  // namespace
}  // namespace lmb::protocol
