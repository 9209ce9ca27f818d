#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "answer_reader.hpp"
#include "lmb/base/clock.hpp"
#include "lmb/bench/load.hpp"
#include "lmb/net/timer.hpp"

namespace lmb::bench {

/// What a client needs to know of one request.
struct ClientRequest {
  std::size_t index = 0;
  bool warmup = false;
  TimePoint run_begin;
};

/// One client of a closed loop: one connection, kept alive over its requests, one request at a
/// time.
///
/// A connection that the server closed while it was idle is replaced before a request is sent.
/// Nothing is ever sent twice: a failure that comes later is the request's result. Thread: the
/// executor's. Lifetime: outlives the run of the executor, as plan and endpoints do.
class LoadClient {
 public:
  LoadClient(const boost::asio::any_io_executor& executor, const LoadPlan& plan,
             const std::vector<boost::asio::ip::tcp::endpoint>& endpoints);

  /// Sends the request and reads its answer. Fills all of `sample`, which must outlive it.
  boost::asio::awaitable<void> exchange(ClientRequest request, RequestSample& sample);

  /// Abandons the request in flight, if there is one, and all that come.
  void interrupt();
  [[nodiscard]] bool interrupted() const noexcept { return interrupted_; }

 private:
  boost::asio::awaitable<bool> connect(RequestSample& sample);
  boost::asio::awaitable<bool> send(const std::string& bytes, RequestSample& sample);
  boost::asio::awaitable<void> pause(Duration duration);
  /// `abort_at`: token events at which it leaves; 0 = never.
  boost::asio::awaitable<void> read_answer(RequestSample& sample, std::uint32_t abort_at);

  [[nodiscard]] bool connection_usable();
  void start_deadline();
  void fail(RequestSample& sample, Failure failure);
  void leave(RequestSample& sample);
  void close();
  [[nodiscard]] Duration elapsed() const { return Clock::now() - started_; }

  const LoadPlan& plan_;
  const std::vector<boost::asio::ip::tcp::endpoint>& endpoints_;
  boost::asio::ip::tcp::socket socket_;
  net::Timer deadline_;
  net::Timer pause_;
  std::vector<char> space_;
  TimePoint started_;
  std::uint64_t deadline_number_ = 0;
  bool expired_ = false;
  bool interrupted_ = false;
};

}  // namespace lmb::bench
