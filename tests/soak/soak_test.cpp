// Mixed traffic with random faults from both sides through three simulated workers. When it is over
// nothing is left of it, and every request is accounted for: what the clients counted is what the
// metrics and the access log tell. `scripts/soak MINUTES` runs it for long; the ordinary run is
// short.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "lmb/net/timer.hpp"
#include "soak/clients.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::soak {
namespace {

using namespace std::chrono_literals;
using test::Daemon;
using test::DaemonOptions;
using test::eventually;

constexpr std::size_t worker_count = 3;
constexpr std::size_t client_count = 12;
/// No fault stays longer, so that no request has a reason to.
constexpr auto trouble_max = 1'500ms;

Duration soak_time() {
  const char* const seconds = std::getenv("LMB_SOAK_SECONDS");
  return std::chrono::seconds(seconds == nullptr ? 8 : std::strtol(seconds, nullptr, 10));
}

std::uint64_t soak_seed() {
  const char* const seed = std::getenv("LMB_SOAK_SEED");
  return seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10);
}

/// Of this process, workers and clients included; 0 where it cannot be told.
std::uint64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtoull(line.c_str() + 6, nullptr, 10);
  }
  return 0;
}

void pause_for(Duration time) {
  boost::asio::io_context context;
  net::Timer pause(context);
  pause.expires_after(time);
  pause.wait();
}

/// One of the workers is in some trouble at most times.
class Troubles {
 public:
  Troubles(Daemon& daemon, std::uint64_t seed) : daemon_(daemon), random_(seed) {}

