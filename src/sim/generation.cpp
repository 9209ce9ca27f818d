#include "generation.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "duration.hpp"
#include "text.hpp"
#include "version_facts.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;

OrProblem<GenerationRequest> parse(AnswerForm form, std::string_view body) {
  switch (form) {
    case AnswerForm::chat:
    case AnswerForm::v0_chat:
      break;
    case AnswerForm::completion:
    case AnswerForm::v0_completion:
      return parse_completion(body);
    case AnswerForm::responses:
      return parse_responses(body);
    case AnswerForm::messages:
      return parse_messages(body);
    case AnswerForm::native_chat:
      return parse_native_chat(body);
  }
  return parse_chat(body);
}

std::string_view id_prefix(AnswerForm form) {
  switch (form) {
    case AnswerForm::chat:
    case AnswerForm::v0_chat:
      break;
    case AnswerForm::completion:
    case AnswerForm::v0_completion:
      return "cmpl-";
    case AnswerForm::responses:
    case AnswerForm::native_chat:
      return "resp_";
    case AnswerForm::messages:
      return "msg_";
  }
  return "chatcmpl-";
}

/// Puts the conversation that the request goes on with before its prompt.
std::optional<Problem> add_previous(const Studio& studio, GenerationRequest& request) {
  if (request.previous_response_id.empty()) return std::nullopt;
  const StoredResponse* previous = studio.responses().find(request.previous_response_id);
  if (previous == nullptr) return unknown_response(request.previous_response_id);
  request.prompt.insert(0, previous->prompt);
  request.content_bytes += previous->content_bytes;
  request.prompt_tokens = static_cast<std::uint32_t>((request.content_bytes + 3) / 4);
  return std::nullopt;
}

/// The whole text that the model would give to this prompt, cut to what the request and context
/// allow.
void write_text(const WorkerOptions& options, Generation& out) {
  const GenerationRequest& request = out.request;
  AnswerText& text = out.text;
  const std::uint64_t seed = hash_text(request.prompt, options.seed);
  const std::uint32_t mean = options.answer_tokens;
  const auto length = static_cast<std::uint32_t>(mean / 2 + seed % (mean + 1ULL));
  const std::uint32_t reasoning = request.reasoning.value_or(true) ? options.reasoning_tokens : 0;
  text.tokens = make_answer(seed, length + reasoning);
  std::uint64_t limit = text.model.context_length - request.prompt_tokens;
  if (request.max_tokens != 0) limit = std::min<std::uint64_t>(limit, request.max_tokens);
  if (text.tokens.size() > limit) {
    text.tokens.resize(static_cast<std::size_t>(limit));
    text.length_reached = true;
  }
  text.reasoning_tokens = std::min<std::size_t>(reasoning, text.tokens.size());
}

void fill_in(Studio& studio, Generation& out) {
  AnswerText& text = out.text;
  text.id = studio.next_id(id_prefix(out.call.form));
  text.instance_id = out.instance().id;
  text.model = out.instance().facts;
  text.created =
      std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count();
  text.prompt_tokens = out.request.prompt_tokens;
  text.stored = out.request.store;
  text.previous_response_id = out.request.previous_response_id;
  text.integrations = out.request.integrations;
  text.usage_wanted = out.request.include_usage && streams_usage(studio.options().version);
  if (!out.overflow) write_text(studio.options(), out);
  out.answer = make_answer_of(out.call.form, text);
}

/// From 0.4.17 on a stream is under way before the engine refuses the prompt.
std::optional<Problem> check_context(const WorkerOptions& options, Generation& generation) {
  const ModelFacts& facts = generation.instance().facts;
  const std::uint32_t prompt = generation.request.prompt_tokens;
  if (prompt < facts.context_length) return std::nullopt;
  const bool engine_protocol = facts.format == "gguf" && has_engine_protocol(options.version);
  Problem problem = prompt_too_long(prompt, facts.context_length, engine_protocol);
  if (!engine_protocol || !generation.request.stream) return problem;
  generation.overflow = std::move(problem);
  return std::nullopt;
}

}  // namespace

std::string Generation::error_event(std::string_view message) const {
  const WorkerOptions& options = studio->options();
  ErrorEventForm form;
  form.named = options.error_event_line;
  form.bare = !streams_usage(options.version);
  form.done_after = options.done_after_error;
  return sim::error_event(message, dialect(), form);
}

AnswerStats Generation::stats() const {
  AnswerStats out;
  out.time_to_first_token = to_seconds(progress->first_token_at - progress->submitted_at);
  out.generation_time = to_seconds(progress->finished_at - progress->first_token_at);
  out.cached_tokens = progress->cached_tokens;
  if (claim.caused_load()) out.load_time = to_seconds(instance().load_time);
  return out;
}

