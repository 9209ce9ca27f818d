#include "admin_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "lmb/config/address.hpp"
#include "lmb/config/config.hpp"
#include "lmb/net/options.hpp"
#include "lmb/net/resolver.hpp"

namespace lmb::app {
namespace asio = boost::asio;

namespace {

/// A busy machine answers late, a wedged one never.
constexpr Duration call_timeout = std::chrono::seconds(10);

const char* environment(const char* name) {
  return std::getenv(name);
}

Error wrong(std::string sentence) {
  return {ErrorKind::bad_request, std::move(sentence)};
}

Result<void> take_url(const std::string& url, AdminPlace& place) {
  const bool has_scheme = url.find("://") != std::string::npos;
  auto parsed = config::parse_worker_url(has_scheme ? url : "http://" + url, place.port);
  if (auto* fault = std::get_if<config::AddressFault>(&parsed)) {
    return wrong("'" + url + "' is no URL of an admin listener: " + fault->message);
  }
  auto& address = std::get<config::HostPort>(parsed);
  place.host = std::move(address.host);
  place.port = address.port;
  return {};
}

Result<void> take_config(const std::string& file, bool only_key, AdminPlace& place) {
  const auto parsed = config::load_config(file, &environment);
  if (!parsed.ok()) return wrong(config::describe(parsed.problems, file));
  const auto& admin = parsed.config.admin;
  place.key = admin.api_key;
  if (only_key) return {};
  if (admin.listen.empty()) return wrong(file + ": admin.listen is [], so there is no listener");
  place.host = admin.listen.front().host;
  place.port = admin.listen.front().port;
  if (place.host == "0.0.0.0") place.host = "127.0.0.1";
  if (place.host == "::") place.host = "::1";
  if (place.port != 0) return {};
  return wrong(file + ": admin.listen has port 0: give --admin with the port that the log names");
}

asio::awaitable<Result<http::FetchedAnswer>> fetch(AdminPlace place, http::FetchRequest request) {
  auto resolved = co_await net::resolve(place.host, place.port);
  if (!resolved) co_return resolved.error();
  Error last(ErrorKind::connect_failed);
  for (const auto& endpoint : *resolved) {
    auto copy = request;
    auto answer = co_await http::fetch(endpoint, std::move(copy));
    if (answer) co_return answer;
    last = answer.error();
  }
  co_return last;
}

Error explained(const AdminPlace& place, const Error& error) {
  auto text = "no answer from http://" + net::host_port_text(place.host, place.port) + ": " +
              std::string(to_string(error.kind()));
  if (error.cause()) text += ", " + error.cause().message();
  if (!error.detail().empty()) text += ", " + error.detail();
  text +=
      "\nIs lmbalancer running, with this address in admin.listen? Another one: --admin URL, or "
      "-c FILE. A changed admin.listen or admin.api_key takes effect with a restart.";
  return {error.kind(), std::move(text)};
}

}  // namespace

Result<AdminPlace> find_admin(const AdminTarget& target) {
  AdminPlace place;
  if (!target.config_file.empty()) {
    auto taken = take_config(target.config_file, !target.url.empty(), place);
    if (!taken) return taken.error();
  }
  if (!target.url.empty()) {
    if (auto taken = take_url(target.url, place); !taken) return taken.error();
  }
  if (target.key_env.empty()) return place;
  const char* key = std::getenv(target.key_env.c_str());
  if (key == nullptr || *key == 0) {
    return wrong("the environment variable " + target.key_env + " is not set");
  }
  place.key = key;
  // It becomes a header field.
  if (place.key.find_first_of("\r\n") != std::string::npos) {
    return wrong("the value of the environment variable " + target.key_env + " holds a line end");
  }
  return place;
}

Result<http::FetchedAnswer> call_admin(const AdminPlace& place, const std::string& method,
                                       const std::string& path) {
  http::FetchRequest request(method, path, net::host_field_text(place.host, place.port));
  request.timeout = call_timeout;
  request.body_bytes_max = std::size_t{64} * 1024 * 1024;
  if (method == "POST") request.fields.emplace_back("Content-Type", "application/json");
  if (!place.key.empty()) request.fields.emplace_back("Authorization", "Bearer " + place.key);
  asio::io_context context;
  std::optional<Result<http::FetchedAnswer>> answer;
  asio::co_spawn(context, fetch(place, std::move(request)),
                 [&answer](std::exception_ptr failure, Result<http::FetchedAnswer> result) {
                   if (failure) std::rethrow_exception(failure);
                   answer.emplace(std::move(result));
                 });
  context.run();
  if (!answer) return Error(ErrorKind::internal);
  if (!*answer) return explained(place, answer->error());
  return std::move(*answer);
}

}  // namespace lmb::app
