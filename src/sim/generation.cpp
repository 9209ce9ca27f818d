#include "generation.hpp"

#include <algorithm>
#include <optional>

#include "duration.hpp"
#include "generation_request.hpp"
#include "playing.hpp"
#include "text.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t tokens_before_fault = 3;

/// One generation on its way to the client.
struct Generation {
  Generation(Answer what, StudioModel& by) : answer(std::move(what)), model(by) {}

  Answer answer;
  StudioModel& model;
  std::vector<std::string> tokens;
  bool stream = false;
  bool length_reached = false;
  bool usage_wanted = false;
  bool error_event_line = false;
  std::shared_ptr<Progress> progress;
};

template <class T>
using OrRefusal = std::variant<T, Refusal>;

/// The model asked for, or why it cannot answer.
OrRefusal<StudioModel*> choose_model(Studio& studio, const std::string& name, bool embedding) {
  StudioModel* model = studio.find_model(name, embedding);
  if (model == nullptr) {
    if (!studio.any_loaded(embedding)) return no_models_loaded();
    std::vector<std::string> known;
    for (const auto& entry : studio.model_options()) known.push_back(entry.preset.model.key);
    return unknown_model(name, known);
  }
  if (!model->pacer) return load_refused(name);
  return model;
}

/// The whole text that the model would give to this prompt, cut to what the request and context
/// allow.
void write_text(const WorkerOptions& options, const GenerationRequest& request,
                const ModelFacts& model, Generation& out) {
  const std::uint64_t seed = hash_text(request.prompt, options.seed);
  const std::uint32_t mean = options.answer_tokens;
  const auto length = static_cast<std::uint32_t>(mean / 2 + seed % (mean + 1ULL));
  out.tokens = make_answer(seed, length);
  std::uint64_t limit = model.context_length - request.prompt_tokens;
  if (request.max_tokens != 0) limit = std::min<std::uint64_t>(limit, request.max_tokens);
  if (out.tokens.size() > limit) {
    out.tokens.resize(static_cast<std::size_t>(limit));
    out.length_reached = true;
  }
}

/// A client that leaves frees the slot (or lets the prompt run out) and wakes the handler.
void cancel_on_disconnect(const std::shared_ptr<Studio>& studio, StudioModel& model,
                          const std::shared_ptr<Progress>& progress, http::Exchange& exchange) {
  exchange.on_disconnect([studio, &model, progress] {
    studio->cancel(model, progress->job);
    progress->wake();
  });
}

/// Everything of a generation that needs no waiting: reads the request, submits the job.
OrRefusal<std::unique_ptr<Generation>> begin_generation(const std::shared_ptr<Studio>& studio,
                                                        http::Exchange& exchange, AnswerForm form,
                                                        std::uint64_t number) {
  const std::string& body = exchange.request().body;
  auto parsed = form.chat ? parse_chat(body) : parse_completion(body);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  const auto& request = std::get<GenerationRequest>(parsed);
  studio->note_model(number, request.model);
  auto chosen = choose_model(*studio, request.model, false);
  if (auto* refusal = std::get_if<Refusal>(&chosen)) return std::move(*refusal);
  StudioModel& model = *std::get<StudioModel*>(chosen);
  const ModelFacts& facts = model.options->preset.model;
  if (request.prompt_tokens >= facts.context_length) {
    return prompt_too_long(request.prompt_tokens, facts.context_length);
  }
  std::string id = studio->next_id(form.chat ? "chatcmpl-" : "cmpl-");
  auto out = std::make_unique<Generation>(Answer(form, facts, std::move(id), request.prompt_tokens),
                                          model);
  out->stream = request.stream;
  out->usage_wanted = request.include_usage;
  out->error_event_line = studio->options().error_event_line;
  write_text(studio->options(), request, facts, *out);
  Job job;
  job.prompt_tokens = request.prompt_tokens;
  job.prefix = hash_prefix(request.prompt);
  job.answer_tokens = static_cast<std::uint32_t>(out->tokens.size());
  out->progress = studio->submit(model, std::move(job));
  cancel_on_disconnect(studio, model, out->progress, exchange);
  return out;
}

/// One embedding request on its way to the client.
struct Embedding {
  Embedding(EmbeddingRequest what, const ModelFacts& by, std::shared_ptr<Progress> when)
      : request(std::move(what)), facts(by), progress(std::move(when)) {}

  EmbeddingRequest request;
  const ModelFacts& facts;
  std::shared_ptr<Progress> progress;
};

OrRefusal<std::unique_ptr<Embedding>> begin_embedding(const std::shared_ptr<Studio>& studio,
                                                      http::Exchange& exchange,
                                                      std::uint64_t number) {
  auto parsed = parse_embedding(exchange.request().body);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);
  auto& request = std::get<EmbeddingRequest>(parsed);
  studio->note_model(number, request.model);
  auto chosen = choose_model(*studio, request.model, true);
  if (auto* refusal = std::get_if<Refusal>(&chosen)) return std::move(*refusal);
  StudioModel& model = *std::get<StudioModel*>(chosen);
  Job job;
  job.prompt_tokens = 0;
  for (const auto& input : request.inputs) job.prompt_tokens += estimate_tokens(input);
  auto progress = studio->submit(model, std::move(job));
  cancel_on_disconnect(studio, model, progress, exchange);
  return std::make_unique<Embedding>(std::move(request), model.options->preset.model,
                                     std::move(progress));
}

