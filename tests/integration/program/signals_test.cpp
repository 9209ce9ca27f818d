// What the program does when it is told to end, and when it is told something else.
#ifdef __linux__
#include <sys/ptrace.h>
#include <sys/wait.h>
#endif

#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <vector>

#include "served_fleet.hpp"

namespace lmb::test {
namespace {

using boost::asio::ip::tcp;

constexpr const char* route = "/v1/chat/completions";

TEST(Signals, hup_usr1_and_pipe_never_end_it) {
  ServedFleet served(100);
  for (int round = 0; round < 5; ++round) {
    for (const int number : {SIGHUP, SIGUSR1, SIGPIPE}) served.program().signal(number);
    EXPECT_EQ(served.get_once("/healthz").status, 200U);
  }
  EXPECT_TRUE(eventually(
      [&] { return served.program().output().find("config reloaded") != std::string::npos; }));
  RawClient client(served.port());
  client.send(post(route, chat(true)));
  EXPECT_TRUE(client.read_answer().complete);
  EXPECT_TRUE(served.program().running());
}

TEST(Signals, hup_reads_the_config_again_and_loses_nothing) {
  ServedFleet served(5);
  sim::Fleet other(sim::FleetOptions::alike(1, sim::WorkerOptions()));
  ASSERT_TRUE(other.start().has_value());
  RawClient streaming(served.port());
  streaming.send(post(route, chat(true, 200)));
  streaming.read_some(1);
  served.fleet().with(0, [](sim::Worker& it) { it.wedge(true); });
  served.program().rewrite_config(R"({"workers": [{"nam": "x"}]})");
  served.program().signal(SIGHUP);
  EXPECT_TRUE(eventually(
      [&] { return served.program().output().find("config not reloaded") != std::string::npos; }));
  EXPECT_NE(served.program().output().find("workers[0].nam: unknown key"), std::string::npos)
      << served.program().output();
  served.program().rewrite_config(R"({"listen": "127.0.0.1:0", "threads": 1, )"
                                  R"("admin": {"listen": "127.0.0.1:0"}, "workers": [)"
                                  R"({"name": "w2", "url": ")" +
                                  other.url(0) + "\"}]}");
  served.program().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] {
    RawClient client(served.port());
    client.send(post(route, chat(false)));
    return client.read_answer().fields["x-lmb-worker"] == "w2";
  }));
  served.fleet().with(0, [](sim::Worker& it) { it.wedge(false); });
  const auto answer = streaming.read_answer();
  EXPECT_TRUE(answer.complete) << "the stream of the worker that left was cut";
  EXPECT_NE(answer.body.find("[DONE]"), std::string::npos);
  EXPECT_NE(served.program().output().find("config reloaded; added w2; removed w1"),
            std::string::npos)
      << served.program().output();
  served.program().signal(SIGTERM);
  EXPECT_EQ(served.program().wait_end(), 0);
  other.stop();
}

TEST(Signals, an_output_that_nobody_reads_does_not_end_it) {
  ServedFleet served(100, R"(, "telemetry": {"access_log": "-", "log_level": "debug"})");
  served.program().close_output();
  RawClient client(served.port());
  // Lines are written when 64 KiB are together: this is more.
  for (int i = 0; i < 500; ++i) {
    client.send(get("/healthz"));
    ASSERT_EQ(client.read_answer().status, 200U) << i;
  }
  served.program().signal(SIGHUP);
  EXPECT_EQ(served.get_once("/readyz").status, 200U);
  served.program().signal(SIGTERM);
  EXPECT_EQ(served.program().wait_end(), 0);
}

TEST(Signals, a_client_that_resets_in_the_middle_of_its_stream_does_not_end_it) {
  ServedFleet served(5);
  for (int i = 0; i < 5; ++i) {
    RawClient client(served.port());
    client.send(post(route, chat(true, 5000)));
    client.read_some(1);
    client.reset();
  }
  RawClient client(served.port());
  client.send(post(route, chat(true)));
  EXPECT_TRUE(client.read_answer().complete);
}

