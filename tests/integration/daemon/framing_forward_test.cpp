// What is allowed reaches the worker as one request in our own framing, whatever form it came in.
#include <algorithm>
#include <vector>

#include "framing_fixture.hpp"

namespace lmb::test {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::size_t count_of(const http::Request& request, const std::string& name) {
  return static_cast<std::size_t>(
      std::count_if(request.fields.begin(), request.fields.end(),
                    [&](const auto& field) { return lower(field.first) == name; }));
}

const std::string counted = "Content-Length: " + std::to_string(chat(false).size()) + "\r\n";

std::string in_chunks(const std::string& fields, const std::string& last) {
  const auto body = chat(false);
  std::string chunks;
  for (const char byte : body.substr(1)) chunks += std::string("01;x=\"y\"\r\n") + byte + "\r\n";
  return chat_head(fields + "Transfer-Encoding: Chunked\r\n") + "000000000000001\r\n" +
         body.front() + "\r\n" + chunks + last;
}

struct Allowed {
  std::string name;
  std::string bytes;
  std::string body = chat(false);  ///< As the worker must see it.
};

std::vector<Allowed> allowed_forms() {
  const auto body = chat(false);
  const auto odd_body = body.substr(0, body.size() - 1) + ",\"user\":\"0\"}\r\n\r\n \n";
  const auto length = std::to_string(body.size());
  const auto line = [&](const std::string& target, const std::string& fields) {
    return "POST " + target + " HTTP/1.1\r\n" + fields + counted + "\r\n" + body;
  };
  const auto fields = [&](const std::string& text) { return chat_head(text) + body; };
  return {
      {"plain", fields(counted)},
      // RFC 9110 section 5.5: white space around a value is none of it.
      {"white space around", fields("Content-Length: \t " + length + " \t\r\n")},
      {"no white space", fields("Content-Length:" + length + "\r\n")},
      {"zeros before", fields("content-LENGTH: 000000000000000000000" + length + "\r\n")},
      {"chunks", in_chunks("", "0\r\n\r\n")},
      {"a last chunk of many digits", in_chunks("", "0000000000000000;a=b\r\n\r\n")},
      {"trailers", in_chunks("TE: trailers\r\nTrailer: X-T, Content-Length\r\n",
                             "0\r\nX-T: 1\r\nContent-Length: 3\r\nHost: evil\r\n"
                             "Transfer-Encoding: gzip\r\nAuthorization: Bearer evil\r\n\r\n")},
      {"invited, but sent at once", in_chunks("Expect: 100-continue\r\n", "0\r\n\r\n")},
      // RFC 9112 section 2.2.
      {"empty lines before", "\r\n\r\n" + fields(counted)},
      // RFC 9112 section 3.2.2.
      {"an absolute form", line("http://other:99/v1/chat/completions", "Host: t\r\n")},
      {"a scheme in capitals", line("HTTP://other/v1/chat/completions", "Host: t\r\n")},
      {"an empty Host", line("/v1/chat/completions", "Host:\r\n")},
      {"an IPv6 Host", line("/v1/chat/completions", "host: [::1]:8080\r\n")},
      {"HTTP/1.0, kept", "POST /v1/chat/completions HTTP/1.0\r\nConnection: keep-alive\r\n" +
                             counted + "\r\n" + body},
      {"opaque bytes", fields("X-Opaque: \xff\xfe \x80\r\n" + counted)},
      {"names that resemble", fields("Content_Length: 3\r\nTransfer_Encoding: chunked\r\n"
                                     "TRANSFER_encoding: gzip\r\nContent-Length_: 7\r\n" +
                                     counted)},
      {"a body with empty lines", post(chat_route, odd_body), odd_body},
  };
}

class FramingForward : public FramingFixture {
 protected:
  /// One line, one Host, one length, one key: all our own.
  void expect_own_framing(const http::Request& seen) {
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.target, chat_route);
    EXPECT_TRUE(seen.http_1_1);
    EXPECT_EQ(seen.field("host"), "127.0.0.1:" + std::to_string(worker().port()));
    EXPECT_EQ(seen.field("content-length"), std::to_string(seen.body.size()));
    EXPECT_EQ(seen.field("authorization"), "Bearer sk-worker");
    EXPECT_EQ(seen.field("x-forwarded-for"), "127.0.0.1");
    for (const char* once :
         {"host", "content-length", "authorization", "x-forwarded-for", "x-request-id", "via"}) {
      EXPECT_EQ(count_of(seen, once), 1U) << once;
    }
    for (const char* never :
         {"transfer-encoding", "te", "trailer", "connection", "keep-alive", "upgrade", "expect",
          "http2-settings", "proxy-connection", "proxy-authorization", "proxy-authenticate",
          "proxy-authentication-info", "content_length", "transfer_encoding"}) {
      EXPECT_EQ(count_of(seen, never), 0U) << never;
    }
  }
};

