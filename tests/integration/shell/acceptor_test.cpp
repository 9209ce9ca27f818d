#include "lmb/net/acceptor.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <list>
#include <vector>

#include "turned_loop.hpp"

namespace lmb::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using test::tcp;

/// The process may open no further descriptor while this lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    // The lowest free number: below it all are in use.
    const int next = ::fcntl(0, F_DUPFD, 0);
    ::close(next);
    auto none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptors() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

class AcceptorTest : public test::TurnedLoop {
 protected:
  using Accepted = std::pair<std::size_t, tcp::socket>;

  std::unique_ptr<Acceptor> make(std::size_t targets) {
    const std::vector<asio::io_context*> contexts(targets, &shard.context());
    return std::make_unique<Acceptor>(shard.context(), contexts,
                                      [this](std::size_t index, tcp::socket socket) {
                                        accepted.emplace_back(index, std::move(socket));
                                      });
  }
  tcp::socket& connect(const tcp::endpoint& endpoint) {
    clients.emplace_back(peers);
    clients.back().connect(endpoint);
    return clients.back();
  }
  bool until_accepted(std::size_t count) {
    return until([this, count] { return accepted.size() >= count; });
  }
  /// Handlers that run in many turns of the loop: how often anything was tried.
  std::size_t turn_often() {
    std::size_t ran = 0;
    for (int i = 0; i < 500; ++i) ran += turn();
    return ran;
  }

  std::vector<Accepted> accepted;
  std::list<tcp::socket> clients;
};

TEST_F(AcceptorTest, hands_sockets_round_robin) {
  auto acceptor = make(3);
  ASSERT_TRUE(acceptor->listen({{"127.0.0.1", 0}}).has_value());
  acceptor->start();
  for (std::size_t i = 0; i < 7; ++i) {
    connect(acceptor->endpoints()[0]);
    ASSERT_TRUE(until_accepted(i + 1));
    EXPECT_EQ(accepted.back().first, i % 3);
  }
}

TEST_F(AcceptorTest, out_of_descriptors_it_tries_once_in_each_pause_and_then_goes_on) {
  auto acceptor = make(1);
  ASSERT_TRUE(acceptor->listen({{"127.0.0.1", 0}}).has_value());
  acceptor->start();
  connect(acceptor->endpoints()[0]);
  ASSERT_TRUE(until_accepted(1));
  connect(acceptor->endpoints()[0]);
  connect(acceptor->endpoints()[0]);
  {
    const NoDescriptors none;
    ASSERT_TRUE(run_one());
    EXPECT_EQ(turn_often(), 0U) << "it spins";
    EXPECT_EQ(accepted.size(), 1U);
    for (int pause = 0; pause < 20; ++pause) {
      manual_clock::advance(milliseconds(100) - Duration(1));
      EXPECT_EQ(turn_often(), 0U) << "a pause is 100 ms";
      manual_clock::advance(Duration(1));
      EXPECT_EQ(turn_often(), 2U) << "the end of the pause, and one attempt";
    }
    EXPECT_EQ(accepted.size(), 1U);
  }
  EXPECT_EQ(turn_often(), 0U);
  manual_clock::advance(milliseconds(100));
  ASSERT_TRUE(until_accepted(3)) << "those that waited are served when descriptors are free";
  connect(acceptor->endpoints()[0]);
  EXPECT_TRUE(until_accepted(4)) << "and it goes on as before";
}

TEST_F(AcceptorTest, a_pause_of_one_listener_is_not_one_of_the_other) {
  auto acceptor = make(1);
  ASSERT_TRUE(acceptor->listen({{"127.0.0.1", 0}, {"127.0.0.1", 0}}).has_value());
  acceptor->start();
  connect(acceptor->endpoints()[0]);
  {
    const NoDescriptors none;
    ASSERT_TRUE(run_one());
    ASSERT_EQ(accepted.size(), 0U);
  }
  connect(acceptor->endpoints()[1]);
  EXPECT_TRUE(until_accepted(1)) << "the clock stands still: only the second can have accepted";
  EXPECT_EQ(accepted.size(), 1U);
  manual_clock::advance(milliseconds(100));
  EXPECT_TRUE(until_accepted(2));
}

TEST_F(AcceptorTest, can_be_stopped_in_the_middle_of_a_pause) {
  auto acceptor = make(1);
  ASSERT_TRUE(acceptor->listen({{"127.0.0.1", 0}}).has_value());
  acceptor->start();
  connect(acceptor->endpoints()[0]);
  {
    const NoDescriptors none;
    ASSERT_TRUE(run_one());
  }
  acceptor->stop();
  manual_clock::advance(milliseconds(200));
  turn();
  EXPECT_TRUE(accepted.empty());
}

TEST_F(AcceptorTest, refuses_connections_after_a_stop) {
  auto acceptor = make(1);
  ASSERT_TRUE(acceptor->listen({{"127.0.0.1", 0}}).has_value());
  acceptor->start();
  const auto endpoint = acceptor->endpoints()[0];
  acceptor->stop();
  turn();
  tcp::socket late(peers);
  boost::system::error_code ec;
  late.connect(endpoint, ec);
  EXPECT_TRUE(ec == asio::error::connection_refused) << ec.message();
  EXPECT_TRUE(accepted.empty());
}

TEST_F(AcceptorTest, listens_everywhere_or_nowhere) {
  tcp::acceptor taken(peers, test::loopback());
  auto acceptor = make(1);
  const auto port = taken.local_endpoint().port();
  const auto listening = acceptor->listen({{"127.0.0.1", 0}, {"127.0.0.1", port}});
  ASSERT_FALSE(listening.has_value());
  EXPECT_NE(listening.error().detail().find("127.0.0.1:" + std::to_string(port)), std::string::npos)
      << listening.error().detail();
  EXPECT_NE(listening.error().detail().find("choose another port"), std::string::npos);
  EXPECT_TRUE(acceptor->endpoints().empty());
}

TEST_F(AcceptorTest, what_is_no_address_is_told_with_its_name) {
  auto acceptor = make(1);
  const auto listening = acceptor->listen({{"mac-studio.local", 8080}});
  ASSERT_FALSE(listening.has_value());
  EXPECT_NE(listening.error().detail().find("mac-studio.local:8080"), std::string::npos);
}

TEST_F(AcceptorTest, the_unspecified_ipv6_address_alone_serves_both_families) {
  auto acceptor = make(1);
  ASSERT_TRUE(acceptor->listen({{"::", 0}}).has_value());
  acceptor->start();
  const auto port = acceptor->endpoints()[0].port();
  connect({asio::ip::make_address("127.0.0.1"), port});
  ASSERT_TRUE(until_accepted(1));
  connect({asio::ip::make_address("::1"), port});
  EXPECT_TRUE(until_accepted(2));
}

TEST_F(AcceptorTest, both_unspecified_addresses_stand_side_by_side_on_one_port) {
  tcp::acceptor free(peers, test::loopback());
  const auto port = free.local_endpoint().port();
  free.close();
  auto acceptor = make(1);
  ASSERT_TRUE(acceptor->listen({{"0.0.0.0", port}, {"::", port}}).has_value());
  acceptor->start();
  connect({asio::ip::make_address("127.0.0.1"), port});
  ASSERT_TRUE(until_accepted(1));
  EXPECT_TRUE(accepted[0].second.local_endpoint().address().is_v4());
  connect({asio::ip::make_address("::1"), port});
  ASSERT_TRUE(until_accepted(2));
  EXPECT_TRUE(accepted[1].second.local_endpoint().address().is_v6());
}

}  // namespace
}  // namespace lmb::net