TEST(Signals, term_or_int_ends_an_idle_one_well) {
  for (const int number : {SIGTERM, SIGINT}) {
    ServedFleet served(100);
    RawClient idle(served.port());
    idle.send(get("/healthz"));
    ASSERT_EQ(idle.read_answer().status, 200U);
    served.program().signal(number);
    EXPECT_EQ(served.program().wait_end(), 0) << number;
    EXPECT_TRUE(idle.at_end());
    EXPECT_TRUE(served.refuses());
  }
}

#ifdef __linux__  // Elsewhere 127.0.0.1 is the only loopback address, and no port of it is ours.
TEST(Signals, term_ends_one_well_that_serves_before_it_has_said_so) {
  const auto own = static_cast<unsigned>(::getpid());
  const tcp::endpoint address(boost::asio::ip::address_v4(0x7F010000U | (own & 0xFFFFU)), 18'080);
  std::ostringstream listen;
  listen << address;
  auto program = Program::serving_unheard(
      R"({"admin": {"listen": "127.0.0.1:0"}, "workers": [{"url": "http://127.0.0.1:9"}], )"
      R"("listen": ")" +
      listen.str() + "\"}");
  std::optional<RawClient> client;
  ASSERT_TRUE(eventually([&] {
    try {
      client.emplace(address);
      return true;
    } catch (const boost::system::system_error&) {
      return false;
    }
  }));
  client->send(get("/healthz"));
  ASSERT_EQ(client->read_answer().status, 200U);
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait_end(), 0) << program.output();
  EXPECT_TRUE(client->at_end());
}
#endif

/// The last thing that the program does is not to die of a signal that comes late.
TEST(Signals, that_come_at_the_very_end_do_not_kill_it) {
  for (int round = 0; round < 20; ++round) {
    ServedFleet served(100);
    served.program().signal(SIGTERM);
    // Bounded: what comes faster than it is handled would put the end off for ever.
    for (int i = 0; i < 2'000 && served.program().running(); ++i) {
      for (const int number : {SIGHUP, SIGUSR1}) served.program().signal(number);
    }
    EXPECT_EQ(served.program().wait_end(), 0);
  }
}

TEST(Signals, after_term_running_streams_finish_and_waiting_requests_are_refused) {
  ServedFleet served(2);
  RawClient running(served.port());
  running.send(post(route, chat(true, 250)));
  running.read_some(1);
  RawClient waiting(served.port());
  waiting.send(post(route, chat(true)));
  ASSERT_TRUE(eventually([&] {
    return served.get_once("/metrics").body.find("\nlmbalancer_queue_depth 1\n") !=
           std::string::npos;
  }));
  served.program().signal(SIGTERM);
  const auto refused = waiting.read_answer();
  EXPECT_EQ(refused.status, 503U);
  EXPECT_EQ(refused.fields.at("connection"), "close");
  EXPECT_EQ(refused.fields.count("retry-after"), 1U);
  EXPECT_NE(refused.body.find("\"shutting_down\""), std::string::npos) << refused.body;
  EXPECT_TRUE(waiting.at_end());
  EXPECT_TRUE(served.refuses());
  const auto finished = running.read_answer();
  EXPECT_TRUE(finished.complete);
  EXPECT_TRUE(finished.body.ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(served.program().wait_end(), 0);
}

/// A stream that never ends by itself.
class Stalled : public ::testing::Test {
 protected:
  explicit Stalled(const std::string& grace = "10m")
      : served(100, R"(, "timeouts": {"shutdown_grace": ")" + grace + "\"}") {
    served.fleet().set_fault(0, sim::Fault::stall_mid_stream);
    client.emplace(served.port());
    client->send(post(route, chat(true)));
    client->read_some(300);
    served.program().signal(SIGTERM);
    EXPECT_TRUE(eventually([this] { return served.refuses(); }));
  }
  void expect_cut() {
    const auto answer = client->read_answer();
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body.find("[DONE]"), std::string::npos);
    EXPECT_NE(answer.body.find("\"shutting_down\""), std::string::npos) << answer.body;
    EXPECT_TRUE(client->at_end());
  }
  ServedFleet served;
  std::optional<RawClient> client;
};

