#include "lmb/protocol/forward_head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lmb::protocol {
namespace {

std::string request_fields(std::string_view fields) {
  const std::string text = "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
  RequestHead head;
  const Result<void> result = parse_request_head(text, HeadLimits{}, head);
  EXPECT_TRUE(result.has_value()) << fields << (result ? "" : result.error().detail());
  std::string out = ">";
  append_request_fields(head, out);
  EXPECT_EQ(out.front(), '>') << "must append, not assign";
  return out.substr(1);
}

std::string response_fields(std::string_view fields) {
  const std::string text = "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n";
  ResponseHead head;
  const Result<void> result = parse_response_head(text, HeadLimits{}, false, head);
  EXPECT_TRUE(result.has_value()) << fields << (result ? "" : result.error().detail());
  std::string out = ">";
  append_response_fields(head, out);
  EXPECT_EQ(out.front(), '>') << "must append, not assign";
  return out.substr(1);
}

TEST(RequestFields, pass_when_they_are_end_to_end) {
  EXPECT_EQ(request_fields("Content-Type: application/json\r\naccept:text/event-stream \r\n"
                           "User-Agent: OpenAI/JS 7.5.0\r\ntraceparent: 00-ab-cd-01\r\n"
                           "X-Stainless-Retry-Count: 0\r\nX-Stainless-Lang: js\r\nX_Other: 1\r\n"
                           "anthropic-version: 2023-06-01\r\nX-Two: a\r\nX-Two: b\r\n"),
            "Content-Type: application/json\r\naccept: text/event-stream\r\n"
            "User-Agent: OpenAI/JS 7.5.0\r\ntraceparent: 00-ab-cd-01\r\n"
            "X-Stainless-Retry-Count: 0\r\nX-Stainless-Lang: js\r\nX_Other: 1\r\n"
            "anthropic-version: 2023-06-01\r\nX-Two: a\r\nX-Two: b\r\n");
}

TEST(RequestFields, are_dropped_in_every_spelling_when_they_are_not_for_the_worker) {
  for (const std::string_view name : {
           "Close",
           "Keep-Alive",
           "Proxy-Connection",
           "Proxy-Authenticate",
           "Proxy-Authorization",
           "TE",
           "Trailer",
           "Upgrade",
           "HTTP2-Settings",
           "Content-Encoding",
           "Accept-Encoding",
           "Authorization",
           "X-Api-Key",
           "Forwarded",
           "X-Forwarded-For",
           "X-Forwarded-Proto",
           "X-Forwarded-Host",
           "X-Forwarded-Foo",
           "X-Real-IP",
           "X-Request-Id",
           "X-Forwarded-Client-Cert-With-A-Very-Long-Name",
       }) {
    std::string upper(name);
    std::string underscored(name);
    for (char& c : upper) {
      c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    for (char& c : underscored) {
      c = c == '-' ? '_' : c;
    }
    for (const std::string& spelling : {std::string(name), upper, underscored}) {
      EXPECT_EQ(request_fields(spelling + ": v\r\nX-Kept: 1\r\n"), "X-Kept: 1\r\n") << spelling;
    }
  }
}

TEST(RequestFields, of_framing_and_routing_are_dropped) {
  EXPECT_EQ(request_fields("Content-Length: 3\r\nExpect: 100-continue\r\n"), "");
  EXPECT_EQ(request_fields("Transfer-Encoding: chunked\r\n"), "");
  EXPECT_EQ(request_fields("Connection: keep-alive\r\n"), "");
  EXPECT_EQ(request_fields("Transfer_Encoding: chunked\r\nContent_Length: 3\r\nHost_: x\r\n"),
            "Host_: x\r\n");
  EXPECT_EQ(request_fields("TRANSFER_encoding: chunked\r\nContent_Encoding: gzip\r\n"), "");
  EXPECT_EQ(request_fields("X-Forwarded_For: 1\r\nX_Api-Key: k\r\nX_Request_Id: 1\r\n"), "");
}

TEST(RequestFields, listed_in_connection_are_dropped) {
  EXPECT_EQ(request_fields("Connection: close, X-Hop ,x_other\r\nX-Hop: 1\r\nx-hop: 2\r\n"
                           "X-Other: 3\r\nX_Hop: 4\r\nX-Hopper: 5\r\nConnection: x-late\r\n"
                           "X-Late: 6\r\nClose: 7\r\n"),
            "X-Hopper: 5\r\n");
}

TEST(RequestFields, of_the_way_so_far_pass_in_their_order) {
  const std::string_view fields = "Via: 1.0 fred\r\nX-Kept: 1\r\nvia: 1.1 p.example\r\n";
  EXPECT_EQ(request_fields(fields), fields);
}

TEST(RequestFields, that_only_resemble_dropped_ones_pass) {
  const std::string_view fields =
      "X-Forwarded: 1\r\nX-Api-Keys: 2\r\nVia-Something: 3\r\nTEX: 4\r\nX-Request-Id2: 5\r\n";
  EXPECT_EQ(request_fields(fields), fields);
}

TEST(ResponseFields, pass_only_from_the_short_list) {
  EXPECT_EQ(
      response_fields("X-Powered-By: Express\r\nContent-Type: text/event-stream\r\nDate: now\r\n"
                      "Content-Length: 5\r\nETag: W/\"x\"\r\nConnection: keep-alive\r\n"
                      "Keep-Alive: timeout=5\r\nretry-after: 3\r\nServer: s\r\nSet-Cookie: a=b\r\n"
                      "x-ratelimit-limit: 9\r\nX-Request-Id: w\r\nX-Lmb-Worker: w\r\nX-LMB-: w\r\n"
                      "x_powered_by: e\r\nX-Powered_By: e\r\nX-Lmb_Attempts: 3\r\nX-: e\r\n"
                      "Location: /x\r\nCache-Control: no-cache\r\nTrailer: X-T\r\n"),
      "Content-Type: text/event-stream\r\nretry-after: 3\r\nx-ratelimit-limit: 9\r\n");
}

TEST(ResponseFields, listed_in_connection_are_dropped) {
  EXPECT_EQ(response_fields("Connection: X-Hop, content-type\r\nX-Hop: 1\r\nX-Stay: 2\r\n"
                            "Content-Type: a/b\r\n"),
            "X-Stay: 2\r\n");
}

TEST(RequestId, is_taken_only_when_it_is_harmless) {
  const auto id_of = [](const std::string& fields) {
    const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    RequestHead head;
    EXPECT_TRUE(parse_request_head(text, HeadLimits{}, head).has_value()) << fields;
    return std::string(valid_request_id(head));
  };
  EXPECT_EQ(id_of(""), "");
  EXPECT_EQ(id_of("X-Request-Id: aZ09._-\r\n"), "aZ09._-");
  EXPECT_EQ(id_of("x-request-id: a\r\n"), "a");
  EXPECT_EQ(id_of("X-Request-Id: " + std::string(128, 'a') + "\r\n"), std::string(128, 'a'));
  EXPECT_EQ(id_of("X-Request-Id: " + std::string(129, 'a') + "\r\n"), "");
  for (const std::string bad :
       {"", "a b", "a/b", "a\"b", "a\xc3\xa9", "a,b", "{x}", "a:b", "a@b"}) {
    EXPECT_EQ(id_of("X-Request-Id: " + bad + "\r\n"), "") << bad;
  }
}

TEST(ViaNames, finds_a_proxy_in_any_line_and_form) {
  const auto names = [](std::string_view fields) {
    RequestHead head;
    const std::string text = "GET / HTTP/1.1\r\nHost: t\r\n" + std::string(fields) + "\r\n";
    EXPECT_TRUE(parse_request_head(text, HeadLimits(), head));
    return via_names(head, "lmb-1f");
  };
  for (const std::string_view fields :
       {"Via: 1.1 lmb-1f\r\n", "via: 1.0 a, HTTP/1.1\tLMB-1F (a comment), 1.1 b\r\n",
        "Via: 1.1 a\r\nVia: 1.1  lmb-1f\r\n"}) {
    EXPECT_TRUE(names(fields)) << fields;
  }
  for (const std::string_view fields :
       {"", "Via: \r\n", "Via: ,,\r\n", "Via: lmb-1f\r\n", "Via: 1.1 lmb-1f2\r\n",
        "Via: 1.1 lmb\r\n", "Via: 1.1 a (lmb-1f)\r\n", "X-Via: 1.1 lmb-1f\r\n"}) {
    EXPECT_FALSE(names(fields)) << fields;
  }
}

}  // namespace
}  // namespace lmb::protocol
