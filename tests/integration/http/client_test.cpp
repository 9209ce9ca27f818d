#include "lmb/http/client.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "lmb/http/server.hpp"
#include "loop.hpp"

namespace lmb::http {
namespace {

using namespace test;
using asio::awaitable;

/// A peer that sends fixed bytes to whoever connects, then closes, or stays silent.
awaitable<void> play(tcp::acceptor& acceptor, std::string bytes, bool stay) {
  auto [ec, socket] = co_await acceptor.async_accept(as_result);
  if (ec) co_return;
  char space[4096];
  const auto buffer = asio::buffer(space);
  co_await socket.async_read_some(buffer, as_result);
  const auto out = asio::buffer(bytes);
  co_await asio::async_write(socket, out, as_result);
  if (stay) co_await socket.async_read_some(buffer, as_result);
}

class ClientTest : public ::testing::Test {
 protected:
  Result<FetchedAnswer> fetch_from(std::string bytes, bool stay = false,
                                   FetchRequest request = FetchRequest("GET", "/", "h")) {
    asio::co_spawn(context_, play(acceptor_, std::move(bytes), stay), [](std::exception_ptr) {});
    return run(context_, fetch(acceptor_.local_endpoint(), std::move(request)));
  }
  static FetchRequest quick(Duration timeout) {
    FetchRequest request("GET", "/", "h");
    request.timeout = timeout;
    return request;
  }

  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_, loopback()};
};

TEST_F(ClientTest, sends_everything_and_reads_the_whole_answer) {
  std::string seen;
  Server server(context_.get_executor(), ServerOptions(), [&](Exchange& e) -> awaitable<void> {
    seen = e.request().method + " " + e.request().target + " " +
           std::string(e.request().field("x-a")) + " " + std::string(e.request().field("host")) +
           " " + std::string(e.request().field("connection")) + " " + e.request().body;
    co_await e.respond(404, "application/json", "{}");
  });
  const auto endpoint = server.listen(loopback()).value();
  FetchRequest request("POST", "/p?q", "mac:1234");
  request.fields.emplace_back("X-A", "1");
  request.body = "body";
  const auto answer = run(context_, fetch(endpoint, std::move(request))).value();
  EXPECT_EQ(seen, "POST /p?q 1 mac:1234 close body");
  EXPECT_EQ(answer.status, 404u);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body, "{}");
}

TEST_F(ClientTest, takes_every_kind_of_framing) {
  EXPECT_EQ(fetch_from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").value().body, "ok");
  EXPECT_EQ(fetch_from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
                .value()
                .body,
            "ok");
  EXPECT_EQ(fetch_from("HTTP/1.0 200 OK\r\n\r\nuntil the end").value().body, "until the end");
  EXPECT_EQ(
      fetch_from("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n").value().status,
      204u);
  FetchRequest head("HEAD", "/", "h");
  EXPECT_EQ(fetch_from("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", true, head).value().status,
            200u);
}

TEST_F(ClientTest, tells_a_broken_answer_from_an_early_end) {
  EXPECT_EQ(fetch_from("").error().kind(), ErrorKind::worker_closed);
  EXPECT_EQ(fetch_from("HTTP/1.1 200 OK\r\nContent-Len").error().kind(), ErrorKind::worker_closed);
  EXPECT_EQ(fetch_from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").error().kind(),
            ErrorKind::worker_closed);
  EXPECT_EQ(fetch_from("SSH-2.0-OpenSSH\r\n\r\n").error().kind(), ErrorKind::bad_response);
  EXPECT_EQ(
      fetch_from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").error().kind(),
      ErrorKind::bad_response);
}

TEST_F(ClientTest, refuses_an_answer_above_its_limit) {
  FetchRequest request("GET", "/", "h");
  request.body_bytes_max = 4;
  EXPECT_EQ(fetch_from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", false, request)
                .error()
                .kind(),
            ErrorKind::bad_response);
}

TEST_F(ClientTest, ends_at_its_deadline) {
  EXPECT_EQ(fetch_from("", true, quick(std::chrono::milliseconds(30))).error().kind(),
            ErrorKind::request_timeout);
  EXPECT_EQ(fetch_from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true,
                       quick(std::chrono::milliseconds(30)))
                .error()
                .kind(),
            ErrorKind::request_timeout);
}

TEST_F(ClientTest, tells_a_refused_connection) {
  const auto endpoint = acceptor_.local_endpoint();
  acceptor_.close();
  FetchRequest request("GET", "/", "h");
  EXPECT_EQ(run(context_, fetch(endpoint, std::move(request))).error().kind(),
            ErrorKind::connect_failed);
}

TEST_F(ClientTest, ends_when_cancelled) {
  asio::co_spawn(context_, play(acceptor_, "", true), [](std::exception_ptr) {});
  asio::cancellation_signal signal;
  std::optional<Result<FetchedAnswer>> out;
  FetchRequest request("GET", "/", "h");
  asio::co_spawn(context_, fetch(acceptor_.local_endpoint(), std::move(request)),
                 asio::bind_cancellation_slot(
                     signal.slot(), [&](std::exception_ptr, Result<FetchedAnswer> answer) {
                       out = std::move(answer);
                     }));
  run_until(context_, [turns = 0]() mutable { return ++turns > 5; });
  EXPECT_FALSE(out.has_value());
  signal.emit(asio::cancellation_type::terminal);
  ASSERT_TRUE(run_until(context_, [&] { return out.has_value(); }));
  EXPECT_EQ(out->error().kind(), ErrorKind::request_timeout);
}

}  // namespace
}  // namespace lmb::http
