// What operators read.
#include <algorithm>
#include <chrono>
#include <string>

#include "admin_client.hpp"

namespace lmb::test {
namespace {

constexpr const char* chat_path = "/v1/chat/completions";

DaemonOptions slow_worker() {
  DaemonOptions options;
  options.workers = 1;
  options.threads = 2;
  options.speed = 1;  // A stream outlives the looks at it, on a busy machine too.
  options.adjust = [](config::Config& config) {
    config.fleet[0].slots = 1;
    config.fleet[0].max_in_flight = 5;
  };
  return options;
}

TEST(AdminPages, status_sums_the_fleet_up) {
  Daemon daemon;
  const auto status = read_admin(daemon, "/admin/status");
  EXPECT_FALSE(status.at("version").get<std::string>().empty());
  EXPECT_GT(status.at("uptime_seconds").get<double>(), 0.0);
  EXPECT_EQ(status.at("draining"), false);
  EXPECT_EQ(status.at("shards"), 2);
  EXPECT_EQ(status.at("totals").at("workers"), 3);
  EXPECT_EQ(status.at("totals").at("workers_up"), 3);
  EXPECT_EQ(status.at("totals").at("in_flight"), 0);
  EXPECT_GT(status.at("totals").at("slots"), 0);
}

TEST(AdminPages, workers_are_told_with_instances_models_and_probes) {
  Daemon daemon(slow_worker());
  RawClient client(daemon.port());
  client.send(post(chat_path, chat(true, 3000)));
  client.read_some(1);
  const auto workers = read_admin(daemon, "/admin/workers").at("workers");
  ASSERT_EQ(workers.size(), 1U);
  const auto& worker = workers[0];
  EXPECT_EQ(worker.at("name"), "w1");
  EXPECT_EQ(worker.at("url"), daemon.fleet().url(0));
  EXPECT_EQ(worker.at("state"), "up");
  EXPECT_EQ(worker.at("draining"), false);
  EXPECT_EQ(worker.at("in_flight"), 1);
  EXPECT_EQ(worker.at("max_in_flight"), 5);
  EXPECT_EQ(worker.at("last_probe").at("alive"), true);
  EXPECT_TRUE(worker.at("last_failure").is_null());
  const auto& instances = worker.at("instances");
  const auto busy = std::find_if(instances.begin(), instances.end(),
                                 [](const auto& each) { return each.at("model") == model; });
  ASSERT_NE(busy, instances.end()) << worker.dump();
  EXPECT_EQ(busy->at("slots"), 1);
  EXPECT_EQ(busy->at("in_flight"), 1);
  EXPECT_GT(busy->at("context_length"), 0);
}

TEST(AdminPages, a_worker_that_is_away_is_told_with_its_failure) {
  auto options = slow_worker();
  options.adjust = [](config::Config& config) {
    config.addresses[0].host = "127.0.0.77";
    config.upstream.probe_interval = std::chrono::milliseconds(50);
  };
  Daemon daemon(options);
  const auto worker = read_admin(daemon, "/admin/workers").at("workers").at(0);
  EXPECT_NE(worker.at("state"), "up");
  EXPECT_EQ(worker.at("last_probe").at("alive"), false);
  EXPECT_EQ(worker.at("last_failure").at("kind"), "connect_failed");
  EXPECT_EQ(ask_admin(daemon, "GET /readyz", safe_host).status, 503U);
}

TEST(AdminPages, running_and_waiting_requests_are_told_without_their_prompts) {
  Daemon daemon(slow_worker());
  RawClient running(daemon.port());
  running.send(post(chat_path, chat(true, 3000), "x-request-id: first\r\n"));
  running.read_some(600);
  RawClient waiting(daemon.port());
  waiting.send(post(chat_path, chat(true), "x-request-id: second\r\n"));
  ASSERT_TRUE(eventually([&] { return daemon.server().fleet().queued == 1; }));
  const auto answer = ask_admin(daemon, "GET /admin/requests", safe_host);
  EXPECT_EQ(answer.body.find("Hello there"), std::string::npos) << "a prompt is shown";
  const auto page = nlohmann::json::parse(answer.body);
  EXPECT_EQ(page.at("left_out"), 0);
  ASSERT_EQ(page.at("requests").size(), 2U) << answer.body;
  const auto& first = page.at("requests")[0];
  EXPECT_EQ(first.at("request_id"), "first") << "the oldest is the first";
  EXPECT_EQ(first.at("worker"), "w1");
  EXPECT_EQ(first.at("phase"), "generate");
  EXPECT_EQ(first.at("model"), model);
  EXPECT_EQ(first.at("route"), chat_path);
  EXPECT_EQ(first.at("stream"), true);
  EXPECT_EQ(first.at("attempts"), 1);
  EXPECT_GT(first.at("tokens"), 0);
  const auto& second = page.at("requests")[1];
  EXPECT_EQ(second.at("request_id"), "second");
  EXPECT_TRUE(second.at("worker").is_null());
  EXPECT_EQ(second.at("phase"), "queue");
  EXPECT_EQ(second.at("tokens"), 0);
  const auto queue = read_admin(daemon, "/admin/queue");
  EXPECT_EQ(queue.at("waiting"), 1);
  EXPECT_GE(queue.at("oldest_wait_seconds"), 0.0);
  ASSERT_EQ(queue.at("models").size(), 1U);
  EXPECT_EQ(queue.at("models")[0].at("model"), model);
  running.close();
  waiting.close();
  EXPECT_TRUE(eventually([&] {
    return read_admin(daemon, "/admin/requests").at("requests").empty();
  })) << "requests that ended are still shown";
  EXPECT_TRUE(read_admin(daemon, "/admin/queue").at("oldest_wait_seconds").is_null());
}

TEST(AdminPages, health_and_metrics_are_served_here_too) {
  Daemon daemon(slow_worker());
  EXPECT_EQ(ask_admin(daemon, "GET /healthz", safe_host).body, R"({"status":"ok"})");
  EXPECT_EQ(ask_admin(daemon, "GET /readyz", safe_host).body, R"({"ready":true})");
  const auto metrics = ask_admin(daemon, "GET /metrics", safe_host);
  EXPECT_EQ(metrics.fields.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(metrics.body.find("\nlmbalancer_worker_up{worker=\"w1\"} 1\n"), std::string::npos);
}

TEST(AdminPages, a_reload_without_a_config_file_is_refused_in_clear_words) {
  Daemon daemon(slow_worker());
  const auto answer = post_admin(daemon, "/admin/reload");
  EXPECT_EQ(answer.status, 409U);
  EXPECT_NE(answer.body.find("no_config_file"), std::string::npos) << answer.body;
}

TEST(AdminPages, go_on_while_the_program_drains) {
  Daemon daemon(slow_worker());
  RawClient running(daemon.port());
  running.send(post(chat_path, chat(true, 3000)));
  running.read_some(1);
  daemon.server().begin_drain();
  const auto status = read_admin(daemon, "/admin/status");
  EXPECT_EQ(status.at("draining"), true);
  EXPECT_EQ(status.at("totals").at("in_flight"), 1);
  EXPECT_EQ(ask_admin(daemon, "GET /readyz", safe_host).status, 503U);
}

TEST(AdminListener, may_be_left_out) {
  auto options = slow_worker();
  options.adjust = [](config::Config& config) { config.admin.listen.clear(); };
  Daemon daemon(options);
  EXPECT_TRUE(daemon.server().admin_endpoints().empty());
}

TEST(AdminListener, takes_both_families_of_a_wildcard) {
  auto options = slow_worker();
  options.adjust = [](config::Config& config) {
    config.admin.listen = {{"0.0.0.0", 0}, {"::", 0}};
    config.admin.api_key = "k";
  };
  Daemon daemon(options);
  EXPECT_EQ(ask_admin(daemon, "GET /healthz", safe_host).status, 200U) << "by IPv4";
  using boost::asio::ip::tcp;
  RawClient v6(tcp::endpoint(boost::asio::ip::address_v6::loopback(), daemon.admin_port()));
  v6.send("GET /healthz HTTP/1.1\r\nHost: [::1]\r\n\r\n");
  EXPECT_EQ(v6.read_answer().status, 200U);
}

TEST(AdminListener, on_a_port_in_use_is_a_clear_error) {
  Daemon daemon(slow_worker());
  config::Config config;
  config.net.listen = {{"127.0.0.1", 0}};
  config.admin.listen = {{"127.0.0.1", daemon.admin_port()}};
  app::Server second(std::move(config));
  const auto started = second.start();
  ASSERT_FALSE(started);
  const auto detail = started.error().detail();
  EXPECT_TRUE(detail.starts_with("admin: cannot listen on 127.0.0.1:")) << detail;
  EXPECT_NE(detail.find("admin.listen"), std::string::npos) << detail;
}

}  // namespace
}  // namespace lmb::test
