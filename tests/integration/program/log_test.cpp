// What the operator reads in the log.
#include <unistd.h>

#include <csignal>

#include "served_fleet.hpp"

namespace lmb::test {
namespace {

TEST(Log, tells_when_a_worker_goes_down_and_comes_back) {
  ServedFleet served(100, R"(, "health": {"interval": "50ms", "timeout": "40ms"})");
  const auto says = [&](const std::string& text) {
    return eventually([&] { return served.program().output().find(text) != std::string::npos; });
  };
  EXPECT_TRUE(says("worker w1: starting -> up"));
  served.fleet().set_fault(0, sim::Fault::refuse);
  EXPECT_TRUE(says("-> down")) << served.program().output();
  served.fleet().set_fault(0, sim::Fault::none);
  EXPECT_TRUE(says("worker w1: down -> ")) << served.program().output();
}

TEST(Log, never_holds_keys_or_prompts) {
  ServedFleet served(100, R"(, "telemetry": {"access_log": "-", "log_level": "debug"})");
  RawClient client(served.port());
  auto body = chat(true);
  body.insert(body.find("Hello there"), "very secret prompt ");
  client.send(post("/v1/chat/completions", body,
                   "Authorization: Bearer sk-client-secret\r\nX-Request-Id: seen-in-log\r\n"));
  EXPECT_TRUE(client.read_answer().complete);
  client.send(post("/v1/chat/completions", R"({"model": "very secret prompt)"));
  EXPECT_EQ(client.read_answer().status, 400U);
  EXPECT_TRUE(eventually([&] {
    return served.program().output().find("seen-in-log") != std::string::npos;
  })) << served.program().output();
  served.program().signal(SIGTERM);
  EXPECT_EQ(served.program().wait_end(), 0);
  EXPECT_EQ(served.program().output().find("secret"), std::string::npos)
      << served.program().output();
}

TEST(Log, an_access_log_that_nobody_reads_stops_nobody) {
  ServedFleet served(100, R"(, "telemetry": {"access_log": "-"})");
  RawClient client(served.port());
  const auto dropped = [&] {
    client.send(get("/metrics"));
    return value_of(client.read_answer().body, "lmbalancer_access_log_lines_dropped_total");
  };
  EXPECT_EQ(dropped(), 0);
  // The pipe takes 64 KiB, and 1 MiB is kept: this is more.
  constexpr int burst = 100;
  std::string requests;
  for (int i = 0; i < burst; ++i) requests += get("/healthz");
  for (int sent = 0; sent < 4000; sent += burst) {
    client.send(requests);
    for (int i = 0; i < burst; ++i) ASSERT_EQ(client.read_answer().status, 200U) << sent;
  }
  EXPECT_TRUE(eventually([&] { return dropped() > 0; }));
  client.send(post("/v1/chat/completions", chat(true)));
  EXPECT_TRUE(client.read_answer().complete);
  served.program().signal(SIGTERM);
  EXPECT_EQ(served.program().wait_end(), 0);
  EXPECT_TRUE(served.program().output().ends_with("}\n")) << "what was kept is whole";
}

TEST(Log, an_access_log_on_a_full_disk_stops_nobody) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "this system has no /dev/full";
  ServedFleet served(100, R"(, "telemetry": {"access_log": "/dev/full"})");
  RawClient client(served.port());
  client.send(post("/v1/chat/completions", chat(true)));
  EXPECT_TRUE(client.read_answer().complete);
  EXPECT_TRUE(eventually([&] {
    client.send(get("/metrics"));
    const auto page = client.read_answer().body;
    return page.find("\nlmbalancer_access_log_lines_dropped_total 0\n") == std::string::npos &&
           page.find("{limit=\"limits.access_log_bytes\"} 0\n") == std::string::npos;
  }));
  client.send(post("/v1/chat/completions", chat(true)));
  EXPECT_TRUE(client.read_answer().complete);
  served.program().signal(SIGTERM);
  EXPECT_EQ(served.program().wait_end(), 0);
}

/// Messages of a worker that goes and comes back hold up neither probes nor requests.
void expect_to_go_on(ServedFleet& served) {
  served.fleet().set_fault(0, sim::Fault::refuse);
  EXPECT_TRUE(eventually([&] { return served.get_once("/readyz").status == 503; }));
  served.fleet().set_fault(0, sim::Fault::none);
  EXPECT_TRUE(eventually([&] { return served.get_once("/readyz").status == 200; }));
  RawClient client(served.port());
  client.send(post("/v1/chat/completions", chat(true)));
  EXPECT_TRUE(client.read_answer().complete);
}

TEST(Log, that_is_open_and_that_nobody_reads_stops_nobody) {
  ServedFleet served(100, R"(, "health": {"interval": "50ms", "timeout": "40ms"})");
  const auto dropped = [&] {
    return value_of(served.get_once("/metrics").body, "lmbalancer_log_messages_dropped_total");
  };
  EXPECT_EQ(dropped(), 0);
  // Each is a message of some 60 bytes, and the pipe takes 64 KiB.
  EXPECT_TRUE(eventually([&] {
    for (int i = 0; i < 100; ++i) served.program().signal(SIGHUP);
    return dropped() > 0;
  }));
  expect_to_go_on(served);
  (void)served.program().output();  // Somebody reads again.
  served.program().signal(SIGTERM);
  EXPECT_EQ(served.program().wait_end(), 0);
  EXPECT_NE(served.program().output().find(" warning messages are missing here"),
            std::string::npos);
}

TEST(Log, whose_reader_is_gone_stops_nobody) {
  ServedFleet served(100, R"(, "health": {"interval": "50ms", "timeout": "40ms"})");
  served.program().close_output();
  expect_to_go_on(served);
  served.program().signal(SIGTERM);
  EXPECT_EQ(served.program().wait_end(), 0);
}

}  // namespace
}  // namespace lmb::test
