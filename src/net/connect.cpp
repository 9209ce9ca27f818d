#include "lmb/net/connect.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace lmb::net {
namespace {

using boost::asio::ip::tcp;

/// The attempts of one connect() that are under way.
class ConnectRace {
 public:
  ConnectRace(boost::asio::any_io_executor executor, std::vector<tcp::endpoint> endpoints,
              Duration timeout)
      : executor_(std::move(executor)), endpoints_(std::move(endpoints)), timeout_(timeout) {}

  /// Starts what is due and takes what has ended. True: settled, by a winner or by the last
  /// failure.
  bool advance(TimePoint now, Bell& bell) {
    do {
      collect(now);
      if (winner_) return true;
      const bool may_start = started_ < endpoints_.size();
      if (!may_start) return running_.empty();
      if (!running_.empty() && now < next_start_) return false;
      running_.push_back(
          {Stream::start_connect(executor_, endpoints_[started_++], bell), now + timeout_});
      next_start_ = now + connect_stagger;
      // One that failed within the call gives way to the next at once.
    } while (!running_.back().stream.connect_pending());
    return false;
  }

  /// When to advance again although nothing rang.
  [[nodiscard]] TimePoint wake_at() const noexcept {
    auto at = started_ < endpoints_.size() ? next_start_ : TimePoint::max();
    for (const auto& attempt : running_) at = std::min(at, attempt.limit);
    return at;
  }

  Result<Stream> take() {
    if (winner_) return std::move(*winner_);
    return failure_;
  }

 private:
  struct Attempt {
    Stream stream;
    TimePoint limit;
  };

  void collect(TimePoint now) {
    for (auto& attempt : running_) {
      const bool pending = attempt.stream.connect_pending();
      if (!pending && !attempt.stream.connect_error()) {
        winner_ = std::move(attempt.stream);
        return;
      }
      if (!pending) {
        const auto cause = attempt.stream.connect_error();
        failure_ =
            Error(is_our_lack(cause) ? ErrorKind::internal : ErrorKind::connect_failed, cause);
      } else if (now >= attempt.limit) {
        failure_ = Error(ErrorKind::connect_timeout);
      }
    }
    const auto ended = std::erase_if(running_, [now](const Attempt& attempt) {
      return !attempt.stream.connect_pending() || now >= attempt.limit;
    });
    // A place in the race that has become free is taken at once.
    if (ended > 0) next_start_ = now;
  }

  boost::asio::any_io_executor executor_;
  std::vector<tcp::endpoint> endpoints_;
  Duration timeout_;
  std::size_t started_ = 0;
  TimePoint next_start_{};
  std::vector<Attempt> running_;
  std::optional<Stream> winner_;
  Error failure_{ErrorKind::connect_failed, "the name has no address (yet)"};
};

}  // namespace

Task<Result<Stream>> connect(boost::asio::any_io_executor executor, Interruption& interruption,
                             std::vector<tcp::endpoint> endpoints, Duration timeout) {
  ConnectRace race(std::move(executor), std::move(endpoints), timeout);
  auto& bell = interruption.bell();
  while (!race.advance(Clock::now(), bell)) {
    interruption.step().set(race.wake_at());
    co_await bell.wait();
    if (const auto why = interruption.reason()) {
      interruption.step().clear();
      co_return Error(*why);
    }
  }
  interruption.step().clear();
  co_return race.take();
}

std::vector<tcp::endpoint> interleave_families(const std::vector<tcp::endpoint>& endpoints) {
  std::vector<tcp::endpoint> first;
  std::vector<tcp::endpoint> second;
  for (const auto& endpoint : endpoints) {
    const bool like_first = endpoint.protocol() == endpoints.front().protocol();
    (like_first ? first : second).push_back(endpoint);
  }
  std::vector<tcp::endpoint> ordered;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) ordered.push_back(first[i]);
    if (i < second.size()) ordered.push_back(second[i]);
  }
  return ordered;
}

}  // namespace lmb::net
