#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "failing_calls.hpp"
#include "integration/shell/front_fixture.hpp"

namespace lmb::test {

/// One end of a connection in the test's hands: sends and takes what it can, and never waits.
class Talker {
 public:
  explicit Talker(tcp::socket socket) : socket_(std::move(socket)) { socket_.non_blocking(true); }
  void say(std::string_view text) { unsent_ += text; }
  /// True when a byte or the end has come or gone.
  bool step();
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] bool has_said_all() const noexcept { return unsent_.empty(); }
  void close() { socket_.close(); }

  std::string heard;

 private:
  tcp::socket socket_;
  std::string unsent_;
  bool ended_ = false;
};

/// Two requests of one client on one connection, first a stream and then an answer in one piece, of
/// a fleet of two workers: the test plays all three, with one thing on the way that fails.
class TwoRequests : public FrontFixture {
 public:
  /// What the client has of one answer.
  enum class Answer {
    none,     ///< Not a byte.
    whole,    ///< 200, and all of it.
    refused,  ///< An error status with its whole body, or a stream that an error event ends.
    cut,      ///< Part of one, which no client can take for a whole one.
    wrong,    ///< What no worker has said looks whole.
  };

  TwoRequests();
  void TestBody() override {}
  /// Runs both requests to their end, whatever that is, and waits until nothing is left of them.
  void run();
  /// Of the first and the second request.
  [[nodiscard]] std::vector<Answer> answers() const;
  /// The call that failed was the client's connection's.
  [[nodiscard]] bool failed_at_client() const;
  /// The client had nothing of the answer when the call failed.
  [[nodiscard]] bool failed_before_answer() const noexcept { return failed_before_answer_; }
  /// The request, 0 or 1, in which it failed.
  [[nodiscard]] std::size_t failed_request() const noexcept { return failed_request_; }
  /// What is left over, in words; empty = nothing.
  [[nodiscard]] std::string left_over();
  /// Slots that were still taken by work that nobody wants when nobody was served any more.
  [[nodiscard]] std::uint32_t settled_later() const noexcept { return settled_later_; }
  /// What left the loop and not only a session; empty = nothing.
  [[nodiscard]] const std::string& broke_out() const noexcept { return broke_out_; }
  [[nodiscard]] std::string client_heard() const;

 private:
  void ask();
  bool turn_once();
  bool step_workers();
  void note_failure();
  void settle();

  std::unique_ptr<Talker> client_;
  int client_socket_ = -1;
  std::vector<std::unique_ptr<Talker>> workers_;
  std::vector<std::size_t> pieces_;  ///< By worker connection: said of its answer.
  std::vector<std::string> heard_;   ///< By request.
  bool failed_ = false;
  bool failed_before_answer_ = false;
  std::size_t failed_request_ = 0;
  std::uint32_t settled_later_ = 0;
  std::string broke_out_;
  std::string hung_;
  TimePoint begun_;
};

}  // namespace lmb::test
