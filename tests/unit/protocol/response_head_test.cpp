#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lmb/protocol/head.hpp"

namespace lmb::protocol {
namespace {

ResponseHead parsed(std::string_view text, bool to_head_request = false) {
  ResponseHead head;
  const Result<void> result = parse_response_head(text, HeadLimits{}, to_head_request, head);
  EXPECT_TRUE(result.has_value()) << text << "\n" << (result ? "" : result.error().detail());
  return head;
}

TEST(ResponseHead, reads_what_a_worker_sends) {
  const ResponseHead head = parsed(
      "HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: application/json; "
      "charset=utf-8\r\nContent-Length: 20\r\nETag: W/\"14-x\"\r\nConnection: keep-alive\r\n"
      "Keep-Alive: timeout=5\r\n\r\n");
  EXPECT_EQ(head.status, 200U);
  EXPECT_TRUE(head.http_1_1);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.framing, BodyFraming::counted);
  EXPECT_EQ(head.content_length, 20U);
  EXPECT_EQ(head.fields.all().size(), 6U);
  EXPECT_EQ(head.fields.find("etag")->value, "W/\"14-x\"");
}

TEST(ResponseHead, derives_framing_and_connection) {
  const struct {
    std::string_view text;
    BodyFraming framing;
    bool keep_alive;
    std::uint64_t length = 0;
    bool to_head_request = false;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", BodyFraming::chunked, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3", BodyFraming::counted, true, 3},
      {"HTTP/1.1 200 \r\nContent-Length: 0", BodyFraming::counted, true, 0},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close", BodyFraming::counted, false, 3},
      {"HTTP/1.1 200 OK", BodyFraming::until_close, false},
      {"HTTP/1.0 200 OK", BodyFraming::until_close, false},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive", BodyFraming::until_close, false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 3", BodyFraming::counted, false, 3},
      {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive", BodyFraming::counted, true,
       3},
      {"HTTP/1.1 204 No Content", BodyFraming::none, true},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 0", BodyFraming::none, true},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9", BodyFraming::none, true},
      {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked", BodyFraming::none, true},
      {"HTTP/1.1 100 Continue", BodyFraming::none, true},
      {"HTTP/1.1 103 Early Hints\r\nLink: <x>", BodyFraming::none, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9", BodyFraming::none, true, 0, true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", BodyFraming::none, true, 0, true},
      {"HTTP/1.1 200 OK", BodyFraming::none, true, 0, true},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 9", BodyFraming::counted, true, 9},
      {"HTTP/1.1 599 Odd\xe9\r\nContent-Length: 9", BodyFraming::counted, true, 9},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999", BodyFraming::counted, true, 99999999999},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.text);
    const std::string text = std::string(each.text) + "\r\n\r\n";
    const ResponseHead head = parsed(text, each.to_head_request);
    EXPECT_EQ(head.framing, each.framing);
    EXPECT_EQ(head.keep_alive, each.keep_alive);
    EXPECT_EQ(head.content_length, each.length);
  }
}

TEST(ResponseHead, refuses_what_cannot_be_relayed) {
  for (const std::string_view text : {
           "",
           "garbage",
           "HTTP/1.1",
           "HTTP/1.1 200",
           "HTTP/1.1 20 OK",
           "HTTP/1.1 2000 OK",
           "HTTP/1.1 099 Low",
           "HTTP/1.1 000 Low",
           "HTTP/1.1 600 High",
           "HTTP/1.1 999 High",
           "HTTP/1.1 -20 OK",
           "HTTP/1.1  200 OK",
           "HTTP/2.0 200 OK",
           "HTTP/1.2 200 OK",
           "http/1.1 200 OK",
           "ICY 200 OK",
           "HTTP/1.1 200 O\x01K",
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade",
           "HTTP/1.1 100 Continue\r\nContent-Length: 5",
           "HTTP/1.1 204 No Content\r\nContent-Length: 5",
           "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5",
           "HTTP/1.1 200 OK\r\nContent-Length: 5, 5",
           "HTTP/1.1 200 OK\r\nContent-Length: +5",
           "HTTP/1.1 200 OK\r\nContent-Length:",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked",
           "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
           "HTTP/1.1 200 OK\r\nContent-Length : 5",
           "HTTP/1.1 200 OK\r\nX: y\r\n folded",
           "HTTP/1.1 200 OK\r\nX: a\rb",
           "HTTP/1.1 200 OK\r\nNoColon",
           "HTTP/1.1 200 OK\r\nX: \x7f",
       }) {
    SCOPED_TRACE(text);
    ResponseHead head;
    const Result<void> result =
        parse_response_head(std::string(text) + "\r\n\r\n", HeadLimits{}, false, head);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(to_string(result.error().kind()), "bad_response");
    EXPECT_FALSE(result.error().detail().empty());
  }
}

TEST(ResponseHead, is_held_to_the_limits) {
  const std::string text = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\n\r\n";
  ResponseHead head;
  HeadLimits limits;
  limits.header_count = 2;
  limits.head_bytes = text.size();
  EXPECT_TRUE(parse_response_head(text, limits, false, head).has_value());
  limits.head_bytes = text.size() - 1;
  EXPECT_EQ(parse_response_head(text, limits, false, head).error().kind(), ErrorKind::bad_response);
  limits.head_bytes = text.size();
  limits.header_count = 1;
  EXPECT_EQ(parse_response_head(text, limits, false, head).error().kind(), ErrorKind::bad_response);
}

}  // namespace
}  // namespace lmb::protocol
