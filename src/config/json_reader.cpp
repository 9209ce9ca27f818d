#include "json_reader.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

namespace lmb::config {
namespace {

/// A config needs three levels.
constexpr std::size_t depth_max = 32;

struct Phrase {
  std::string_view theirs;  ///< In nlohmann's message.
  std::string_view ours;
};

/// The faults inside one token. These messages end before the token itself, which may be a secret.
constexpr std::array broken_tokens{
    Phrase{"missing closing quote", "a text without its closing quote"},
    Phrase{"U+000A", "a text without its closing quote"},
    Phrase{"U+000D", "a text without its closing quote"},
    Phrase{"control character", "a control character in a text; write it as \\uXXXX"},
    Phrase{"ill-formed UTF-8", "a byte that is not UTF-8"},
    Phrase{"after backslash",
           "a '\\' in a text that begins no escape; write \\\\ for the character"},
    Phrase{"'\\u'", "a \\u in a text without its four hexadecimal digits"},
    Phrase{"surrogate", "half of a \\u surrogate pair in a text"},
    Phrase{"missing closing '*/'", "a comment without its closing */"},
    Phrase{"invalid comment", "a '/' that begins no comment"},
    Phrase{"invalid number", "an incomplete number"},
};

constexpr std::array expectations{
    Phrase{"; expected '}'", "',' or '}'"},
    Phrase{"; expected ']'", "',' or ']'"},
    Phrase{"; expected ':'", "':' after the key"},
    Phrase{"; expected string literal", "a key in double quotes"},
    Phrase{"; expected end of input", "nothing after the closing '}'"},
};

constexpr std::array findings{
    Phrase{"unexpected string literal", "a text"},
    Phrase{"unexpected number literal", "a number"},
    Phrase{"unexpected true literal", "true"},
    Phrase{"unexpected false literal", "false"},
    Phrase{"unexpected null literal", "null"},
    Phrase{"unexpected '['", "'['"},
    Phrase{"unexpected ']'", "']'"},
    Phrase{"unexpected '{'", "'{'"},
    Phrase{"unexpected '}'", "'}'"},
    Phrase{"unexpected ':'", "':'"},
    Phrase{"unexpected ','", "','"},
    Phrase{"unexpected end of input", "the end of the file"},
};

std::optional<std::string_view> translate(std::string_view message,
                                          std::span<const Phrase> phrases) {
  for (const auto& phrase : phrases) {
    if (message.find(phrase.theirs) != std::string_view::npos) return phrase.ours;
  }
  return std::nullopt;
}

/// "line L, column C" of the byte at `offset`.
std::string place(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0: the first line.
  const auto line = before.substr(line_start);
  const auto columns = std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
  return "line " + std::to_string(lines + 1) + ", column " + std::to_string(columns + 1);
}

/// Bytes of an unexpected token in the file. nlohmann's `spelling` begins at the token only for
/// texts and numbers.
std::size_t token_width(std::string_view found, std::string_view spelling) {
  if (found == "the end of the file") return 0;
  if (found == "a text" || found == "a number") return spelling.size();
  return found.starts_with('\'') ? 1 : found.size();  // true, false and null are their own phrase.
}

/// Turns nlohmann's message into ours. Only phrases of the tables above get through, because the
/// rest of the message quotes the file. `position`: bytes read, the last byte of the offending
/// token included. `token`: its spelling.
std::string explain(std::string_view text, std::size_t position, std::string_view token,
                    std::string_view message) {
  const auto quote = message.find("; last read: '");
  const auto safe = message.substr(0, quote);
  const auto last = position == 0 ? 0 : position - 1;
  if (message.find("number overflow") != std::string_view::npos) {
    return place(text, last) + ": the number is too large";
  }
  // What was expected follows the quoted token; the last "; expected" is nlohmann's own.
  const auto tail = message.rfind("; expected ");
  const auto expected = tail == std::string_view::npos
                            ? std::string_view("a value")
                            : translate(message.substr(tail), expectations).value_or("a value");
  if (quote != std::string_view::npos) {
    if (const auto broken = translate(safe, broken_tokens)) {
      return place(text, last) + ": " + std::string(*broken);
    }
    return place(text, last) + ": expected " + std::string(expected) +
           ", found something that is no number, true, false or null, nor in double quotes";
  }
  const auto found = translate(safe, findings).value_or("something else");
  const auto width = token_width(found, token);
  const auto start = width == 0 ? text.size() : position - std::min(position, width);
  auto explained =
      place(text, start) + ": expected " + std::string(expected) + ", found " + std::string(found);
  const bool closed_early = (found == "'}'" && expected == "a key in double quotes") ||
                            (found == "']'" && expected == "a value");
  if (closed_early) explained += "; is there a comma too many before it?";
  return explained;
}

/// Builds the tree from nlohmann's events. The function names are nlohmann's.
class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}

  bool null() override { return add(NodeKind::null) != nullptr; }
  bool boolean(bool value) override {
    add(NodeKind::boolean)->boolean = value;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    add(NodeKind::integer)->integer = value;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    add(NodeKind::integer)->integer =
        value > static_cast<number_unsigned_t>(most) ? most : static_cast<std::int64_t>(value);
    return true;
  }
  bool number_float(number_float_t /*value*/, const string_t& spelling) override {
    add(NodeKind::fraction)->text = spelling;
    return true;
  }
  bool string(string_t& value) override {
    add(NodeKind::text)->text = std::move(value);
    return true;
  }
  bool binary(binary_t& /*value*/) override { return false; }  // JSON texts have none.
  bool start_object(std::size_t /*size*/) override { return open(NodeKind::object); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(NodeKind::list); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    open_.back()->names.push_back(std::move(name));
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    const bool empty =
        !started_ &&
        std::string_view(error.what()).find("unexpected end of input") != std::string_view::npos;
    error_ = empty ? "the file is empty; the smallest config is "
                     "{ \"workers\": [ {\"url\": \"http://HOST:1234\"} ] }"
                   : explain(text_, position, token, error.what());
    return false;
  }

  std::variant<Node, SyntaxError> take() && {
    if (error_) return SyntaxError{std::move(*error_)};
    return std::move(root_);
  }

 private:
  /// Pointers in open_ stay valid: a list grows only while none of its elements is open.
  Node* add(NodeKind kind) {
    started_ = true;
    auto* node = &root_;
    if (!open_.empty()) node = &open_.back()->elements.emplace_back();
    node->kind = kind;
    return node;
  }
  bool open(NodeKind kind) {
    open_.push_back(add(kind));
    if (open_.size() <= depth_max) return true;
    error_ = "nested more than " + std::to_string(depth_max) + " levels deep";
    return false;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  Node root_;
  bool started_ = false;
  std::vector<Node*> open_;
  std::optional<std::string> error_;
};

}  // namespace

std::variant<Node, SyntaxError> read_json(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return SyntaxError{"the file is UTF-16; save it as UTF-8"};
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return SyntaxError{place(text, nul) + ": a NUL byte; the file must be text"};
  }
  TreeBuilder builder(text);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder,
                            nlohmann::json::input_format_t::json, /*strict=*/true,
                            /*ignore_comments=*/true);
  return std::move(builder).take();
}

}  // namespace lmb::config
