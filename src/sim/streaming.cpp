#include "streaming.hpp"

#include <algorithm>
#include <utility>

#include "duration.hpp"
#include "error_answers.hpp"
#include "playing.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;

constexpr const char* event_stream_type = "text/event-stream";
constexpr std::uint32_t tokens_before_fault = 3;

asio::awaitable<void> end_with_error(http::Exchange& exchange, Generation& generation,
                                     std::string_view message) {
  exchange.append(generation.error_event(message));
  exchange.append(generation.answer->ended_by_error(AnswerStats()));
  co_await exchange.finish();
}

/// Ends a stream the way its misbehaviour says.
asio::awaitable<void> break_stream(http::Exchange& exchange, Generation& generation) {
  const Misbehaviour what = generation.call.misbehaviour;
  if (what.fault == Fault::stall_mid_stream) {
    while (!exchange.disconnected()) co_await generation.progress->changed();
  }
  if (what.fault == Fault::error_in_stream || what.fault == Fault::error_mid_stream) {
    const PlayedError error = play(what.error, "", generation.request.model);
    co_await end_with_error(exchange, generation, error.message);
  } else if (what.fault == Fault::empty_stream) {
    generation.text.tokens.clear();
    generation.text.reasoning_tokens = 0;
    exchange.append(generation.answer->ended(AnswerStats()));
    co_await exchange.finish();
  } else if (what.fault == Fault::truncated_json) {
    const std::string event = generation.answer->token(generation.text.tokens.size() - 1);
    exchange.append(event.substr(0, event.size() / 2) + "\n\n");
    co_await exchange.finish();
  } else {
    const bool reset = what.fault == Fault::reset_mid_stream;
    exchange.abort(reset ? http::Cut::reset : http::Cut::close);
  }
}

/// What the native API tells of a prompt on its way.
class PromptTeller {
 public:
  /// As far as it has not been told yet.
  void tell(http::Exchange& exchange, const Generation& generation) {
    const Progress& progress = *generation.progress;
    const Answer& answer = *generation.answer;
    if (!progress.prompt_started || ended_) return;
    if (!std::exchange(begun_, true)) exchange.append(answer.prompt_started());
    if (progress.prompt_tokens > told_) {
      told_ = progress.prompt_tokens;
      const double all = generation.request.prompt_tokens;
      exchange.append(answer.prompt_progress(progress.prompt_tokens / all));
    }
    if (progress.tokens == 0) return;
    ended_ = true;
    exchange.append(answer.prompt_ended());
  }

 private:
  std::uint32_t told_ = 0;  // Of Progress::prompt_tokens.
  bool begun_ = false;
  bool ended_ = false;
};

enum class StreamEnd : std::uint8_t {
  complete,
  fault,   ///< Where the fault begins that is to be played.
  failed,  ///< By the engine.
  left,    ///< By the client.
};

asio::awaitable<StreamEnd> stream_tokens(http::Exchange& exchange, Generation& generation) {
  const Progress& progress = *generation.progress;
  const Fault fault = generation.call.misbehaviour.fault;
  const auto all = static_cast<std::uint32_t>(generation.text.tokens.size());
  bool hurt = !is_engine_fault(fault);
  const bool complete = fault == Fault::none || !hurt;
  std::uint32_t end = complete ? all : std::min(all, tokens_before_fault);
  if (fault == Fault::error_in_stream || fault == Fault::empty_stream) end = 0;
  PromptTeller prompt;
  for (std::uint32_t sent = 0; sent < end;) {
    if (progress.failure) co_return StreamEnd::failed;
    if (exchange.disconnected() || progress.cancelled) co_return StreamEnd::left;
    if (!hurt && sent >= std::min(end - 1, tokens_before_fault)) {
      hurt = true;
      hurt_engine(generation);
      continue;
    }
    const std::uint32_t reach = hurt ? end : std::min(end - 1, tokens_before_fault);
    if (sent == std::min(reach, progress.tokens)) {
      prompt.tell(exchange, generation);
      const bool told = co_await exchange.flush();
      if (!told) co_return StreamEnd::left;
      if (sent == std::min(reach, progress.tokens)) co_await generation.progress->changed();
      continue;
    }
    prompt.tell(exchange, generation);
    for (; sent < std::min(reach, progress.tokens); ++sent) {
      exchange.append(generation.answer->token(sent));
    }
    const bool sent_all = co_await exchange.flush();
    if (!sent_all) co_return StreamEnd::left;
  }
  co_return complete ? StreamEnd::complete : StreamEnd::fault;
}

asio::awaitable<void> stream_answer(http::Exchange& exchange, Generation& generation) {
  const StreamEnd end = co_await stream_tokens(exchange, generation);
  if (end == StreamEnd::fault) {
    co_await break_stream(exchange, generation);
    co_return;
  }
  Progress& progress = *generation.progress;
  if (end == StreamEnd::complete) co_await wait_until_finished(exchange, progress);
  if (progress.failure) {
    co_await end_with_error(exchange, generation, progress.failure->message);
    co_return;
  }
  if (end == StreamEnd::left || !progress.finished) co_return;
  keep_response(generation);
  exchange.append(generation.answer->ended(generation.stats()));
  co_await exchange.finish();
}

/// The load failed, or the instance went before it was there.
asio::awaitable<void> tell_load_failed(http::Exchange& exchange, Generation& generation) {
  const auto& ending = generation.instance().ending;
  if (!ending) co_return;  // The client left.
  if (generation.tells_load()) {
    co_await end_with_error(exchange, generation, ending->message);
  } else {
    const Refusal refusal = refusal_of(*ending, generation.dialect());
    co_await refuse(exchange, refusal);
  }
}

/// The native API answers before the load and tells of it.
asio::awaitable<bool> begin_native(http::Exchange& exchange, Generation& generation) {
  const bool begun = co_await exchange.begin_stream(200, event_stream_type);
  if (!begun) co_return false;
  exchange.append(generation.answer->started());
  if (!generation.instance().loaded) exchange.append(generation.answer->load_started());
  co_return co_await exchange.flush();
}

}  // namespace

asio::awaitable<void> stream(http::Exchange& exchange, Generation& generation) {
  const bool native = generation.tells_load();
  const bool cold = !generation.instance().loaded;
  if (native) {
    const bool begun = co_await begin_native(exchange, generation);
    if (!begun) co_return;
  }
  const Answer* teller = native ? generation.answer.get() : nullptr;
  const bool loaded =
      co_await wait_for_load(exchange, generation.claim, generation.progress, teller);
  if (!loaded) {
    co_await tell_load_failed(exchange, generation);
    co_return;
  }
  if (native && cold) {
    exchange.append(generation.answer->load_ended(to_seconds(generation.instance().load_time)));
  }
  if (!generation.overflow) submit(generation);
  if (!native) {
    // LM Studio sends the head before it has anything to say.
    const bool begun = co_await exchange.begin_stream(200, event_stream_type);
    if (!begun) co_return;
  }
  if (generation.overflow) {
    co_await end_with_error(exchange, generation, generation.overflow->message);
  } else {
    co_await stream_answer(exchange, generation);
  }
}

}  // namespace lmb::sim
