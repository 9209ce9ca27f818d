#include "lmb/net/resolver.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "lmb/net/connect.hpp"

namespace lmb::net {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// What an address needs no look-up for. An error for "fe80::1%en0" where there is no such
/// interface, perhaps only for now.
std::optional<Result<Endpoints>> literal(const std::string& host, std::uint16_t port) {
  boost::system::error_code not_literal;
  const auto address = asio::ip::make_address(host, not_literal);
  if (not_literal) return std::nullopt;
  const auto zone = host.find('%');
  const bool zoned = zone != std::string::npos;
  if (zoned && (!address.is_v6() || address.to_v6().scope_id() == 0)) {
    return Error(ErrorKind::connect_failed,
                 "this machine has no network interface " + host.substr(zone + 1));
  }
  return Endpoints{{address, port}};
}

Result<Endpoints> found(const std::string& host, const boost::system::error_code& ec,
                        const tcp::resolver::results_type& results) {
  if (ec) return Error(ErrorKind::connect_failed, "cannot resolve " + host + ": " + ec.message());
  Endpoints endpoints;
  for (const auto& entry : results) endpoints.push_back(entry.endpoint());
  return interleave_families(endpoints);
}

}  // namespace

Result<Endpoints> look_up(const std::string& host, std::uint16_t port) {
  if (auto endpoints = literal(host, port)) return std::move(*endpoints);
  asio::io_context context(1);
  tcp::resolver resolver(context);
  boost::system::error_code ec;
  const auto results = resolver.resolve(host, std::to_string(port), ec);
  return found(host, ec, results);
}

/// Where results go, for as long as anybody is there.
struct Resolver::Home : std::enable_shared_from_this<Home> {
  explicit Home(asio::any_io_executor its_executor) : executor(std::move(its_executor)) {}

  void tell(const Done& done, Result<Endpoints> result) {
    const std::lock_guard lock(mutex);
    if (!open) return;
    asio::post(executor,
               [this_home = shared_from_this(), done, result = std::move(result)]() mutable {
                 if (this_home->open) done(std::move(result));
               });
  }

  const asio::any_io_executor executor;
  std::mutex mutex;
  bool open = true;  // Written on the home shard, with the lock; other threads read with it.
};

Resolver::Resolver(asio::any_io_executor home, LookUp look_up)
    : home_(std::make_shared<Home>(std::move(home))), look_up_(std::move(look_up)) {}

Resolver::~Resolver() {
  const std::lock_guard lock(home_->mutex);
  home_->open = false;
}

void Resolver::begin(const std::string& host, std::uint16_t port, Done done) {
  const auto work = [home = home_, look_up = look_up_, host, port, done] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    home->tell(done, look_up(host, port));
  };
  if (auto endpoints = literal(host, port)) {
    home_->tell(done, std::move(*endpoints));
    return;
  }
  try {
    std::thread(work).detach();
  } catch (const std::system_error& error) {
    home_->tell(
        done, Error(ErrorKind::internal, std::string("no thread for a look-up: ") + error.what()));
  }
}

asio::awaitable<Result<Endpoints>> resolve(std::string host, std::uint16_t port) {
  if (auto endpoints = literal(host, port)) co_return std::move(*endpoints);
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto service = std::to_string(port);
  auto [ec, results] =
      co_await resolver.async_resolve(host, service, asio::as_tuple(asio::use_awaitable));
  co_return found(host, ec, results);
}

}  // namespace lmb::net
