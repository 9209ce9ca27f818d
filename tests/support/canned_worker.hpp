#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lmb/http/server.hpp"
#include "support/daemon.hpp"

namespace lmb::test {

/// A worker that is healthy for probes, lists `model`, and answers every generation with the same
/// bytes, whatever they are; then the connection ends.
class CannedWorker {
 public:
  /// `host`: the loopback address to listen on; `models`: the answer to GET /api/v1/models.
  explicit CannedWorker(std::string answer, const std::string& host = "127.0.0.1",
                        std::string models = list_of_instances({model}));
  /// A list with the one model, loaded as these instances, with 4 slots each.
  static std::string list_of_instances(const std::vector<std::string>& ids);
  ~CannedWorker();
  CannedWorker(const CannedWorker&) = delete;
  CannedWorker& operator=(const CannedWorker&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// Generations asked for so far.
  [[nodiscard]] int asked() const noexcept { return asked_; }
  /// The last generation asked for, as it arrived.
  [[nodiscard]] http::Request last_request() const;

 private:
  boost::asio::awaitable<void> serve(http::Exchange& exchange);

  const std::string answer_;
  const std::string models_;
  std::atomic<int> asked_{0};
  mutable std::mutex mutex_;
  http::Request last_request_;  // guarded by mutex_
  boost::asio::io_context context_{1};
  http::Server server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace lmb::test
