// A client's session, step by step, on a loop that the test turns.
#include "lmb/proxy/front.hpp"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

#include "turned_loop.hpp"

namespace lmb::proxy {
namespace {

net::Task<LocalAnswer> answer_never(net::Bell& never) {
  co_await never.wait();
  co_return LocalAnswer();
}

net::Task<LocalAnswer> answer_at_once() {
  co_return LocalAnswer(200, "text/plain", "well");
}

class FrontTest : public ::testing::Test {
 protected:
  FrontTest() {
    manual_clock::reset();
    ::close(::mkstemp(log_path.data()));
    scheduling::WorkerSpec worker;
    worker.name = "w0";
    dispatch::Dispatcher::Setup setup;
    setup.fleet.push_back(worker);
    setup.shards = {shard.context().get_executor()};
    dispatcher = std::make_unique<dispatch::Dispatcher>(setup);
    shared = std::make_unique<Shared>(ProxyOptions(), *dispatcher, metrics);
    shared->local = [](const LocalRequest&) { return answer_at_once(); };
    auto log = telemetry::AccessLog::open(log_path, {"w0"});
    front = std::make_unique<Front>(shard, *shared, std::move(*log), 1);
  }
  ~FrontTest() override {
    shard.sessions().drop();
    ::unlink(log_path.c_str());
  }

  /// A client with a session of its own.
  test::Peer connect() {
    test::tcp::acceptor acceptor(peers, test::loopback());
    test::tcp::socket ours(shard.context());
    ours.connect(acceptor.local_endpoint());
    test::Peer client(acceptor.accept());
    front->serve(std::move(ours));
    return client;
  }
  bool until(const std::function<bool()>& done) { return test::run_until(shard.context(), done); }
  /// One handler: here the session that reads what has come, and waits again.
  bool read_once() {
    shard.context().restart();
    return shard.context().run_one_for(std::chrono::seconds(10)) == 1;
  }
  std::string log() {
    front->access_log().flush();
    std::ifstream file(log_path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool counted(const std::string& series) {
    return metrics.render().find("\n" + series + "\n") != std::string::npos;
  }

  static constexpr const char* request = "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n";
  std::string log_path = ::testing::TempDir() + "lmbalancer-front-XXXXXX";
  std::string escaped;
  test::asio::io_context peers{1};
  telemetry::Metrics metrics{{"w0"}, {"/healthz"}, {}};
  net::Bell never;
  net::Shard shard{0, [this](const char* what) { escaped = what; }};
  std::unique_ptr<dispatch::Dispatcher> dispatcher;
  std::unique_ptr<Shared> shared;
  std::unique_ptr<Front> front;
};

TEST_F(FrontTest, an_empty_line_before_a_request_may_be_cut_anywhere) {
  const std::string lines = "\r\n\r\n";
  for (std::size_t cut = 1; cut <= lines.size(); ++cut) {
    auto client = connect();
    client.send(lines.substr(0, cut));
    ASSERT_TRUE(read_once()) << cut;
    client.send(lines.substr(cut) + request);
    ASSERT_TRUE(until([&] { return client.has_bytes(); })) << cut;
    EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 200 ")) << cut;
  }
}

TEST_F(FrontTest, a_session_that_is_dropped_leaves_its_record) {
  shared->local = [this](const LocalRequest&) { return answer_never(never); };
  auto client = connect();
  client.send(request);
  ASSERT_TRUE(until([&] { return !front->running().empty(); }));
  EXPECT_EQ(log(), "");
  shard.sessions().stop(net::StopLevel::now);
  EXPECT_EQ(shard.sessions().drop(), 1U);
  const auto line = log();
  EXPECT_NE(line.find(R"("route":"/healthz")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("status":0,"error":"shutting_down")"), std::string::npos) << line;
  EXPECT_TRUE(counted(R"(lmbalancer_errors_total{kind="shutting_down"} 1)")) << metrics.render();
  EXPECT_TRUE(front->running().empty());
}

TEST_F(FrontTest, a_session_that_ends_by_an_exception_leaves_its_record) {
  shared->local = [](const LocalRequest&) -> net::Task<LocalAnswer> {
    throw std::runtime_error("broken");
  };
  auto client = connect();
  client.send(request);
  ASSERT_TRUE(until([&] { return !escaped.empty(); }));
  EXPECT_EQ(escaped, "broken");
  const auto line = log();
  EXPECT_NE(line.find(R"("status":0,"error":"internal")"), std::string::npos) << line;
  EXPECT_TRUE(counted(R"(lmbalancer_errors_total{kind="internal"} 1)")) << metrics.render();
  EXPECT_TRUE(client.at_end());
}

TEST_F(FrontTest, a_request_that_ends_well_leaves_one_record) {
  auto client = connect();
  client.send(request);
  ASSERT_TRUE(until([&] { return client.has_bytes(); }));
  const auto line = log();
  EXPECT_EQ(test::count_of(line, "\n"), 1U) << line;
  EXPECT_NE(line.find(R"("status":200,"error":null)"), std::string::npos) << line;
}

TEST_F(FrontTest, a_tls_client_of_the_plain_port_is_told_and_logged_once) {
  testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    auto client = connect();
    client.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
    ASSERT_TRUE(until([&] { return client.has_bytes(); }));
    const auto head = client.read_head();
    EXPECT_TRUE(head.starts_with("HTTP/1.1 400 ")) << head;
    EXPECT_NE(client.read_available().find("this port speaks plain HTTP: use http://"),
              std::string::npos);
  }
  const auto told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(test::count_of(told, "speaks TLS to a plain port"), 1U) << told;
}

}  // namespace
}  // namespace lmb::proxy
