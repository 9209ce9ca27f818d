#include "support/canned_worker.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "support/daemon.hpp"

namespace lmb::test {
namespace asio = boost::asio;

std::string CannedWorker::list_of_instances(const std::vector<std::string>& ids) {
  std::string list = R"({"models":[{"type":"llm","key":")";
  list += model;
  list += R"(","loaded_instances":[)";
  for (const auto& id : ids) {
    if (list.back() == '}') list += ',';
    list += R"({"id":")" + id + R"(","config":{"parallel":4}})";
  }
  return list + "]}]}";
}

CannedWorker::CannedWorker(std::string answer, const std::string& host, std::string models)
    : answer_(std::move(answer)),
      models_(std::move(models)),
      server_(context_.get_executor(), {},
              [this](http::Exchange& exchange) { return serve(exchange); }) {
  const auto bound = server_.listen(asio::ip::tcp::endpoint(asio::ip::make_address(host), 0));
  port_ = bound.value().port();
  thread_ = std::thread([this] { context_.run(); });
}

CannedWorker::~CannedWorker() {
  asio::post(context_, [this] { server_.stop(); });
  thread_.join();
}

http::Request CannedWorker::last_request() const {
  const std::lock_guard lock(mutex_);
  return last_request_;
}

asio::awaitable<void> CannedWorker::serve(http::Exchange& exchange) {
  const auto path = std::string(exchange.request().path());
  if (path == "/lmstudio-greeting") {
    co_await exchange.respond(200, "application/json", R"({"lmstudio":true})");
  } else if (path == "/api/v1/models") {
    co_await exchange.respond(200, "application/json", models_);
  } else {
    {
      const std::lock_guard lock(mutex_);
      last_request_ = exchange.request();
    }
    ++asked_;
    co_await exchange.send_raw(answer_);
  }
}

}  // namespace lmb::test
