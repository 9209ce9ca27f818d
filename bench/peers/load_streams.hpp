#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "answer_reader.hpp"
#include "load_report.hpp"
#include "system.hpp"

namespace lmb::peers {

/// What `lmb_stream_load streams` does.
struct StreamLoadOptions {
  std::vector<std::uint16_t> ports;  ///< Of 127.0.0.1, used in turn.
  std::size_t streams = 1000;        ///< Open at once, one connection each.
  std::uint64_t events = 100;        ///< Per stream.
  std::uint64_t interval_us = 0;     ///< Between the events of a stream; 0 = bursts.
  std::uint64_t ramp_ms = 0;         ///< The starts are spread over this time.
  std::uint64_t window_ms = 0;       ///< Delays are taken in this span only; 0 = always.
  std::uint64_t repeat = 1;          ///< Streams per connection, one after another.
  std::uint64_t limit_s = 60;        ///< The run ends then, whatever is open.
};

/// Opens streams through a proxy and checks every byte of them. Prints JSON lines: `window_start`
/// when all streams run, `window_end`, and at last `result`.
class StreamLoad {
 public:
  explicit StreamLoad(StreamLoadOptions options);

  /// True if every stream was complete.
  [[nodiscard]] bool run();

 private:
  struct Connection {
    Descriptor socket;
    AnswerReader reader;
    std::uint64_t start_ns = 0;  ///< When to start.
    std::uint64_t sent_ns = 0;   ///< When the current request was sent.
    std::uint64_t streams_left = 0;
    bool first_event_seen = false;
  };
  enum class Window : std::uint8_t { before, open, over };

  void wait_and_read(std::uint64_t deadline_ns);
  void start_due(std::uint64_t now);
  void start_next();
  void send_request(Connection& connection);
  void read_some(Connection& connection);
  void note_events(Connection& connection, std::uint64_t now);
  void finish_stream(Connection& connection, Fault fault);
  void move_window(std::uint64_t now);
  void print_result(std::uint64_t started_ns);
  [[nodiscard]] std::size_t running() const { return started_ - ended_; }

  StreamLoadOptions options_;
  std::string request_;
  Descriptor epoll_;
  std::vector<Connection> connections_;  ///< In the order of their starts.
  std::vector<std::size_t> place_of_;    ///< Index into connections_, by descriptor.
  std::vector<char> bytes_;
  std::vector<std::uint64_t> stamps_;
  std::size_t started_ = 0;
  std::size_t ended_ = 0;
  std::size_t answered_ = 0;  ///< Connections that got a first event.
  Window window_ = Window::before;
  std::uint64_t window_ns_ =
      0;  ///< When the window opens, then when it is over; 0 = not known yet.
  std::uint64_t window_events_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t complete_ = 0;
  FaultCounts faults_;
  Samples delays_;
  Samples ttfts_;
};

}  // namespace lmb::peers
