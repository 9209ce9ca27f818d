// Heads that make two servers disagree on where a request ends or for whom it is, over real
// sockets: one refusal, the end of the connection, and nothing behind it is ever read as a request
// (RFC 9112 section 11.2).
#include <vector>

#include "framing_fixture.hpp"

namespace lmb::test {
namespace {

using namespace std::string_literals;

class FramingHeads : public FramingFixture {};

/// All of them differ in what follows the colon of Content-Length, or in how often it is there.
TEST_F(FramingHeads, with_ambiguous_lengths_are_refused) {
  std::vector<HostileRequest> requests;
  // RFC 9110 section 8.6: a list of equal lengths may be refused; RFC 9112 section 6.3: any other
  // invalid one must be.
  for (const char* value : {"5, 5",
                            "5, 6",
                            "5,",
                            ",5",
                            ",",
                            "+5",
                            "-1",
                            "-0",
                            "0x5",
                            "5x",
                            "5 5",
                            "1e3",
                            "5.0",
                            "\"5\"",
                            "",
                            "\x0b"
                            "5",
                            "5\x0c",
                            "18446744073709551616",
                            "99999999999999999999",
                            "18446744073709551621"}) {
    requests.push_back(hostile_fields(value, std::string("Content-Length: ") + value));
  }
  for (const char* fields :
       {"Content-Length: 5\r\nContent-Length: 6", "Content-Length: 6\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\ncontent-LENGTH: 5",
        "Content-Length: 0\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length:",
        "Content-Length:\r\n 5", "Content-Length: 5\r\n 6", "Content-Length : 5",
        "Content-Length\t: 5", " Content-Length: 5", "X: 1\r\n Content-Length: 5"}) {
    requests.push_back(hostile_fields(fields, fields));
  }
  expect_all_refused(requests);
}

/// RFC 9112 sections 6.1 and 6.3.
TEST_F(FramingHeads, with_a_length_and_a_coding_are_refused) {
  std::vector<HostileRequest> requests;
  for (const char* coding : {"chunked", "Chunked", "gzip, chunked", "identity", "xchunked", ""}) {
    for (const char* length : {"0", "5", "500"}) {
      const auto te = std::string("Transfer-Encoding: ") + coding;
      const auto cl = std::string("Content-Length: ") + length;
      requests.push_back(hostile_fields(cl + " first, " + te, cl + "\r\n" + te));
      requests.push_back(hostile_fields(te + " first, " + cl, te + "\r\nX: 1\r\n" + cl));
    }
  }
  expect_all_refused(requests);
}

TEST_F(FramingHeads, with_codings_in_disguise_are_refused) {
  std::vector<HostileRequest> requests;
  for (const char* value : {"chunked, chunked",
                            "chunked, gzip",
                            "chunked, identity",
                            "chunked,",
                            ",chunked",
                            "gzip",
                            "identity",
                            "xchunked",
                            "chunkedx",
                            "\"chunked\"",
                            "'chunked'",
                            "chunked;q=1",
                            "chunked;",
                            "chunked chunked",
                            "gzip chunked",
                            "",
                            ",",
                            "\x0b"
                            "chunked",
                            "\x0c"
                            "chunked",
                            "\xa0"
                            "chunked",
                            "chunked\x0b",
                            "chunked\x01",
                            "chunked\x7f",
                            "c\xc5\xab"
                            "nked"}) {
    requests.push_back(hostile_fields(value, std::string("Transfer-Encoding: ") + value));
  }
  for (const char* fields :
       {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked", "Transfer-Encoding\x0b: chunked",
        "Transfer Encoding: chunked", " Transfer-Encoding: chunked",
        "Transfer-Encoding:\r\n chunked", "Transfer-Encoding:\r\n\tchunked",
        "Transfer-Encoding: gzip,\r\n chunked", "X: y\r\n Transfer-Encoding: chunked"}) {
    requests.push_back(hostile_fields(fields, fields));
  }
  requests.push_back({"in HTTP/1.0",
                      "POST /v1/chat/completions HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\n"});
  // Well formed, and its end would be known, but not understood (RFC 9112 section 6.1).
  for (const char* value :
       {"gzip, chunked", "identity, chunked", "gzip;q=1 , Chunked", "br, deflate, chunked"}) {
    auto request = hostile_fields(value, std::string("Transfer-Encoding: ") + value);
    request.kind = "unsupported_transfer_coding";
    request.status = 501;
    requests.push_back(request);
  }
  expect_all_refused(requests);
}

/// RFC 9112 sections 2.2, 5.1 and 5.2.
TEST_F(FramingHeads, with_broken_field_lines_are_refused) {
  std::vector<HostileRequest> requests;
  for (const std::string& fields : {"NoColon"s,
                                    ": no name"s,
                                    "In Side: x"s,
                                    "X : y"s,
                                    "X\t: y"s,
                                    "X(: y"s,
                                    "X\x80: y"s,
                                    "X\0: y"s,
                                    "X: a\0b"s,
                                    "X: a\rb"s,
                                    "X: a\r\rb"s,
                                    "\rX: a"s,
                                    "X\r: a"s,
                                    "X: a\x01"s,
                                    "X: a\x1b[31m"s,
                                    "X: a\x7f"s,
                                    "X: a\r\n b"s,
                                    "X: a\r\n\tb"s,
                                    "X:\r\n \r\nY: z"s,
                                    "X: 1\nContent-Length: 5"s,
                                    "X: 1\n\nGET /healthz HTTP/1.1"s,
                                    "X: 1\n\r\n"s}) {
    requests.push_back(hostile_fields(fields, fields));
  }
  requests.push_back({"LF alone", "GET /healthz HTTP/1.1\nHost: t\n\n"});
  requests.push_back({"LF after the first line", "GET /healthz HTTP/1.1\nHost: t\r\n\r\n"});
  requests.push_back({"LF at the end", "GET /healthz HTTP/1.1\r\nHost: t\r\n\n"});
  requests.push_back({"LF before it", "\nGET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"});
  requests.push_back({"CR alone", "GET /healthz HTTP/1.1\rHost: t\r\r\n\r\n"});
  requests.push_back({"CR before it", "\rGET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"});
  requests.push_back({"a folded first line", "GET /healthz HTTP/1.1\r\n Host: t\r\n\r\n"});
  requests.push_back({"a folded target", "GET\r\n /healthz HTTP/1.1\r\nHost: t\r\n\r\n"});
  expect_all_refused(requests);
}

/// RFC 9110 section 9.3.2.
TEST_F(FramingHeads, of_refused_head_requests_are_answered_without_a_body) {
  const std::string host = " HTTP/1.1\r\nHost: t\r\n";
  expect_all_refused({
      {"two hosts", "HEAD /healthz" + host + "Host: t\r\n\r\n"},
      {"a bad target", "HEAD /a#b" + host + "\r\n"},
      {"a bare LF", "HEAD /healthz HTTP/1.1\nHost: t\r\n\r\n"},
      {"a long target", "HEAD /" + std::string(9000, 'a') + host + "\r\n", "target_too_long", 414},
      {"a large head", "HEAD /healthz" + host + "X: " + std::string(20'000, 'a') + "\r\n\r\n",
       "head_too_large", 431},
  });
}

/// RFC 9112 section 3.
TEST_F(FramingHeads, with_broken_first_lines_are_refused) {
  std::vector<HostileRequest> requests;
  for (const std::string& line : {""s,
                                  "GET"s,
                                  "GET /healthz"s,
                                  "GET /healthz "s,
                                  "GET  HTTP/1.1"s,
                                  "GET HTTP/1.1"s,
                                  " GET /healthz HTTP/1.1"s,
                                  "GET\t/healthz HTTP/1.1"s,
                                  "GET  /healthz HTTP/1.1"s,
                                  "GET /healthz  HTTP/1.1"s,
                                  "GET /healthz HTTP/1.1 "s,
                                  "GET /a b HTTP/1.1"s,
                                  "GET /a#b HTTP/1.1"s,
                                  "GET /a\x01 HTTP/1.1"s,
                                  "GET /a\x7f HTTP/1.1"s,
                                  "GET /a\x80 HTTP/1.1"s,
                                  "GET /\xc3\xa9 HTTP/1.1"s,
                                  "GET /a\0b HTTP/1.1"s,
                                  "GET /a\tb HTTP/1.1"s,
                                  "GET /a\rb HTTP/1.1"s,
                                  "POST * HTTP/1.1"s,
                                  "GET * HTTP/1.1"s,
                                  "GET t:80 HTTP/1.1"s,
                                  "GET healthz HTTP/1.1"s,
                                  "GET ?x HTTP/1.1"s,
                                  "GET https://t/healthz HTTP/1.1"s,
                                  "GET http:///healthz HTTP/1.1"s,
                                  "GET http://u@t/healthz HTTP/1.1"s,
                                  "GET http://t:99999/healthz HTTP/1.1"s,
                                  "CONNECT t:443 HTTP/1.1"s,
                                  "CONNECT /healthz HTTP/1.1"s,
                                  "TRACE * HTTP/1.1"s,
                                  "PRI * HTTP/1.1"s,
                                  "G ET /healthz HTTP/1.1"s,
                                  "G@T /healthz HTTP/1.1"s,
                                  "G\x80T /healthz HTTP/1.1"s,
                                  "G\0T /healthz HTTP/1.1"s,
                                  "\"GET\" /healthz HTTP/1.1"s,
                                  "GET /healthz http/1.1"s,
                                  "GET /healthz HTTP/1,1"s,
                                  "GET /healthz HTTP/11"s,
                                  "GET /healthz HTTP/1.1x"s,
                                  "GET /healthz HTTP/1.10"s,
                                  "GET /healthz HTTP/01.1"s,
                                  "GET /healthz HTTPS/1.1"s,
                                  "GET /healthz HTTP /1.1"s,
                                  "GET /healthz HTTP/1.1 HTTP/1.1"s,
                                  "GET /healthz ICY/1.1"s}) {
    requests.push_back(hostile_line(line, line));
  }
  // Without a version and with no field it is HTTP/0.9.
  requests.push_back({"HTTP/0.9", "GET /healthz\r\n\r\n"});
  expect_all_refused(requests);
}

/// RFC 9110 section 15.6.6.
TEST_F(FramingHeads, of_other_versions_are_answered_with_505) {
  std::vector<HostileRequest> requests;
  for (const char* version : {"0.9", "1.2", "1.9", "2.0", "3.0", "9.9"}) {
    requests.push_back(hostile_line(version, std::string("GET /healthz HTTP/") + version));
  }
  requests.push_back({"the preface of HTTP/2 (RFC 9113 section 3.4)",
                      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"s});
  for (auto& each : requests) {
    each.kind = "unsupported_version";
    each.status = 505;
  }
  expect_all_refused(requests);
}

/// RFC 9112 section 3.2.
TEST_F(FramingHeads, with_no_or_bad_hosts_are_refused) {
  std::vector<HostileRequest> requests;
  for (const char* fields :
       {"", "Host: t\r\nHost: t\r\n", "Host: t\r\nhOST: u\r\n", "Host: t u\r\n", "Host: t,u\r\n",
        "Host: u@t\r\n", "Host: t/u\r\n", "Host: http://t\r\n", "Host: t:99999\r\n",
        "Host: t:x\r\n", "Host: t:1:2\r\n", "Host: [::1\r\n", "Host: ::1\r\n", "Host: t#\r\n",
        "Host: t%zz\r\n", "Host: t\xff\r\n", "Host : t\r\n", "Host_: t\r\n"}) {
    for (const char* target : {"/healthz", "http://t/healthz"}) {
      requests.push_back({std::string(fields) + target,
                          std::string("GET ") + target + " HTTP/1.1\r\n" + fields + "\r\n"});
    }
  }
  requests.push_back({"two in HTTP/1.0", "GET /healthz HTTP/1.0\r\nHost: t\r\nHost: u\r\n\r\n"});
  expect_all_refused(requests);
}

}  // namespace
}  // namespace lmb::test
