#include "lmb/net/resolver.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "lmb/net/connect.hpp"

namespace lmb::net {
namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<Result<std::vector<tcp::endpoint>>> resolve(std::string host, std::uint16_t port) {
  std::vector<tcp::endpoint> endpoints;
  boost::system::error_code not_literal;
  const auto literal = asio::ip::make_address(host, not_literal);
  if (!not_literal) {
    endpoints.emplace_back(literal, port);
    co_return endpoints;
  }
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto service = std::to_string(port);
  auto [ec, results] =
      co_await resolver.async_resolve(host, service, asio::as_tuple(asio::use_awaitable));
  if (ec)
    co_return Error(ErrorKind::connect_failed, "cannot resolve " + host + ": " + ec.message());
  for (const auto& entry : results) endpoints.push_back(entry.endpoint());
  co_return interleave_families(endpoints);
}

}  // namespace lmb::net
