#include "request_plan.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

namespace lmb::bench {
namespace {

/// SplitMix64's output function: neighbouring inputs give unrelated outputs.
std::uint64_t scramble(std::uint64_t value) noexcept {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

/// Independent numbers for one request: `use` tells them apart.
std::uint64_t draw(std::uint64_t seed, std::size_t index, std::uint64_t use) noexcept {
  return scramble(scramble(seed ^ scramble(use)) + index);
}

/// 0 <= result < 1, 53 random bits.
double unit_interval(std::uint64_t random) noexcept {
  return static_cast<double>(random >> 11U) * 0x1.0p-53;
}

enum Use : std::uint64_t {
  use_abort = 1,
  use_tokens = 2,
  use_delay = 3,
  use_nonce = 4,
  use_word = 5
};

constexpr std::string_view hex_digits = "0123456789abcdef";

std::string hex(std::uint64_t value) {
  std::string out(16, '0');
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit, value >>= 4U) {
    *digit = hex_digits[value & 15U];
  }
  return out;
}

/// Each is one token, with its space, in the vocabularies in use.
constexpr std::array<std::string_view, 32> words = {
    "time",    "year",    "people",   "way",    "day",    "man",    "thing",   "woman",
    "life",    "child",   "world",    "school", "state",  "family", "student", "group",
    "country", "problem", "hand",     "part",   "place",  "case",   "week",    "company",
    "system",  "program", "question", "work",   "number", "night",  "point",   "home"};

constexpr std::string_view instruction = " Write a long story that uses these words:";
/// About: 16 hex digits make some 11 tokens, the instruction 8.
constexpr std::uint32_t fixed_tokens = 19;

}  // namespace

std::optional<AbortPoint> abort_point(const LoadPlan& plan, std::size_t index) {
  if (!(unit_interval(draw(plan.seed, index, use_abort)) < plan.abort_share)) return std::nullopt;
  AbortPoint point;
  if (plan.stream) {
    const std::uint64_t random = draw(plan.seed, index, use_tokens);
    point.tokens = static_cast<std::uint32_t>(random % (std::uint64_t{plan.abort_tokens_max} + 1));
  }
  if (point.tokens == 0) {
    const double part = unit_interval(draw(plan.seed, index, use_delay));
    point.delay = Duration(
        static_cast<Duration::rep>(part * static_cast<double>(plan.abort_delay_max.count())));
  }
  return point;
}

std::size_t planned_aborts(const LoadPlan& plan) {
  std::size_t count = 0;
  for (std::size_t index = 0; index < plan.requests; ++index) {
    if (abort_point(plan, index)) ++count;
  }
  return count;
}

std::string prompt_text(const LoadPlan& plan, std::size_t index, bool warmup) {
  const std::uint64_t run = plan.nonce ^ scramble(plan.concurrency * 2 + (warmup ? 1 : 0));
  std::string text = hex(draw(run, index, use_nonce));
  text += instruction;
  const std::uint32_t count = std::max(plan.prompt_tokens, fixed_tokens) - fixed_tokens;
  for (std::uint32_t i = 0; i < count; ++i) {
    text += ' ';
    text += words[draw(plan.seed, index, use_word + i) % words.size()];
  }
  return text;
}

std::string request_bytes(const LoadPlan& plan, std::size_t index, bool warmup) {
  nlohmann::json message = {{"role", "user"}, {"content", prompt_text(plan, index, warmup)}};
  nlohmann::json body = {{"model", plan.model},
                         {"messages", nlohmann::json::array({std::move(message)})},
                         {"max_tokens", plan.max_tokens},
                         {"stream", plan.stream}};
  // Without it a stream tells no token counts (LM Studio 0.3.18 and newer answer it).
  if (plan.stream) body["stream_options"] = {{"include_usage", true}};
  // Ill-formed UTF-8 in --model must not throw.
  const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);

  std::string out = "POST " + plan.target.base_path + "/chat/completions HTTP/1.1\r\nHost: ";
  out += plan.target.host_field();
  out += "\r\nUser-Agent: lmbalancer-bench\r\nContent-Type: application/json\r\nAccept: ";
  out += plan.stream ? "text/event-stream" : "application/json";
  if (!plan.api_key.empty()) out += "\r\nAuthorization: Bearer " + plan.api_key;
  out += "\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n";
  out += text;
  return out;
}

}  // namespace lmb::bench