void cancel_on_disconnect(http::Exchange& exchange, const std::shared_ptr<Studio>& studio,
                          const Claim& claim, const std::shared_ptr<Progress>& progress) {
  exchange.on_disconnect(
      [studio, instance = claim.shared(), caused = claim.caused_load(), progress] {
        if (progress->job != JobId()) {
          studio->leave(*instance, *progress);
        } else if (caused && studio->options().cancel_load_on_disconnect) {
          studio->instances().unload(instance->number, UnloadReason::asked);
        }
        progress->wake();
      });
}

OrProblem<std::unique_ptr<Generation>> begin_generation(const std::shared_ptr<Studio>& studio,
                                                        http::Exchange& exchange,
                                                        const GenerationCall& call) {
  auto parsed = parse(call.form, exchange.request().body);
  if (auto* problem = std::get_if<Problem>(&parsed)) return std::move(*problem);
  auto& request = std::get<GenerationRequest>(parsed);
  studio->ledger().note_model(call.number, request.model);
  if (auto problem = add_previous(*studio, request)) return *std::move(problem);
  ModelWish wish;
  wish.name = request.model;
  wish.ttl = request.ttl;
  wish.context_length = request.context_length;
  auto claimed = studio->claim(wish);
  if (auto* problem = std::get_if<Problem>(&claimed)) return std::move(*problem);
  auto out = std::make_unique<Generation>(studio, std::get<Claim>(std::move(claimed)), call);
  out->request = std::move(request);
  if (auto problem = check_context(studio->options(), *out)) return *std::move(problem);
  fill_in(*studio, *out);
  out->progress = std::make_shared<Progress>(exchange.executor());
  cancel_on_disconnect(exchange, studio, out->claim, out->progress);
  return out;
}

void submit(Generation& generation) {
  Job job;
  job.prompt_tokens = generation.request.prompt_tokens;
  job.prefix = hash_prefix(generation.request.prompt);
  job.answer_tokens = static_cast<std::uint32_t>(generation.text.tokens.size());
  generation.studio->instances().submit(generation.instance(), std::move(job), generation.progress);
}

void keep_response(Generation& generation) {
  const bool may_go_on = generation.call.form == AnswerForm::responses ||
                         generation.call.form == AnswerForm::native_chat;
  if (!may_go_on || !generation.text.stored) return;
  StoredResponse kept;
  const std::string said = generation.text.message();
  kept.content_bytes = generation.request.content_bytes + said.size();
  kept.prompt = std::move(generation.request.prompt);
  kept.prompt.append("assistant\n").append(said).append("\n");
  generation.studio->responses().keep(generation.text.id, std::move(kept));
}

bool is_engine_fault(Fault fault) {
  return fault == Fault::engine_crash || fault == Fault::engine_wedge ||
         fault == Fault::context_overflow;
}

void hurt_engine(Generation& generation) {
  Instances& instances = generation.studio->instances();
  const Fault fault = generation.call.misbehaviour.fault;
  std::optional<Problem> failure;
  if (fault == Fault::engine_crash) {
    instances.unload(generation.instance().number, UnloadReason::crashed);
    failure = generation.instance().ending;
  } else if (fault == Fault::engine_wedge) {
    instances.wedge(generation.instance(), true);
  } else if (fault == Fault::context_overflow) {
    instances.fail_all(generation.instance());
    failure = context_exceeded();
  }
  // The request that brings the fault suffers it, even if the engine was quicker than its handler.
  if (!generation.progress->failure) generation.progress->failure = failure;
}

asio::awaitable<bool> wait_for_load(http::Exchange& exchange, const Claim& claim,
                                    const std::shared_ptr<Progress>& progress,
                                    const Answer* teller) {
  Instance& instance = claim.instance();
  if (!instance.loaded) instance.watch(progress);
  double told = 0;
  while (!instance.loaded && !instance.ending && !exchange.disconnected()) {
    if (teller != nullptr && instance.load_progress > told) {
      told = instance.load_progress;
      exchange.append(teller->load_progress(told));
      co_await exchange.flush();
      continue;
    }
    co_await progress->changed();
  }
  co_return instance.loaded && !instance.ending && !exchange.disconnected();
}

asio::awaitable<bool> wait_until_finished(http::Exchange& exchange, Progress& progress) {
  while (!progress.finished && !progress.cancelled && !progress.failure &&
         !exchange.disconnected()) {
    co_await progress.changed();
  }
  co_return progress.finished && !exchange.disconnected();
}

}  // namespace lmb::sim
