#include "spelling.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

namespace lmb::config {
namespace {

bool is_plain(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '$';
}

}  // namespace

std::string quoted(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, shown_max)) {
    if (c == '"' || c == '\\') out += '\\';
    if (c >= ' ' && c <= '~') {
      out += c;
      continue;
    }
    std::array<char, 5> escape{};
    std::snprintf(escape.data(), escape.size(), "\\x%02X",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += escape.data();
  }
  if (text.size() > shown_max) out += "...";
  return out += '"';
}

std::string child_path(std::string_view object, std::string_view name) {
  const bool plain =
      !name.empty() && name.size() <= 60 && std::all_of(name.begin(), name.end(), is_plain);
  std::string path(object);
  if (!plain) return path += "[" + quoted(name) + "]";
  if (!path.empty()) path += '.';
  return path += name;
}

std::string element_path(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

std::string expectation(const Key& key) {
  const auto range = range_text(key);
  switch (key.type) {
    case KeyType::count:
      return "a whole number from " + range;
    case KeyType::duration:
      return "a duration from " + range + ", such as \"30s\" or \"1m30s\" (units h, m, s, ms)";
    case KeyType::size:
      return "a size from " + range +
             ", such as \"64KiB\" (units B, KiB, MiB, GiB), or a whole number of bytes";
    case KeyType::choice: {
      std::string list;
      for (const auto name : key.choices) list += (list.empty() ? "" : ", ") + quoted(name);
      return "one of " + list;
    }
    case KeyType::text:
    case KeyType::secret:
      return "a text in double quotes";
    case KeyType::slots:
      return "\"auto\" or a whole number from " + number_text(key, key.range.least) + " to " +
             number_text(key, key.range.most);
    case KeyType::listen:
      return "\"host:port\", or a list of these";
    case KeyType::flag:
      return "true or false";
    case KeyType::aliases:
      return "an object such as {\"gpt-4o\": \"qwen/qwen3-30b-a3b\"}";
    case KeyType::fallbacks:
      return "an object such as {\"qwen/qwen3-30b-a3b\": [\"openai/gpt-oss-20b\"]}";
    case KeyType::client_keys:
      return "an object such as {\"alice\": {\"env\": \"ALICE_KEY\"}}";
    case KeyType::networks:
      return "a list such as [\"10.0.0.5\", \"192.168.0.0/16\"]";
    case KeyType::url:
      return "a URL such as \"http://mac-studio-05.local:1234\"";
  }
  return {};
}

std::string finding(const Node& node, bool show_value) {
  switch (node.kind) {
    case NodeKind::null:
      return "null";
    case NodeKind::boolean:
      return node.boolean ? "true" : "false";
    case NodeKind::integer:
      if (!show_value) return "a number";
      if (node.integer == std::numeric_limits<std::int64_t>::max()) return "a huge number";
      return "the number " + std::to_string(node.integer);
    case NodeKind::fraction:
      return show_value ? "the number " + node.text.substr(0, 40) : "a number";
    case NodeKind::text:
      return show_value ? "the text " + quoted(node.text) : "a text";
    case NodeKind::list:
      return "a list";
    case NodeKind::object:
      return "an object";
  }
  return {};
}

}  // namespace lmb::config
