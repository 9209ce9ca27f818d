#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "stub_answers.hpp"
#include "stub_request.hpp"
#include "system.hpp"

namespace lmb::peers {

/// Several stub workers in one process, one thread and one epoll set, one port each. Requests are
/// answered at once; streams are paced by their own timers or sent in bursts.
class StubServer {
 public:
  /// Opens one listener per entry of `ports` (0 = chosen by the kernel); `parallel` is the slot
  /// count that each worker states.
  StubServer(const std::vector<std::uint16_t>& ports, unsigned parallel);

  [[nodiscard]] std::vector<std::uint16_t> ports() const;
  /// Serves until the process is ended.
  [[noreturn]] void run();

 private:
  struct Connection {
    Descriptor socket;
    std::uint64_t serial = 0;  ///< Tells a connection from a later one with the same descriptor.
    std::size_t worker = 0;
    std::vector<char> in;  ///< The first in_used bytes are received and not yet answered.
    std::size_t in_used = 0;
    std::string out;  ///< What the socket did not take at once.
    StreamPlan plan;
    std::uint64_t events_left = 0;
    std::uint64_t due_ns = 0;  ///< When the next event of a paced stream is to be sent.
    bool streaming = false;
    bool head_is_due = false;
    bool watches_write = false;
    bool close_after = false;  ///< Close once the answer is sent.
    bool gone = false;         ///< Closed; the object is dropped at the end of the loop turn.
  };
  struct Timer {
    std::uint64_t due_ns;
    std::uint64_t serial;
    int fd;
    bool operator<(const Timer& other) const { return due_ns > other.due_ns; }
  };
  struct Worker {
    Descriptor listener;
    std::uint64_t requests = 0;
    std::uint64_t streams = 0;
  };

  void wait_and_serve();
  void on_event(int fd, std::uint32_t events);
  void accept_all(std::size_t worker);
  void read_some(Connection& connection);
  void answer_requests(Connection& connection);
  /// True if the bytes at the front were a whole request, which is now answered and dropped.
  bool answer_one(Connection& connection);
  void answer(Connection& connection, const RequestHead& head, std::string_view body);
  /// Sends what is due of the connection's stream.
  void advance(Connection& connection);
  /// Appends the next events, and the end of the stream after the last one.
  void append_events(std::string& bytes, Connection& connection, std::uint64_t stamp_ns);
  void run_timers();
  void send(Connection& connection, std::string_view bytes);
  void flush(Connection& connection);
  /// Asks for write readiness while something waits to be written, else not.
  void watch(Connection& connection);
  void close(Connection& connection);
  [[nodiscard]] std::string statistics() const;

  StubAnswers answers_;
  Descriptor epoll_;
  std::vector<Worker> workers_;
  std::vector<std::unique_ptr<Connection>> connections_;  ///< By descriptor.
  std::vector<int> gone_;
  std::priority_queue<Timer> timers_;
  std::uint64_t next_serial_ = 1;
};

}  // namespace lmb::peers
