#include "lmb/protocol/head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lmb::protocol {
namespace {

using boost::beast::http::field;

RequestHead parsed(std::string_view text, const HeadLimits& limits = {}) {
  RequestHead head;
  const Result<void> result = parse_request_head(text, limits, head);
  EXPECT_TRUE(result.has_value()) << text << "\n" << (result ? "" : result.error().detail());
  return head;
}

ErrorKind refusal(std::string_view text, const HeadLimits& limits) {
  RequestHead head;
  const Result<void> result = parse_request_head(text, limits, head);
  EXPECT_FALSE(result.has_value()) << text;
  return result ? ErrorKind::internal : result.error().kind();
}

std::size_t end_of(std::string_view text, std::size_t scanned = 0) {
  const Result<std::size_t> end = find_head_end(text, scanned, HeadLimits{});
  EXPECT_TRUE(end.has_value()) << text;
  return end ? *end : 0;
}

TEST(HeadEnd, is_found_wherever_the_reads_were_split) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
  const std::string all = head + std::string("\0\n body", 7);
  for (std::size_t split = 0; split <= all.size(); ++split) {
    const std::string_view first = std::string_view(all).substr(0, split);
    EXPECT_EQ(end_of(first), split >= head.size() ? head.size() : 0U) << split;
    if (split < head.size()) {
      EXPECT_EQ(end_of(all, split), head.size()) << split;
    }
  }
}

TEST(HeadEnd, is_found_when_every_byte_comes_alone) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t have = 1; have < head.size(); ++have) {
    EXPECT_EQ(end_of(std::string_view(head).substr(0, have), have - 1), 0U);
  }
  EXPECT_EQ(end_of(head, head.size() - 1), head.size());
}

TEST(HeadEnd, refuses_a_bare_line_feed_and_a_nul_as_soon_as_they_are_read) {
  for (const std::string_view text :
       {std::string_view("\n"), std::string_view("GET / HTTP/1.1\n"),
        std::string_view("GET / HTTP/1.1\r\nHost: a\n\r\n"),
        std::string_view("GET / HTTP/1.1\r\nHost: a\r\n\n"), std::string_view("GE\0", 3),
        std::string_view("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29)}) {
    const Result<std::size_t> end = find_head_end(text, 0, HeadLimits{});
    ASSERT_FALSE(end.has_value()) << text;
    EXPECT_EQ(end.error().kind(), ErrorKind::bad_request) << text;
  }
}

TEST(HeadEnd, does_not_look_into_the_body) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(end_of(head + std::string("\n\0\n", 3)), head.size());
}

TEST(HeadEnd, allows_a_head_of_exactly_the_limit) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  HeadLimits limits;
  limits.head_bytes = head.size();
  ASSERT_TRUE(find_head_end(head + "body", 0, limits).has_value());
  EXPECT_EQ(*find_head_end(head + "body", 0, limits), head.size());
  limits.head_bytes = head.size() - 1;
  ASSERT_FALSE(find_head_end(head, 0, limits).has_value());
  EXPECT_EQ(find_head_end(head, 0, limits).error().kind(), ErrorKind::head_too_large);
}

TEST(HeadEnd, gives_up_once_the_limit_is_filled_without_an_end) {
  HeadLimits limits;
  limits.head_bytes = 64;
  const std::string text(64, 'a');
  EXPECT_EQ(*find_head_end(std::string_view(text).substr(0, 63), 0, limits), 0U);
  EXPECT_EQ(find_head_end(text, 63, limits).error().kind(), ErrorKind::head_too_large);
  EXPECT_EQ(find_head_end(text + text, 128, limits).error().kind(), ErrorKind::head_too_large);
}

TEST(LeadingEmptyLines, counts_at_most_two) {
  EXPECT_EQ(leading_empty_lines(""), 0U);
  EXPECT_EQ(leading_empty_lines("\r"), 0U);
  EXPECT_EQ(leading_empty_lines("\n\r\n"), 0U);
  EXPECT_EQ(leading_empty_lines("\r\nGET"), 1U);
  EXPECT_EQ(leading_empty_lines("\r\n\r\nGET"), 2U);
  EXPECT_EQ(leading_empty_lines("\r\n\r\n\r\nGET"), 2U);
  EXPECT_EQ(leading_empty_lines("GET / HTTP/1.1\r\n"), 0U);
}

