// Taking a worker out of service and back, while it works.
#include <string>

#include "admin_client.hpp"

namespace lmb::test {
namespace {

constexpr const char* chat_path = "/v1/chat/completions";

std::string worker_of(const Daemon& daemon) {
  RawClient client(daemon.port());
  client.send(post(chat_path, chat(false, 3)));
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 200U) << answer.body;
  return answer.fields.at("x-lmb-worker");
}

TEST(Drain, lets_streams_finish_and_gives_the_worker_nothing_new) {
  DaemonOptions options;
  options.workers = 2;
  options.speed = 20;
  Daemon daemon(options);
  RawClient running(daemon.port());
  running.send(post(chat_path, chat(true, 300)));
  running.read_some(1);
  const auto workers = daemon.server().fleet().workers;
  const std::string busy = workers[0].in_flight > 0 ? "w1" : "w2";
  const std::string other = busy == "w1" ? "w2" : "w1";
  const auto drained = post_admin(daemon, "/admin/workers/" + busy + "/drain");
  ASSERT_EQ(drained.status, 200U) << drained.body;
  const auto worker = nlohmann::json::parse(drained.body).at("worker");
  EXPECT_EQ(worker.at("name"), busy);
  EXPECT_EQ(worker.at("draining"), true);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(worker_of(daemon), other);
  const auto streamed = running.read_answer();
  EXPECT_TRUE(streamed.body.ends_with("data: [DONE]\n\n")) << "the drain cut a stream";
  EXPECT_EQ(post_admin(daemon, "/admin/workers/" + busy + "/drain").status, 200U)
      << "twice is once";
  EXPECT_EQ(post_admin(daemon, "/admin/workers/" + busy + "/undrain").status, 200U);
  EXPECT_EQ(worker_of(daemon), busy) << "ties go to the one not granted for longest";
}

TEST(Drain, of_the_only_worker_makes_requests_wait_until_it_is_back) {
  DaemonOptions options;
  options.workers = 1;
  Daemon daemon(options);
  ASSERT_EQ(post_admin(daemon, "/admin/workers/w1/drain").status, 200U);
  EXPECT_EQ(ask_admin(daemon, "GET /readyz", safe_host).status, 503U);
  RawClient client(daemon.port());
  client.send(post(chat_path, chat(false, 3)));
  ASSERT_TRUE(eventually([&] { return daemon.server().fleet().queued == 1; }));
  ASSERT_EQ(post_admin(daemon, "/admin/workers/w1/undrain").status, 200U);
  EXPECT_EQ(client.read_answer().status, 200U);
}

TEST(Drain, of_an_unknown_worker_names_the_nearest_and_all) {
  DaemonOptions options;
  options.workers = 2;
  options.adjust = [](config::Config& config) {
    config.fleet[0].name = config.addresses[0].name = "studio-05";
    config.fleet[1].name = config.addresses[1].name = "[::1]:1234";
  };
  Daemon daemon(options);
  const auto answer = post_admin(daemon, "/admin/workers/studio-5/drain");
  EXPECT_EQ(answer.status, 404U);
  const auto message =
      nlohmann::json::parse(answer.body).at("error").at("message").get<std::string>();
  EXPECT_NE(message.find("did you mean 'studio-05'?"), std::string::npos) << message;
  EXPECT_NE(message.find("studio-05, [::1]:1234"), std::string::npos) << message;
  EXPECT_EQ(post_admin(daemon, "/admin/workers/%ff%00%22/drain").status, 404U);
  EXPECT_EQ(post_admin(daemon, "/admin/workers/" + std::string(9000, 'x') + "/drain").status, 404U);
  for (const auto& worker : daemon.server().fleet().workers) EXPECT_FALSE(worker.draining);
  EXPECT_EQ(post_admin(daemon, "/admin/workers/%5B::1%5D:1234/drain").status, 200U);
  EXPECT_TRUE(daemon.server().fleet().workers[1].draining);
}

}  // namespace
}  // namespace lmb::test
