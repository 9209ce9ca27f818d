#include "load_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <span>

#include "request_plan.hpp"

namespace lmb::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = 64 * 1024;

}  // namespace

LoadClient::LoadClient(const asio::any_io_executor& executor, const LoadPlan& plan,
                       const std::vector<tcp::endpoint>& endpoints)
    : plan_(plan),
      endpoints_(endpoints),
      socket_(executor),
      deadline_(executor),
      pause_(executor),
      space_(read_bytes) {}

asio::awaitable<void> LoadClient::exchange(ClientRequest request, RequestSample& sample) {
  // Made before the time starts to run: what a client prepares is no part of what it measures.
  const std::string bytes = request_bytes(plan_, request.index, request.warmup);
  std::optional<AbortPoint> abort;
  if (!request.warmup) abort = abort_point(plan_, request.index);

  started_ = Clock::now();
  sample.index = request.index;
  sample.start = started_ - request.run_begin;
  start_deadline();
  bool going = connection_usable();
  if (!going) going = co_await connect(sample);
  if (going) going = co_await send(bytes, sample);
  if (going && abort && abort->tokens == 0) {
    co_await pause(abort->delay);
    leave(sample);
  } else if (going) {
    const std::uint32_t abort_at = abort ? abort->tokens : 0;
    co_await read_answer(sample, abort_at);
  }
  ++deadline_number_;
  deadline_.cancel();
}

asio::awaitable<bool> LoadClient::connect(RequestSample& sample) {
  if (endpoints_.empty()) {
    fail(sample, Failure::not_resolved);
    co_return false;
  }
  for (const tcp::endpoint& endpoint : endpoints_) {
    close();
    auto [ec] = co_await socket_.async_connect(endpoint, as_result);
    if (expired_ || interrupted_) break;
    if (ec) continue;
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    sample.connect = elapsed();
    co_return true;
  }
  fail(sample, Failure::connect_failed);
  co_return false;
}

asio::awaitable<bool> LoadClient::send(const std::string& bytes, RequestSample& sample) {
  const auto buffer = asio::buffer(bytes);
  auto [ec, sent] = co_await asio::async_write(socket_, buffer, as_result);
  if (!ec) co_return true;
  fail(sample, Failure::send_failed);
  co_return false;
}

asio::awaitable<void> LoadClient::pause(Duration duration) {
  pause_.expires_at(add_saturated(Clock::now(), duration));
  co_await pause_.async_wait(as_result);
}

asio::awaitable<void> LoadClient::read_answer(RequestSample& sample, std::uint32_t abort_at) {
  AnswerReader reader(sample, plan_.stream);
  auto state = AnswerReader::State::reading;
  while (state == AnswerReader::State::reading) {
    const auto buffer = asio::buffer(space_);
    auto [ec, n] = co_await socket_.async_read_some(buffer, as_result);
    if (expired_ || interrupted_) {
      fail(sample, Failure::timeout);
      co_return;
    }
    if (ec) {
      state = reader.end_of_file(elapsed(), ec == asio::error::eof);
      break;
    }
    state = reader.feed(std::span(space_.data(), n), elapsed());
    if (abort_at > 0 && reader.token_events() >= abort_at) {
      leave(sample);
      co_return;
    }
  }
  if (!reader.reusable()) close();
}

bool LoadClient::connection_usable() {
  if (!socket_.is_open()) return false;
  // Nothing may be waiting between two requests: neither the server's FIN nor bytes.
  error_code ec;
  char byte = 0;
  socket_.non_blocking(true, ec);
  socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, ec);
  return ec == asio::error::would_block || ec == asio::error::try_again;
}

void LoadClient::start_deadline() {
  expired_ = false;
  deadline_.expires_at(add_saturated(started_, plan_.timeout));
  // The number tells a wait that has ended already, but whose handler is still on its way.
  deadline_.async_wait([this, number = ++deadline_number_](error_code ec) {
    if (ec || number != deadline_number_) return;
    expired_ = true;
    close();
  });
}

void LoadClient::fail(RequestSample& sample, Failure failure) {
  sample.outcome = interrupted_ ? Outcome::aborted : Outcome::failed;
  sample.failure = expired_ ? Failure::timeout : failure;
  sample.end = elapsed();
  close();
}

void LoadClient::leave(RequestSample& sample) {
  sample.outcome = Outcome::aborted;
  sample.failure = Failure::none;
  sample.end = elapsed();
  close();
}

void LoadClient::close() {
  error_code ignored;
  socket_.close(ignored);
}

void LoadClient::interrupt() {
  interrupted_ = true;
  pause_.cancel();
  close();
}

}  // namespace lmb::bench
