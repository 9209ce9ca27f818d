#include "lmb/net/acceptor.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <string>
#include <utility>

namespace lmb::net {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// Long enough to let sessions end and free descriptors, short enough that clients do not notice.
constexpr Duration pause_after_failure = std::chrono::milliseconds(100);

Error cannot_listen(const ListenAddress& address, const error_code& ec) {
  auto detail =
      "cannot listen on " + host_port_text(address.host, address.port) + ": " + ec.message();
  if (ec == asio::error::address_in_use)
    detail += "; stop the other program or choose another port";
  return Error(ErrorKind::internal, std::move(detail));
}

/// [::1] on a machine without IPv6: part of the default, so not worth refusing to start.
bool is_missing_loopback(const asio::ip::address& ip, const error_code& ec) {
  return ip.is_v6() && ip.is_loopback() &&
         (ec == asio::error::address_family_not_supported ||
          ec == boost::system::errc::address_not_available);
}

/// The peer went away between its SYN and our accept: nothing to pause for.
bool harmless(const error_code& ec) {
  return ec == asio::error::connection_aborted || ec == asio::error::interrupted ||
         ec == boost::system::errc::protocol_error;
}

}  // namespace

struct Acceptor::Listener {
  explicit Listener(asio::io_context& context) : acceptor(context), pause(context) {}
  tcp::acceptor acceptor;
  Timer pause;
};

Acceptor::Acceptor(asio::io_context& context, std::vector<asio::io_context*> targets,
                   OnSocket on_socket)
    : context_(context), targets_(std::move(targets)), on_socket_(std::move(on_socket)) {}

Acceptor::~Acceptor() = default;

Result<void> Acceptor::listen(const std::vector<ListenAddress>& addresses) {
  for (const auto& address : addresses) {
    error_code ec;
    const auto ip = asio::ip::make_address(address.host, ec);
    if (ec) return cannot_listen(address, ec);
    const tcp::endpoint endpoint(ip, address.port);
    auto listener = std::make_unique<Listener>(context_);
    auto& acceptor = listener->acceptor;
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec && ip.is_v6()) {
      const bool v4_beside =
          std::any_of(addresses.begin(), addresses.end(), [&](const auto& other) {
            return other.port == address.port && other.host.find(':') == std::string::npos;
          });
      acceptor.set_option(asio::ip::v6_only(v4_beside || !ip.is_unspecified()), ec);
    }
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (is_missing_loopback(ip, ec) && addresses.size() > 1) continue;
    if (ec) {
      listeners_.clear();
      return cannot_listen(address, ec);
    }
    listeners_.push_back(std::move(listener));
  }
  return {};
}

std::vector<tcp::endpoint> Acceptor::endpoints() const {
  std::vector<tcp::endpoint> bound;
  for (const auto& listener : listeners_) {
    error_code ignored;
    bound.push_back(listener->acceptor.local_endpoint(ignored));
  }
  return bound;
}

void Acceptor::start() {
  for (auto& listener : listeners_) accept(*listener);
}

void Acceptor::stop() {
  for (auto& listener : listeners_) {
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
}

void Acceptor::accept(Listener& listener) {
  const auto index = next_;
  next_ = (next_ + 1) % targets_.size();
  listener.acceptor.async_accept(
      *targets_[index], [this, &listener, index](const error_code& ec, tcp::socket socket) {
        if (!listener.acceptor.is_open()) return;
        if (!ec) on_socket_(index, std::move(socket));
        if (!ec || harmless(ec)) return accept(listener);
        listener.pause.expires_after(pause_after_failure);
        listener.pause.async_wait([this, &listener](const error_code& cancelled) {
          if (!cancelled && listener.acceptor.is_open()) accept(listener);
        });
      });
}

}  // namespace lmb::net