/// Ends a stream the way `fault` says.
asio::awaitable<void> break_stream(http::Exchange& exchange, Generation& generation, Fault fault) {
  if (fault == Fault::stall_mid_stream) {
    while (!exchange.disconnected()) co_await generation.progress->changed();
  }
  if (fault == Fault::error_in_stream || fault == Fault::error_mid_stream) {
    exchange.append(error_event(generation.error_event_line));
    co_await exchange.finish();
  } else if (fault == Fault::truncated_json) {
    const std::string event = generation.answer.token_event(generation.tokens.back());
    exchange.append(event.substr(0, event.size() / 2) + "\n\n");
    co_await exchange.finish();
  } else {
    exchange.abort(fault == Fault::reset_mid_stream ? http::Cut::reset : http::Cut::close);
  }
}

asio::awaitable<bool> stream_tokens(http::Exchange& exchange, Generation& generation, Fault fault) {
  const Progress& progress = *generation.progress;
  std::uint32_t end = static_cast<std::uint32_t>(generation.tokens.size());
  if (fault != Fault::none) end = std::min(end, tokens_before_fault);
  if (fault == Fault::error_in_stream) end = 0;
  for (std::uint32_t sent = 0; sent < end;) {
    if (exchange.disconnected() || progress.cancelled) co_return false;
    if (sent == progress.tokens) {
      co_await generation.progress->changed();
      continue;
    }
    for (; sent < std::min(end, progress.tokens); ++sent) {
      exchange.append(generation.answer.token_event(generation.tokens[sent]));
    }
    const bool sent_all = co_await exchange.flush();
    if (!sent_all) co_return false;
  }
  if (fault != Fault::none) co_await break_stream(exchange, generation, fault);
  co_return fault == Fault::none;
}

asio::awaitable<void> stream(http::Exchange& exchange, Generation& generation, Fault fault) {
  // LM Studio sends the head before it has anything to say.
  // Each result is named: two `if (!co_await ...)` in this function made g++ 12 lay out its frame
  // wrongly.
  const bool begun = co_await exchange.begin_stream(200, "text/event-stream");
  if (!begun) co_return;
  const bool complete = co_await stream_tokens(exchange, generation, fault);
  if (!complete) co_return;
  exchange.append(generation.answer.finish_event(generation.length_reached));
  if (generation.usage_wanted) {
    exchange.append(generation.answer.usage_event(generation.tokens.size()));
  }
  exchange.append("data: [DONE]\n\n");
  co_await exchange.finish();
}

asio::awaitable<bool> wait_until_finished(http::Exchange& exchange, Progress& progress) {
  while (!progress.finished && !progress.cancelled && !exchange.disconnected()) {
    co_await progress.changed();
  }
  co_return progress.finished && !exchange.disconnected();
}

asio::awaitable<void> answer_whole(http::Exchange& exchange, Generation& generation, Fault fault) {
  Progress& progress = *generation.progress;
  const bool finished = co_await wait_until_finished(exchange, progress);
  if (!finished) co_return;
  AnswerStats stats;
  stats.time_to_first_token = to_seconds(progress.first_token_at - progress.submitted_at);
  stats.generation_time = to_seconds(progress.finished_at - progress.first_token_at);
  const std::string body =
      generation.answer.whole(generation.tokens, generation.length_reached, stats);
  co_await respond_or_play(exchange, fault, body);
}

}  // namespace

asio::awaitable<void> generate(std::shared_ptr<Studio> studio, http::Exchange& exchange,
                               AnswerForm form, Fault fault, std::uint64_t number) {
  const auto begun = begin_generation(studio, exchange, form, number);
  if (const auto* refusal = std::get_if<Refusal>(&begun)) {
    co_await refuse(exchange, *refusal);
    co_return;
  }
  Generation& generation = *std::get<std::unique_ptr<Generation>>(begun);
  if (generation.stream) {
    co_await stream(exchange, generation, fault);
  } else {
    co_await answer_whole(exchange, generation, fault);
  }
  // After an error of our own making the engine is not to go on either.
  studio->cancel(generation.model, generation.progress->job);
}

asio::awaitable<void> embed(std::shared_ptr<Studio> studio, http::Exchange& exchange, Fault fault,
                            std::uint64_t number) {
  const auto begun = begin_embedding(studio, exchange, number);
  if (const auto* refusal = std::get_if<Refusal>(&begun)) {
    co_await refuse(exchange, *refusal);
    co_return;
  }
  const Embedding& embedding = *std::get<std::unique_ptr<Embedding>>(begun);
  const bool finished = co_await wait_until_finished(exchange, *embedding.progress);
  if (!finished) co_return;
  const std::string body = embedding_answer(embedding.facts, embedding.request.inputs);
  co_await respond_or_play(exchange, fault, body);
}

}  // namespace lmb::sim
