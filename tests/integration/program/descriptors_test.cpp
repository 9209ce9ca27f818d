// More clients than the system gives descriptors for.
#include <sys/resource.h>

#include <algorithm>
#include <list>

#include "served_fleet.hpp"

namespace lmb::test {
namespace {

constexpr std::uint64_t descriptors_max = 64;
constexpr std::size_t client_count = 100;

double metric_of(RawClient& client, const std::string& name) {
  client.send(get("/metrics"));
  return value_of(client.read_answer().body, name);
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

TEST(Descriptors, when_there_is_none_for_a_worker_the_fault_is_ours_and_not_the_workers) {
  ServedFleet served(100,
                     // A probe that only a busy machine makes late is not what is looked for.
                     R"(, "health": {"interval": "1s", "timeout": "950ms"})"
                     R"(, "timeouts": {"pool_idle": "10ms"})",
                     descriptors_max);
  RawClient first(served.port());
  RawClient watcher(served.port());
  // Ticks come each 50 ms of the program's own time.
  const auto wait_ticks = [&](double count) {
    const std::string ticks = "lmbalancer_loop_lag_seconds_count{shard=\"0\"}";
    const auto later = metric_of(watcher, ticks) + count;
    return eventually([&] { return metric_of(watcher, ticks) >= later; });
  };
  ASSERT_TRUE(wait_ticks(1));
  std::list<RawClient> others;
  for (std::size_t i = 0; i < client_count; ++i) others.emplace_back(served.port());
  // What a probe or an idle connection gives back the acceptor takes, until nothing is left.
  const auto body = chat(false);
  ASSERT_TRUE(eventually([&] {
    first.send(post("/v1/chat/completions", body));
    const auto answer = first.read_answer();
    if (answer.body.find("\"internal\"") != std::string::npos) return answer.status == 500;
    EXPECT_EQ(answer.status, 200U) << answer.body;
    return !wait_ticks(4);
  }));
  ASSERT_TRUE(wait_ticks(50)) << "several probes were due";
  watcher.send(get("/metrics"));
  const auto page = "\n" + watcher.read_answer().body;
  for (const std::string zero :
       {R"(lmbalancer_probes_total{result="failed",worker="w1"})",
        R"(lmbalancer_worker_health_transitions_total{to="down",worker="w1"})"}) {
    EXPECT_NE(page.find("\n" + zero + " 0\n"), std::string::npos) << zero;
  }
  EXPECT_NE(page.find("\nlmbalancer_worker_up{worker=\"w1\"} 1\n"), std::string::npos);
  const std::string failures = "\nlmbalancer_attempt_failures_total{";
  ASSERT_NE(page.find(failures), std::string::npos);
  for (auto at = page.find(failures); at != std::string::npos; at = page.find(failures, at + 1)) {
    const auto line = page.substr(at + 1, page.find('\n', at + 1) - at - 1);
    EXPECT_TRUE(line.ends_with(" 0")) << line;
  }
  others.clear();
  EXPECT_TRUE(eventually([&] {
    RawClient late(served.port());
    late.send(post("/v1/chat/completions", body));
    return late.read_answer().status == 200;
  }));
}

TEST(Descriptors, as_many_are_asked_for_as_the_connections_need) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  constexpr rlim_t low = 512;
  constexpr rlim_t needed = 2 * 1000 + 256;
  if (before.rlim_max < needed) GTEST_SKIP() << "this system does not allow so many";
  const rlimit lowered{low, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  ServedFleet served(100, R"(, "limits": {"connections": 1000})");
  ::setrlimit(RLIMIT_NOFILE, &before);
  RawClient client(served.port());
  EXPECT_EQ(metric_of(client, "process_max_fds"), static_cast<double>(needed));
}

}  // namespace
}  // namespace lmb::test
