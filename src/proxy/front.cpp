#include "lmb/proxy/front.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include "client_session.hpp"
#include "lmb/net/network.hpp"
#include "lmb/telemetry/log.hpp"

namespace lmb::proxy {
namespace {

/// What a buffer may keep while it is spare, and how many may be spare: 64 x 64 KiB per shard at
/// most.
constexpr std::size_t spare_bytes_max = 64 * 1024;
constexpr std::size_t spare_count_max = 64;

/// The same fault is logged once in this time.
constexpr Duration log_pause = std::chrono::seconds(10);

/// Access lines reach their file within a second.
constexpr Duration flush_interval = std::chrono::seconds(1);

std::string make_date_line() {
  const auto now = std::chrono::system_clock::to_time_t(wall_now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 64> text{};
  const auto length =
      std::snprintf(text.data(), text.size(), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                    days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                    months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                    utc.tm_min, utc.tm_sec);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

std::string make_pseudonym() {
  std::array<char, 9> digits{};
  // lmb-tidy: allow unseeded_random (a name that must differ between processes decides nothing)
  std::snprintf(digits.data(), digits.size(), "%08x", std::random_device{}());
  return std::string("lmbalancer-") + digits.data();
}

bool MemoryBudget::take(std::size_t bytes) noexcept {
  const auto before = used_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= limit_) return true;
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

Front::Front(net::Shard& shard, Shared& shared, telemetry::AccessLog access_log, std::uint64_t seed)
    : shard_(shard),
      shared_(shared),
      pool_(scheduling::fleet_size_max, shared.upstream.pool_idle,
            shared.upstream.pool_connections_max, shared.metrics),
      directory_(scheduling::fleet_size_max),
      access_log_(std::move(access_log)),
      random_(seed),
      next_fault_log_(scheduling::fleet_size_max) {
  // What a request gives back at its end must not fail for lack of memory.
  spare_buffers_.reserve(spare_count_max);
  shard_.on_tick(
      [this, flush_at = TimePoint{}, told = std::uint64_t{0}](TimePoint now, Duration lag) mutable {
        pool_.tick(now);
        shared_.metrics.observe_loop_lag(shard_.index(), lag);
        if (now < flush_at) return;
        flush_at = now + flush_interval;
        access_log_.flush();
        const auto dropped = access_log_.dropped_lines();
        if (dropped > told) shared_.metrics.count_limit_hit("limits.access_log_bytes");
        shared_.metrics.count_access_lines_dropped(dropped - std::exchange(told, dropped));
      });
}

void Front::serve(boost::asio::ip::tcp::socket socket) {
  try {
    admit(std::move(socket));
  } catch (const std::bad_alloc&) {
    // The connection is closed; the others are not.
    shared_.metrics.count_internal_error();
  }
}

void Front::admit(boost::asio::ip::tcp::socket socket) {
  boost::system::error_code gone;
  const auto peer = net::unmapped(socket.remote_endpoint(gone).address());
  const bool proxy = shared_.identities.trusts(peer);
  const auto key = proxy ? ConnectionCounts::Key() : ConnectionCounts::key_of(peer);
  const auto verdict = shared_.connections.enter(key);
  if (verdict == ConnectionCounts::Verdict::admitted) {
    ConnectionCounts::Place place(shared_.connections, key);
    shard_.sessions().spawn(serve_client(*this, std::move(socket), std::move(place)));
    return;
  }
  shared_.metrics.count_limit_hit(verdict == ConnectionCounts::Verdict::total_full
                                      ? "limits.connections"
                                      : "limits.connections_per_client");
  shard_.sessions().spawn(refuse_client(*this, std::move(socket)));
}

std::string Front::make_request_id() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string id(16, '0');
  auto bits = random_();
  for (auto& digit : id) {
    digit = digits[bits % 16];
    bits /= 16;
  }
  return id;
}

std::string_view Front::date_line() {
  const auto now = Clock::now();
  if (now >= date_until_) {
    date_line_ = make_date_line();
    date_until_ = now + std::chrono::seconds(1);
  }
  return date_line_;
}

void Front::set_worker(WorkerId place, upstream::WorkerAddress address) {
  pool_.reopen(place);
  access_log_.set_worker(place, address.name);
  next_fault_log_[place.value()] = {};
  directory_.set_worker(place, std::move(address));
}

void Front::retire_worker(WorkerId worker) {
  pool_.shut(worker);
  directory_.retire(worker);
}

scheduling::WorkerSet Front::named_workers() const {
  scheduling::WorkerSet named;
  for (const auto& request : running_) {
    if (request.record().worker) named.insert(*request.record().worker);
    named = named | request.tried();
  }
  return named;
}

void Front::set_endpoints(WorkerId worker, std::vector<boost::asio::ip::tcp::endpoint> endpoints) {
  pool_.keep_only(worker, endpoints);
  directory_.set(worker, std::move(endpoints));
}

void Front::cut(WorkerId worker) {
  RunningAttempts hopeless;
  for (auto each = attempts_.begin(); each != attempts_.end();) {
    auto& attempt = *each++;
    if (attempt.worker() != worker) continue;
    attempt.interruption().fail(ErrorKind::worker_silent);
    attempts_.erase(attempts_.iterator_to(attempt));
    hopeless.push_back(attempt);
  }
  // Who is woken ends its attempt, and may end others with it.
  while (!hopeless.empty()) {
    auto& attempt = hopeless.front();
    hopeless.pop_front();
    attempt.interruption().bell().ring();
  }
}

void Front::cut_load(std::uint64_t grant) {
  for (auto& attempt : attempts_) {
    if (attempt.grant() != grant || attempt.has_token()) continue;
    attempt.interruption().fail(ErrorKind::load_timeout);
    return attempt.interruption().bell().ring();
  }
}

void Front::note_fault(WorkerId worker, const Error& error) {
  if (error.kind() == ErrorKind::connect_failed || error.kind() == ErrorKind::connect_timeout) {
    shared_.on_unreachable(worker);
  }
  const auto now = Clock::now();
  auto& next = next_fault_log_[worker.value()];
  if (now < next) return;
  next = now + log_pause;
  std::string message = "worker " + shared_.dispatcher.worker_name(worker) + ": request failed: ";
  message += to_string(error.kind());
  if (error.cause()) message += ": " + error.cause().message();
  if (error.kind() == ErrorKind::worker_refused_key) {
    message += ": set workers[].api_key or workers[].api_key_env of this worker";
  }
  telemetry::log(telemetry::LogLevel::warn, message);
}

void Front::note_tls_client() {
  const auto now = Clock::now();
  if (now < next_tls_log_) return;
  next_tls_log_ = now + log_pause;
  telemetry::log(telemetry::LogLevel::warn,
                 "a client speaks TLS to a plain port: its base URL must begin with http://");
}

std::string Front::borrow_buffer() {
  if (spare_buffers_.empty()) return {};
  auto buffer = std::move(spare_buffers_.back());
  spare_buffers_.pop_back();
  buffer.clear();
  return buffer;
}

void Front::return_buffer(std::string buffer) {
  constexpr std::size_t worth_keeping = 64;
  if (buffer.capacity() < worth_keeping || buffer.capacity() > spare_bytes_max ||
      spare_buffers_.size() >= spare_count_max)
    return;
  spare_buffers_.push_back(std::move(buffer));
}

}  // namespace lmb::proxy
