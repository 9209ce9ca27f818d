#include "routes.hpp"

#include <array>
#include <optional>

#include "generation.hpp"
#include "generation_request.hpp"
#include "model_lists.hpp"
#include "playing.hpp"

namespace lmb::sim {
namespace {

namespace asio = boost::asio;

struct GenerationRoute {
  std::string_view path;
  AnswerForm form;
};

constexpr std::array<GenerationRoute, 4> generation_routes = {
    {{"/v1/chat/completions", {true, false}},
     {"/v1/completions", {false, false}},
     {"/api/v0/chat/completions", {true, true}},
     {"/api/v0/completions", {false, true}}}};
constexpr std::string_view v0_models = "/api/v0/models";

const GenerationRoute* find_generation(std::string_view path) {
  for (const auto& route : generation_routes) {
    if (route.path == path) return &route;
  }
  return nullptr;
}

bool is_embedding(std::string_view path) {
  return path == "/v1/embeddings" || path == "/api/v0/embeddings";
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

std::string v0_model_named(const Studio& studio, std::string_view id) {
  const std::string key = unescape_slashes(id);
  for (const auto& model : studio.model_options()) {
    if (model.preset.model.key == key) return v0_model(model);
  }
  return {};
}

/// Body of a GET route; nothing for a path that LM Studio does not know.
std::optional<std::string> find_document(const Studio& studio, std::string_view path) {
  if (path == "/lmstudio-greeting") return R"({"lmstudio":true})";
  if (path == "/v1/models") return openai_list(studio.model_options());
  if (path == v0_models) return v0_list(studio.model_options());
  if (path == "/api/v1/models") return v1_list(studio.model_options());
  if (path.starts_with(v0_models) && path.substr(v0_models.size()).starts_with('/')) {
    std::string model = v0_model_named(studio, path.substr(v0_models.size() + 1));
    if (!model.empty()) return model;
  }
  return std::nullopt;
}

asio::awaitable<bool> answer_unexpected(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  std::string text = "Unexpected endpoint or method. (" + request.method + " ";
  text.append(request.path()).append(")");
  return refuse(exchange, plain_refusal(text, 200));
}

bool may_enter(const Studio& studio, const http::Request& request) {
  if (studio.options().api_token.empty() || request.path() == "/lmstudio-greeting") return true;
  return studio.credential_of(request) == Credential::own;
}

}  // namespace

asio::awaitable<void> serve(std::shared_ptr<Studio> studio, http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const std::string_view path = request.path();
  const std::uint64_t number = studio->note(request);
  const bool post = request.method == "POST";
  const GenerationRoute* generation = post ? find_generation(path) : nullptr;
  const bool embedding = post && is_embedding(path);
  const Fault fault = studio->take_fault(request, generation != nullptr || embedding);
  const bool played = co_await play_before_head(exchange, fault);
  if (played) co_return;

  if (!may_enter(*studio, request)) {
    const Refusal refusal = token_required();
    co_await refuse(exchange, refusal);
    co_return;
  }
  if (generation != nullptr) {
    co_await generate(studio, exchange, generation->form, fault, number);
    co_return;
  }
  if (embedding) {
    co_await embed(studio, exchange, fault, number);
    co_return;
  }
  std::optional<std::string> document;
  if (request.method == "GET" || request.method == "HEAD") {
    document = find_document(*studio, path);
  }
  if (!document) {
    co_await answer_unexpected(exchange);
    co_return;
  }
  co_await respond_or_play(exchange, fault, *document);
}

}  // namespace lmb::sim
