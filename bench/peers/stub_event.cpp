#include "stub_event.hpp"

#include <charconv>
#include <cstring>
#include <system_error>

namespace lmb::peers {
namespace {

constexpr std::string_view before_stamp =
    R"(data: {"id":"chatcmpl-stub0","object":"chat.completion.chunk","created":1790000000,)"
    R"("model":"stub-model","choices":[{"index":0,"delta":{"content":")";
constexpr std::size_t stamp_digits = 20;
constexpr std::string_view after_stamp = "\"},\"finish_reason\":null}]}\n\n";
static_assert(before_stamp.size() + stamp_digits + after_stamp.size() == event_bytes);

}  // namespace

void write_event(char* out, std::uint64_t stamp_ns) {
  std::memcpy(out, before_stamp.data(), before_stamp.size());
  char* const stamp = out + before_stamp.size();
  for (std::size_t place = stamp_digits; place-- > 0; stamp_ns /= 10) {
    stamp[place] = static_cast<char>('0' + static_cast<int>(stamp_ns % 10));
  }
  std::memcpy(stamp + stamp_digits, after_stamp.data(), after_stamp.size());
}

std::optional<std::uint64_t> read_stamp(std::string_view event) {
  if (event.size() != event_bytes || !event.starts_with(before_stamp) ||
      !event.ends_with(after_stamp)) {
    return std::nullopt;
  }
  const char* const first = event.data() + before_stamp.size();
  std::uint64_t stamp = 0;
  const auto [end, error] = std::from_chars(first, first + stamp_digits, stamp);
  if (error != std::errc{} || end != first + stamp_digits) return std::nullopt;
  return stamp;
}

}  // namespace lmb::peers
