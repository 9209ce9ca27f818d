#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <vector>

#include "integration/http/loop.hpp"

namespace lmb::test {

/// A listener that takes no connection any more: its queue is full, so that further ones stay
/// pending, as with a host that drops packets.
class FullListener {
 public:
  explicit FullListener(asio::io_context& context) : acceptor_(context, tcp::v4()) {
    acceptor_.bind(loopback());
    acceptor_.listen(0);
    for (int i = 0; i < 64 && !full_; ++i) {
      tcp::socket socket(context, tcp::v4());
      socket.native_non_blocking(true);
      const auto endpoint = acceptor_.local_endpoint();
      static_cast<void>(::connect(socket.native_handle(), endpoint.data(),
                                  static_cast<socklen_t>(endpoint.size())));
      // On loopback an accepted connection is there at once.
      pollfd pending{socket.native_handle(), POLLOUT, 0};
      full_ = ::poll(&pending, 1, 20) == 0;
      sockets_.push_back(std::move(socket));
    }
  }
  /// False where the kernel refuses instead of letting wait.
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  tcp::acceptor acceptor_;
  std::vector<tcp::socket> sockets_;
  bool full_ = false;
};

}  // namespace lmb::test
