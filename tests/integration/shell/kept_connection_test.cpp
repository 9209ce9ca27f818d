// A worker that keeps its connection open, whatever it has said on it: after an answer whose end is
// certain the connection serves the next request, after any other it ends.
#include <string>
#include <vector>

#include "front_fixture.hpp"

namespace lmb::proxy {
namespace {

const std::string json = R"({"choices":[]})";

std::string with_length(const std::string& head) {
  return head + "Content-Length: " + std::to_string(json.size()) + "\r\n\r\n" + json;
}

class KeptConnection : public test::FrontFixture {
 protected:
  KeptConnection() {
    shared->retry.attempts_max = 1;
    raise(0);
  }

  /// A client's request, answered by the worker's bytes; the status that the client is told.
  std::string status_after(test::Peer& client, test::Peer& worker, const std::string& bytes) {
    worker.send(bytes);
    EXPECT_TRUE(until([&] { return client.has_bytes(); })) << bytes;
    return client.read_head().substr(0, 12);
  }
  [[nodiscard]] bool reused(int count) { return connections_are("reused", count); }
  [[nodiscard]] bool connections_are(const std::string& reuse, int count) {
    return metrics.render().find("lmbalancer_connections_total{reuse=\"" + reuse +
                                 "\",worker=\"w0\"} " + std::to_string(count) + "\n") !=
           std::string::npos;
  }
};

TEST_F(KeptConnection, serves_the_next_request_after_an_answer_whose_end_is_certain) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<std::string> answers{
      with_length(ok),
      "HTTP/1.1 100 Continue\r\n\r\n" + with_length(ok),
      "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" +
          with_length(ok),
      ok + "Transfer-Encoding: chunked\r\n\r\n0e\r\n" + json + "\r\n0\r\nX-T: 1\r\n\r\n",
      with_length("HTTP/1.1 400 Bad Request\r\n"),
      with_length("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"),
  };
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  ASSERT_TRUE(worker.has_value());
  int served = 0;
  for (const auto& answer : answers) {
    SCOPED_TRACE(answer);
    const auto status = answer.find(" 400 ") == std::string::npos ? "HTTP/1.1 200" : "HTTP/1.1 400";
    EXPECT_EQ(status_after(client, *worker, answer), status);
    client.read_available();
    EXPECT_TRUE(reused(served)) << metrics.render();
    client.send(chat());
    std::string next;
    ASSERT_TRUE(until([&] {
      next += worker->read_available();
      return next.ends_with("]}");
    })) << next;
    EXPECT_TRUE(reused(++served));
  }
  status_after(client, *worker, with_length(ok));
  EXPECT_TRUE(connections_are("fresh", 1));
}

TEST_F(KeptConnection, ends_after_any_other_answer_though_the_worker_would_go_on) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::string> answers{
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}",
      "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 14\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
      with_length(ok + "Content-Length: 14\r\n"),
      with_length(ok + "Transfer-Encoding: chunked\r\n"),
      with_length(ok + "X : 1\r\n"),
      chunked + "zz\r\n" + json,
      chunked + "0e\r\n" + json + "0\r\n\r\n",
      chunked + "0e \r\n" + json + "\r\n0\r\n\r\n",
  };
  for (const auto& answer : answers) {
    SCOPED_TRACE(answer);
    auto client = connect();
    client.send(chat());
    auto worker = accept_request();
    ASSERT_TRUE(worker.has_value());
    ASSERT_EQ(status_after(client, *worker, answer), "HTTP/1.1 502");
    EXPECT_TRUE(worker->at_end()) << "left open";
    client.read_available();
    client.send(chat());
    auto fresh = accept_request();
    ASSERT_TRUE(fresh.has_value());
    ASSERT_EQ(status_after(client, *fresh, with_length(ok + "Connection: close\r\n")),
              "HTTP/1.1 200");
    EXPECT_TRUE(reused(0));
  }
}

/// Bytes that nobody asked for would be the next request's answer: response splitting.
TEST_F(KeptConnection, ends_when_more_came_than_the_answer) {
  const std::string evil = with_length("HTTP/1.1 200 OK\r\nX-Evil: 1\r\n");
  for (const bool at_once : {true, false}) {
    auto client = connect();
    client.send(chat());
    auto worker = accept_request();
    ASSERT_TRUE(worker.has_value());
    const auto good = with_length("HTTP/1.1 200 OK\r\n");
    EXPECT_EQ(status_after(client, *worker, at_once ? good + evil : good), "HTTP/1.1 200");
    client.read_available();
    if (!at_once) {
      worker->send(evil);
      turn();
    }
    client.send(chat());
    auto next = accept_request();
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(
        status_after(client, *next, "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"),
        "HTTP/1.1 400");
    EXPECT_TRUE(reused(0));
    next->close();
    turn();
  }
}

}  // namespace
}  // namespace lmb::proxy