TEST(RequestHead, reads_line_and_fields_as_views_into_the_buffer) {
  const std::string text =
      "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: mac.local:1234\r\n"
      "X-Custom:\t a  b \t\r\nEmpty:\r\nContent-Length: 42\r\n\r\n";
  const RequestHead head = parsed(text);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat/completions?x=1");
  EXPECT_TRUE(head.http_1_1);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.framing, BodyFraming::counted);
  EXPECT_EQ(head.content_length, 42U);
  ASSERT_EQ(head.fields.all().size(), 4U);
  EXPECT_EQ(head.fields.all()[0].id, field::host);
  EXPECT_EQ(head.fields.all()[1].name, "X-Custom");
  EXPECT_EQ(head.fields.all()[1].value, "a  b");
  EXPECT_EQ(head.fields.all()[1].id, field::unknown);
  EXPECT_EQ(head.fields.all()[2].value, "");
  EXPECT_GE(head.target.data(), text.data());
  EXPECT_LT(head.fields.all()[3].value.data(), text.data() + text.size());
}

TEST(RequestHead, forgets_what_earlier_heads_left) {
  const HeadLimits limits;
  RequestHead head;
  ASSERT_TRUE(
      parse_request_head("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n",
                         limits, head));
  ASSERT_TRUE(head.expect_continue);
  ASSERT_TRUE(parse_request_head("POST /a HTTP/1.0\r\nContent-Length: 7\r\n\r\n", limits, head));
  EXPECT_FALSE(head.expect_continue);
  EXPECT_FALSE(head.http_1_1);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_TRUE(parse_request_head("GET /b HTTP/1.1\r\nHost: a\r\n\r\n", limits, head));
  EXPECT_EQ(head.fields.all().size(), 1U);
  EXPECT_EQ(head.framing, BodyFraming::none);
  EXPECT_EQ(head.content_length, 0U);
  EXPECT_TRUE(head.http_1_1);
  EXPECT_TRUE(head.keep_alive);
}

TEST(RequestHead, finds_fields_without_regard_to_case) {
  const RequestHead head = parsed("GET / HTTP/1.1\r\nhOST: a\r\nx-one: 1\r\nX-ONE: 2\r\n\r\n");
  ASSERT_NE(head.fields.find(field::host), nullptr);
  ASSERT_NE(head.fields.find("X-One"), nullptr);
  EXPECT_EQ(head.fields.find("X-One")->value, "1");
  EXPECT_EQ(head.fields.find("X-On"), nullptr);
  EXPECT_EQ(head.fields.find(field::accept), nullptr);
  EXPECT_EQ(head.fields.count(field::host), 1U);
  EXPECT_EQ(head.fields.count(field::unknown), 2U);
}

