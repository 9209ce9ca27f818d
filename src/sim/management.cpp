#include "management.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "duration.hpp"
#include "generation.hpp"
#include "playing.hpp"
#include "request_body.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;
using nlohmann::json;
using ordered = nlohmann::ordered_json;

constexpr std::array<std::string_view, 7> load_keys = {
    "model",       "context_length",          "eval_batch_size", "flash_attention",
    "num_experts", "offload_kv_cache_to_gpu", "echo_load_config"};

struct LoadCall {
  std::size_t model = 0;
  LoadWish wish;
  bool echo = false;
};

OrProblem<std::string> string_field(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return missing_field(name);
  return found->get<std::string>();
}

Problem not_on_disk(const std::string& name) {
  return {ProblemKind::unknown_model, "Model \"" + name + "\" not found.", "model"};
}

/// `parallel` and the settings of the KV cache among others are not for this call (LM Studio's
/// issue 2024).
std::optional<Problem> find_unknown_key(const json& object) {
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(load_keys, key) != load_keys.end()) continue;
    Problem out = bad_request("Unrecognized key(s) in object: '" + key + "'");
    out.param = key;
    return out;
  }
  return std::nullopt;
}

OrProblem<LoadCall> parse_load(const Studio& studio, std::string_view body) {
  const auto parsed = parse_object(body);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return *problem;
  const json& object = std::get<json>(parsed);
  const auto name = string_field(object, "model");
  if (const auto* problem = std::get_if<Problem>(&name)) return *problem;
  if (auto problem = find_unknown_key(object)) return *std::move(problem);
  const auto model = studio.find_model(std::get<std::string>(name));
  if (!model) return not_on_disk(std::get<std::string>(name));
  LoadCall out;
  out.model = *model;
  out.echo = flag(object, "echo_load_config");
  const auto context = object.find("context_length");
  if (context != object.end()) {
    if (!context->is_number_unsigned()) {
      return bad_request("'context_length' field must be an integer");
    }
    out.wish.context_length = context->get<std::uint64_t>();
  }
  return out;
}

std::string load_answer(const Instance& instance, bool echo) {
  const bool embedding = instance.facts.embedding;
  ordered out;
  out["type"] = embedding ? "embedding" : "llm";
  out["instance_id"] = instance.id;
  out["load_time_seconds"] = to_seconds(instance.load_time);
  out["status"] = "loaded";
  if (echo) {
    ordered config = {{"context_length", instance.facts.context_length}};
    if (!embedding) {
      config["eval_batch_size"] = 512;
      config["flash_attention"] = true;
      config["offload_kv_cache_to_gpu"] = true;
    }
    out["load_config"] = std::move(config);
  }
  return out.dump(2);
}

}  // namespace

asio::awaitable<void> answer_load(std::shared_ptr<Studio> studio, http::Exchange& exchange) {
  const auto call = parse_load(*studio, exchange.request().body);
  if (const auto* problem = std::get_if<Problem>(&call)) {
    const Refusal refusal = refusal_of(*problem, Dialect::native);
    co_await refuse(exchange, refusal);
    co_return;
  }
  const LoadCall& load = std::get<LoadCall>(call);
  const auto begun = studio->instances().load(load.model, load.wish);
  if (const auto* problem = std::get_if<Problem>(&begun)) {
    const Refusal refusal = refusal_of(*problem, Dialect::native);
    co_await refuse(exchange, refusal);
    co_return;
  }
  const Claim claim(studio->instances(), std::get<std::shared_ptr<Instance>>(begun), true);
  const auto progress = std::make_shared<Progress>(exchange.executor());
  cancel_on_disconnect(exchange, studio, claim, progress);
  const bool loaded = co_await wait_for_load(exchange, claim, progress, nullptr);
  const Instance& instance = claim.instance();
  if (loaded) {
    const std::string body = load_answer(instance, load.echo);
    co_await exchange.respond(200, json_type, body);
  } else if (instance.ending) {
    const Refusal refusal = refusal_of(*instance.ending, Dialect::native);
    co_await refuse(exchange, refusal);
  }
}

asio::awaitable<void> answer_unload(std::shared_ptr<Studio> studio, http::Exchange& exchange) {
  OrProblem<std::string> id = missing_field("instance_id");
  const auto parsed = parse_object(exchange.request().body);
  if (const auto* object = std::get_if<json>(&parsed)) {
    id = string_field(*object, "instance_id");
  } else {
    id = std::get<Problem>(parsed);
  }
  std::shared_ptr<Instance> instance;
  if (const auto* name = std::get_if<std::string>(&id)) {
    instance = studio->instances().find_id(*name);
    if (!instance) id = not_on_disk(*name);
  }
  if (const auto* problem = std::get_if<Problem>(&id)) {
    const Refusal refusal = refusal_of(*problem, Dialect::native);
    co_await refuse(exchange, refusal);
    co_return;
  }
  studio->instances().unload(instance->number, UnloadReason::asked);
  ordered out;
  out["instance_id"] = instance->id;
  const std::string body = out.dump(2);
  co_await exchange.respond(200, json_type, body);
}

asio::awaitable<void> answer_download(std::shared_ptr<Studio> studio, http::Exchange& exchange) {
  OrProblem<std::string> name = missing_field("model");
  const auto parsed = parse_object(exchange.request().body);
  if (const auto* object = std::get_if<json>(&parsed)) name = string_field(*object, "model");
  std::optional<std::size_t> model;
  if (const auto* known = std::get_if<std::string>(&name)) {
    model = studio->find_model(*known);
    if (!model) name = not_on_disk(*known);
  }
  if (const auto* problem = std::get_if<Problem>(&name)) {
    const Refusal refusal = refusal_of(*problem, Dialect::native);
    co_await refuse(exchange, refusal);
    co_return;
  }
  ordered out;
  out["status"] = "already_downloaded";
  out["total_size_bytes"] = studio->models()[*model].preset.model.size_bytes;
  const std::string body = out.dump(2);
  co_await exchange.respond(200, json_type, body);
}

asio::awaitable<void> answer_download_status(http::Exchange& exchange, std::string_view job) {
  const Problem problem{ProblemKind::unknown_job, "Job \"" + std::string(job) + "\" not found.",
                        "job_id"};
  const Refusal refusal = refusal_of(problem, Dialect::native);
  co_await refuse(exchange, refusal);
}

}  // namespace lmb::sim
