#include "lmb/http/server.hpp"

#include <gtest/gtest.h>

#include "lmb/net/timer.hpp"
#include "loop.hpp"

namespace lmb::http {
namespace {

using namespace test;
using asio::awaitable;

awaitable<void> echo(Exchange& exchange) {
  std::string body =
      exchange.request().method + " " + exchange.request().target + " " + exchange.request().body;
  co_await exchange.respond(200, "text/plain", std::move(body));
}

awaitable<void> count_to_three(Exchange& exchange) {
  co_await exchange.begin_stream(200, "text/event-stream");
  for (int i = 1; i <= 3; ++i) {
    std::string event = "data: " + std::to_string(i) + "\n\n";
    co_await exchange.write(std::move(event));
  }
  co_await exchange.finish();
}

/// A server on its own loop, on a port of the kernel's choice.
class ServerTest : public ::testing::Test {
 protected:
  void start(Server::Handler handler, ServerOptions options = ServerOptions()) {
    server_ =
        std::make_unique<Server>(context_.get_executor(), std::move(options), std::move(handler));
    endpoint_ = server_->listen(loopback()).value();
  }
  RawClient client() { return RawClient(context_, endpoint_); }
  std::string ask(const std::string& bytes) {
    RawClient c = client();
    c.send(bytes);
    return c.receive_all();
  }

