#include "load_request.hpp"

#include <cstddef>
#include <string_view>

namespace lmb::peers {
namespace {

constexpr std::size_t body_bytes = 1024;

std::string chat_body(bool stream) {
  std::string body = R"({"model":"stub-model","stream":)";
  body += stream ? "true" : "false";
  body += R"(,"temperature":0.7,"messages":[{"role":"user","content":")";
  constexpr std::string_view end = R"("}]})";
  constexpr std::string_view words = "Tell me how a stub answers. ";
  while (body.size() + end.size() < body_bytes) body.push_back(words[body.size() % words.size()]);
  body += end;
  return body;
}

}  // namespace

std::string chat_request(std::uint64_t events, std::uint64_t interval_us) {
  const auto body = chat_body(events > 0);
  std::string request =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: lmb-stream-load\r\n"
      "Accept: */*\r\nContent-Type: application/json\r\nAuthorization: Bearer stub\r\n";
  if (events > 0) {
    request += "X-Stream: " + std::to_string(events) + ',' + std::to_string(interval_us) + "\r\n";
  }
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return request + body;
}

}  // namespace lmb::peers
