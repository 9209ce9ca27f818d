#include "generate.hpp"

#include <utility>

#include "playing.hpp"
#include "streaming.hpp"
#include "text.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;

/// Waits for the whole answer; what ended it before, if something did.
asio::awaitable<void> work_to_the_end(http::Exchange& exchange, Generation& generation) {
  Progress& progress = *generation.progress;
  submit(generation);
  if (is_engine_fault(generation.call.misbehaviour.fault)) {
    while (progress.tokens == 0 && !progress.cancelled && !exchange.disconnected()) {
      co_await progress.changed();
    }
    hurt_engine(generation);
  }
  co_await wait_until_finished(exchange, progress);
}

asio::awaitable<void> answer_whole(http::Exchange& exchange, Generation& generation) {
  const bool loaded =
      co_await wait_for_load(exchange, generation.claim, generation.progress, nullptr);
  if (loaded) co_await work_to_the_end(exchange, generation);
  const Progress& progress = *generation.progress;
  const auto& failure = loaded ? progress.failure : generation.instance().ending;
  if (failure) {
    const Refusal refusal = refusal_of(*failure, generation.dialect());
    co_await refuse(exchange, refusal);
    co_return;
  }
  if (!progress.finished || exchange.disconnected()) co_return;
  const std::string body = generation.answer->whole(generation.stats());
  keep_response(generation);
  co_await respond_or_play(exchange, generation.call.misbehaviour, body);
}

/// One embedding request on its way to the client.
struct Embedding {
  Embedding(EmbeddingRequest what, Claim on) : request(std::move(what)), claim(std::move(on)) {}

  EmbeddingRequest request;
  Claim claim;
  std::shared_ptr<Progress> progress;
};

OrProblem<std::unique_ptr<Embedding>> begin_embedding(const std::shared_ptr<Studio>& studio,
                                                      http::Exchange& exchange,
                                                      std::uint64_t number) {
  auto parsed = parse_embedding(exchange.request().body);
  if (auto* problem = std::get_if<Problem>(&parsed)) return std::move(*problem);
  auto& request = std::get<EmbeddingRequest>(parsed);
  studio->ledger().note_model(number, request.model);
  ModelWish wish;
  wish.name = request.model;
  wish.embedding = true;
  wish.ttl = request.ttl;
  auto claimed = studio->claim(wish);
  if (auto* problem = std::get_if<Problem>(&claimed)) return std::move(*problem);
  auto out = std::make_unique<Embedding>(std::move(request), std::get<Claim>(std::move(claimed)));
  out->progress = std::make_shared<Progress>(exchange.executor());
  cancel_on_disconnect(exchange, studio, out->claim, out->progress);
  return out;
}

void submit(Studio& studio, const Embedding& embedding) {
  Job job;
  job.prompt_tokens = 0;
  for (const auto& input : embedding.request.inputs) job.prompt_tokens += estimate_tokens(input);
  studio.instances().submit(embedding.claim.instance(), std::move(job), embedding.progress);
}

}  // namespace

asio::awaitable<void> generate(std::shared_ptr<Studio> studio, http::Exchange& exchange,
                               const GenerationCall& call) {
  const auto begun = begin_generation(studio, exchange, call);
  if (const auto* problem = std::get_if<Problem>(&begun)) {
    const Refusal refusal = refusal_of(*problem, dialect_of(call.form));
    co_await refuse(exchange, refusal);
    co_return;
  }
  Generation& generation = *std::get<std::unique_ptr<Generation>>(begun);
  if (generation.request.stream) {
    co_await stream(exchange, generation);
  } else {
    co_await answer_whole(exchange, generation);
  }
  // After an error of our own making the engine is not to go on either; a client that left was
  // dealt with when it did.
  const bool zombie = studio->options().zombie && exchange.disconnected();
  if (zombie || generation.progress->job == JobId()) co_return;
  studio->instances().cancel(generation.instance(), generation.progress->job);
}

asio::awaitable<void> embed(std::shared_ptr<Studio> studio, http::Exchange& exchange,
                            const GenerationCall& call) {
  const auto begun = begin_embedding(studio, exchange, call.number);
  if (const auto* problem = std::get_if<Problem>(&begun)) {
    const Refusal refusal = refusal_of(*problem, Dialect::openai);
    co_await refuse(exchange, refusal);
    co_return;
  }
  const Embedding& embedding = *std::get<std::unique_ptr<Embedding>>(begun);
  const bool loaded =
      co_await wait_for_load(exchange, embedding.claim, embedding.progress, nullptr);
  if (loaded) {
    submit(*studio, embedding);
    co_await wait_until_finished(exchange, *embedding.progress);
  }
  const Instance& instance = embedding.claim.instance();
  const auto& failure = loaded ? embedding.progress->failure : instance.ending;
  if (failure) {
    const Refusal refusal = refusal_of(*failure, Dialect::openai);
    co_await refuse(exchange, refusal);
    co_return;
  }
  if (!embedding.progress->finished || exchange.disconnected()) co_return;
  const std::string body = embedding_answer(instance.facts, embedding.request.inputs);
  co_await respond_or_play(exchange, call.misbehaviour, body);
}

}  // namespace lmb::sim
