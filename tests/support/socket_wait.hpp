#pragma once

#include <poll.h>

#include <boost/asio/ip/tcp.hpp>
#include <chrono>

namespace lmb::test {

/// Waits until the socket can be read (or written), has ended or failed; false after `limit`. A
/// blocking call of Asio would not do: it waits again, without a limit, when SO_RCVTIMEO ends it.
inline bool wait_ready(boost::asio::ip::tcp::socket& socket,
                       boost::asio::ip::tcp::socket::wait_type what, std::chrono::seconds limit) {
  const short events = what == boost::asio::socket_base::wait_read ? POLLIN : POLLOUT;
  pollfd entry{socket.native_handle(), events, 0};
  return ::poll(&entry, 1, static_cast<int>(std::chrono::milliseconds(limit).count())) > 0;
}

}  // namespace lmb::test
