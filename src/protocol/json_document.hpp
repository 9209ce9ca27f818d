#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "lmb/base/refused_memory.hpp"
#include "lmb/protocol/request_facts.hpp"

/// Reading of one JSON object with simdjson's on-demand parser, safe against hostile text.
///
/// On-demand skips what is not asked for, and trusts brackets while it does. So the outline of
/// every text (strings closed, brackets of one kind, depth, nothing behind the object) is checked
/// before it.
namespace lmb::protocol {

static_assert(json_padding >= simdjson::SIMDJSON_PADDING);

inline constexpr std::size_t json_depth_max = 1024;

enum class JsonFault : std::uint8_t {
  none,
  empty,       ///< Nothing but white space.
  not_object,  ///< Another value, or not JSON at all.
  cut,         ///< The text ends inside the object.
  mismatched,  ///< `[` closed by `}` or the other way round.
  too_deep,    ///< Deeper than json_depth_max.
  trailing,    ///< Something behind the object.
  bad_utf8,
  syntax,
  no_memory,
};

/// A fault and the byte where it shows.
struct JsonCheck {
  JsonFault fault = JsonFault::none;
  std::size_t at = 0;
  [[nodiscard]] bool ok() const noexcept { return fault == JsonFault::none; }
};

/// Looks for the end of the object that `text` begins with: without a fault, `at` is the byte
/// behind its closing bracket. Checks what check_json_outline checks up to there.
JsonCheck find_json_object_end(std::string_view text) noexcept;

/// Checks the outline of `text`: exactly one object with closed strings and matching brackets.
/// Scalars and the order of commas and colons are not looked at. Never reports bad_utf8.
JsonCheck check_json_outline(std::string_view text) noexcept;

/// Copies `text` into this thread's buffer, with padding behind it. Valid until the next call on
/// this thread.
std::string_view padded_copy(std::string_view text);

/// This thread's parser for the time of one document. A parser grown by a large text is freed
/// again.
class JsonParserLoan {
 public:
  JsonParserLoan() noexcept;
  ~JsonParserLoan();
  JsonParserLoan(const JsonParserLoan&) = delete;
  JsonParserLoan& operator=(const JsonParserLoan&) = delete;
  [[nodiscard]] simdjson::ondemand::parser& parser() const noexcept { return parser_; }

 private:
  simdjson::ondemand::parser& parser_;
};

using JsonValue = simdjson::ondemand::value;
using JsonObject = simdjson::ondemand::object;
using JsonArray = simdjson::ondemand::array;

/// First byte of a value: `{ [ " t f n -` or a digit in valid JSON.
inline char json_kind(JsonValue& value) noexcept {
  return value.raw_json_token().front();
}

/// The text between the quotes, still escaped; empty for other kinds of value.
inline std::string_view raw_text(JsonValue& value) noexcept {
  const std::string_view token = value.raw_json_token();
  const std::size_t close = token.rfind('"');
  return token.front() == '"' && close > 0 ? token.substr(1, close - 1) : std::string_view{};
}

/// The unescaped string; false for other kinds and bad escapes. At most once per value: each call
/// takes room in a buffer that is as large as the text. Valid until the document is done.
inline bool read_text(JsonValue& value, std::string_view& out) noexcept {
  return value.get_string().get(out) == simdjson::SUCCESS;
}

/// Assigns a string value to `out`, which other kinds of value leave alone. False for bad escapes.
inline bool assign_text(JsonValue& value, std::string& out) {
  std::string_view text;
  if (json_kind(value) != '"') return true;
  if (!read_text(value, text)) return false;
  out = text;
  return true;
}

/// Calls `visit(value)` and leaves the value behind; false when it is not the start of a value.
template <class Visit>
bool visit_json_value(JsonValue& value, Visit&& visit) {
  const char kind = json_kind(value);
  const bool starts_value = kind == '{' || kind == '[' || kind == '"' || kind == '-' ||
                            kind == 't' || kind == 'f' || kind == 'n' ||
                            (kind >= '0' && kind <= '9');
  if (!starts_value || !visit(value)) return false;
  // On-demand takes a skipped string with a colon behind it for a key and runs out of its object.
  return kind != '"' || value.get_raw_json_string().error() == simdjson::SUCCESS;
}

/// Calls `visit(key, value)` for each member; `visit` returns false to stop. False when it did, or
/// for broken syntax. A nested each_member or each_element must have run to its end.
template <class Visit>
bool each_member(JsonObject object, Visit&& visit) {
  for (auto member : object) {
    simdjson::ondemand::field field;
    std::string_view key;
    if (std::move(member).get(field) != simdjson::SUCCESS) return false;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    if (!visit_json_value(field.value(), [&](JsonValue& value) { return visit(key, value); })) {
      return false;
    }
  }
  return true;
}

/// Calls each_member on a value that is an object; true and no call for other kinds.
template <class Visit>
bool each_member(JsonValue& value, Visit&& visit) {
  JsonObject object;
  if (json_kind(value) != '{') return true;
  return value.get_object().get(object) == simdjson::SUCCESS && each_member(object, visit);
}

/// Calls `visit(value)` for each element of a value that is an array; true and no call for other
/// kinds.
template <class Visit>
bool each_element(JsonValue& value, Visit&& visit) {
  JsonArray array;
  if (json_kind(value) != '[') return true;
  if (value.get_array().get(array) != simdjson::SUCCESS) return false;
  for (auto element : array) {
    JsonValue item;
    if (std::move(element).get(item) != simdjson::SUCCESS) return false;
    if (!visit_json_value(item, visit)) return false;
  }
  return true;
}

/// Reads the object `text`, which json_padding readable bytes must follow, with one call of
/// `visit(key, value)` per member. Must not be nested: a thread has one parser.
template <class Visit>
JsonCheck read_json_object(std::string_view text, Visit&& visit) {
  if (const JsonCheck outline = check_json_outline(text); !outline.ok()) return outline;
  const JsonParserLoan loan;
  simdjson::ondemand::document document;
  const simdjson::padded_string_view padded(text.data(), text.size(), text.size() + json_padding);
  const auto refused = refused_allocations();
  const simdjson::error_code opened = loan.parser().iterate(padded).get(document);
  if (refused_allocations() != refused) return {JsonFault::no_memory, 0};
  if (opened == simdjson::UTF8_ERROR) return {JsonFault::bad_utf8, 0};
  if (opened == simdjson::MEMALLOC) return {JsonFault::no_memory, 0};
  if (opened != simdjson::SUCCESS) return {JsonFault::syntax, 0};
  JsonObject root;
  const bool read =
      document.get_object().get(root) == simdjson::SUCCESS && each_member(root, visit);
  const char* at = nullptr;
  const bool at_end = document.current_location().get(at) == simdjson::OUT_OF_BOUNDS;
  if (read && at_end) return {};
  return {JsonFault::syntax, at_end ? text.size() : static_cast<std::size_t>(at - text.data())};
}

}  // namespace lmb::protocol
