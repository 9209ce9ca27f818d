#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lmb/base/error.hpp"

namespace lmb::net {

/// A host's addresses, in the order in which they should be tried.
using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
/// Finds a host's addresses and blocks meanwhile.
using LookUp = std::function<Result<Endpoints>(const std::string& host, std::uint16_t port)>;

/// The system's look-up (getaddrinfo: hosts file, DNS, mDNS for .local names). IP literals (also
/// with a zone) need none. Blocks for as long as the system's resolver tries, some 10 s for a name
/// server that is silent; cannot be cancelled. Errors: connect_failed with the resolver's message.
Result<Endpoints> look_up(const std::string& host, std::uint16_t port);

/// Looks names up, each on a thread of its own, which lasts as long as its look-up: a silent name
/// server holds up neither another name nor the end of the program. Thread safety: none; belongs to
/// the shard of `home`. Lifetime: shorter than the io_context of `home`.
class Resolver {
 public:
  using Done = std::function<void(Result<Endpoints>)>;

  explicit Resolver(boost::asio::any_io_executor home, LookUp look_up = net::look_up);
  /// What is still under way is left alone and its result dropped.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Calls `done` on `home`, never within this call, with what LookUp returns; `internal` when
  /// there is no thread for it. The caller bounds how many are under way at once.
  void begin(const std::string& host, std::uint16_t port, Done done);

 private:
  struct Home;
  std::shared_ptr<Home> home_;
  LookUp look_up_;
};

/// The same for a program with time: all of an io_context's look-ups are made on Asio's one thread
/// for them, one after the other.
/// Cancellation: terminal, ends it with connect_failed.
boost::asio::awaitable<Result<Endpoints>> resolve(std::string host, std::uint16_t port);

}  // namespace lmb::net
