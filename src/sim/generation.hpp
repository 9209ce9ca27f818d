#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "answer.hpp"
#include "studio.hpp"

namespace lmb::sim {

/// A request to a generation or embedding route.
struct GenerationCall {
  AnswerForm form = AnswerForm::chat;  ///< Of generations only.
  Misbehaviour misbehaviour;
  std::uint64_t number = 0;  ///< Names the request for Ledger::note_model.
};

/// One generation on its way to the client.
struct Generation {
  Generation(const std::shared_ptr<Studio>& by, Claim on, GenerationCall what)
      : studio(by), claim(std::move(on)), call(what) {}

  std::shared_ptr<Studio> studio;
  Claim claim;
  GenerationCall call;
  GenerationRequest request;
  AnswerText text;
  std::unique_ptr<Answer> answer;
  std::shared_ptr<Progress> progress;
  std::optional<Problem> overflow;  ///< The prompt does not fit, which the stream is to tell.

  [[nodiscard]] Dialect dialect() const { return dialect_of(call.form); }
  [[nodiscard]] Instance& instance() const { return claim.instance(); }
  /// Streams of the native API begin before the load and tell of it.
  [[nodiscard]] bool tells_load() const {
    return request.stream && call.form == AnswerForm::native_chat;
  }
  /// An error inside the stream.
  [[nodiscard]] std::string error_event(std::string_view message) const;
  /// Of a finished generation.
  [[nodiscard]] AnswerStats stats() const;
};

/// Everything of a generation that needs no waiting: reads the request, claims an instance.
OrProblem<std::unique_ptr<Generation>> begin_generation(const std::shared_ptr<Studio>& studio,
                                                        http::Exchange& exchange,
                                                        const GenerationCall& call);

/// Gives the generation to its instance, which is loaded.
void submit(Generation& generation);

/// Remembers a finished answer for previous_response_id.
void keep_response(Generation& generation);

/// True for the faults that befall the instance.
bool is_engine_fault(Fault fault);
/// Plays such a fault on the generation's instance, and so on all requests there.
void hurt_engine(Generation& generation);

/// A client that leaves frees the slot (or lets the prompt run out) and wakes the handler.
void cancel_on_disconnect(http::Exchange& exchange, const std::shared_ptr<Studio>& studio,
                          const Claim& claim, const std::shared_ptr<Progress>& progress);

/// Waits until the instance is loaded. `teller`: tells of its progress in the stream, or nullptr.
/// False: the instance is gone, or the client is.
boost::asio::awaitable<bool> wait_for_load(http::Exchange& exchange, const Claim& claim,
                                           const std::shared_ptr<Progress>& progress,
                                           const Answer* teller);

/// True when the engine is done; false when that will not be, or for no one.
boost::asio::awaitable<bool> wait_until_finished(http::Exchange& exchange, Progress& progress);

}  // namespace lmb::sim
