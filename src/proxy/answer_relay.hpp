#pragma once

#include <string>
#include <string_view>

#include "answer_head.hpp"
#include "answer_judge.hpp"
#include "client_session.hpp"
#include "client_writer.hpp"
#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/net/deadline.hpp"
#include "lmb/net/task.hpp"
#include "lmb/upstream/exchange.hpp"
#include "request_context.hpp"

namespace lmb::proxy {

/// Carries a worker's answer to the client, once it is judged.
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
  void note_unjudged() const;
  void note_back_pressure();
  /// The client has taken bytes since the last call.
  [[nodiscard]] bool took_more();
  void set_stall();
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
  void note_response();
  [[nodiscard]] std::optional<Error> judge();
  [[nodiscard]] std::optional<Error> named(std::optional<Error> error) const;
  std::optional<Error> note_stream_error();
  [[nodiscard]] bool came_whole() const;
  [[nodiscard]] bool ends_behind_last_word(const Error& error) const;
  [[nodiscard]] std::optional<Error> end_unless_more();
  [[nodiscard]] std::optional<Error> end_for_worker();
  /// The worker's part is done: its slot is free.
  void finish_answered();
  /// `held_bytes`: of the body, at hand now.
  void commit(std::size_t held_bytes);
  [[nodiscard]] bool send(std::string_view payload, bool last);
  void finish_tokens();

  ClientConnection& client_;
  RequestContext& ctx_;
  upstream::Exchange& exchange_;
  dispatch::Lease& lease_;
  RunningAttempt& attempt_;
  ClientWriter writer_;
  AnswerJudge judge_;
  net::Deadline end_by_;  ///< Of the worker's answer, once it has said its last word.
  unsigned status_;
  ClientFraming framing_;
  std::string fields_;        ///< The worker's fields that pass.
  std::string prefix_;        ///< Head and chunk header of the next write.
  bool worker_done_ = false;  ///< Nothing more is read from it.
  bool given_up_ = false;     ///< It did not end its answer: that was whole all the same.
  bool response_noted_ = false;
  bool held_back_ = false;   ///< The worker had to wait for the client at least once.
  std::uint64_t taken_ = 0;  ///< Of the answer, by the client's machine.
};

}  // namespace lmb::proxy
