#include "load_streams.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <string_view>
#include <utility>

#include "load_request.hpp"

namespace lmb::peers {
namespace {

constexpr std::size_t read_size = std::size_t{256} << 10U;
constexpr std::uint64_t settle_ns = 200'000'000;
constexpr std::uint64_t ms = 1'000'000;

}  // namespace

StreamLoad::StreamLoad(StreamLoadOptions options)
    : options_(std::move(options)),
      request_(chat_request(options_.events, options_.interval_us)),
      epoll_(make_epoll()),
      connections_(options_.streams),
      bytes_(read_size) {
  // Evenly spread starts alone would put the events of many streams on the same moments, so each
  // start is moved by its own share of one interval (multiples of the golden ratio spread evenly).
  constexpr double golden = 0.6180339887498949;
  const auto count = static_cast<double>(options_.streams);
  const auto ramp = static_cast<double>(options_.ramp_ms * ms);
  const auto interval = static_cast<double>(options_.interval_us) * 1000.0;
  const auto base = now_ns();
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const auto number = static_cast<double>(i);
    const double shift = std::fmod(number * golden, 1.0) * (ramp > 0 ? interval : 0.0);
    connections_[i].start_ns = base + static_cast<std::uint64_t>(number / count * ramp + shift);
    connections_[i].streams_left = options_.repeat;
  }
  std::sort(connections_.begin(), connections_.end(),
            [](const auto& a, const auto& b) { return a.start_ns < b.start_ns; });
}

bool StreamLoad::run() {
  const auto started = now_ns();
  const auto deadline = started + options_.limit_s * 1000 * ms;
  while (ended_ < connections_.size()) {
    const auto now = now_ns();
    if (now >= deadline) break;
    start_due(now);
    move_window(now);
    wait_and_read(deadline);
  }
  for (std::size_t i = 0; i < started_; ++i) {
    if (connections_[i].socket) finish_stream(connections_[i], Fault::late);
  }
  while (started_ < connections_.size()) {
    ++started_;
    ++ended_;
    faults_.add(Fault::late);
  }
  print_result(started);
  return complete_ == options_.streams * options_.repeat;
}

void StreamLoad::wait_and_read(std::uint64_t deadline_ns) {
  auto next = deadline_ns;
  if (started_ < connections_.size()) next = std::min(next, connections_[started_].start_ns);
  if (window_ns_ != 0) next = std::min(next, window_ns_);
  const auto now = now_ns();
  const auto wait = to_timespec(next > now ? next - now : 0);
  std::array<epoll_event, 256> events{};
  const int count =
      epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()), &wait, nullptr);
  if (count < 0 && errno != EINTR) fail("epoll_pwait2");
  for (int i = 0; i < count; ++i) {
    const auto fd = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.fd);
    read_some(connections_[place_of_[fd]]);
  }
}

void StreamLoad::start_due(std::uint64_t now) {
  // One at a time when events wait to be read: connecting blocks, and must not delay their stamps.
  if (started_ < connections_.size() && connections_[started_].start_ns <= now) start_next();
}

void StreamLoad::start_next() {
  auto& connection = connections_[started_];
  connection.socket = connect_to(options_.ports[started_ % options_.ports.size()]);
  ++started_;
  if (!connection.socket) {
    ++ended_;
    for (; connection.streams_left > 0; --connection.streams_left) faults_.add(Fault::connect);
    return;
  }
  const auto fd = static_cast<std::size_t>(connection.socket.get());
  if (place_of_.size() <= fd) place_of_.resize(fd + 1);
  place_of_[fd] = started_ - 1;
  epoll_add(epoll_, connection.socket.get(), EPOLLIN);
  send_request(connection);
}

void StreamLoad::send_request(Connection& connection) {
  connection.reader.start(options_.events);
  connection.first_event_seen = false;
  connection.sent_ns = now_ns();
  const auto sent = send(connection.socket.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request_.size())) finish_stream(connection, Fault::cut);
}

void StreamLoad::read_some(Connection& connection) {
  const auto got = recv(connection.socket.get(), bytes_.data(), bytes_.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return finish_stream(connection, Fault::cut);
  const auto now = now_ns();
  stamps_.clear();
  connection.reader.feed({bytes_.data(), static_cast<std::size_t>(got)}, stamps_);
  note_events(connection, now);
  if (connection.reader.finished()) finish_stream(connection, connection.reader.fault());
}

void StreamLoad::note_events(Connection& connection, std::uint64_t now) {
  if (stamps_.empty()) return;
  events_ += stamps_.size();
  if (!connection.first_event_seen) {
    connection.first_event_seen = true;
    ttfts_.add(now - connection.sent_ns);
    ++answered_;
  }
  if (options_.window_ms != 0 && window_ != Window::open) return;
  window_events_ += stamps_.size();
  for (const auto stamp : stamps_) delays_.add(now - stamp);
}

void StreamLoad::finish_stream(Connection& connection, Fault fault) {
  --connection.streams_left;
  if (fault == Fault::none) ++complete_;
  if (fault == Fault::none && connection.streams_left > 0) return send_request(connection);
  // The streams that this connection can no longer carry fail with it.
  if (fault != Fault::none) faults_.add(fault);
  for (; connection.streams_left > 0; --connection.streams_left) faults_.add(fault);
  connection.socket.close();
  ++ended_;
}

void StreamLoad::move_window(std::uint64_t now) {
  if (options_.window_ms == 0 || window_ == Window::over) return;
  if (window_ns_ == 0) {
    const bool all_run = started_ == connections_.size() && answered_ >= connections_.size();
    if (all_run) window_ns_ = now + settle_ns;
    return;
  }
  if (now < window_ns_) return;
  const auto running_text = "\"running\":" + std::to_string(running()) + '}';
  if (window_ == Window::before) {
    window_ = Window::open;
    window_ns_ = now + options_.window_ms * ms;
    print_line("{\"at\":\"window_start\"," + running_text);
  } else {
    window_ = Window::over;
    window_ns_ = 0;
    print_line("{\"at\":\"window_end\"," + running_text);
  }
}

void StreamLoad::print_result(std::uint64_t started_ns) {
  const auto seconds = static_cast<double>(now_ns() - started_ns) / 1e9;
  print_line(
      "{\"at\":\"result\",\"streams\":" + std::to_string(options_.streams * options_.repeat) +
      ",\"complete\":" + std::to_string(complete_) + ",\"events\":" + std::to_string(events_) +
      ",\"window_over\":" + (window_ == Window::over ? "true" : "false") +
      ",\"window_events\":" + std::to_string(window_events_) + ",\"faults\":" + faults_.to_json() +
      ",\"seconds\":" + std::to_string(seconds) + ",\"delay_us\":" + delays_.to_json() +
      ",\"ttft_us\":" + ttfts_.to_json() + '}');
}

}  // namespace lmb::peers