  /// Begins one, waits a while, ends it.
  void next() {
    const auto worker = random_() % worker_count;
    const auto kind = random_() % 20;
    ++count_;
    if (kind == 0) return drain(worker);
    const auto [begin, end] = choose(kind);
    daemon_.fleet().with(worker, begin);
    pause_for(std::chrono::milliseconds(random_() % trouble_max.count()));
    daemon_.fleet().with(worker, end);
    pause_for(std::chrono::milliseconds(random_() % 500));
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  using Step = std::function<void(sim::Worker&)>;

  std::pair<Step, Step> choose(std::uint64_t kind) {
    const Step nothing = [](sim::Worker&) {};
    switch (kind) {
      case 1:
        return {[](sim::Worker& worker) { worker.crash(); }, nothing};
      case 2:
        return {[](sim::Worker& worker) { worker.restart(); }, nothing};
      case 3:
        return {[](sim::Worker& worker) { (void)worker.unload(test::model); }, nothing};
      case 4:
        return {[](sim::Worker& worker) { worker.wedge(true); },
                [](sim::Worker& worker) { worker.wedge(false); }};
      case 5:
        return {[](sim::Worker& worker) { worker.set_slowdown(10); },
                [](sim::Worker& worker) { worker.set_slowdown(1); }};
      default:
        break;
    }
    constexpr std::array kinds{
        sim::Fault::refuse,           sim::Fault::close_before_head, sim::Fault::close_mid_stream,
        sim::Fault::reset_mid_stream, sim::Fault::garbage,           sim::Fault::stall_before_head,
        sim::Fault::stall_mid_stream, sim::Fault::error_400_crash,   sim::Fault::error_in_stream,
        sim::Fault::error_mid_stream, sim::Fault::status_500,        sim::Fault::truncated_json,
        sim::Fault::empty_stream};
    const auto fault = kinds[random_() % kinds.size()];
    // One that stalls stalls for ever: a few requests are enough.
    const bool stalls =
        fault == sim::Fault::stall_before_head || fault == sim::Fault::stall_mid_stream;
    const std::uint32_t times = stalls ? 2 : 0;
    return {[fault, times](sim::Worker& worker) {
              worker.set_fault(fault, sim::FaultScope::generation, times);
            },
            [](sim::Worker& worker) { worker.set_fault(sim::Fault::none); }};
  }

  void drain(std::size_t worker) {
    const auto call = [&](const char* what) {
      test::RawClient operator_(daemon_.admin_port());
      operator_.send("POST /admin/workers/w" + std::to_string(worker + 1) + "/" + what +
                     " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     "Content-Length: 0\r\nConnection: close\r\n\r\n");
      EXPECT_EQ(operator_.read_answer().status, 200U);
    };
    call("drain");
    pause_for(std::chrono::milliseconds(random_() % trouble_max.count()));
    call("undrain");
  }

  Daemon& daemon_;
  std::mt19937_64 random_;
  std::uint64_t count_ = 0;
};

DaemonOptions options_for(const std::string& access_log) {
  DaemonOptions options;
  options.workers = worker_count;
  options.threads = 2;
  options.speed = 20;
  options.adjust_worker = [](sim::WorkerOptions& worker) {
    sim::ModelOptions on_disk;
    on_disk.preset = *sim::find_preset(sim::default_preset);
    on_disk.loaded = false;
    on_disk.load_time = 2s;  // A tenth of a second here.
    worker.models = {on_disk};
    worker.seen_max = 100;
    worker.responses_max = 100;
  };
  options.adjust = [access_log](config::Config& config) {
    // Time runs faster here than in an office: so must everything that measures it.
    config.upstream.probe_interval = 100ms;
    config.scheduling.health.breaker_open = 200ms;
    config.scheduling.health.breaker_open_max = 1s;
    config.scheduling.health.slow_start = 300ms;
    config.scheduling.health.wedge_floor = 1s;
    config.scheduling.abandon_settle_max = 500ms;
    config.scheduling.models.unloadable = 100ms;
    config.scheduling.models.unloadable_max = 500ms;
    config.proxy.timeouts.request = 8s;
    config.telemetry.access_log = access_log;
  };
  return options;
}

/// The sum of all series of `family`, of those whose labels contain `with` only.
std::uint64_t sum_of(const std::string& metrics, const std::string& family,
                     const std::string& with = {}) {
  std::istringstream lines(metrics);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool same = line.starts_with(family + "{") || line.starts_with(family + " ");
    if (!same || line.find(with) == std::string::npos) continue;
    sum += std::stod(line.substr(line.rfind(' ')));
  }
  return static_cast<std::uint64_t>(sum);
}

/// Without what this test asks itself.
std::uint64_t lines_of(const std::string& file) {
  std::ifstream in(file);
  std::uint64_t count = 0;
  for (std::string line; std::getline(in, line);) {
    count += line.find(R"("route":"/metrics")") == std::string::npos ? 1U : 0U;
  }
  return count;
}

/// The worker gives whole answers when all troubles are over. Adds the requests made to `asked`.
bool answers_again(const Daemon& daemon, const std::string& worker, std::uint64_t& asked) {
  return eventually([&] {
    test::RawClient client(daemon.port());
    client.send(test::post("/v1/chat/completions", test::chat(true)));
    const auto answer = client.read_answer();
    ++asked;
    const auto from = answer.fields.find("x-lmb-worker");
    return answer.status == 200 && answer.complete && from != answer.fields.end() &&
           from->second == worker;
  });
}

TEST(Soak, mixed_traffic_with_faults_from_both_sides_leaves_nothing_and_loses_nothing) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("lmbalancer-soak-" + std::to_string(::getpid()) + ".log");
  const auto end = Clock::now() + soak_time();
  std::uint64_t first_kib = 0;
  std::uint64_t told = 0;
  std::uint64_t asked = 0;
  Clients* clients = nullptr;
  std::unique_ptr<Clients> owned;
  {
    Daemon daemon(options_for(file.string()));
    owned = std::make_unique<Clients>(daemon.port(), client_count, soak_seed());
    clients = owned.get();
    Troubles troubles(daemon, soak_seed());
    const auto warm = Clock::now() + soak_time() / 8;
    while (Clock::now() < end) {
      troubles.next();
      if (first_kib == 0 && Clock::now() > warm) first_kib = resident_kib();
    }
    clients->stop();
    for (std::size_t i = 0; i < worker_count; ++i) {
      // One without the model is given nothing while others have it.
      daemon.fleet().with(i, [](sim::Worker& worker) {
        const auto all = worker.instances();
        const bool has = std::any_of(all.begin(), all.end(),
                                     [](const auto& each) { return each.model == test::model; });
        if (!has) (void)worker.load(test::model);
      });
      EXPECT_TRUE(answers_again(daemon, "w" + std::to_string(i + 1), asked)) << i;
    }
    const auto last_kib = resident_kib();
    if (first_kib == 0) first_kib = last_kib;
    const auto& tally = clients->tally();

    EXPECT_TRUE(eventually([&] {
      const auto text = daemon.metrics();
      // The one that asks is a connection too.
      return daemon.in_flight() == 0 && daemon.server().fleet().queued == 0 &&
             sum_of(text, "lmbalancer_worker_settling_slots") == 0 &&
             sum_of(text, "lmbalancer_body_memory_bytes") == 0 &&
             sum_of(text, "lmbalancer_client_connections") <= 1;
    })) << daemon.metrics();
    const auto metrics = daemon.metrics();
    const auto own = sum_of(metrics, "lmbalancer_requests_total", R"(route="/metrics")");
    told = sum_of(metrics, "lmbalancer_requests_total") - own;
    std::cout << tally.sent << " requests (" << tally.answered << " answered, " << tally.refused
              << " of them 5xx; " << tally.cut << " cut, " << tally.left << " left by clients), "
              << troubles.count() << " troubles, " << sum_of(metrics, "lmbalancer_retries_total")
              << " retries; resident " << first_kib << " KiB after the first eighth, " << last_kib
              << " KiB at the end\n";
    EXPECT_GT(tally.answered, 100U);
    EXPECT_GT(tally.left, 10U);
    EXPECT_LT(tally.refused, tally.answered / 10) << "one worker in trouble is no reason for that";
    EXPECT_EQ(tally.lost, 0U) << "connections that ended without an answer";
    EXPECT_EQ(tally.strange, 0U);
    EXPECT_EQ(tally.sent, tally.answered + tally.cut + tally.left);
    EXPECT_EQ(sum_of(metrics, "lmbalancer_internal_errors_total"), 0U);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(last_kib, first_kib + 48 * 1024) << "it grows";
#endif
  }
  std::cout << told << " requests in the metrics, " << lines_of(file.string()) << " access lines\n";
  EXPECT_EQ(clients->tally().sent + asked, told);
  EXPECT_EQ(clients->tally().sent + asked, lines_of(file.string()));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace lmb::soak
