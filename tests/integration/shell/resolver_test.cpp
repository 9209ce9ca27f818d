// Look-ups that block, on threads of their own.
#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "integration/shell/turned_loop.hpp"
#include "lmb/net/resolver.hpp"

namespace lmb::test {
namespace {

using net::Endpoints;

/// A name server that is silent until it is told to answer.
struct SilentServer {
  std::promise<void> speak;
  std::shared_future<void> answer = speak.get_future().share();
  std::atomic<int> asked{0};
};

class ResolverTest : public TurnedLoop {
 protected:
  /// Blocks on hosts called "silent", fails on "unknown", finds 127.0.0.9 for all others.
  net::LookUp stub() {
    return [server = silent](const std::string& host, std::uint16_t port) -> Result<Endpoints> {
      ++server->asked;
      if (host == "silent") server->answer.wait();
      if (host == "unknown") return Error(ErrorKind::connect_failed, "cannot resolve unknown");
      return Endpoints{{asio::ip::make_address("127.0.0.9"), port}};
    };
  }

  std::shared_ptr<SilentServer> silent = std::make_shared<SilentServer>();
};

TEST_F(ResolverTest, finds_a_name_and_tells_it_on_its_own_shard) {
  net::Resolver resolver(shard.context().get_executor(), stub());
  Endpoints found;
  std::thread::id where;
  resolver.begin("mac", 1234, [&](const Result<Endpoints>& result) {
    found = result.value();
    where = std::this_thread::get_id();
  });
  EXPECT_TRUE(found.empty()) << "never within the call";
  ASSERT_TRUE(until([&] { return !found.empty(); }));
  EXPECT_EQ(found, (Endpoints{{asio::ip::make_address("127.0.0.9"), 1234}}));
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST_F(ResolverTest, needs_no_look_up_for_an_address) {
  net::Resolver resolver(shard.context().get_executor(), stub());
  Endpoints found;
  const auto note = [&](const Result<Endpoints>& result) {
    found.insert(found.end(), result.value().begin(), result.value().end());
  };
  resolver.begin("192.0.2.7", 1, note);
  resolver.begin("::1", 2, note);
  ASSERT_TRUE(until([&] { return found.size() == 2; }));
  EXPECT_EQ(found[0], (tcp::endpoint{asio::ip::make_address("192.0.2.7"), 1}));
  EXPECT_EQ(found[1], (tcp::endpoint{asio::ip::make_address("::1"), 2}));
  EXPECT_EQ(silent->asked, 0);
}

TEST_F(ResolverTest, a_zone_is_an_interface_of_this_machine) {
#ifdef __APPLE__
  const std::string loopback = "lo0";
#else
  const std::string loopback = "lo";
#endif
  const auto found = net::look_up("fe80::1%" + loopback, 1234);
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_NE(found->front().address().to_v6().scope_id(), 0U);
  const auto missing = net::look_up("fe80::1%nowhere", 1234);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind(), ErrorKind::connect_failed);
  EXPECT_EQ(missing.error().detail(), "this machine has no network interface nowhere");
}

TEST_F(ResolverTest, a_silent_name_server_holds_up_no_other_name) {
  net::Resolver resolver(shard.context().get_executor(), stub());
  int slow = 0;
  int fast = 0;
  resolver.begin("silent", 1, [&](const Result<Endpoints>&) { ++slow; });
  resolver.begin("mac", 1, [&](const Result<Endpoints>&) { ++fast; });
  ASSERT_TRUE(until([&] { return fast == 1; }));
  EXPECT_EQ(slow, 0);
  silent->speak.set_value();
  EXPECT_TRUE(until([&] { return slow == 1; }));
}

TEST_F(ResolverTest, brings_the_reason_of_a_failure) {
  net::Resolver resolver(shard.context().get_executor(), stub());
  std::string why;
  resolver.begin("unknown", 1,
                 [&](const Result<Endpoints>& result) { why = result.error().detail(); });
  ASSERT_TRUE(until([&] { return !why.empty(); }));
  EXPECT_EQ(why, "cannot resolve unknown");
}

TEST_F(ResolverTest, its_end_waits_for_nobody_and_drops_what_comes_later) {
  bool told = false;
  {
    net::Resolver resolver(shard.context().get_executor(), stub());
    resolver.begin("silent", 1, [&](const Result<Endpoints>&) { told = true; });
    resolver.begin("mac", 1, [&](const Result<Endpoints>&) { told = true; });
    ASSERT_TRUE(until([&] { return silent->asked == 2 || told; }));
    told = false;
  }
  silent->speak.set_value();
  turn();
  EXPECT_FALSE(told);
}

TEST_F(ResolverTest, the_system_finds_localhost) {
  const auto found = net::look_up("localhost", 80);
  ASSERT_TRUE(found);
  for (const auto& endpoint : *found) EXPECT_TRUE(endpoint.address().is_loopback()) << endpoint;
  EXPECT_FALSE(found->empty());
}

TEST_F(ResolverTest, the_system_tells_a_name_that_cannot_be) {
  // RFC 6761 section 6.4: never a host.
  const auto found = net::look_up("no-such-host.invalid", 80);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind(), ErrorKind::connect_failed);
  EXPECT_NE(found.error().detail().find("no-such-host.invalid"), std::string::npos);
}

}  // namespace
}  // namespace lmb::test
