// More clients than the system gives descriptors for.
#include <algorithm>
#include <list>

#include "served_fleet.hpp"

namespace lmb::test {
namespace {

constexpr std::uint64_t descriptors_max = 64;
constexpr std::size_t client_count = 100;

double metric_of(RawClient& client, const std::string& name) {
  client.send(get("/metrics"));
  const auto page = client.read_answer().body;
  const auto at = page.find("\n" + name + " ");
  EXPECT_NE(at, std::string::npos);
  return at == std::string::npos ? 0 : std::stod(page.substr(at + name.size() + 2));
}

TEST(Descriptors, when_they_are_used_up_clients_wait_and_are_served_when_some_are_free) {
  // Probes need descriptors too; here none is due before the end.
  ServedFleet served(100, R"(, "health": {"interval": "10m", "timeout": "2s"})", descriptors_max);
  RawClient first(served.port());
  first.send(get("/healthz"));
  ASSERT_EQ(first.read_answer().status, 200U);

  std::list<RawClient> others;
  for (std::size_t i = 0; i < client_count; ++i) {
    others.emplace_back(served.port()).send(get("/healthz"));
  }
  // The acceptor and the one shard share a loop: between two scrapes it accepts all it can.
  double accepted = 0;
  ASSERT_TRUE(eventually([&] {
    const auto before = std::exchange(accepted, metric_of(first, "lmbalancer_client_connections"));
    return accepted == before && accepted > 10;
  }));
  EXPECT_LT(accepted, static_cast<double>(descriptors_max));
  for (int i = 0; i < 50; ++i) {
    first.send(get("/readyz"));
    ASSERT_EQ(first.read_answer().status, 200U) << "who is in is served";
  }
  const auto waiting = std::count_if(others.begin(), others.end(),
                                     [](RawClient& client) { return !client.ready(); });
  EXPECT_EQ(static_cast<double>(client_count) + 1 - static_cast<double>(waiting), accepted);

  // One after the other goes home and makes room for the next.
  while (!others.empty()) {
    EXPECT_EQ(others.front().read_answer().status, 200U) << others.size() << " left";
    others.pop_front();
  }
  RawClient late(served.port());
  late.send(post("/v1/chat/completions", chat(true)));
  EXPECT_TRUE(late.read_answer().complete);
  EXPECT_TRUE(served.program().running());
}

}  // namespace
}  // namespace lmb::test
