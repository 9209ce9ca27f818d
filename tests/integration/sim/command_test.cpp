#include "lmb/sim/command.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <mutex>
#include <sstream>
#include <streambuf>
#include <thread>

#include "worker_fixture.hpp"

namespace lmb::sim {
namespace {

TEST(SimCommand, tells_what_is_wrong_with_its_options) {
  const auto mistake = [](auto change) {
    CommandOptions options;
    options.port = 0;
    change(options);
    std::ostringstream out;
    std::ostringstream err;
    EXPECT_EQ(run_command(options, out, err), 2);
    EXPECT_EQ(out.str(), "");
    return err.str();
  };
  EXPECT_NE(mistake([](auto& o) { o.preset = "m9"; }).find("m3-ultra-30b-a3b"), std::string::npos);
  EXPECT_NE(mistake([](auto& o) { o.on_disk = {"m9"}; }).find("m3-ultra-70b"), std::string::npos);
  EXPECT_NE(mistake([](auto& o) { o.version = "4"; }).find("--lms-version"), std::string::npos);
  EXPECT_NE(mistake([](auto& o) { o.slowest = 0.5; }).find("--slowest"), std::string::npos);
  EXPECT_NE(mistake([](auto& o) { o.ttl_seconds = -1; }).find("--ttl"), std::string::npos);
  EXPECT_NE(mistake([](auto& o) { o.workers = 0; }).find("--workers"), std::string::npos);
  EXPECT_NE(mistake([](auto& o) { o.speed = 0; }).find("--speed"), std::string::npos);
  EXPECT_NE(mistake([](auto& o) { o.port = 65535; }).find("--port"), std::string::npos);
}

TEST(SimCommand, tells_that_a_port_is_taken) {
  test::asio::io_context context(1);
  test::tcp::acceptor taken(context, test::loopback());
  CommandOptions options;
  options.workers = 1;
  options.port = taken.local_endpoint().port();
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(run_command(options, out, err), 1);
  EXPECT_NE(err.str().find("cannot listen on 127.0.0.1:" + std::to_string(options.port) + ":"),
            std::string::npos)
      << err.str();
  EXPECT_NE(err.str().find("choose another port with --port\n"), std::string::npos) << err.str();
}

/// A stream that another thread may read while it is written.
class SharedText : public std::streambuf {
 public:
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 protected:
  int_type overflow(int_type c) override {
    const std::lock_guard lock(mutex_);
    text_.push_back(static_cast<char>(c));
    return c;
  }
  std::streamsize xsputn(const char* data, std::streamsize n) override {
    const std::lock_guard lock(mutex_);
    text_.append(data, static_cast<std::size_t>(n));
    return n;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

TEST(SimCommand, prints_where_it_listens_and_ends_at_a_signal) {
  CommandOptions options;
  options.workers = 2;
  options.port = 0;
  options.speed = 1000;
  options.on_disk = {"m3-ultra-70b"};
  options.cold = true;
  options.version = "0.4.0";
  SharedText printed;
  std::ostream out(&printed);
  std::ostringstream err;
  int code = -1;
  std::thread thread([&] { code = run_command(options, out, err); });
  test::asio::io_context context(1);
  const bool ready = test::run_until(context, [&] {
    return test::count_of(printed.text(), "listening on http://127.0.0.1:") == 2;
  });
  if (ready) {
    const std::string text = printed.text();
    const auto port = std::stoi(text.substr(text.rfind(':') + 1));
    http::FetchRequest request("GET", "/lmstudio-greeting", "m");
    const auto answer = test::run(
        context,
        http::fetch(test::loopback(static_cast<unsigned short>(port)), std::move(request)));
    EXPECT_TRUE(answer);
    http::FetchRequest list("GET", "/api/v1/models", "m");
    const auto models = test::run(
        context, http::fetch(test::loopback(static_cast<unsigned short>(port)), std::move(list)));
    EXPECT_TRUE(models);
    if (models) {
      const auto body = nlohmann::json::parse(models->body)["models"];
      EXPECT_EQ(body.size(), 3u);
      EXPECT_TRUE(body[0]["loaded_instances"].empty());
      EXPECT_EQ(body[1]["key"], "llama-3.3-70b-instruct");
    }
  }
  std::raise(SIGTERM);
  thread.join();
  EXPECT_TRUE(ready);
  EXPECT_EQ(code, 0) << err.str();
}

}  // namespace
}  // namespace lmb::sim
