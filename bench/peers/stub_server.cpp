#include "stub_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "stub_event.hpp"

namespace lmb::peers {
namespace {

constexpr std::size_t first_buffer = 4096;
constexpr std::size_t request_limit = std::size_t{4} << 20U;
constexpr std::size_t stream_search_bytes = 4096;
constexpr std::uint64_t events_per_piece = 15;  // About 3 KB in one write.
constexpr int pieces_per_turn = 8;              // Then other connections have their turn.
constexpr StreamPlan default_plan{.events = 32, .interval_ns = 0};

/// One event as one chunk, as LM Studio's HTTP server sends it.
void append_event_chunk(std::string& out, std::uint64_t stamp_ns) {
  static_assert(event_bytes == 0xc2);
  out.append("c2\r\n");
  const auto at = out.size();
  out.resize(at + event_bytes);
  write_event(out.data() + at, stamp_ns);
  out.append("\r\n");
}

void append_end_chunks(std::string& out) {
  static_assert(done_event.size() == 0xe);
  out.append("e\r\n").append(done_event).append("\r\n0\r\n\r\n");
}

bool asks_for_stream(std::string_view body) {
  return body.substr(0, stream_search_bytes).find("\"stream\":true") != std::string_view::npos;
}

}  // namespace

StubServer::StubServer(const std::vector<std::uint16_t>& ports, unsigned parallel)
    : answers_(parallel), epoll_(make_epoll()) {
  for (const auto port : ports) {
    auto& worker = workers_.emplace_back();
    worker.listener = listen_on(port);
    epoll_add(epoll_, worker.listener.get(), EPOLLIN);
  }
}

std::vector<std::uint16_t> StubServer::ports() const {
  std::vector<std::uint16_t> ports;
  for (const auto& worker : workers_) ports.push_back(local_port(worker.listener));
  return ports;
}

void StubServer::run() {
  for (;;) {
    wait_and_serve();
    run_timers();
    for (const int fd : gone_) connections_[static_cast<std::size_t>(fd)].reset();
    gone_.clear();
  }
}

void StubServer::wait_and_serve() {
  std::array<epoll_event, 256> events{};
  timespec wait{};
  const timespec* limit = nullptr;
  if (!timers_.empty()) {
    const auto now = now_ns();
    const auto due = timers_.top().due_ns;
    wait = to_timespec(due > now ? due - now : 0);
    limit = &wait;
  }
  const int count =
      epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()), limit, nullptr);
  if (count < 0 && errno != EINTR) fail("epoll_pwait2");
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    on_event(event.data.fd, event.events);
  }
}

void StubServer::on_event(int fd, std::uint32_t events) {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i].listener.get() == fd) return accept_all(i);
  }
  auto& connection = *connections_[static_cast<std::size_t>(fd)];
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_some(connection);
  if ((events & EPOLLOUT) != 0 && !connection.gone) flush(connection);
}

