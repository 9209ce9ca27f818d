#include "pages.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

namespace lmb::admin {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// In seconds, to the millisecond.
double seconds(Duration time) {
  return static_cast<double>(std::chrono::round<std::chrono::milliseconds>(time).count()) / 1000;
}

Json instance_json(const scheduling::InstanceSnapshot& instance) {
  return {{"id", instance.id},
          {"model", instance.model},
          {"slots", instance.slots},
          {"in_flight", instance.in_flight},
          {"context_length", instance.context_length > 0 ? Json(instance.context_length) : Json()},
          {"listed", instance.listed}};
}

Json probe_json(const WorkerNotes& notes, TimePoint now) {
  if (!notes.probe) return {};
  return {{"alive", notes.probe->alive},
          {"took_seconds", seconds(notes.probe->took)},
          {"age_seconds", seconds(now - notes.probe->at)}};
}

Json failure_json(const WorkerNotes& notes, TimePoint now) {
  if (!notes.failure) return {};
  return {{"kind", to_string(notes.failure->kind)},
          {"age_seconds", seconds(now - notes.failure->at)}};
}

Json model_or_null(const std::string& model) {
  return model.empty() ? Json() : Json(model);
}

/// All that is told of a worker out of the brain's snapshot and the config.
Json worker_json(const scheduling::WorkerSnapshot& worker, const WorkerNotes& notes,
                 TimePoint now) {
  const auto& spec = notes.spec;
  Json instances = Json::array();
  Json on_disk = Json::array();
  for (const auto& instance : worker.instances) {
    // What still runs there is shown even when the model is not loaded any more.
    if (instance.loaded || instance.in_flight > 0) {
      instances.push_back(instance_json(instance));
    } else {
      on_disk.push_back(instance.model);
    }
  }
  Json json;
  json["name"] = worker.name;
  json["url"] = notes.url;
  json["state"] = to_string(worker.state);
  json["draining"] = worker.draining;
  json["retired"] = worker.retired;
  json["in_flight"] = worker.in_flight;
  json["settling"] = worker.settling;
  json["slots"] = worker.slots;
  json["max_in_flight"] = spec.max_in_flight ? Json(*spec.max_in_flight) : Json();
  json["weight"] = spec.weight;
  json["grants_total"] = worker.grants_total;
  json["catalogue_known"] = worker.catalogue_known;
  json["breaker_open"] = worker.breaker_until.has_value();
  // A trial runs, or may run, once the time is over.
  json["breaker_open_seconds"] = worker.breaker_until && *worker.breaker_until > now &&
                                         *worker.breaker_until != TimePoint::max()
                                     ? Json(seconds(*worker.breaker_until - now))
                                     : Json();
  json["loading"] = model_or_null(worker.loading);
  json["switching_to"] = model_or_null(worker.switching_to);
  json["instances"] = std::move(instances);
  json["models_on_disk"] = std::move(on_disk);
  json["last_probe"] = probe_json(notes, now);
  json["last_failure"] = failure_json(notes, now);
  return json;
}

Json holds_json(const scheduling::HoldCounts& holds) {
  return {{"load", holds.load},
          {"switch", holds.switching},
          {"probation", holds.probation},
          {"slow_start", holds.slow_start}};
}

Json totals_json(const scheduling::FleetSnapshot& fleet) {
  std::size_t workers = 0;
  std::size_t up = 0;
  std::size_t draining = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t settling = 0;
  std::uint64_t slots = 0;
  std::uint64_t grants = 0;
  for (const auto& worker : fleet.workers) {
    const bool is_up = worker.state == scheduling::WorkerState::up ||
                       worker.state == scheduling::WorkerState::suspect;
    workers += worker.retired ? 0 : 1;
    up += is_up ? 1 : 0;
    draining += worker.draining && !worker.retired ? 1 : 0;
    in_flight += worker.in_flight;
    settling += worker.settling;
    slots += is_up && !worker.draining ? worker.slots : 0;
    grants += worker.grants_total;
  }
  return {{"workers", workers},           {"workers_up", up},
          {"workers_draining", draining}, {"in_flight", in_flight},
          {"settling", settling},         {"slots", slots},
          {"queued", fleet.queued},       {"holds", holds_json(fleet.holds)},
          {"grants_total", grants},       {"retries_refused_total", fleet.retries_refused_total}};
}

Json wait_json(std::string_view model, const WaitList::Wait& wait) {
  return {
      {"model", model}, {"waiting", wait.waiting}, {"oldest_wait_seconds", seconds(wait.oldest)}};
}

}  // namespace

