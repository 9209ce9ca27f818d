#include "stub_answers.hpp"

#include <array>
#include <ctime>
#include <functional>

namespace lmb::peers {
namespace {

constexpr std::size_t chat_body_bytes = 606;

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

std::string chat_body() {
  const std::string before =
      R"({"id":"chatcmpl-stub00000000","object":"chat.completion","created":1790000000,)"
      R"("model":"stub-model","choices":[{"index":0,"message":{"role":"assistant","content":")";
  const std::string after =
      R"(","tool_calls":[]},"logprobs":null,"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":210,"completion_tokens":56,"total_tokens":266,)"
      R"("completion_tokens_details":{"reasoning_tokens":0}},)"
      R"("stats":{},"system_fingerprint":"stub-model"})";
  constexpr std::string_view text = "A fast stub answers every prompt with the same words. ";
  std::string content;
  while (before.size() + content.size() + after.size() < chat_body_bytes) {
    content.push_back(text[content.size() % text.size()]);
  }
  return before + content + after;
}

std::string v1_models() {
  return R"({"data":[{"id":"stub-model","object":"model","owned_by":"organization_owner"}],)"
         R"("object":"list"})";
}

std::string api_v0_models() {
  return R"({"object":"list","data":[{"id":"stub-model","object":"model","type":"llm",)"
         R"("publisher":"stub","arch":"stub","compatibility_type":"mlx","quantization":"4bit",)"
         R"("state":"loaded","max_context_length":262144,"loaded_context_length":32768,)"
         R"("capabilities":["tool_use"]}]})";
}

std::string api_v1_models(unsigned parallel) {
  return R"({"models":[{"type":"llm","publisher":"stub","key":"stub-model",)"
         R"("display_name":"Stub Model","architecture":"stub",)"
         R"("quantization":{"name":"4bit","bits_per_weight":4},"size_bytes":17190000000,)"
         R"("params_string":"30B-A3B","loaded_instances":[{"id":"stub-model","config":)"
         R"({"context_length":32768,"eval_batch_size":512,"parallel":)" +
         std::to_string(parallel) +
         R"(,"flash_attention":true,"num_experts":8,"offload_kv_cache_to_gpu":true}}],)"
         R"("max_context_length":262144,"format":"mlx",)"
         R"("capabilities":{"vision":false,"trained_for_tool_use":true},)"
         R"("description":null,"variants":["stub-model@4bit"],)"
         R"("selected_variant":"stub-model@4bit"}]})";
}

}  // namespace

std::string json_answer(std::string_view status, std::string_view date, std::string_view body) {
  std::string answer = "HTTP/1.1 ";
  answer.append(status);
  answer.append("\r\nX-Powered-By: Express\r\nContent-Type: application/json; charset=utf-8\r\n");
  answer.append("Content-Length: " + std::to_string(body.size()) + "\r\nETag: W/\"" +
                std::to_string(std::hash<std::string_view>{}(body)) + "\"\r\nDate: ");
  answer.append(date);
  answer.append("\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n");
  answer.append(body);
  return answer;
}

StubAnswers::StubAnswers(unsigned parallel)
    : date_(http_date()),
      chat_(json_answer("200 OK", date_, chat_body())),
      stream_head_(
          "HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: text/event-stream\r\n"
          "Cache-Control: no-cache\r\nDate: " +
          date_ +
          "\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n"
          "Transfer-Encoding: chunked\r\n\r\n"),
      malformed_(json_answer("400 Bad Request", date_, R"({"error":"malformed request"})")) {
  const auto add = [this](std::string path, const std::string& body) {
    routes_.push_back({std::move(path), json_answer("200 OK", date_, body)});
  };
  add("/lmstudio-greeting", R"({"lmstudio":true})");
  add("/v1/models", v1_models());
  add("/api/v0/models", api_v0_models());
  add("/api/v1/models", api_v1_models(parallel));
}

std::string_view StubAnswers::other(std::string_view method, std::string_view target) {
  for (const auto& route : routes_) {
    if (method == "GET" && route.path == target) return route.answer;
  }
  std::string body = "{\"error\":\"Unexpected endpoint or method. (";
  body.append(method).append(" ").append(target).append(")\"}");
  unexpected_ = json_answer("200 OK", date_, body);
  return unexpected_;
}

}  // namespace lmb::peers
