#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/net/options.hpp"
#include "lmb/net/timer.hpp"

namespace lmb::net {

/// Listens on the configured addresses and hands accepted sockets round robin to shards.
///
/// Out of file descriptors or memory, it pauses for 100 ms instead of spinning. IPv6 sockets take
/// IPv6 only, so that `0.0.0.0:P` and `[::]:P` can stand side by side; `[::]` alone serves both
/// families. Thread safety: none; lives on one io_context.
class Acceptor {
 public:
  /// Called on the acceptor's thread with a socket that already belongs to `targets[index]`.
  using OnSocket = std::function<void(std::size_t index, boost::asio::ip::tcp::socket)>;

  Acceptor(boost::asio::io_context& context, std::vector<boost::asio::io_context*> targets,
           OnSocket on_socket);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Binds and listens everywhere, all or nothing; but `::1` beside others is left out on a machine
  /// without IPv6. Errors: internal, detail says which address and
  /// why ("address already in use").
  Result<void> listen(const std::vector<ListenAddress>& addresses);
  /// The bound endpoints, in the order of listen(); tells the port chosen for port 0.
  [[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> endpoints() const;
  /// Begins to accept; on the acceptor's thread or before it runs.
  void start();
  /// Closes the listening sockets; on the acceptor's thread.
  void stop();

 private:
  struct Listener;
  void accept(Listener& listener);
  boost::asio::io_context& context_;
  std::vector<boost::asio::io_context*> targets_;
  OnSocket on_socket_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace lmb::net