TEST_F(FramingForward, gives_each_allowed_form_to_the_worker_as_one_counted_request) {
  for (const auto& each : allowed_forms()) {
    SCOPED_TRACE(each.name);
    const auto seen = expect_forwarded(each.name, each.bytes);
    expect_own_framing(seen);
    EXPECT_EQ(seen.body, each.body);
    EXPECT_EQ(count_of(seen, "x-t"), 0U) << "trailers end here";
  }
}

/// RFC 9110 sections 7.6.1 and 7.8; RFC 9113 section 3.1 has done away with h2c.
TEST_F(FramingForward, never_passes_an_upgrade_on) {
  for (const std::string fields :
       {"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n",
        "Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nConnection: upgrade\r\n", "Upgrade: h2c\r\n",
        "UPGRADE: TLS/1.0, HTTP/2.0\r\nconnection: uPGRADE\r\n",
        "Connection: keep-alive\r\nHTTP2_Settings: x\r\nUpgrade: h2c\r\n"}) {
    SCOPED_TRACE(fields);
    const auto seen = expect_forwarded(fields, chat_head(fields + counted) + chat(false));
    expect_own_framing(seen);
    EXPECT_EQ(seen.body, chat(false));
    EXPECT_EQ(count_of(seen, "http2_settings"), 0U);
  }
}

TEST_F(FramingForward, takes_away_every_name_that_connection_lists) {
  for (const std::string connection :
       {"Connection: X-Hop\r\n", "connection: keep-alive, x-hop\r\n", "Connection: ,,X-HOP,,\r\n",
        "Connection: x-one\r\nX-Kept: 1\r\nCONNECTION: x-hop\r\n", "Connection:\tx-hop\t,\tTE\r\n",
        "Connection: x_hop\r\n"}) {
    SCOPED_TRACE(connection);
    const auto seen = expect_forwarded(
        connection, chat_head("X-Hop: 1\r\nx-HOP: 2\r\nX-Hopper: 3\r\nTE: trailers\r\n"
                              "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n" +
                              connection + counted) +
                        chat(false));
    expect_own_framing(seen);
    EXPECT_EQ(count_of(seen, "x-hop"), 0U);
    EXPECT_EQ(seen.field("x-hopper"), "3");
    EXPECT_EQ(seen.body, chat(false));
  }
}

/// A client cannot take away by that list what we say ourselves.
TEST_F(FramingForward, keeps_its_own_fields_whatever_connection_lists) {
  const std::string listed =
      "Content-Length, Host, Content-Type, Authorization, Transfer-Encoding, Via, X-Forwarded-For, "
      "X-Request-Id, Connection, Keep-Alive, X-Api-Key, Expect";
  for (const std::string& list : {listed, lower(listed)}) {
    const auto seen = expect_forwarded(
        list, chat_head("Connection: " + list +
                        "\r\nContent-Type: application/json\r\nVia: 1.1 before\r\n"
                        "Authorization: Bearer sk-client\r\nX-Forwarded-For: 1.2.3.4\r\n"
                        "X-Request-Id: mine-" +
                        std::to_string(worker().asked()) + "\r\n" + counted) +
                  chat(false));
    expect_own_framing(seen);
    EXPECT_EQ(seen.body, chat(false));
    EXPECT_EQ(count_of(seen, "content-type"), 0U) << "RFC 9110 section 7.6.1 leaves no choice";
    EXPECT_TRUE(seen.field("via").starts_with("1.1 lmbalancer")) << seen.field("via");
    EXPECT_TRUE(seen.field("x-request-id").starts_with("mine-"));
  }
}

}  // namespace
}  // namespace lmb::test
