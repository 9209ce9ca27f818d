// Bodies whose end is in doubt, over real sockets: refused, the connection ended, and nothing
// behind them is ever read as a request (RFC 9112 sections 6 to 8).
#include <array>
#include <vector>

#include "framing_fixture.hpp"

namespace lmb::test {
namespace {

using namespace std::string_literals;

class FramingBodies : public FramingFixture {
 protected:
  void expect_chunks_refused(const std::vector<std::string>& bodies) {
    std::vector<HostileRequest> requests;
    for (const auto& each : bodies) requests.push_back(hostile_chunks(each.substr(0, 100), each));
    expect_all_refused(requests);
  }
};

/// What a chunk's data is followed by when all is well.
const std::string rest = "\r\nhello\r\n0\r\n\r\n";

TEST_F(FramingBodies, with_bad_chunk_sizes_are_refused) {
  std::vector<std::string> bodies;
  for (const std::string& size : {"g"s,
                                  "-5"s,
                                  "+5"s,
                                  "0x5"s,
                                  " 5"s,
                                  "5 "s,
                                  "\t5"s,
                                  "5\t"s,
                                  "5,"s,
                                  "5 ;x"s,
                                  "5h"s,
                                  "\"5\""s,
                                  "00000000000000005"s,
                                  "10000000000000005"s,
                                  "fffffffffffffffff"s,
                                  ""s,
                                  ";x"s,
                                  "5\0"s,
                                  "\0005"s,
                                  "5_0"s,
                                  "\xef\xbc\x95"s}) {
    bodies.push_back(size + rest);
    // Behind a good chunk another path reads it.
    bodies.push_back("1\r\nx\r\n" + size + rest);
  }
  for (const char* whole : {"\r\n5\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
                            "5\rhello\r\n0\r\n\r\n", "5\r\r\nhello\r\n0\r\n\r\n",
                            "5\n\nhello\r\n0\r\n\r\n", "1\r\nx\r\n5\nhello\r\n0\r\n\r\n"}) {
    bodies.emplace_back(whole);
  }
  expect_chunks_refused(bodies);
}

/// RFC 9112 section 7.1.1.
TEST_F(FramingBodies, with_bad_chunk_extensions_are_refused) {
  std::vector<std::string> bodies;
  for (const std::string& extension : {";"s,           ";;a"s,    ";a="s,
                                       ";=b"s,         ";a b"s,   ";a "s,
                                       ";a=b "s,       ";a=\"b"s, ";a=\"b\"c"s,
                                       ";a,b"s,        ";a\x01"s, ";a=\x1b"s,
                                       ";a=\"\x7f\""s, ";a\0"s,   ";a=\"\0\""s,
                                       ";a\n"s,        ";a\nb"s,  ";a\rb"s,
                                       ";a=\"\r\n\""s, ";a\r"s,   ";" + std::string(4096, 'e')}) {
    bodies.push_back("5" + extension + rest);
    bodies.push_back("5" + rest.substr(0, 9) + "0" + extension + "\r\n\r\n");
  }
  // Each line within its limit, all together beyond theirs.
  std::string many;
  for (int i = 0; i < 5; ++i) many += "1;" + std::string(4000, 'e') + "\r\nx\r\n";
  bodies.push_back(many + "0\r\n\r\n");
  expect_chunks_refused(bodies);
}

TEST_F(FramingBodies, whose_chunks_do_not_end_where_they_say_are_refused) {
  expect_chunks_refused({"5\r\nhello!\r\n0\r\n\r\n", "5\r\nhell\r\n0\r\n\r\n",
                         "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5\r\nhello0\r\n\r\n",
                         "5\r\nhello\r\r\n0\r\n\r\n", "5\r\nhello\r\n\r\n0\r\n\r\n",
                         "5\r\nhello\r\n 0\r\n\r\n", "5\r\nhello\n\n0\r\n\r\n", "0\n\n", "0\r\n\n",
                         "0\r\r\n\r\n", "0\r\n\r\r\n", "0\r\n\rx", "5\r\nhello\r\n0\n\r\n"});
}

/// RFC 9112 section 7.1.2.
TEST_F(FramingBodies, with_bad_trailers_are_refused) {
  std::vector<std::string> bodies;
  for (const std::string& trailer :
       {"NoColon"s, ": v"s, "A : v"s, "A\t: v"s, "A B: v"s, " A: v"s, "A: v\r\n folded"s,
        "A: v\r\n\tfolded"s, "A: \0"s, "A: \x01"s, "A: \x7f"s, "A\0: v"s, "A: v\n"s, "A: v\rB: w"s,
        "GET /healthz HTTP/1.1"s, "A:" + std::string(4096, 't')}) {
    bodies.push_back("0\r\n" + trailer + "\r\n\r\n");
  }
  std::string many;
  for (int i = 0; i < 5; ++i) many += "A:" + std::string(4000, 't') + "\r\n";
  bodies.push_back("0\r\n" + many + "\r\n");
  expect_chunks_refused(bodies);
}

TEST_F(FramingBodies, cut_by_their_client_are_not_answered) {
  const auto chunked = chat_head("Transfer-Encoding: chunked\r\n");
  for (const char* body : {"", "5", "5\r\n", "5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0",
                           "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0\r\nA: b\r\n"}) {
    expect_unanswered(body, chunked + body, chat_route);
  }
  const auto body = chat(false);
  for (const std::size_t missing : {body.size(), std::size_t{1}}) {
    const auto whole = post(chat_route, body);
    expect_unanswered("counted", whole.substr(0, whole.size() - missing), chat_route);
  }
  expect_unanswered("a head", "GET /healthz HTTP/1.1\r\nHost: t\r\n", "unknown");
}

TEST_F(FramingBodies, larger_than_they_may_be_are_refused_before_they_come) {
  const auto refuse = [this](const std::string& name, const std::string& bytes) {
    SCOPED_TRACE(name);
    if (HasFailure()) return;
    RawClient client(daemon().port());
    client.send(bytes);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 413U);
    ASSERT_TRUE(client.at_end());
    expect_line(answer, "body_too_large", "PR");
    EXPECT_TRUE(counts_become({name, bytes, "body_too_large", 413, chat_route}, 1));
    EXPECT_EQ(worker().asked(), 0);
  };
  for (const char* length : {"67108865", "18446744073709551615"}) {
    refuse(length, chat_head(std::string("Content-Length: ") + length + "\r\n"));
  }
  for (const char* size : {"4000001", "ffffffffffffffff", "7fffffffffffffff"}) {
    refuse(size, chat_head("Transfer-Encoding: chunked\r\n") + size + "\r\nx");
  }
}

/// RFC 9110 section 10.1.1: the invitation to send a body promises nothing for it.
TEST_F(FramingBodies, that_were_invited_are_held_to_the_same_rules) {
  const std::string expect = "Expect: 100-continue\r\n";
  RawClient client(daemon().port());
  client.send(chat_head(expect + "Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(client.read_answer().status, 100U);
  client.send("zz\r\n" + get("/v1/models"));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 400U);
  EXPECT_TRUE(client.at_end());
  expect_line(answer, "bad_chunk", "PR");
  EXPECT_TRUE(counts_become(hostile_chunks("", "zz\r\n"), 1));
  // Nobody is invited by a head that is refused.
  expect_refused(
      hostile_fields("both", expect + "Content-Length: 5\r\nTransfer-Encoding: chunked"));
}

struct RefusedCall {
  std::string line;
  std::string kind;
  unsigned status;
  std::string route;
};

/// Well framed, but not served: without a body the connection goes on, and with one it ends, as
/// nobody reads that.
TEST_F(FramingBodies, of_requests_that_are_not_served_are_not_read_as_requests) {
  const std::vector<RefusedCall> calls{
      {"TRACE /healthz", "method_not_allowed", 405, "/healthz"},
      {"TRACE /v1/chat/completions", "method_not_allowed", 405, chat_route},
      {"OPTIONS /v1/chat/completions", "method_not_allowed", 405, chat_route},
      {"DELETE /v1/models", "method_not_allowed", 405, "/v1/models"},
      // Methods are told apart by case (RFC 9110 section 9.1).
      {"get /healthz", "method_not_allowed", 405, "/healthz"},
      {"post /v1/chat/completions", "method_not_allowed", 405, chat_route},
      {std::string(1000, 'M') + " /healthz", "method_not_allowed", 405, "/healthz"},
      {"OPTIONS *", "unknown_route", 404, "unknown"},
      {"OPTIONS http://t", "unknown_route", 404, "unknown"},
      {"TRACE /", "unknown_route", 404, "unknown"},
      {"GET http://t/smuggled", "unknown_route", 404, "unknown"},
      {"POST /api/v1/models/load", "not_proxied", 403, "/api/v1/models/load"},
  };
  const std::array<std::string, 3> bodies{
      "", "Content-Length: " + std::to_string(get("/smuggled").size()) + "\r\n",
      "Transfer-Encoding: chunked\r\n"};
  for (const auto& call : calls) {
    for (const auto& framing : bodies) {
      SCOPED_TRACE(call.line + " " + framing);
      RawClient client(daemon().port());
      const auto head = call.line + " HTTP/1.1\r\nHost: t\r\n" + framing + "\r\n";
      client.send(head + (framing.empty() ? get("/healthz") : get("/smuggled")));
      const auto answer = client.read_answer();
      ASSERT_EQ(answer.status, call.status) << answer.body;
      expect_line(answer, call.kind, "PR");
      if (framing.empty()) {
        const auto next = client.read_answer();
        EXPECT_EQ(next.body, R"({"status":"ok"})");
        expect_line(next, "", "--");
      } else {
        ASSERT_TRUE(client.at_end()) << "something follows, or the connection stays";
      }
      EXPECT_TRUE(counts_become({"", "", call.kind, call.status, call.route}, 1));
    }
  }
  EXPECT_EQ(worker().asked(), 0);
}

}  // namespace
}  // namespace lmb::test