std::string status_page(const ServiceSetup& setup, TimePoint started, TimePoint now) {
  Json json;
  json["version"] = setup.build.version;
  json["git_hash"] = setup.build.git_hash;
  json["uptime_seconds"] = seconds(now - started);
  json["draining"] = setup.draining->load();
  json["shards"] = setup.shards.size();
  json["client_connections"] = setup.client_connections();
  json["body_memory_bytes"] = setup.body_memory();
  json["totals"] = totals_json(setup.dispatcher->snapshot());
  return text_of(json);
}

std::string workers_page(const ServiceSetup& setup, const std::vector<WorkerNotes>& notes,
                         TimePoint now) {
  Json workers = Json::array();
  const auto fleet = setup.dispatcher->snapshot(scheduling::SnapshotScope::all_models);
  for (const auto& worker : fleet.workers) {
    workers.push_back(worker_json(worker, notes[worker.id.value()], now));
  }
  return text_of(Json{{"workers", std::move(workers)}});
}

std::string worker_page(const ServiceSetup& setup, WorkerId worker, const WorkerNotes& notes,
                        TimePoint now) {
  const auto fleet = setup.dispatcher->snapshot(scheduling::SnapshotScope::all_models);
  const auto found = std::find_if(fleet.workers.begin(), fleet.workers.end(),
                                  [worker](const auto& snapshot) { return snapshot.id == worker; });
  // A reload may have removed it since.
  Json json = found == fleet.workers.end() ? Json() : worker_json(*found, notes, now);
  return text_of(Json{{"worker", std::move(json)}});
}

std::string queue_page(const ServiceSetup& setup, const WaitList& waits) {
  WaitList::Wait total = waits.others;
  Json models = Json::array();
  for (const auto& [model, wait] : waits.models) {
    total.waiting += wait.waiting;
    total.oldest = std::max(total.oldest, wait.oldest);
    models.push_back(wait_json(model, wait));
  }
  Json json;
  json["waiting"] = total.waiting;
  json["length_max"] = setup.config->scheduling.queue_length;
  json["oldest_wait_seconds"] = total.waiting > 0 ? Json(seconds(total.oldest)) : Json();
  json["retry_after_seconds"] = setup.dispatcher->retry_after_seconds();
  json["models"] = std::move(models);
  json["left_out"] = waits.others.waiting;
  return text_of(json);
}

std::string requests_page(const ServiceSetup& setup, const RequestList& requests) {
  Json rows = Json::array();
  for (const auto& row : requests.rows) {
    rows.push_back(
        {{"request_id", row.id},
         {"client", row.client.empty() ? Json() : Json(row.client)},
         {"route", row.route},
         {"model", row.model},
         {"worker", row.worker ? Json(setup.dispatcher->worker_name(*row.worker)) : Json()},
         {"phase", to_string(row.phase)},
         {"age_seconds", seconds(row.age)},
         {"phase_seconds", seconds(row.in_phase)},
         {"stream", row.stream},
         {"attempts", row.attempts},
         {"tokens", row.tokens}});
  }
  return text_of(Json{{"requests", std::move(rows)}, {"left_out", requests.left_out}});
}

}  // namespace lmb::admin
