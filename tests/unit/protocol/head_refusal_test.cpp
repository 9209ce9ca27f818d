#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lmb/protocol/head.hpp"

// Heads that make two HTTP implementations disagree on where a message ends or for whom it is, and
// heads that are plainly broken.
namespace lmb::protocol {
namespace {

struct BadHead {
  std::string_view text;
  ErrorKind kind = ErrorKind::bad_request;
};

void expect_refused(const BadHead& bad) {
  SCOPED_TRACE(bad.text);
  RequestHead head;
  const Result<void> result = parse_request_head(bad.text, HeadLimits{}, head);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(to_string(result.error().kind()), to_string(bad.kind)) << result.error().detail();
  EXPECT_FALSE(result.error().detail().empty());
}

std::string with_line(std::string_view line) {
  return std::string(line) + "\r\nHost: a\r\n\r\n";
}

std::string with_fields(std::string_view fields) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n\r\n";
}

TEST(RequestRefusal, of_broken_request_lines) {
  const BadHead bad[] = {
      {""},
      {"GET"},
      {"GET /"},
      {"GET / "},
      {"GET  / HTTP/1.1"},
      {"GET /  HTTP/1.1"},
      {" GET / HTTP/1.1"},
      {"GET\t/ HTTP/1.1"},
      {"GET / HTTP/1.1 "},
      {"GET / HTTP/1.1\t"},
      {"GET / HTTP/1.1 HTTP/2.0"},
      {"GET / http/1.1"},
      {"GET / HTTP/1,1"},
      {"GET / HTTP/11"},
      {"GET / HTTP/1.10"},
      {"GET / HTTPS/1.1"},
      {"G(T / HTTP/1.1"},
      {"G\x80T / HTTP/1.1"},
      {"GET /\x01 HTTP/1.1"},
      {"GET /\x7f HTTP/1.1"},
      {"GET /a\rb HTTP/1.1"},
      {"\r\nGET / HTTP/1.1"},
      {"PRI * HTTP/2.0", ErrorKind::unsupported_version},
      {"GET / HTTP/2.0", ErrorKind::unsupported_version},
      {"GET / HTTP/3.0", ErrorKind::unsupported_version},
      {"GET / HTTP/1.2", ErrorKind::unsupported_version},
      {"GET / HTTP/0.9", ErrorKind::unsupported_version},
  };
  for (const BadHead& each : bad) {
    expect_refused({with_line(each.text), each.kind});
  }
}

TEST(RequestRefusal, of_targets_that_are_not_ours) {
  for (const std::string_view target : {"v1/models",      "*",
                                        "example.com:80", "https://a/",
                                        "ftp://a/",       "http:/a/",
                                        "http:///x",      "http://",
                                        "http://user@a/", "http://user:pw@a/",
                                        "http://:80/",    "http://a:99999/",
                                        "http://a b/",    "http://[::1/",
                                        "http://[]/",     "http://a:x/",
                                        "http://a%zz/",   "/a#b",
                                        "/\xff",          "?q",
                                        "http://a,b/",    "http://a\\b/"}) {
    expect_refused({with_line("GET " + std::string(target) + " HTTP/1.1")});
  }
  for (const std::string_view line :
       {"CONNECT example.com:443 HTTP/1.1", "CONNECT / HTTP/1.1", "CONNECT * HTTP/1.1",
        "PRI * HTTP/1.1", "POST * HTTP/1.1", "OPTIONS ** HTTP/1.1"}) {
    expect_refused({with_line(line)});
  }
}

TEST(RequestRefusal, of_ambiguous_content_lengths) {
  for (const std::string_view fields : {
           "Content-Length: +1",
           "Content-Length: -1",
           "Content-Length: 0x10",
           "Content-Length: 1 1",
           "Content-Length: 1.0",
           "Content-Length: 1e3",
           "Content-Length:",
           "Content-Length: ,",
           "Content-Length: 5,",
           "Content-Length: ,5",
           "Content-Length: 5, 5",
           "Content-Length: 5, 6",
           "Content-Length: \"5\"",
           "Content-Length: 18446744073709551616",
           "Content-Length: 99999999999999999999999999",
           "Content-Length: 5\r\nContent-Length: 5",
           "Content-Length: 5\r\nContent-Length: 6",
           "content-length: 5\r\nCONTENT-LENGTH: 5",
           "Content-Length: 5\r\n 6",
           "Content-Length : 5",
           "Content-Length\t: 5",
       }) {
    expect_refused({with_fields(fields)});
  }
}

TEST(RequestRefusal, of_ambiguous_transfer_codings) {
  const BadHead bad[] = {
      {"Transfer-Encoding: chunked\r\nContent-Length: 5"},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked"},
      {"Content-Length: 0\r\nTransfer-Encoding: chunked"},
      {"Content-Length: 5\r\nTransfer-Encoding: gzip, chunked"},
      {"Transfer-Encoding: gzip, chunked\r\nContent-Length: 5"},
      {"Content-Length: 5\r\nTransfer-Encoding: identity"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"},
      {"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"},
      {"Transfer-Encoding: chunked, chunked"},
      {"Transfer-Encoding: chunked, gzip"},
      {"Transfer-Encoding: chunked, identity"},
      {"Transfer-Encoding: chunked,"},
      {"Transfer-Encoding: ,chunked"},
      {"Transfer-Encoding: gzip,,chunked"},
      {"Transfer-Encoding:"},
      {"Transfer-Encoding: identity"},
      {"Transfer-Encoding: gzip"},
      {"Transfer-Encoding: xchunked"},
      {"Transfer-Encoding: chunkedx"},
      {"Transfer-Encoding: \"chunked\""},
      {"Transfer-Encoding: chunked;q=1"},
      {"Transfer-Encoding: chunked;q=1, chunked"},
      {"Transfer-Encoding: chunked foo"},
      {"Transfer-Encoding: (x), chunked"},
      {"Transfer-Encoding: \x0b"
       "chunked"},
      {"Transfer-Encoding: chunked\x01"},
      {"Transfer-Encoding : chunked"},
      {"Transfer-Encoding\x0b: chunked"},
      {" Transfer-Encoding: chunked"},
      {"X: y\r\n Transfer-Encoding: chunked"},
      {"Transfer-Encoding:\r\n chunked"},
      {"Transfer-Encoding: gzip, chunked", ErrorKind::unsupported_transfer_coding},
      {"Transfer-Encoding: gzip;q=1 , Chunked", ErrorKind::unsupported_transfer_coding},
      {"Transfer-Encoding: identity, chunked", ErrorKind::unsupported_transfer_coding},
  };
  for (const BadHead& each : bad) {
    expect_refused({with_fields(each.text), each.kind});
  }
  expect_refused({"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"});
  expect_refused({"POST / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"});
}

TEST(RequestRefusal, of_missing_repeated_and_malformed_hosts) {
  expect_refused({"GET / HTTP/1.1\r\n\r\n"});
  expect_refused({"GET http://a/ HTTP/1.1\r\n\r\n"});
  expect_refused({"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"});
  expect_refused({"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"});
  for (const std::string_view host :
       {"a b",     "a,b",  "a, a",   "a/b",      "a@b", "http://a", "a:b", "a:1:2",
        "a:65536", "[::1", "[::1]x", "[::1]x80", "::1", "[",        "[]",  "a\"b",
        "a%",      "a%2",  "a%gg",   "a\xff",    "a?b", "a#b",      "a\\b"}) {
    expect_refused({"GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"});
    expect_refused({"GET http://b/ HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"});
  }
}

TEST(RequestRefusal, of_broken_fields) {
  for (const std::string_view fields : {
           "NoColon",
           ": no name",
           "Space In: name",
           "X : y",
           "X(: y",
           "X\x80: y",
           "X: y\r\n z",
           "X: y\r\n\tz",
           "X:\r\n z",
           "X:\r\n \r\nY: z",
           "X: a\x01"
           "b",
           "X: a\x1f"
           "b",
           "X: a\x08"
           "b",
           "X: a\x7f"
           "b",
           "X: a\x1b"
           "b",
           "X: a\rb",
           "X: a\r\rb",
           "X: a\r",
           "Connection: (",
           "Connection: close close",
       }) {
    expect_refused({with_fields(fields)});
  }
  expect_refused({std::string_view("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 35)});
}

TEST(RequestRefusal, of_expectations_nobody_can_meet) {
  for (const std::string_view value : {"", "101-continue", "100-continue, 100-continue", "x"}) {
    expect_refused({with_fields("Expect: " + std::string(value)), ErrorKind::expectation_failed});
  }
}

TEST(RequestRefusal, of_anything_but_exactly_one_head) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size = 0; size < head.size(); ++size) {
    expect_refused({std::string_view(head).substr(0, size)});
  }
  expect_refused({head + "x"});
  expect_refused({head + head});
}

TEST(RequestRefusal, is_not_needed_for_any_byte_of_an_ordinary_head) {
  // Each single-byte change of a head is either refused or leaves one method, target and framing:
  // nothing may throw, overrun, or produce a view outside the buffer.
  const std::string good =
      "POST /v1/x HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\nContent-Length: 12\r\nX: y\r\n\r\n";
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[at] = static_cast<char>(byte);
      RequestHead head;
      if (!parse_request_head(text, HeadLimits{}, head)) {
        continue;
      }
      ++accepted;
      for (const HeaderField& each : head.fields.all()) {
        ASSERT_GE(each.value.data(), text.data());
        ASSERT_LE(each.value.data() + each.value.size(), text.data() + text.size());
        ASSERT_EQ(each.value.find_first_of("\r\n"), std::string_view::npos) << text;
      }
      ASSERT_EQ(head.target.find_first_of(" \r\n#"), std::string_view::npos) << text;
    }
  }
  EXPECT_GT(accepted, good.size());
  EXPECT_LT(accepted, good.size() * 256 / 2);
}

}  // namespace
}  // namespace lmb::protocol
