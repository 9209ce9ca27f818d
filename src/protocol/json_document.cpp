#include "json_document.hpp"

#include <array>
#include <cstring>
#include <string>

namespace lmb::protocol {
namespace {

/// What stays allocated per thread between documents.
constexpr std::size_t kept_bytes_max = 1024 * 1024;

enum class Mark : std::uint8_t { other, space, quote, open, close, backslash };

constexpr std::array<Mark, 256> make_marks() {
  std::array<Mark, 256> table{};
  table[' '] = table['\t'] = table['\n'] = table['\r'] = Mark::space;
  table['{'] = table['['] = Mark::open;
  table['}'] = table[']'] = Mark::close;
  table['"'] = Mark::quote;
  table['\\'] = Mark::backslash;
  return table;
}

constexpr std::array<Mark, 256> marks = make_marks();

Mark mark_of(char c) noexcept {
  return marks[static_cast<unsigned char>(c)];
}

/// Brackets that are open, one bit each.
class OpenBrackets {
 public:
  [[nodiscard]] bool push(bool brace) noexcept {
    if (depth_ == json_depth_max) return false;
    const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
    std::uint64_t& word = braces_[depth_ / 64];
    word = brace ? word | bit : word & ~bit;
    ++depth_;
    return true;
  }
  /// False when the innermost bracket is of the other kind. Not to be called when empty.
  [[nodiscard]] bool pop(bool brace) noexcept {
    --depth_;
    return ((braces_[depth_ / 64] >> (depth_ % 64) & 1) != 0) == brace;
  }
  [[nodiscard]] bool empty() const noexcept { return depth_ == 0; }

 private:
  std::array<std::uint64_t, json_depth_max / 64> braces_;  // Bits are set before they are read.
  std::size_t depth_ = 0;
};

/// The byte behind the string whose text starts at `begin`, or nullptr when it is not closed.
const char* skip_string(const char* begin, const char* end) noexcept {
  const char* from = begin;
  while (true) {
    const void* found = std::memchr(from, '"', static_cast<std::size_t>(end - from));
    if (found == nullptr) return nullptr;
    const char* quote = static_cast<const char*>(found);
    const char* run = quote;
    while (run != from && run[-1] == '\\') --run;
    if ((quote - run) % 2 == 0) return quote + 1;
    from = quote + 1;
  }
}

const char* skip_space(const char* from, const char* end) noexcept {
  while (from != end && mark_of(*from) == Mark::space) ++from;
  return from;
}

std::string& thread_buffer() {
  thread_local std::string buffer;
  return buffer;
}

simdjson::ondemand::parser& thread_parser() noexcept {
  thread_local simdjson::ondemand::parser parser;
  return parser;
}

}  // namespace

JsonCheck find_json_object_end(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  const char* at = skip_space(text.data(), end);
  const auto fault = [&](JsonFault kind) {
    return JsonCheck{kind, static_cast<std::size_t>(at - text.data())};
  };
  if (at == end) return fault(JsonFault::empty);
  if (*at != '{') return fault(JsonFault::not_object);
  OpenBrackets open;
  while (at != end) {
    switch (mark_of(*at)) {
      case Mark::other:
      case Mark::space:
        break;
      case Mark::backslash:
        // simdjson lets a backslash outside a string escape a quote: it would see other strings
        // than we do.
        return fault(JsonFault::syntax);
      case Mark::quote: {
        const char* const behind = skip_string(at + 1, end);
        if (behind == nullptr) return {JsonFault::cut, text.size()};
        at = behind;
        continue;
      }
      case Mark::open:
        if (!open.push(*at == '{')) return fault(JsonFault::too_deep);
        break;
      case Mark::close:
        if (!open.pop(*at == '}')) return fault(JsonFault::mismatched);
        if (open.empty()) return {JsonFault::none, static_cast<std::size_t>(at + 1 - text.data())};
        break;
    }
    ++at;
  }
  return fault(JsonFault::cut);
}

JsonCheck check_json_outline(std::string_view text) noexcept {
  const JsonCheck object = find_json_object_end(text);
  if (!object.ok()) return object;
  const char* const end = text.data() + text.size();
  const auto behind =
      static_cast<std::size_t>(skip_space(text.data() + object.at, end) - text.data());
  return {behind == text.size() ? JsonFault::none : JsonFault::trailing, behind};
}

std::string_view padded_copy(std::string_view text) {
  std::string& buffer = thread_buffer();
  if (buffer.capacity() > kept_bytes_max) std::string().swap(buffer);
  buffer.reserve(text.size() + json_padding);
  buffer.assign(text);
  buffer.append(json_padding, '\0');
  return {buffer.data(), text.size()};
}

JsonParserLoan::JsonParserLoan() noexcept : parser_(thread_parser()) {}

JsonParserLoan::~JsonParserLoan() {
  // Its index takes 4 bytes for each byte of the largest text it ever saw.
  if (parser_.capacity() > kept_bytes_max) parser_ = simdjson::ondemand::parser();
}

}  // namespace lmb::protocol
