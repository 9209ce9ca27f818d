#include "load_idle.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "answer_reader.hpp"
#include "load_report.hpp"
#include "load_request.hpp"
#include "system.hpp"

namespace lmb::peers {
namespace {

constexpr int answer_limit_ms = 5000;

/// Size of the whole answer at the start of `bytes`: 0 = the head is not complete yet, npos = an
/// answer without a length.
std::size_t answer_size(std::string_view bytes) {
  const auto head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return 0;
  std::string head(bytes.substr(0, head_end + 2));
  for (auto& c : head) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::string_view field = "\r\ncontent-length: ";
  const auto at = head.find(field);
  if (at == std::string::npos) return std::string_view::npos;
  std::size_t length = 0;
  std::from_chars(head.data() + at + field.size(), head.data() + head.size(), length);
  return head_end + 4 + length;
}

Fault ask(const Descriptor& socket, std::string_view request) {
  if (send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Fault::cut;
  }
  std::string answer;
  std::array<char, 4096> bytes{};
  for (;;) {
    pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, answer_limit_ms) != 1) return Fault::late;
    const auto got = recv(socket.get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) return Fault::cut;
    answer.append(bytes.data(), static_cast<std::size_t>(got));
    const auto size = answer_size(answer);
    if (size == 0) continue;
    if (size == std::string_view::npos || answer.size() > size) return Fault::framing;
    if (!answer.starts_with("HTTP/1.1 200")) return Fault::status;
    if (answer.size() == size) return Fault::none;
  }
}

bool is_open(const Descriptor& socket) {
  char byte = 0;
  return recv(socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/// Waits until standard input ends or `limit_ns` is reached.
void hold_until(std::uint64_t limit_ns) {
  std::array<char, 64> ignored{};
  for (auto now = now_ns(); now < limit_ns; now = now_ns()) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const auto left_ms = static_cast<int>((limit_ns - now) / 1'000'000U) + 1;
    if (poll(&input, 1, left_ms) == 1 && read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0) {
      return;
    }
  }
}

}  // namespace

bool run_idle_load(const IdleLoadOptions& options) {
  const auto limit_ns = now_ns() + options.limit_s * 1'000'000'000U;
  const auto request = chat_request(0, 0);
  std::vector<Descriptor> sockets;
  FaultCounts faults;
  for (std::size_t i = 0; i < options.connections && now_ns() < limit_ns; ++i) {
    auto socket = connect_to(options.ports[i % options.ports.size()]);
    const auto fault = socket ? ask(socket, request) : Fault::connect;
    if (fault == Fault::none) {
      sockets.push_back(std::move(socket));
    } else {
      faults.add(fault);
    }
  }
  print_line("{\"at\":\"open\",\"open\":" + std::to_string(sockets.size()) + '}');
  hold_until(limit_ns);
  std::size_t open = 0;
  for (const auto& socket : sockets) open += is_open(socket) ? 1U : 0U;
  print_line("{\"at\":\"result\",\"open\":" + std::to_string(open) +
             ",\"faults\":" + faults.to_json() + '}');
  return open == options.connections;
}

}  // namespace lmb::peers
