#include "key.hpp"

#include <array>

#include "lmb/protocol/head.hpp"

namespace lmb::config {
namespace {

using enum KeyType;

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;
constexpr std::int64_t gib = 1024 * mib;

/// Time-outs. Less than 10 ms would be a fault on any network; more than a day is none.
constexpr Range wait{10, hour};
constexpr Range long_wait{10, 24 * hour};

constexpr std::array<std::string_view, 4> log_levels{"debug", "info", "warn", "error"};
static_assert(static_cast<int>(telemetry::LogLevel::debug) == 0 &&
              static_cast<int>(telemetry::LogLevel::error) == 3);

constexpr std::array<std::string_view, 2> half_closes{"abort", "keep"};
static_assert(static_cast<int>(net::HalfClose::abort) == 0 &&
              static_cast<int>(net::HalfClose::keep) == 1);

constexpr std::array sections{
    Section{"", "Configuration of lmbalancer; see docs/configuration.md."},
    Section{"admin", "Where operators look and act."},
    Section{"auth", "Who may send requests, and how clients are told apart."},
    Section{"workers[]", "One LM Studio server."},
    Section{"models", "How models are chosen and loaded."},
    Section{"scheduling", "How requests are spread over the workers."},
    Section{"queue", "Requests that wait for a slot."},
    Section{"retry", "What happens after a failed attempt."},
    Section{"health", "How a worker is found to be down or up."},
    Section{"timeouts", "How long each step of a request may take."},
    Section{"limits", "How much of everything is allowed at once."},
    Section{"telemetry", "What is logged."},
};

// One key is one block.
// clang-format off
constexpr Key keys[] = {
    {"$schema", text, {0, 1024},
     "The schema for editors; ignored by lmbalancer.",
     [](Target) -> Field { return std::monostate{}; }},
    {"listen", listen, {1, 16},
     "Where clients connect: \"host:port\" or a list of these; host is an IP address, "
     "localhost, or * for every address of this machine.",
     [](Target t) -> Field { return &t.config.net.listen; }},
    {"threads", count, {0, 64},
     "Threads that serve clients; 0 chooses as many as cores, at most 4.",
     [](Target t) -> Field { return &t.config.net.threads; }},
    {"client_half_close", choice, {0, 0},
     "What it means that a client ends its sending side while its request runs: it has left "
     "(abort), or it still reads (keep).",
     [](Target t) -> Field { return &t.config.proxy.client_half_close; }, half_closes},
    {"startup_grace", duration, {0, hour},
     "How long after the start requests wait for the first worker to be found up.",
     [](Target t) -> Field { return &t.config.scheduling.startup_grace; }},

    {"admin.listen", listen, {0, 16},
     "Where status, metrics and admin calls are served: as listen; an empty list is nowhere; "
     "beyond this machine only with a key.",
     [](Target t) -> Field { return &t.config.admin.listen; }},
    {"admin.api_key", secret, {1, 1024},
     "Key that /admin/ calls must carry as a bearer token; prefer api_key_env.",
     [](Target t) -> Field { return &t.config.admin.api_key; }},
    {"admin.api_key_env", text, {1, 256},
     "Environment variable that holds the admin key.",
     [](Target t) -> Field { return &t.worker.api_key_env; }},

    {"auth.keys", client_keys, {0, 1000},
     "Keys of clients: a name for the log, and the key or the environment variable that holds it. "
     "With any, a request needs one.",
     [](Target t) -> Field { return &t.config.proxy.auth.keys; }},
    {"auth.trusted_proxies", networks, {0, 64},
     "Proxies before lmbalancer whose X-Forwarded-For is believed.",
     [](Target t) -> Field { return &t.config.proxy.auth.trusted_proxies; }},

    {"workers[].name", text, {1, 64},
     "Name in logs, metrics and the x-lmb-worker header; host:port when left out.",
     [](Target t) -> Field { return &t.worker.spec.name; }},
    {"workers[].url", url, {1, 300},
     "Where the LM Studio server listens: http://host:port; port 1234 when left out.",
     [](Target t) -> Field { return &t.worker.address; }},
    {"workers[].slots", slots, {1, 10'000},
     "Requests each loaded model of the worker runs at once; \"auto\" asks the worker itself.",
     [](Target t) -> Field { return &t.worker.spec.slots; }},
    {"workers[].max_in_flight", count, {1, 10'000},
     "Most requests on the worker over all its models; no cap beyond the slots when left "
     "out.",
     [](Target t) -> Field { return &t.worker.spec.max_in_flight; }},
    {"workers[].weight", count, {1, 1000},
     "Share of requests relative to other workers: weight 2 gets twice as many as weight 1.",
     [](Target t) -> Field { return &t.worker.spec.weight; }},
    {"workers[].api_key", secret, {1, 1024},
     "Key of the worker's LM Studio, sent to it as a bearer token; prefer api_key_env.",
     [](Target t) -> Field { return &t.worker.address.api_key; }},
    {"workers[].api_key_env", text, {1, 256},
     "Environment variable that holds the worker's key.",
     [](Target t) -> Field { return &t.worker.api_key_env; }},

    {"workers[].auto_evict", flag, {0, 1},
     "Loading a model on this worker unloads the others (LM Studio's \"Only Keep Last JIT Loaded "
     "Model\").",
     [](Target t) -> Field { return &t.worker.spec.auto_evict; }},

    {"models.load_timeout", duration, {second, 24 * hour},
     "A load that takes longer has failed.",
     [](Target t) -> Field { return &t.config.scheduling.models.load_timeout; }},
    {"models.load_time", duration, {0, hour},
     "How long a load is thought to take until one was seen.",
     [](Target t) -> Field { return &t.config.scheduling.models.load_time; }},
    {"models.unloadable", duration, {10, 24 * hour},
     "How long a worker is not asked for a model that it failed to load, the first time.",
     [](Target t) -> Field { return &t.config.scheduling.models.unloadable; }},
    {"models.unloadable_max", duration, {10, 24 * hour},
     "The longest such time: it doubles with each further failure.",
     [](Target t) -> Field { return &t.config.scheduling.models.unloadable_max; }},
    {"models.switch_after", duration, {0, 24 * hour},
     "How long a model that is loaded nowhere waits for a worker that is busy with another one.",
     [](Target t) -> Field { return &t.config.scheduling.models.switch_after; }},
    {"models.min_residency", duration, {0, 24 * hour},
     "At most one such switch per worker in this time.",
     [](Target t) -> Field { return &t.config.scheduling.models.min_residency; }},
    {"models.idle_unload", duration, {second, 24 * hour},
     "A model that was idle for so long is perhaps unloaded.",
     [](Target t) -> Field { return &t.config.scheduling.models.idle_unload; }},
    {"models.aliases", aliases, {0, 1000},
     "Further names for models: a name that no worker has, and the model that it means.",
     [](Target t) -> Field { return &t.config.scheduling.models.aliases; }},
    {"models.fallbacks", fallbacks, {0, 1000},
     "Models that serve instead of one that no worker can serve now: the first that one can.",
     [](Target t) -> Field { return &t.config.scheduling.models.fallbacks; }},
    {"models.response_ids", count, {0, 1'000'000},
     "Answers whose worker is remembered, for previous_response_id; some 80 bytes each.",
     [](Target t) -> Field { return &t.config.proxy.responses.ids_max; }},
    {"models.response_ids_age", duration, {1000, 365 * 24 * hour},
     "How long the worker of an answer is remembered.",
     [](Target t) -> Field { return &t.config.proxy.responses.age_max; }},

    {"scheduling.slots_unknown", count, {1, 10'000},
     "Slots of each loaded model of a worker with slots \"auto\" that does not tell them.",
     [](Target t) -> Field { return &t.config.scheduling.slots_unknown; }},
    {"scheduling.abandon_settle_max", duration, {0, hour},
     "How long a slot stays taken after its client left unanswered; 0s = not at all.",
     [](Target t) -> Field { return &t.config.scheduling.abandon_settle_max; }},
    {"queue.length", count, {0, 100'000},
     "Requests that may wait at once; the next one gets 503.",
     [](Target t) -> Field { return &t.config.scheduling.queue_length; }},
    {"queue.max_wait", duration, {0, 24 * hour},
     "Longest wait of a request whose answer is not streamed; then 504.",
     [](Target t) -> Field { return &t.config.proxy.queue.other; }},
    {"queue.max_wait_stream", duration, {0, 24 * hour},
     "Longest wait of a request whose answer is streamed; then 504.",
     [](Target t) -> Field { return &t.config.proxy.queue.stream; }},
    {"queue.no_worker_grace", duration, {0, hour},
     "How long requests wait while no worker is up; then 503.",
     [](Target t) -> Field { return &t.config.scheduling.no_worker_grace; }},
    {"retry.attempts", count, {1, 10},
     "Attempts for one request, the first included.",
     [](Target t) -> Field { return &t.config.retry.attempts_max; }},
    {"retry.budget_percent", count, {0, 100},
     "Retries on another worker that the whole fleet may see, in percent of its requests.",
     [](Target t) -> Field { return &t.config.retry.budget_percent; }},
    {"retry.budget_min", count, {0, 10'000},
     "Retries on another worker that are allowed each second in any case.",
     [](Target t) -> Field { return &t.config.retry.budget_min_per_second; }},
    {"health.interval", duration, {10, hour},
     "Time between two probes of a worker.",
     [](Target t) -> Field { return &t.config.upstream.probe_interval; }},
    {"health.timeout", duration, {10, hour},
     "Time a worker has to answer a probe; less than health.interval.",
     [](Target t) -> Field { return &t.config.upstream.probe_timeout; }},
    {"health.failures_down", count, {1, 100},
     "Failures in a row that take a worker down.",
     [](Target t) -> Field { return &t.config.scheduling.health.failures_down; }},
    {"health.successes_up", count, {1, 100},
     "Successes in a row that bring a worker back.",
     [](Target t) -> Field { return &t.config.scheduling.health.successes_up; }},
    {"health.breaker_faults", count, {1, 100},
     "Failed requests in a row that open a worker's breaker: it gets none for a while.",
     [](Target t) -> Field { return &t.config.scheduling.health.breaker_faults; }},
    {"health.breaker_open", duration, {10, hour},
     "How long a breaker stays open the first time; then exactly one request is tried.",
     [](Target t) -> Field { return &t.config.scheduling.health.breaker_open; }},
    {"health.breaker_open_max", duration, {10, 24 * hour},
     "The longest such time: it doubles each time the trial fails.",
     [](Target t) -> Field { return &t.config.scheduling.health.breaker_open_max; }},
    {"health.probation", duration, {10, 24 * hour},
     "How long one trial request keeps others away at most.",
     [](Target t) -> Field { return &t.config.scheduling.health.probation_max; }},
    {"health.slow_start", duration, {0, hour},
     "How long a worker that comes back takes to get all its slots; 0s = at once.",
     [](Target t) -> Field { return &t.config.scheduling.health.slow_start; }},
    {"health.wedge_floor", duration, {second, 24 * hour},
     "A worker that delivers nothing for a shorter time is never taken for wedged.",
     [](Target t) -> Field { return &t.config.scheduling.health.wedge_floor; }},
    {"health.wedge_factor", count, {1, 1000},
     "Silence so many times as long as the worker's own longest means that it is wedged.",
     [](Target t) -> Field { return &t.config.scheduling.health.wedge_factor; }},
    {"health.resolve_interval", duration, {100, 24 * hour},
     "Time between two look-ups of a worker's host name.",
     [](Target t) -> Field { return &t.config.upstream.resolve_interval; }},

    {"timeouts.client_head", duration, wait,
     "From the first to the last byte of a request's head; then 408.",
     [](Target t) -> Field { return &t.config.proxy.timeouts.client_head; }},
    {"timeouts.client_body", duration, wait,
     "Between two pieces of a request's body; then 408.",
     [](Target t) -> Field { return &t.config.proxy.timeouts.client_body; }},
    {"timeouts.keep_alive", duration, long_wait,
     "How long an idle client connection stays open.",
     [](Target t) -> Field { return &t.config.proxy.timeouts.keep_alive; }},
    {"timeouts.client_write", duration, wait,
     "How long a client may take no byte of its answer; then it is cut off.",
     [](Target t) -> Field { return &t.config.proxy.timeouts.client_write; }},
    {"timeouts.request", duration, long_wait,
     "The whole request, waiting included; then 504.",
     [](Target t) -> Field { return &t.config.proxy.timeouts.request; }},
    {"timeouts.connect", duration, wait,
     "Connecting to a worker; then another attempt, in the end 504.",
     [](Target t) -> Field { return &t.config.upstream.connect_timeout; }},
    {"timeouts.send", duration, wait,
     "How long a worker may take no byte of a request.",
     [](Target t) -> Field { return &t.config.upstream.send_timeout; }},
    {"timeouts.pool_idle", duration, wait,
     "How long an idle connection to a worker is kept; under the 5 s after which LM Studio "
     "closes it.",
     [](Target t) -> Field { return &t.config.upstream.pool_idle; }},
    {"timeouts.shutdown_grace", duration, {0, 24 * hour},
     "How long running answers may go on after SIGTERM.",
     [](Target t) -> Field { return &t.config.shutdown_grace; }},

    {"limits.head_bytes", size, {kib, mib},
     "First line and header fields of a request together; then 431.",
     [](Target t) -> Field { return &t.config.proxy.limits.head.head_bytes; }},
    {"limits.header_count", count, {8, protocol::header_count_max},
     "Header fields of a request; then 431.",
     [](Target t) -> Field { return &t.config.proxy.limits.head.header_count; }},
    {"limits.target_bytes", size, {256, mib},
     "Path and query of a request; then 414.",
     [](Target t) -> Field { return &t.config.proxy.limits.head.target_bytes; }},
    {"limits.body_bytes", size, {kib, 4 * gib},
     "Body of one request, also after inflating; then 413.",
     [](Target t) -> Field { return &t.config.proxy.limits.body_bytes; }},
    {"limits.body_memory", size, {kib, 1024 * gib},
     "All request bodies held at once; then 503.",
     [](Target t) -> Field { return &t.config.proxy.limits.body_memory; }},
    {"limits.inspections", count, {1, 10'000},
     "Compressed or large bodies that may wait to be inflated and read; then 503.",
     [](Target t) -> Field { return &t.config.proxy.limits.inspections; }},
    {"limits.stream_buffer", size, {4 * kib, 4 * gib},
     "Bytes of an answer kept for a client that reads slower than its worker writes.",
     [](Target t) -> Field { return &t.config.proxy.limits.stream_buffer; }},
    {"limits.stream_buffer_total", size, {4 * kib, 1024 * gib},
     "The same, for all clients together.",
     [](Target t) -> Field { return &t.config.proxy.limits.stream_buffer_total; }},
    {"limits.held_answer", size, {kib, gib},
     "JSON answers up to this size are judged as a whole before the client gets them.",
     [](Target t) -> Field { return &t.config.proxy.limits.held_answer; }},
    {"limits.connections", count, {1, 1'000'000},
     "Client connections at once; further ones are refused.",
     [](Target t) -> Field { return &t.config.net.connections_max; }},
    {"limits.connections_per_client", count, {1, 1'000'000},
     "Of these, from one address; auth.trusted_proxies may have more.",
     [](Target t) -> Field { return &t.config.net.connections_per_client_max; }},
    {"limits.pool_connections", count, {1, 10'000},
     "Idle connections kept for each worker by each thread.",
     [](Target t) -> Field { return &t.config.upstream.pool_connections_max; }},
    {"limits.answer_head_bytes", size, {4 * kib, mib},
     "Status line and fields of a worker's answer.",
     [](Target t) -> Field { return &t.config.upstream.answer_head_bytes; }},
    {"limits.event_bytes", size, {4 * kib, mib},
     "Events of a stream are judged up to this size.",
     [](Target t) -> Field { return &t.config.proxy.limits.event_bytes; }},
    {"limits.admin_body_bytes", size, {kib, 16 * mib},
     "Body of a call to the admin listener.",
     [](Target t) -> Field { return &t.config.admin.body_bytes_max; }},
    {"limits.admin_connections", count, {1, 10'000},
     "Connections to the admin listener at once; further ones are refused.",
     [](Target t) -> Field { return &t.config.admin.connections_max; }},
    {"limits.access_log_bytes", size, {64 * kib, 64 * mib},
     "Access lines that wait for a reader which does not keep up, for each thread.",
     [](Target t) -> Field { return &t.config.telemetry.access_log_bytes; }},
    {"telemetry.log_level", choice, {0, 0},
     "Least level that is logged to stderr.",
     [](Target t) -> Field { return &t.config.telemetry.log_level; }, log_levels},
    {"telemetry.access_log", text, {0, 4096},
     "File that gets one JSON line per request; \"-\" is stdout, empty is none.",
     [](Target t) -> Field { return &t.config.telemetry.access_log; }},
};
// clang-format on

}  // namespace

std::span<const Key> all_keys() noexcept {
  return keys;
}
std::span<const Section> all_sections() noexcept {
  return sections;
}

}  // namespace lmb::config
