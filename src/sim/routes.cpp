#include "routes.hpp"

#include <array>
#include <optional>

#include "control.hpp"
#include "generate.hpp"
#include "management.hpp"
#include "model_lists.hpp"
#include "playing.hpp"
#include "version_facts.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;

enum class Service : std::uint8_t {
  greeting,
  openai_models,
  v0_models,
  v0_model,  ///< With the model's name at the end of the path.
  v1_models,
  generation,
  embedding,
  load,
  unload,
  download,
  download_status,  ///< With the job at the end of the path.
};

struct Route {
  std::string_view method;
  std::string_view path;  ///< Ends with a slash: what follows is a name.
  StudioVersion since;
  Service service;
  AnswerForm form = AnswerForm::chat;
};

constexpr StudioVersion always{0, 0, 0};
constexpr StudioVersion v0_3_6{0, 3, 6};
constexpr StudioVersion v0_3_29{0, 3, 29};
constexpr StudioVersion v0_4_0{0, 4, 0};
constexpr StudioVersion v0_4_1{0, 4, 1};

constexpr std::array<Route, 18> routes = {
    {{"GET", "/lmstudio-greeting", always, Service::greeting},
     {"GET", "/v1/models", always, Service::openai_models},
     {"POST", "/v1/chat/completions", always, Service::generation, AnswerForm::chat},
     {"POST", "/v1/completions", always, Service::generation, AnswerForm::completion},
     {"POST", "/v1/embeddings", always, Service::embedding},
     {"GET", "/api/v0/models", v0_3_6, Service::v0_models},
     {"GET", "/api/v0/models/", v0_3_6, Service::v0_model},
     {"POST", "/api/v0/chat/completions", v0_3_6, Service::generation, AnswerForm::v0_chat},
     {"POST", "/api/v0/completions", v0_3_6, Service::generation, AnswerForm::v0_completion},
     {"POST", "/api/v0/embeddings", v0_3_6, Service::embedding},
     {"POST", "/v1/responses", v0_3_29, Service::generation, AnswerForm::responses},
     {"POST", "/api/v1/chat", v0_4_0, Service::generation, AnswerForm::native_chat},
     {"GET", "/api/v1/models", v0_4_0, Service::v1_models},
     {"POST", "/api/v1/models/load", v0_4_0, Service::load},
     {"POST", "/api/v1/models/unload", v0_4_0, Service::unload},
     {"POST", "/api/v1/models/download", v0_4_0, Service::download},
     {"GET", "/api/v1/models/download/status/", v0_4_0, Service::download_status},
     {"POST", "/v1/messages", v0_4_1, Service::generation, AnswerForm::messages}}};

bool matches(const Route& route, std::string_view path) {
  if (!route.path.ends_with('/')) return path == route.path;
  return path.size() > route.path.size() && path.starts_with(route.path);
}

const Route* find_route(const StudioVersion& version, const http::Request& request) {
  const std::string_view method =
      request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const auto& route : routes) {
    const bool exists = version >= route.since && method == route.method;
    if (exists && matches(route, request.path())) return &route;
  }
  return nullptr;
}

/// Keys hold a slash, which some clients escape.
std::string unescape_slashes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view three = text.substr(i, 3);
    const bool slash = three == "%2F" || three == "%2f";
    out.push_back(slash ? '/' : text[i]);
    if (slash) i += 2;
  }
  return out;
}

/// Body of a GET route; nothing for a model that is not there.
std::optional<std::string> find_document(const Studio& studio, const Route& route,
                                         std::string_view path) {
  const WorkerOptions& options = studio.options();
  const bool capabilities = lists_capabilities(options.version);
  switch (route.service) {
    case Service::greeting:
      return R"({"lmstudio":true})";
    case Service::openai_models:
      return openai_list(studio.listed(!options.jit));
    case Service::v0_models:
      return v0_list(studio.listed(!options.jit), capabilities);
    case Service::v0_model: {
      const std::string id = unescape_slashes(path.substr(route.path.size()));
      return v0_model(studio.listed(!options.jit), id, capabilities);
    }
    case Service::v1_models:
      return v1_list(studio.listed(false));
    case Service::generation:
    case Service::embedding:
    case Service::load:
    case Service::unload:
    case Service::download:
    case Service::download_status:
      break;
  }
  return std::nullopt;
}

asio::awaitable<void> answer_unexpected(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  std::string text = "Unexpected endpoint or method. (" + request.method + " ";
  text.append(request.path()).append(")");
  const Refusal refusal = plain_refusal(text, 200);
  co_await refuse(exchange, refusal);
}

bool may_enter(const Studio& studio, const http::Request& request) {
  if (studio.options().api_token.empty() || request.path() == "/lmstudio-greeting") return true;
  return studio.credential_of(request) == Credential::own;
}

bool is_generation(const Route* route) {
  return route != nullptr &&
         (route->service == Service::generation || route->service == Service::embedding);
}

asio::awaitable<void> answer_document(const Studio& studio, http::Exchange& exchange,
                                      const Route& route, Misbehaviour misbehaviour) {
  const auto document = find_document(studio, route, exchange.request().path());
  if (!document) {
    co_await answer_unexpected(exchange);
    co_return;
  }
  co_await respond_or_play(exchange, misbehaviour, *document);
}

asio::awaitable<void> dispatch(std::shared_ptr<Studio> studio, http::Exchange& exchange,
                               const Route& route, const GenerationCall& call) {
  switch (route.service) {
    case Service::generation:
      return generate(std::move(studio), exchange, call);
    case Service::embedding:
      return embed(std::move(studio), exchange, call);
    case Service::load:
      return answer_load(std::move(studio), exchange);
    case Service::unload:
      return answer_unload(std::move(studio), exchange);
    case Service::download:
      return answer_download(std::move(studio), exchange);
    case Service::download_status:
      return answer_download_status(exchange, exchange.request().path().substr(route.path.size()));
    case Service::greeting:
    case Service::openai_models:
    case Service::v0_models:
    case Service::v0_model:
    case Service::v1_models:
      break;
  }
  return answer_document(*studio, exchange, route, call.misbehaviour);
}

}  // namespace

asio::awaitable<void> serve(std::shared_ptr<Studio> studio, http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  if (request.path().starts_with(control_prefix)) {
    co_await answer_control(studio, exchange);
    co_return;
  }
  GenerationCall call;
  call.number = studio->note(request);
  const Route* route = find_route(studio->options().version, request);
  call.misbehaviour = studio->faults().take(request, is_generation(route));
  if (call.misbehaviour.any()) studio->ledger().note_fault();
  const bool played = co_await play_before_head(exchange, call.misbehaviour);
  if (played) co_return;

  if (!may_enter(*studio, request)) {
    const Refusal refusal = token_required();
    co_await refuse(exchange, refusal);
    co_return;
  }
  if (route == nullptr) {
    co_await answer_unexpected(exchange);
    co_return;
  }
  call.form = route->form;
  co_await dispatch(studio, exchange, *route, call);
}

}  // namespace lmb::sim
