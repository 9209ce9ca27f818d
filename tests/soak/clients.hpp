#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace lmb::soak {

/// What the clients know of their requests: what the daemon tells must be the same.
struct Tally {
  std::atomic<std::uint64_t> sent{0};      ///< Requests whose head was sent whole.
  std::atomic<std::uint64_t> answered{0};  ///< Whole answers, of whatever status.
  std::atomic<std::uint64_t> left{0};      ///< The client went away before the end of the answer.
  std::atomic<std::uint64_t> cut{0};       ///< The answer ended early or with an error event.
  std::atomic<std::uint64_t> lost{0};      ///< The connection ended without an answer.
  std::atomic<std::uint64_t> refused{0};   ///< Of the answered: 5xx.
  std::atomic<std::uint64_t> strange{0};   ///< An answer that nothing explains.
};

/// Threads that ask a daemon on 127.0.0.1 in every way that clients do, well and badly behaved,
/// until stopped.
class Clients {
 public:
  Clients(std::uint16_t port, std::size_t count, std::uint64_t seed);
  /// Stops.
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  /// Each ends its request; returns when all have.
  void stop();
  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

 private:
  void run(std::uint64_t seed);

  std::uint16_t port_;
  Tally tally_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace lmb::soak
