#pragma once

#include <optional>
#include <string>
#include <utility>

#include "front_fixture.hpp"

namespace lmb::test {

/// A front with the times of docs/configuration.md as they are by default, and what tells that one
/// of them has acted.
class TimesFixture : public FrontFixture {
 protected:
  static constexpr Duration moment{1};

  /// A client of which the kernel keeps so many bytes, or a few times as many, that it has not
  /// read; `kept_here`: of them on our side, if not as many.
  Peer connect_narrow(int bytes = 4096, int kept_here = 0) {
    tcp::acceptor acceptor(peers, tcp::v4());
    acceptor.set_option(asio::socket_base::receive_buffer_size(bytes));
    acceptor.bind(loopback());
    acceptor.listen();
    tcp::socket ours(shard.context(), tcp::v4());
    ours.set_option(asio::socket_base::send_buffer_size(kept_here > 0 ? kept_here : bytes));
    ours.connect(acceptor.local_endpoint());
    Peer client(acceptor.accept());
    front->serve(std::move(ours));
    return client;
  }
  /// The client, which reads nothing, is cut after a minute. The kernel may take some bytes late:
  /// these are progress.
  void expect_stall(Duration passed = {}) {
    turn();
    pass(std::chrono::minutes(1) - passed - moment);
    EXPECT_EQ(connections(), 1U) << "too early";
    pass(moment);
    for (int i = 0; i < 60 && connections() > 0; ++i) pass(std::chrono::seconds(1));
    EXPECT_EQ(connections(), 0U);
    EXPECT_EQ(shared->stream_memory.used(), 0U);
  }
  /// The client of connect_narrow(64 KiB) reads more than the kernel can have kept for it: our side
  /// gets rid of some of what waits.
  bool read_a_part(Peer& client) {
    std::size_t have = 0;
    const bool read = until([&] {
      have += client.read_available().size();
      return have > 280'000;
    });
    turn();
    return read;
  }
  /// One byte more from the client, and our side has taken it.
  void trickle(Peer& client, char byte) {
    client.send({&byte, 1});
    EXPECT_TRUE(run_one());
  }
  /// `limit` passes, and only then `happened` holds.
  template <class Happened>
  void expect_after(Duration limit, const Happened& happened) {
    pass(limit - moment);
    EXPECT_FALSE(happened()) << "too early";
    pass(moment);
    EXPECT_TRUE(happened()) << "not in time";
  }
  [[nodiscard]] bool idle() const { return front->running().empty(); }
  /// The client's next answer has this status; its head and body.
  std::string expect_answer(Peer& client, const std::string& status) {
    EXPECT_TRUE(until([&] { return client.has_bytes(); }));
    auto answer = client.read_head();
    answer += client.read_available();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + status + " ")) << answer;
    return answer;
  }
  /// The only request in the log ended so.
  void expect_line(const std::string& error, const std::string& termination) {
    const auto lines = log();
    EXPECT_EQ(count_of(lines, "\n"), 1U) << lines;
    EXPECT_NE(lines.find("\"error\":\"" + error + "\""), std::string::npos) << lines;
    EXPECT_NE(lines.find("\"termination\":\"" + termination + "\""), std::string::npos) << lines;
  }
  /// The only limit that was hit, once.
  void expect_hit(const std::string& limit) {
    EXPECT_TRUE(counted("lmbalancer_limit_hits_total{limit=\"" + limit + "\"} 1")) << limit;
    const auto page = metrics.render();
    const auto hits = count_of(page, "\nlmbalancer_limit_hits_total{");
    EXPECT_EQ(hits - zero_hits(page), 1U) << "no other limit";
  }
  std::size_t connections() {
    for (std::size_t n = 0; n < 10; ++n) {
      if (counted("lmbalancer_client_connections " + std::to_string(n))) return n;
    }
    return 10;
  }

 private:
  static std::size_t zero_hits(const std::string& page) {
    std::size_t zeros = 0;
    const std::string name = "\nlmbalancer_limit_hits_total{";
    for (auto at = page.find(name); at != std::string::npos; at = page.find(name, at + 1)) {
      const auto end = page.find('\n', at + 1);
      if (page.substr(end - 2, 2) == " 0") ++zeros;
    }
    return zeros;
  }
};

}  // namespace lmb::test
