#include "discovery.hpp"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include "lmb/http/client.hpp"
#include "lmb/net/resolver.hpp"
#include "lmb/protocol/model_list.hpp"

namespace lmb::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr Duration list_timeout = std::chrono::seconds(5);
constexpr std::string_view native_list = "/api/v1/models";

/// The error of an answer that never came.
Error unreachable(const Target& target, const Error& error) {
  const std::string where = target.origin();
  std::string why = where + " does not speak HTTP: is it another program's port, or an https one?";
  if (error.kind() == ErrorKind::connect_failed) {
    why = "cannot connect to " + where + ": " + error.cause().message() +
          "; is the server running, and is the port right?";
  } else if (error.kind() == ErrorKind::connect_timeout) {
    why = "cannot connect to " + where +
          " within 5 s; is the machine up, and does a firewall let you through?";
  } else if (error.kind() == ErrorKind::request_timeout) {
    why = where + " accepts connections but did not answer GET " + target.base_path +
          "/models within 5 s";
  }
  return {error.kind(), std::move(why)};
}

/// The arguments outlive it.
asio::awaitable<Result<http::FetchedAnswer>> get(const std::vector<tcp::endpoint>& endpoints,
                                                 const Target& target, std::string path,
                                                 const std::string& api_key) {
  Error error(ErrorKind::connect_failed, make_error_code(asio::error::host_not_found));
  for (const tcp::endpoint& endpoint : endpoints) {
    http::FetchRequest request("GET", path, target.host_field());
    if (!api_key.empty()) request.fields.emplace_back("Authorization", "Bearer " + api_key);
    request.timeout = list_timeout;
    auto answer = co_await http::fetch(endpoint, std::move(request));
    const bool connected = answer || (answer.error().kind() != ErrorKind::connect_failed &&
                                      answer.error().kind() != ErrorKind::connect_timeout);
    if (connected) co_return answer;
    error = answer.error();
  }
  co_return error;
}

bool generates_text(const protocol::ModelEntry& model) {
  // GET /v1/models tells no types; LM Studio's ids of embedding models begin so.
  return model.type != "embedding" && !model.id.starts_with("text-embedding");
}

/// The model to name, or nothing.
std::string first_model(const protocol::ModelCatalogue& catalogue) {
  for (const auto& model : catalogue.models) {
    if (generates_text(model) && (!catalogue.tells_loaded || !model.instances.empty())) {
      return model.id;
    }
  }
  return {};
}

bool lists(const protocol::ModelCatalogue& catalogue, const std::string& name) {
  return std::any_of(catalogue.models.begin(), catalogue.models.end(),
                     [&](const auto& model) { return protocol::names_model(model, name); });
}

Error not_a_model_server(const Target& target, const http::FetchedAnswer& answer) {
  std::string detail = "GET " + target.base_path + "/models of " + target.origin() +
                       " answered status " + std::to_string(answer.status);
  if (answer.status == 401 || answer.status == 403) {
    return {ErrorKind::unauthorized, detail + ": give its key with --api-key"};
  }
  return {ErrorKind::bad_response,
          detail +
              " and no list of models: this is not an OpenAI-style server, or the URL needs "
              "another path before /models"};
}

/// The arguments outlive it.
asio::awaitable<Result<Discovery>> look(const Target& target, const std::string& api_key,
                                        const std::string& wanted) {
  auto endpoints = co_await net::resolve(target.host, target.port);
  if (!endpoints) co_return endpoints.error();
  auto answer = co_await get(*endpoints, target, target.base_path + "/models", api_key);
  if (!answer) co_return unreachable(target, answer.error());
  auto listed = protocol::parse_model_list(answer->body);
  if (answer->status != 200 || !listed) co_return not_a_model_server(target, *answer);

  Discovery out;
  out.model = wanted;
  if (!wanted.empty()) {
    if (!lists(*listed, wanted)) out.note = "the server does not list the model " + wanted;
    co_return out;
  }
  const std::string native(native_list);
  auto native_answer = co_await get(*endpoints, target, native, api_key);
  if (native_answer && native_answer->status == 200) {
    const auto catalogue = protocol::parse_model_list(native_answer->body);
    if (catalogue && catalogue->tells_loaded) out.model = first_model(*catalogue);
  }
  if (out.model.empty()) out.model = first_model(*listed);
  if (out.model.empty()) {
    co_return Error(ErrorKind::no_worker, target.origin() +
                                              " lists no model that generates text: load one, or "
                                              "name one with --model");
  }
  co_return out;
}

}  // namespace

Result<Discovery> discover(const Target& target, const std::string& api_key,
                           const std::string& wanted) {
  asio::io_context context(1);
  Result<Discovery> out = Error(ErrorKind::internal);
  asio::co_spawn(context, look(target, api_key, wanted),
                 [&out](std::exception_ptr failure, Result<Discovery> result) {
                   if (failure) std::rethrow_exception(failure);
                   out = std::move(result);
                 });
  context.run();
  return out;
}

}  // namespace lmb::bench
