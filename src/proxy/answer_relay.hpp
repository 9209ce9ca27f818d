#pragma once

#include <string>
#include <string_view>

#include "answer_head.hpp"
#include "client_session.hpp"
#include "client_writer.hpp"
#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/net/task.hpp"
#include "lmb/protocol/sse_scanner.hpp"
#include "lmb/protocol/worker_answer.hpp"
#include "lmb/upstream/exchange.hpp"
#include "request_context.hpp"

namespace lmb::proxy {

/// Judges a worker's answer and carries it to the client.
///
/// Nothing goes to the client before the commit point (DESIGN section 5): the first complete SSE
/// event that is not a comment, the whole body for errors and small counted answers, else the first
/// body byte. Until then errors leave the request free to be tried elsewhere (ctx.committed is
/// false). From then on a failure can only cut the answer. The lease is finished as soon as the
/// worker's answer is complete, however slow the client is. Errors: worker_closed, bad_response,
/// worker_error, worker_refused_key, worker_silent, load_timeout, model_unavailable,
/// request_refused, route_unsupported; client_gone, client_stalled, request_timeout, shutting_down.
/// After an error past the commit point the client's connection must be closed.
class AnswerRelay {
 public:
  AnswerRelay(ClientConnection& client, RequestContext& ctx, upstream::Exchange& exchange,
              dispatch::Lease& lease, RunningAttempt& attempt);

  net::Task<Result<void>> run();

 private:
  /// When the answer may go to the client.
  enum class Hold { whole, first_event, first_byte };

  [[nodiscard]] Hold choose_hold(bool event_stream) const;
  void note_unjudged() const;
  void note_back_pressure();
  /// Reads and writes until the worker's answer is complete.
  net::Task<Result<void>> pass_answer();
  /// The part of it that needs no wait: all that has come so far.
  [[nodiscard]] std::optional<Error> pump();
  /// After the worker is done: until the client has taken everything.
  net::Task<Result<void>> drain_client();
  net::Task<void> end_cut_answer(const Error& error);
  /// Waits for more from the worker, or for the client to take what waits.
  net::Task<Result<void>> wait();

  [[nodiscard]] std::optional<Error> take(upstream::Exchange::BodyStep step);
  [[nodiscard]] std::optional<Error> take_alone(std::string_view payload, bool last);
  void observe(std::string_view payload);
  void note_response(std::string_view id);
  /// The verdict on what is held, once there is enough of it; nothing = keep holding.
  [[nodiscard]] std::optional<Error> judge();
  [[nodiscard]] std::optional<Error> judge_whole();
  [[nodiscard]] std::optional<Error> judge_events();
  [[nodiscard]] std::optional<Error> error_of(protocol::Verdict verdict) const;
  std::optional<Error> note_stream_error();
  [[nodiscard]] std::string workers_words() const;
  void commit();
  [[nodiscard]] bool send(std::string_view payload, bool last);
  void finish_tokens();

  ClientConnection& client_;
  RequestContext& ctx_;
  upstream::Exchange& exchange_;
  dispatch::Lease& lease_;
  RunningAttempt& attempt_;
  ClientWriter writer_;
  Hold hold_;
  bool event_stream_;
  unsigned status_;
  ClientFraming framing_;
  std::string fields_;        ///< The worker's fields that pass.
  std::string held_;          ///< Body bytes before the commit point.
  std::string prefix_;        ///< Head and chunk header of the next write.
  bool worker_done_ = false;  ///< Nothing more is read from it.
  bool response_noted_ = false;
  bool held_back_ = false;  ///< The worker had to wait for the client at least once.
  std::uint64_t progress_ = 0;
  std::uint64_t answer_bytes_ = 0;  ///< Of the body.
  std::optional<protocol::Usage> usage_;
  protocol::SseScanner scanner_;
};

}  // namespace lmb::proxy