class StalledWithShortGrace : public Stalled {
 protected:
  StalledWithShortGrace() : Stalled("300ms") {}
};

class StalledWithLongGrace : public Stalled {
 protected:
  StalledWithLongGrace() = default;
};

TEST_F(StalledWithLongGrace, a_second_signal_ends_at_once) {
  EXPECT_TRUE(served.program().running()) << "the stream may go on for ten minutes";
  served.program().signal(SIGTERM);
  EXPECT_EQ(served.program().wait_end(), 0);
  expect_cut();
  EXPECT_NE(served.program().output().find("second signal"), std::string::npos);
}

TEST_F(StalledWithLongGrace, an_interrupt_from_the_keyboard_is_a_second_signal_too) {
  served.program().signal(SIGINT);
  EXPECT_EQ(served.program().wait_end(), 0);
  expect_cut();
}

TEST_F(StalledWithLongGrace, other_signals_do_not_end_the_drain) {
  for (const int number : {SIGHUP, SIGUSR1, SIGPIPE}) served.program().signal(number);
  EXPECT_TRUE(
      eventually([&] { return served.program().output().find("SIGHUP: ") != std::string::npos; }));
  EXPECT_TRUE(served.program().running());
}

TEST(Signals, hup_and_usr1_do_not_end_simulated_workers) {
  Program simulated({"sim", "--workers", "1", "--port", "0"});
  const auto port = simulated.port();
  for (int round = 0; round < 5; ++round) {
    for (const int number : {SIGHUP, SIGUSR1, SIGPIPE}) simulated.signal(number);
    RawClient client(port);
    client.send(get("/lmstudio-greeting", "Connection: close\r\n"));
    EXPECT_EQ(client.read_answer().status, 200U);
  }
  simulated.signal(SIGTERM);
  EXPECT_EQ(simulated.wait_end(), 0);
}

#ifdef __linux__
/// All threads of a process but its main one, held where they are.
class HeldThreads {
 public:
  explicit HeldThreads(pid_t process) {
    const auto tasks = "/proc/" + std::to_string(process) + "/task";
    for (const auto& entry : std::filesystem::directory_iterator(tasks)) {
      const auto thread = static_cast<pid_t>(std::stoi(entry.path().filename().string()));
      if (thread == process) continue;
      if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) continue;
      threads_.push_back(thread);
      if (::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) continue;
      ::waitpid(thread, nullptr, __WALL);
    }
  }
  HeldThreads(const HeldThreads&) = delete;
  HeldThreads& operator=(const HeldThreads&) = delete;
  [[nodiscard]] bool any() const { return !threads_.empty(); }
  /// All have ended; the process's own end is told only then.
  bool ended() {
    std::erase_if(threads_, [](pid_t thread) {
      int status = 0;
      const auto told = ::waitpid(thread, &status, WNOHANG | __WALL);
      return told < 0 || (told == thread && (WIFEXITED(status) || WIFSIGNALED(status)));
    });
    return threads_.empty();
  }

 private:
  std::vector<pid_t> threads_;
};

TEST(Signals, a_program_whose_threads_are_stuck_ends_all_the_same) {
  ServedFleet served(100);
  HeldThreads held(served.program().process());
  if (!held.any()) GTEST_SKIP() << "this machine does not let a parent hold its child's threads";
  served.program().signal(SIGTERM);
  served.program().signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return held.ended(); }));
  if (held.any()) return;
  EXPECT_EQ(served.program().wait_end(), -SIGALRM);
}
#endif

TEST_F(StalledWithShortGrace, when_the_grace_time_is_over_it_ends_by_itself) {
  EXPECT_EQ(served.program().wait_end(), 0);
  expect_cut();
  EXPECT_NE(served.program().output().find("shutdown_grace is over"), std::string::npos);
}

}  // namespace
}  // namespace lmb::test
