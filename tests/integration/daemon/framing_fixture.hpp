#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/canned_worker.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {

/// The route of all requests here that mean to reach the worker.
inline constexpr const char* chat_route = "/v1/chat/completions";

/// A request of which two servers could see the end, the target or the meaning at different places,
/// and how it is refused.
struct HostileRequest {
  std::string name;
  std::string bytes;
  std::string kind = "bad_request";  ///< Of the error, as clients, metrics and log tell it.
  unsigned status = 400;
  std::string route = "unknown";  ///< As metrics and log tell it.
};

/// Its head refused: nobody knows of its route. `line` without its end.
HostileRequest hostile_line(std::string name, std::string_view line);
/// A chat request that has these field lines and a body of five bytes. `fields` without the end of
/// the last.
HostileRequest hostile_fields(std::string name, std::string_view fields);
/// A chat request with this chunked body.
HostileRequest hostile_chunks(std::string name, std::string_view body);
/// A chat request up to its body; `fields` are whole lines.
std::string chat_head(std::string_view fields);

/// A daemon with one worker that records what it is asked, and the daemon's access log. When a test
/// ends, nothing may be left in the daemon, and its log must hold one line for each request that
/// the test expected, and no other.
class FramingFixture : public ::testing::Test {
 protected:
  FramingFixture();
  ~FramingFixture() override;
  void TearDown() override;

  /// Plays the request three times: alone; behind a good one and before two that want to be
  /// smuggled in; and in two pieces. Each time it must be refused by the pure rules and on the wire
  /// alike, the connection must end behind the refusal, and no worker may hear of any of it.
  void expect_refused(const HostileRequest& request);
  /// Each of them, until one is not.
  void expect_all_refused(const std::vector<HostileRequest>& requests);
  /// Sends the bytes and ends the sending side: what is not whole is neither answered nor given to
  /// a worker.
  void expect_unanswered(const std::string& name, const std::string& bytes,
                         const std::string& route);
  /// Sends the request, of whose worker's answer `{}` is the body, and a second one behind it: both
  /// must be answered and the worker asked for both. Leaves the first as the worker saw it.
  http::Request expect_forwarded(const std::string& name, const std::string& request);
  /// A line like this must be in the log at the end.
  void expect_line(const RawAnswer& answer, const std::string& kind, const std::string& ended);
  /// The metrics tell of so many more of this refusal.
  [[nodiscard]] bool counts_become(const HostileRequest& request, int count);

  [[nodiscard]] CannedWorker& worker() { return *worker_; }
  [[nodiscard]] Daemon& daemon() { return *daemon_; }

 private:
  /// What a line of the log must say.
  struct Line {
    std::string error;  ///< Empty = none.
    std::string termination;
    unsigned status = 0;
  };
  void expect_one_answer(RawClient& client, const HostileRequest& request);
  void expect_nothing_left();
  void expect_log();

  std::string log_path_;
  std::unique_ptr<CannedWorker> worker_;
  std::unique_ptr<Daemon> daemon_;
  std::map<std::string, Line> lines_;  ///< By the request's id.
  std::map<std::string, int> counts_;  ///< Refusals so far, by their series.
  std::size_t unanswered_ = 0;         ///< Requests whose line tells that their client left.
};

}  // namespace lmb::test