void StubServer::accept_all(std::size_t worker) {
  for (;;) {
    Descriptor socket(
        accept4(workers_[worker].listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto place = static_cast<std::size_t>(socket.get());
    if (connections_.size() <= place) connections_.resize(place + 1);
    epoll_add(epoll_, socket.get(), EPOLLIN);
    auto connection = std::make_unique<Connection>();
    connection->socket = std::move(socket);
    connection->serial = next_serial_++;
    connection->worker = worker;
    connection->in.resize(first_buffer);
    connections_[place] = std::move(connection);
  }
}

void StubServer::read_some(Connection& connection) {
  auto& in = connection.in;
  if (connection.in_used == in.size()) {
    if (in.size() >= request_limit) return close(connection);
    in.resize(in.size() * 4);
  }
  const auto got = recv(connection.socket.get(), in.data() + connection.in_used,
                        in.size() - connection.in_used, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close(connection);
  connection.in_used += static_cast<std::size_t>(got);
  answer_requests(connection);
}

void StubServer::answer_requests(Connection& connection) {
  while (connection.in_used > 0 && !connection.streaming && !connection.gone) {
    if (!answer_one(connection)) return;
  }
}

bool StubServer::answer_one(Connection& connection) {
  const std::string_view bytes(connection.in.data(), connection.in_used);
  RequestHead head;
  const auto state = parse_head(bytes, head);
  if (state == HeadState::incomplete) return false;
  const auto whole = head.head_bytes + head.body_bytes;
  if (state == HeadState::malformed || whole > request_limit) {
    connection.close_after = true;
    connection.in_used = 0;
    send(connection, answers_.malformed());
    return true;
  }
  if (bytes.size() < whole) {
    if (connection.in.size() < whole) connection.in.resize(whole);
    return false;
  }
  answer(connection, head, bytes.substr(head.head_bytes, head.body_bytes));
  connection.in_used -= whole;
  std::memmove(connection.in.data(), connection.in.data() + whole, connection.in_used);
  return true;
}

void StubServer::answer(Connection& connection, const RequestHead& head, std::string_view body) {
  connection.close_after = head.close;
  if (head.method == "GET" && head.target == "/stub/statistics") {
    return send(connection, json_answer("200 OK", "-", statistics()));
  }
  if (head.method != "POST" || !head.target.ends_with("/chat/completions")) {
    return send(connection, answers_.other(head.method, head.target));
  }
  auto& worker = workers_[connection.worker];
  ++worker.requests;
  if (!head.stream && !asks_for_stream(body)) return send(connection, answers_.chat());
  ++worker.streams;
  connection.plan = head.stream.value_or(default_plan);
  connection.events_left = connection.plan.events;
  connection.due_ns = now_ns();
  connection.streaming = true;
  connection.head_is_due = true;
  advance(connection);
}

void StubServer::advance(Connection& connection) {
  const bool burst = connection.plan.interval_ns == 0;
  const auto may_send = [&] {
    return connection.streaming && !connection.gone && connection.out.empty();
  };
  for (int piece = 0; piece < pieces_per_turn && may_send(); ++piece) {
    const auto now = now_ns();
    if (!burst && connection.due_ns > now) break;
    std::string bytes;
    if (std::exchange(connection.head_is_due, false)) bytes = answers_.stream_head();
    append_events(bytes, connection, now);
    send(connection, bytes);
  }
  if (connection.gone) return;
  if (!burst && may_send()) {
    timers_.push({connection.due_ns, connection.serial, connection.socket.get()});
  }
  watch(connection);
}

void StubServer::append_events(std::string& bytes, Connection& connection, std::uint64_t stamp_ns) {
  const bool burst = connection.plan.interval_ns == 0;
  const auto count = std::min<std::uint64_t>(burst ? events_per_piece : 1, connection.events_left);
  for (std::uint64_t i = 0; i < count; ++i) append_event_chunk(bytes, stamp_ns);
  connection.events_left -= count;
  connection.due_ns += connection.plan.interval_ns;
  if (connection.events_left > 0) return;
  append_end_chunks(bytes);
  connection.streaming = false;
}

void StubServer::run_timers() {
  while (!timers_.empty() && timers_.top().due_ns <= now_ns()) {
    const auto timer = timers_.top();
    timers_.pop();
    auto* const connection = connections_[static_cast<std::size_t>(timer.fd)].get();
    if (connection == nullptr || connection->serial != timer.serial || connection->gone) continue;
    advance(*connection);
    answer_requests(*connection);
  }
}

void StubServer::send(Connection& connection, std::string_view bytes) {
  if (!connection.out.empty()) {
    connection.out.append(bytes);
    return;
  }
  auto sent = ::send(connection.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) return close(connection);
    sent = 0;
  }
  bytes.remove_prefix(static_cast<std::size_t>(sent));
  connection.out.assign(bytes);
  if (!bytes.empty()) {
    watch(connection);
  } else if (connection.close_after && !connection.streaming) {
    close(connection);
  }
}

void StubServer::flush(Connection& connection) {
  std::string waiting;
  waiting.swap(connection.out);
  if (!waiting.empty()) send(connection, waiting);
  if (connection.gone || !connection.out.empty()) return;
  advance(connection);
  answer_requests(connection);
}

void StubServer::watch(Connection& connection) {
  const bool burst_goes_on = connection.streaming && connection.plan.interval_ns == 0;
  const bool wanted = burst_goes_on || !connection.out.empty();
  if (wanted == connection.watches_write) return;
  connection.watches_write = wanted;
  epoll_change(epoll_, connection.socket.get(), wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void StubServer::close(Connection& connection) {
  if (std::exchange(connection.gone, true)) return;
  gone_.push_back(connection.socket.get());
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.socket.get(), nullptr);
}

std::string StubServer::statistics() const {
  std::string text;
  std::size_t open = 0;
  for (const auto& connection : connections_) open += connection != nullptr ? 1U : 0U;
  for (const auto& worker : workers_) {
    if (!text.empty()) text += ',';
    text += "{\"requests\":" + std::to_string(worker.requests) +
            ",\"streams\":" + std::to_string(worker.streams) + '}';
  }
  return "{\"open_connections\":" + std::to_string(open) + ",\"workers\":[" + text + "]}";
}

}  // namespace lmb::peers