TEST(RequestHead, keeps_alive_as_version_and_connection_say) {
  const struct {
    std::string_view rest;
    bool keep_alive;
  } cases[] = {
      {"HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", false},
      {"HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n", false},
      {"HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", false},
      {"HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true},
      {"HTTP/1.0\r\n\r\n", false},
      {"HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
      {"HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
      {"HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", false},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(parsed("GET / " + std::string(each.rest)).keep_alive, each.keep_alive) << each.rest;
  }
}

TEST(RequestHead, frames_the_body) {
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(parsed(start + "\r\n").framing, BodyFraming::none);
  const RequestHead empty = parsed(start + "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(empty.framing, BodyFraming::counted);
  EXPECT_EQ(empty.content_length, 0U);
  EXPECT_EQ(parsed(start + "Content-Length: 0012\r\n\r\n").content_length, 12U);
  EXPECT_EQ(parsed(start + "Content-Length: 18446744073709551615\r\n\r\n").content_length,
            18446744073709551615U);
  EXPECT_EQ(parsed(start + "Transfer-Encoding: chunked\r\n\r\n").framing, BodyFraming::chunked);
  EXPECT_EQ(parsed(start + "transfer-encoding:\tCHUNKED \r\n\r\n").framing, BodyFraming::chunked);
}

TEST(RequestHead, reduces_an_absolute_target_and_lets_its_authority_replace_host) {
  const struct {
    std::string_view line;
    std::string_view target;
    std::string_view host;
  } cases[] = {
      {"GET http://h.example/v1/models?a=b", "/v1/models?a=b", "h.example"},
      {"GET HTTP://h.example:8080/x", "/x", "h.example:8080"},
      {"GET http://[::1]:8080/x", "/x", "[::1]:8080"},
      {"GET http://h.example", "/", "h.example"},
      {"GET http://h.example?q", "/", "h.example"},
      {"OPTIONS http://h.example", "*", "h.example"},
      {"OPTIONS http://h.example/", "/", "h.example"},
      {"OPTIONS *", "*", "other"},
      {"GET //double", "//double", "other"},
  };
  for (const auto& each : cases) {
    const std::string text = std::string(each.line) + " HTTP/1.1\r\nHost: other\r\n\r\n";
    const RequestHead head = parsed(text);
    EXPECT_EQ(head.target, each.target) << each.line;
    ASSERT_NE(head.fields.find(field::host), nullptr);
    EXPECT_EQ(head.fields.find(field::host)->value, each.host) << each.line;
  }
}

TEST(RequestHead, accepts_each_form_of_host) {
  for (const std::string_view host :
       {"a", "a.example", "a:1234", "a:", "127.0.0.1:65535", "[::1]", "[::1]:80", "[fe80::1%25en0]",
        "mac_studio-05.local", "a%2db", ""}) {
    EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n")
                  .fields.find(field::host)
                  ->value,
              host);
  }
}

TEST(RequestHead, notes_an_expectation_only_where_somebody_waits) {
  const std::string body = "Content-Length: 3\r\n";
  const std::string expect = "Expect: 100-Continue\r\n";
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_TRUE(parsed(start + body + expect + "\r\n").expect_continue);
  EXPECT_TRUE(parsed(start + expect + "Transfer-Encoding: chunked\r\n\r\n").expect_continue);
  EXPECT_FALSE(parsed(start + body + "\r\n").expect_continue);
  EXPECT_FALSE(parsed(start + expect + "\r\n").expect_continue);
  EXPECT_FALSE(parsed(start + expect + "Content-Length: 0\r\n\r\n").expect_continue);
  EXPECT_FALSE(parsed("POST / HTTP/1.0\r\n" + body + expect + "\r\n").expect_continue);
}

TEST(RequestHead, passes_opaque_bytes_and_tabs_in_values) {
  const RequestHead head = parsed("GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9\tz\r\n\r\n");
  EXPECT_EQ(head.fields.find("X")->value, "caf\xc3\xa9\tz");
}

std::string head_with_fields(std::size_t count) {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < count; ++i) {
    text += "x: y\r\n";
  }
  return text + "\r\n";
}

TEST(RequestHead, takes_exactly_the_number_of_fields_allowed) {
  EXPECT_EQ(parsed(head_with_fields(100)).fields.all().size(), 100U);
  EXPECT_EQ(refusal(head_with_fields(101), {}), ErrorKind::too_many_headers);
  HeadLimits generous;
  generous.header_count = 100000;
  EXPECT_EQ(parsed(head_with_fields(header_count_max), generous).fields.all().size(),
            header_count_max);
  EXPECT_EQ(refusal(head_with_fields(header_count_max + 1), generous), ErrorKind::too_many_headers);
}

TEST(RequestHead, takes_exactly_the_target_length_allowed) {
  HeadLimits limits;
  limits.target_bytes = 20;
  const auto head = [](std::size_t target_bytes) {
    return "GET /" + std::string(target_bytes - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(parsed(head(20), limits).target.size(), 20U);
  EXPECT_EQ(refusal(head(21), limits), ErrorKind::target_too_long);
}

TEST(RequestHead, takes_exactly_the_head_length_allowed) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'v') + "\r\n\r\n";
  HeadLimits limits;
  limits.head_bytes = text.size();
  EXPECT_EQ(parsed(text, limits).fields.find("X")->value.size(), 9000U);
  limits.head_bytes = text.size() - 1;
  EXPECT_EQ(refusal(text, limits), ErrorKind::head_too_large);
}

TEST(RequestHead, takes_a_body_length_above_any_parser_default) {
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108865\r\n\r\n").content_length,
            67108865U);
}

TEST(RequestHead, bounds_the_number_of_connection_options) {
  const auto head = [](std::size_t options) {
    std::string list = "a";
    for (std::size_t i = 1; i < options; ++i) {
      list += ",a";
    }
    return "GET / HTTP/1.1\r\nHost: a\r\nConnection: " + list + "\r\n\r\n";
  };
  EXPECT_TRUE(parsed(head(256)).keep_alive);
  EXPECT_EQ(refusal(head(257), {}), ErrorKind::bad_request);
}

}  // namespace
}  // namespace lmb::protocol
