// A client that leaves, in each phase of its request: the work ends in the loop turn that brings
// the FIN or RST, on a clock that stands still.
#include <optional>
#include <string>
#include <vector>

#include "front_fixture.hpp"

namespace lmb::proxy {
namespace {

using test::Peer;

enum class Leaving { fin, rst };

class CancellationTest : public test::FrontFixture, public ::testing::WithParamInterface<Leaving> {
 protected:
  CancellationTest() { raise(0); }

  /// The client leaves; one turn later nothing of its request is left but what `settles`.
  void leave(Peer& client, const std::string& phase, const std::string& code,
             std::size_t others = 0, std::size_t settles = 0) {
    const auto begun = Clock::now();
    GetParam() == Leaving::fin ? client.close() : client.reset();
    ASSERT_TRUE(run_one());
    turn();
    ASSERT_EQ(front->running().size(), others);
    EXPECT_EQ(Clock::now(), begun);
    const auto fleet = dispatcher->snapshot();
    EXPECT_EQ(fleet.workers[0].in_flight, others);
    EXPECT_EQ(fleet.workers[0].settling, settles);
    EXPECT_EQ(fleet.queued, 0U);
    EXPECT_TRUE(counted("lmbalancer_client_disconnects_total{phase=\"" + phase + "\"} 1"))
        << metrics.render();
    const auto lines = log();
    EXPECT_NE(lines.find("\"termination\":\"" + code + "\""), std::string::npos) << lines;
    EXPECT_NE(lines.find("\"error\":\"client_gone\""), std::string::npos) << lines;
  }
  /// The worker sees in the same turn that nobody wants its answer any more.
  static void expect_cut(std::optional<Peer>& worker) { EXPECT_TRUE(worker && worker->at_end()); }
};

TEST_P(CancellationTest, while_the_body_is_read) {
  auto client = connect();
  const auto request = chat();
  client.send(request.substr(0, request.size() - 10));
  ASSERT_TRUE(until([&] { return !front->running().empty(); }));
  leave(client, "read", "CR");
}

TEST_P(CancellationTest, in_the_queue) {
  auto first = connect();
  first.send(chat());
  auto worker = accept_request();
  auto client = connect();
  client.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().queued == 1; }));
  leave(client, "queue", "CQ", 1);
  EXPECT_FALSE(worker->has_bytes());
}

TEST_P(CancellationTest, while_the_model_is_loaded) {
  raise(0, false);
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  ASSERT_EQ(dispatcher->snapshot().workers[0].loading, "m");
  leave(client, "prefill", "CH", 0, 1);
  expect_cut(worker);
}

TEST_P(CancellationTest, while_it_connects) {
  // A port whose backlog is full answers nothing.
  test::tcp::acceptor full(peers);
  full.open(test::tcp::v4());
  full.bind(test::loopback());
  full.listen(0);
  std::vector<test::tcp::socket> crowd;
  for (int i = 0; i < 4; ++i) {
    auto& each = crowd.emplace_back(peers, test::tcp::v4());
    each.async_connect(full.local_endpoint(), [](const boost::system::error_code&) {});
  }
  front->set_endpoints(WorkerId(0), {full.local_endpoint()});
  auto client = connect();
  client.send(chat());
  ASSERT_TRUE(until([&] { return dispatcher->snapshot().workers[0].in_flight == 1; }));
  turn();
  leave(client, "connect", "CC");
}

TEST_P(CancellationTest, while_the_request_is_sent) {
  auto client = connect();
  // More than a kernel keeps for a worker that reads nothing.
  const auto request = chat(24 * 1024 * 1024);
  std::size_t sent = 0;
  ASSERT_TRUE(until([&] {
    if (sent < request.size()) client.send(request.substr(sent, 16 * 1024));
    sent += 16 * 1024;
    return sent >= request.size();
  }));
  auto worker = accept();
  ASSERT_TRUE(until(
      [&] { return front->running().front().record().phases.open() == telemetry::Phase::send; }));
  turn();
  leave(client, "send", "CS", 0, 1);
}

TEST_P(CancellationTest, while_the_worker_reads_the_prompt) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  leave(client, "prefill", "CH", 0, 1);
  expect_cut(worker);
}

TEST_P(CancellationTest, within_the_answer) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n");
  ASSERT_TRUE(until([&] { return client.has_bytes(); }));
  (void)client.read_available();
  leave(client, "generate", "CD");
  expect_cut(worker);
}

INSTANTIATE_TEST_SUITE_P(Ends, CancellationTest, ::testing::Values(Leaving::fin, Leaving::rst),
                         [](const auto& each) {
                           return each.param == Leaving::fin ? "by_fin" : "by_rst";
                         });

}  // namespace
}  // namespace lmb::proxy
