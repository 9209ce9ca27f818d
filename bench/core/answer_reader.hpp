#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lmb/base/clock.hpp"
#include "lmb/bench/request_sample.hpp"
#include "lmb/protocol/body_decoder.hpp"
#include "lmb/protocol/head.hpp"
#include "lmb/protocol/sse_scanner.hpp"

namespace lmb::bench {

/// Reads one answer out of the bytes of a connection and notes in its sample what came when. Pure:
/// time comes with the bytes. Thread safety: none.
class AnswerReader {
 public:
  enum class State : std::uint8_t {
    reading,  ///< More bytes are needed.
    over,     ///< The sample's outcome, failure and end are set.
  };

  /// `sample` must outlive the reader. `stream`: a stream of events was asked for.
  AnswerReader(RequestSample& sample, bool stream) : sample_(sample), stream_(stream) {}

  /// Takes what was read, `at` after the request's start; changes the bytes.
  State feed(std::span<char> bytes, Duration at);
  /// The connection ended: by the server's FIN, or in another way.
  State end_of_file(Duration at, bool in_order);

  /// The connection can carry another request: the answer ended where it said, and allows it.
  [[nodiscard]] bool reusable() const noexcept { return reusable_; }
  [[nodiscard]] std::uint64_t token_events() const noexcept { return scanner_.token_deltas(); }

 private:
  State feed_head(std::span<char> bytes, Duration at);
  State take_head(const protocol::ResponseHead& head, Duration at);
  State feed_body(std::span<char> bytes, Duration at);
  void take_payload(std::string_view payload, Duration at);
  State judge(Duration at);
  void judge_stream();
  void judge_whole();
  void note_error(std::string_view body);
  State fail(Failure failure, Duration at);

  RequestSample& sample_;
  bool stream_;
  bool in_body_ = false;
  bool events_ = false;  ///< The body is scanned as a stream of events.
  bool keep_alive_ = false;
  bool reusable_ = false;
  int interim_answers_ = 0;
  std::string head_;  ///< Bytes so far, until the head is complete.
  std::string body_;  ///< Of an answer that is no stream of events.
  protocol::BodyDecoder decoder_;
  protocol::SseScanner scanner_;
};

}  // namespace lmb::bench
