#include "stub_request.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace lmb::peers {
namespace {

bool same_name(std::string_view a, std::string_view lower_case) {
  return a.size() == lower_case.size() &&
         std::equal(a.begin(), a.end(), lower_case.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
         });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_plan(std::string_view value, RequestHead& head) {
  const auto comma = value.find(',');
  if (comma == std::string_view::npos) return false;
  StreamPlan plan;
  std::uint64_t interval_us = 0;
  if (!read_number(trimmed(value.substr(0, comma)), plan.events)) return false;
  if (!read_number(trimmed(value.substr(comma + 1)), interval_us)) return false;
  plan.interval_ns = interval_us * 1000;
  head.stream = plan;
  return plan.events > 0;
}

bool read_field(std::string_view line, RequestHead& head) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (same_name(name, "content-length")) return read_number(value, head.body_bytes);
  if (same_name(name, "transfer-encoding")) return false;
  if (same_name(name, "x-stream")) return read_plan(value, head);
  if (same_name(name, "connection") && same_name(value, "close")) head.close = true;
  return true;
}

}  // namespace

HeadState parse_head(std::string_view bytes, RequestHead& head) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return HeadState::incomplete;
  head = RequestHead{};
  head.head_bytes = end + 4;
  auto rest = bytes.substr(0, end + 2);
  const auto first_line = rest.substr(0, rest.find("\r\n"));
  const auto space = first_line.find(' ');
  const auto last_space = first_line.rfind(' ');
  if (space == std::string_view::npos || last_space == space) return HeadState::malformed;
  head.method = first_line.substr(0, space);
  head.target = first_line.substr(space + 1, last_space - space - 1);
  head.close = first_line.ends_with("HTTP/1.0");
  rest.remove_prefix(first_line.size() + 2);
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find("\r\n"));
    if (!read_field(line, head)) return HeadState::malformed;
    rest.remove_prefix(line.size() + 2);
  }
  return HeadState::complete;
}

}  // namespace lmb::peers
