#include "control.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "playing.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;
using nlohmann::json;
using ordered = nlohmann::ordered_json;

/// What is wrong with a call; empty when nothing is.
using Mistake = std::string;

std::string string_of(const json& call, const char* name) {
  const auto found = call.find(name);
  return found != call.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<LoadFault> find_load_fault(std::string_view name) {
  if (name == "none") return LoadFault::none;
  if (name == "refused") return LoadFault::refused;
  if (name == "fails") return LoadFault::fails;
  if (name == "hangs") return LoadFault::hangs;
  return std::nullopt;
}

Mistake set_fault(Worker& worker, const json& call) {
  const std::string fault_name = string_of(call, "fault");
  const std::string error_name = string_of(call, "error");
  const auto fault = fault_name.empty() ? Fault::none : find_fault(fault_name);
  const auto error = error_name.empty() ? ErrorAnswer::none : find_error_answer(error_name);
  if (!fault) return "unknown fault '" + fault_name + "'";
  if (!error) return "unknown error '" + error_name + "'";
  const std::string scope = string_of(call, "scope");
  if (!scope.empty() && scope != "generation" && scope != "everything") {
    return "'scope' must be generation or everything";
  }
  std::uint32_t count = 0;
  const auto told = call.find("count");
  if (told != call.end()) {
    if (!told->is_number_unsigned()) return "'count' must be an integer";
    count = told->get<std::uint32_t>();
  }
  const bool everything = scope == "everything";
  worker.set_misbehaviour(*fault, *error,
                          everything ? FaultScope::everything : FaultScope::generation, count);
  return {};
}

Mistake set_load_fault(Worker& worker, const json& call) {
  const auto fault = find_load_fault(string_of(call, "fault"));
  if (!fault) return "'fault' must be none, refused, fails or hangs";
  const std::string model = string_of(call, "model");
  return worker.set_load_fault(model, *fault) ? "" : "unknown model '" + model + "'";
}

Mistake slow_down(Worker& worker, const json& call) {
  const auto factor = call.find("factor");
  if (factor == call.end() || !factor->is_number() || factor->get<double>() < 1) {
    return "'factor' must be a number of at least 1";
  }
  worker.set_slowdown(factor->get<double>());
  return {};
}

Mistake carry_out(Worker& worker, std::string_view what, const json& call) {
  if (what == "fault") return set_fault(worker, call);
  if (what == "load_fault") return set_load_fault(worker, call);
  if (what == "slow") return slow_down(worker, call);
  if (what == "crash") {
    worker.crash(string_of(call, "model"));
  } else if (what == "wedge") {
    worker.wedge(call.value("wedged", json(true)) == json(true), string_of(call, "model"));
  } else if (what == "load") {
    const std::string model = string_of(call, "model");
    if (!worker.load(model)) return "cannot load '" + model + "'";
  } else if (what == "unload") {
    const std::string instance = string_of(call, "instance");
    if (!worker.unload(instance)) return "no instance '" + instance + "'";
  } else {
    return "no such call; there are fault, load_fault, slow, crash, wedge, load, unload, restart";
  }
  return {};
}

std::string state_of(const Worker& worker) {
  const WorkerCounters counters = worker.counters();
  ordered out;
  out["counters"] = {{"running", counters.running},
                     {"waiting", counters.waiting},
                     {"running_max", counters.running_max},
                     {"waiting_max", counters.waiting_max},
                     {"requests", counters.requests},
                     {"started", counters.started},
                     {"prompts", counters.prompts},
                     {"finished", counters.finished},
                     {"cancelled", counters.cancelled},
                     {"killed", counters.killed},
                     {"zombies", counters.zombies},
                     {"loads", counters.loads},
                     {"unloads", counters.unloads},
                     {"faults", counters.faults},
                     {"prompt_tokens", counters.prompt_tokens},
                     {"cached_tokens", counters.cached_tokens},
                     {"generated_tokens", counters.generated_tokens},
                     {"connections_accepted", counters.connections_accepted},
                     {"connections", counters.connections}};
  out["instances"] = ordered::array();
  for (const auto& instance : worker.instances()) {
    const ordered entry = {
        {"id", instance.id}, {"model", instance.model}, {"loaded", instance.loaded}};
    out["instances"].push_back(entry);
  }
  return out.dump(2);
}

asio::awaitable<void> restart(std::shared_ptr<Studio> studio, http::Exchange& exchange) {
  // The answer goes first: the restart closes this connection too.
  co_await exchange.respond(200, json_type, R"({"ok":true})");
  if (Worker* worker = studio->worker()) worker->restart();
}

}  // namespace

asio::awaitable<void> answer_control(std::shared_ptr<Studio> studio, http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const std::string_view what = request.path().substr(control_prefix.size());
  Worker* worker = studio->worker();
  if (worker == nullptr) co_return;  // On its way out.
  if (request.method == "GET" && what == "state") {
    const std::string state = state_of(*worker);
    co_await exchange.respond(200, json_type, state);
    co_return;
  }
  if (request.method == "POST" && what == "restart") {
    co_await restart(studio, exchange);
    co_return;
  }
  const std::string_view body = request.body.empty() ? "{}" : std::string_view(request.body);
  const json call = json::parse(body, nullptr, false);
  Mistake mistake = "the body must be a JSON object";
  if (request.method != "POST")
    mistake = "only POST, and GET /sim/state";
  else if (call.is_object())
    mistake = carry_out(*worker, what, call);
  if (!mistake.empty()) {
    const Refusal refusal = plain_refusal(mistake);
    co_await refuse(exchange, refusal);
    co_return;
  }
  co_await exchange.respond(200, json_type, R"({"ok":true})");
}

}  // namespace lmb::sim