  asio::io_context context_{1};
  std::unique_ptr<Server> server_;
  tcp::endpoint endpoint_;
};

TEST_F(ServerTest, tells_of_an_exception_that_leaves_a_handler_and_goes_on) {
  std::vector<std::string> told;
  ServerOptions options;
  options.on_escape = [&](const char* what) { told.emplace_back(what); };
  start(
      [](Exchange& exchange) -> awaitable<void> {
        if (exchange.request().target == "/bad") throw std::runtime_error("not expected");
        co_await exchange.respond(200, "text/plain", "fine");
      },
      options);
  EXPECT_TRUE(ask("GET /bad HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(told, std::vector<std::string>{"not expected"});
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").ends_with("fine"));
}

TEST_F(ServerTest, answers_and_keeps_the_connection) {
  start(echo);
  RawClient c = client();
  c.send("POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  std::string text = c.receive_until([](auto& t) { return t.ends_with("hello"); });
  EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\n")) << text;
  EXPECT_NE(text.find("\r\nKeep-Alive: timeout=5\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\r\nConnection: keep-alive\r\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\n\r\nPOST /a?x=1 hello")) << text;
  c.forget();
  c.send("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  text = c.receive_until([](auto& t) { return t.ends_with("GET /b "); });
  EXPECT_TRUE(text.ends_with("GET /b ")) << text;
  EXPECT_EQ(server_->connections_accepted(), 1u);
}

TEST_F(ServerTest, answers_pipelined_requests_in_order) {
  start(echo);
  const std::string text = ask(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok"
      "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto first = text.find("GET /1 ");
  const auto second = text.find("POST /2 ok");
  const auto third = text.find("GET /3 ");
  ASSERT_NE(third, std::string::npos) << text;
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST_F(ServerTest, answers_what_a_client_sent_before_it_closed_its_side) {
  start(echo);
  RawClient c = client();
  c.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  c.socket().shutdown(tcp::socket::shutdown_send);
  const std::string text = c.receive_all();
  EXPECT_EQ(count_of(text, "HTTP/1.1 200 OK"), 2u) << text;
}

TEST_F(ServerTest, streams_in_chunks_and_goes_on) {
  start(count_to_three);
  RawClient c = client();
  c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::string text = c.receive_until([](auto& t) { return t.ends_with("0\r\n\r\n"); });
  EXPECT_NE(text.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(text.find("9\r\ndata: 2\n\n\r\n9\r\ndata: 3\n\n\r\n0\r\n\r\n"), std::string::npos)
      << text;
  c.forget();
  c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  text = c.receive_until([](auto& t) { return t.ends_with("0\r\n\r\n"); });
  EXPECT_EQ(count_of(text, "data: "), 3u);
}

TEST_F(ServerTest, streams_until_close_to_http_1_0) {
  start(count_to_three);
  const std::string text = ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(text.find("chunked"), std::string::npos);
  EXPECT_NE(text.find("\r\nConnection: close\r\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\n\r\ndata: 1\n\ndata: 2\n\ndata: 3\n\n")) << text;
}

TEST_F(ServerTest, answers_head_without_a_body) {
  start(echo);
  const std::string text = ask("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(text.find("\r\nContent-Length: 8\r\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, asks_for_the_body_when_the_client_waits) {
  start(echo);
  RawClient c = client();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  const std::string interim = c.receive_until([](auto& t) { return t.ends_with("\r\n\r\n"); });
  EXPECT_EQ(interim, "HTTP/1.1 100 Continue\r\n\r\n");
  c.send("ok");
  const std::string text = c.receive_until([](auto& t) { return t.ends_with("POST / ok"); });
  EXPECT_TRUE(text.ends_with("POST / ok"));
}

TEST_F(ServerTest, decodes_a_chunked_body) {
  start(echo);
  const std::string text =
      ask("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
          "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(text.ends_with("POST / abcde")) << text;
}

TEST_F(ServerTest, refuses_what_breaks_the_rules) {
  ServerOptions options;
  options.body_bytes_max = 10;
  options.head_bytes_max = 1024;
  int handled = 0;
  start(
      [&](Exchange& e) {
        ++handled;
        return echo(e);
      },
      options);
  const std::string long_field(2000, 'x');
  EXPECT_TRUE(ask("garbage\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));  // No Host.
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nHost: h\r\nX: " + long_field + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n12345678901")
                  .starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
                  .starts_with("HTTP/1.1 400 "));
  for (const char* const framing :
       {"Transfer-Encoding: xchunked", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Content-Length: 3\r\nContent-Length: 3"}) {
    const std::string request = "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(framing) +
                                "\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
    EXPECT_TRUE(ask(request).starts_with("HTTP/1.1 400 ")) << framing;
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(ServerTest, a_large_refused_body_does_not_lose_the_answer) {
  ServerOptions options;
  options.body_bytes_max = 10;
  start(echo, options);
  const std::string body(400'000, 'x');
  const std::string text = ask(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\nConnection: close\r\n\r\n" + body);
  EXPECT_TRUE(text.starts_with("HTTP/1.1 413 ")) << text;
}

TEST_F(ServerTest, closes_an_idle_connection_and_answers_408_to_a_slow_head) {
  ServerOptions options;
  options.idle_timeout = std::chrono::milliseconds(30);
  options.head_timeout = std::chrono::milliseconds(60);
  start(echo, options);
  RawClient idle = client();
  idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string text = idle.receive_all();
  EXPECT_TRUE(text.ends_with("GET / ")) << text;
  EXPECT_EQ(idle.error(), asio::error::eof);
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nHo").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(run_until(context_, [&] { return server_->connections() == 0; }));
}

TEST_F(ServerTest, a_waiting_handler_learns_at_once_that_its_client_left) {
  bool told = false;
  bool ended = false;
  start([&](Exchange& exchange) -> awaitable<void> {
    net::Timer never(exchange.executor());
    never.expires_at(TimePoint::max());
    exchange.on_disconnect([&] {
      told = true;
      never.cancel();
    });
    co_await exchange.begin_stream(200, "text/event-stream");
    co_await never.async_wait(as_result);
    ended = exchange.disconnected();
  });
  {
    RawClient c = client();
    c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    c.receive_until([](auto& t) { return t.ends_with("\r\n\r\n"); });
    EXPECT_FALSE(told);
  }
  EXPECT_TRUE(run_until(context_, [&] { return ended && server_->connections() == 0; }));
  EXPECT_TRUE(told);
}

TEST_F(ServerTest, bytes_read_ahead_do_not_hide_that_the_client_left) {
  bool ended = false;
  start([&](Exchange& exchange) -> awaitable<void> {
    net::Timer never(exchange.executor());
    never.expires_at(TimePoint::max());
    exchange.on_disconnect([&] { never.cancel(); });
    co_await never.async_wait(as_result);
    ended = true;
  });
  {
    RawClient c = client();
    c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n");
    run_until(context_, [&] { return server_->connections() == 1; });
  }
  EXPECT_TRUE(run_until(context_, [&] { return ended && server_->connections() == 0; }));
}

TEST_F(ServerTest, a_handler_that_fails_or_forgets_is_answered_for) {
  start([](Exchange& exchange) -> awaitable<void> {
    if (exchange.request().target == "/throw") throw std::runtime_error("x");
    if (exchange.request().target == "/half") {
      co_await exchange.begin_stream(200, "text/plain");
      co_await exchange.write("half");
    }
  });
  EXPECT_TRUE(ask("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(ask("GET /silent HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                  .starts_with("HTTP/1.1 500 "));
  const std::string half = ask("GET /half HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(half.ends_with("4\r\nhalf\r\n")) << half;  // Cut: no last chunk.
}

TEST_F(ServerTest, cuts_by_close_or_reset_as_told) {
  start([](Exchange& exchange) -> awaitable<void> {
    const bool reset = exchange.request().target == "/reset";
    co_await exchange.begin_stream(200, "text/plain");
    exchange.abort(reset ? Cut::reset : Cut::close);
    EXPECT_FALSE(co_await exchange.write("late"));
  });
  RawClient closed = client();
  closed.send("GET /close HTTP/1.1\r\nHost: h\r\n\r\n");
  closed.receive_all();
  EXPECT_EQ(closed.error(), asio::error::eof);
  RawClient reset = client();
  reset.send("GET /reset HTTP/1.1\r\nHost: h\r\n\r\n");
  reset.receive_all();
  EXPECT_EQ(reset.error(), asio::error::connection_reset);
}

TEST_F(ServerTest, cuts_a_client_that_takes_nothing) {
  ServerOptions options;
  options.write_timeout = std::chrono::milliseconds(50);
  bool sent = true;
  start(
      [&](Exchange& exchange) -> awaitable<void> {
        std::string body(32 * 1024 * 1024, 'x');
        sent = co_await exchange.respond(200, "text/plain", std::move(body));
      },
      options);
  RawClient c = client();
  c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(run_until(context_, [&] { return !sent && server_->connections() == 0; }));
}

TEST_F(ServerTest, stop_ends_every_session_and_refuses_new_ones) {
  int ended = 0;
  start([&](Exchange& exchange) -> awaitable<void> {
    net::Timer never(exchange.executor());
    never.expires_at(TimePoint::max());
    exchange.on_disconnect([&] { never.cancel(); });
    co_await never.async_wait(as_result);
    ++ended;
  });
  RawClient busy = client();
  busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  RawClient idle = client();
  EXPECT_TRUE(run_until(context_, [&] { return server_->connections() == 2; }));
  run_until(context_, [&, turns = 0]() mutable { return ++turns > 5; });  // Lets `busy` be read.
  server_->stop();
  bool stopped = false;
  asio::co_spawn(context_, server_->wait_stopped(), [&](std::exception_ptr) { stopped = true; });
  EXPECT_TRUE(run_until(context_, [&] { return stopped; }));
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(server_->connections(), 0u);
  tcp::socket late(context_);
  boost::system::error_code ec;
  late.connect(endpoint_, ec);
  EXPECT_EQ(ec, asio::error::connection_refused);
  EXPECT_EQ(server_->listen(endpoint_).value(), endpoint_);  // And may start again.
}

TEST_F(ServerTest, dies_quietly_with_its_loop_in_the_middle_of_everything) {
  {
    asio::io_context context(1);
    auto server = std::make_unique<Server>(context.get_executor(), ServerOptions(),
                                           [](Exchange& exchange) -> awaitable<void> {
                                             net::Timer never(exchange.executor());
                                             never.expires_at(TimePoint::max());
                                             co_await never.async_wait(as_result);
                                           });
    const auto endpoint = server->listen(loopback()).value();
    RawClient c(context, endpoint);
    c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    run_until(context, [&] { return server->connections() == 1; });
    server.reset();
  }
}

TEST_F(ServerTest, tells_why_it_cannot_listen) {
  start(echo);
  asio::io_context other(1);
  Server second(other.get_executor(), ServerOptions(), echo);
  const auto result = second.listen(endpoint_);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().cause(), asio::error::address_in_use);
}

}  // namespace
}  // namespace lmb::http
