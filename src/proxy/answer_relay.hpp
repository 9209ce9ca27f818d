#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "answer_head.hpp"
#include "client_writer.hpp"
#include "lmb/protocol/sse_scanner.hpp"
#include "relay.hpp"

namespace lmb::proxy {

/// The state of one answer on its way; see relay_answer().
class AnswerRelay {
 public:
  AnswerRelay(ClientConnection& client, RequestContext& ctx, upstream::Exchange& exchange,
              dispatch::Lease& lease);

  boost::asio::awaitable<Result<void>> run();

 private:
  /// When the answer may go to the client.
  enum class Hold { whole, first_event, first_byte };

  [[nodiscard]] Hold choose_hold(bool event_stream) const;
  /// Reads and writes until the worker's answer is complete.
  boost::asio::awaitable<Result<void>> pass_answer();
  /// After the worker is done: until the client has taken everything.
  boost::asio::awaitable<Result<void>> drain_client();
  boost::asio::awaitable<void> end_cut_answer(const Error& error);
  /// Waits for more from the worker, or for the client to take what waits.
  boost::asio::awaitable<Result<void>> wait();

  [[nodiscard]] std::optional<Error> take(upstream::Exchange::BodyStep step);
  void observe(std::string_view payload);
  /// The verdict on what is held, once there is enough of it; nothing = keep holding.
  [[nodiscard]] std::optional<Error> judge();
  [[nodiscard]] std::optional<Error> judge_whole();
  [[nodiscard]] std::optional<Error> judge_events();
  void commit();
  [[nodiscard]] bool send(std::string_view payload, bool last);
  void finish_tokens();

  ClientConnection& client_;
  RequestContext& ctx_;
  upstream::Exchange& exchange_;
  dispatch::Lease& lease_;
  ClientWriter writer_;
  Hold hold_;
  bool event_stream_;
  unsigned status_;
  ClientFraming framing_;
  std::string fields_;  ///< The worker's fields that pass.
  std::string held_;    ///< Body bytes before the commit point.
  std::string prefix_;  ///< Head and chunk header of the next write.
  std::uint64_t progress_ = 0;
  std::optional<protocol::Usage> usage_;
  protocol::SseScanner scanner_;
};

}  // namespace lmb::proxy
