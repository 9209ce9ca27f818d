#include "soak/clients.hpp"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>

#include "lmb/net/timer.hpp"
#include "support/daemon.hpp"
#include "support/gzip.hpp"
#include "support/raw_client.hpp"

namespace lmb::soak {
namespace {

using test::RawAnswer;
using test::RawClient;

/// No answer has fewer bytes, its head counted.
constexpr std::size_t shortest_answer = 150;

/// One client, with its own connection and its own whims.
class Client {
 public:
  Client(std::uint16_t port, std::uint64_t seed, Tally& tally)
      : port_(port), random_(seed), tally_(tally) {}

  void ask() {
    if (!client_ || chance(10)) client_ = std::make_unique<RawClient>(port_);
    const std::string request = choose();
    if (chance(3)) return leave_in_the_body(request);
    if (!send(request)) return;
    ++tally_.sent;
    if (chance(8)) return leave_early();
    if (chance(4)) read_slowly();
    judge(client_->read_answer());
  }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  std::string choose() {
    const auto kind = random_() % 20;
    const auto tokens = static_cast<int>(1 + random_() % 40);
    if (kind == 0) return test::get("/v1/models");
    if (kind == 1) return test::post("/v1/chat/completions", "{broken");
    if (kind == 2) return unknown_model();
    if (kind == 3) return embeddings();
    if (kind == 4) return zipped(test::chat(true, tokens));
    if (kind == 5) return chunked(test::chat(false, tokens));
    return test::post("/v1/chat/completions", test::chat(kind % 3 != 0, tokens));
  }

  static std::string unknown_model() {
    return test::post("/v1/chat/completions", R"({"model":"nobody-has-it","messages":[]})");
  }
  static std::string embeddings() {
    return test::post("/v1/embeddings",
                      R"({"model":"text-embedding-nomic-embed-text-v1.5","input":"Hello"})");
  }
  static std::string zipped(const std::string& body) {
    return test::post("/v1/chat/completions", test::gzip(body), "Content-Encoding: gzip\r\n");
  }
  static std::string chunked(const std::string& body) {
    std::string request =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    const auto half = body.size() / 2;
    for (const auto& part : {body.substr(0, half), body.substr(half)}) {
      std::array<char, 24> size{};
      std::snprintf(size.data(), size.size(), "%zx\r\n", part.size());
      request += size.data() + part + "\r\n";
    }
    return request + "0\r\n\r\n";
  }

  /// Some requests arrive in two pieces.
  bool send(const std::string& request) {
    const auto cut = chance(10) ? random_() % request.size() : request.size();
    const bool sent = client_->send(std::string_view(request).substr(0, cut)) &&
                      client_->send(std::string_view(request).substr(cut));
    // A kept-alive connection that the daemon has just closed: no request was lost.
    if (!sent) client_.reset();
    return sent;
  }

  void leave_in_the_body(const std::string& request) {
    const auto head = request.find("\r\n\r\n") + 4;
    const bool whole_head = client_->send(request.substr(0, head));
    tally_.sent += whole_head ? 1U : 0U;
    tally_.left += whole_head ? 1U : 0U;
    end();
  }

  void leave_early() {
    if (chance(50)) (void)client_->read_some(1 + random_() % shortest_answer);
    ++tally_.left;
    end();
  }

  void end() {
    client_->close();
    client_.reset();
  }

  /// The answer waits for its reader.
  void read_slowly() {
    (void)client_->read_some(1);
    boost::asio::io_context context;
    net::Timer pause(context);
    pause.expires_after(std::chrono::milliseconds(random_() % 300));
    pause.wait();
  }

  void judge(const RawAnswer& answer) {
    if (answer.status == 0) {
      ++tally_.lost;
      return client_.reset();
    }
    const bool error_event =
        answer.status == 200 && answer.body.find("data: {\"error\"") != std::string::npos;
    if (!answer.complete || error_event) {
      ++tally_.cut;
    } else {
      ++tally_.answered;
      tally_.refused += answer.status >= 500 ? 1U : 0U;
      tally_.strange += expected(answer) ? 0U : 1U;
    }
    const auto connection = answer.fields.find("connection");
    const bool closing = connection != answer.fields.end() && connection->second == "close";
    if (!answer.complete || closing) client_.reset();
  }

  static bool expected(const RawAnswer& answer) {
    switch (answer.status) {
      case 200:
        return !answer.body.empty();
      case 400:
      case 404:
      case 502:
      case 503:
      case 504:
        return answer.body.find("\"error\"") != std::string::npos;
      default:
        return false;
    }
  }

  std::uint16_t port_;
  std::mt19937_64 random_;
  Tally& tally_;
  std::unique_ptr<RawClient> client_;
};

}  // namespace

Clients::Clients(std::uint16_t port, std::size_t count, std::uint64_t seed) : port_(port) {
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([this, seed, i] { run(seed * 1000 + i); });
  }
}

Clients::~Clients() {
  stop();
}

void Clients::stop() {
  stopping_ = true;
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Clients::run(std::uint64_t seed) {
  Client client(port_, seed, tally_);
  while (!stopping_) client.ask();
}

}  // namespace lmb::soak
