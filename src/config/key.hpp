#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lmb/config/config.hpp"

namespace lmb::config {

enum class KeyType : std::uint8_t {
  count,      ///< A whole number.
  duration,   ///< "250ms", "30s", "1m30s"; the range is in milliseconds.
  size,       ///< "16KiB" or a whole number of bytes; the range is in bytes.
  choice,     ///< One of Key::choices.
  text,       ///< The range is the length in bytes; no control characters.
  secret,     ///< A text of visible ASCII that no message shows.
  slots,      ///< "auto" or a whole number.
  listen,     ///< "host:port" or a list of these; the range is the length of the list.
  flag,       ///< true or false.
  aliases,    ///< An object: a name -> a model. The range is the number of names.
  fallbacks,  ///< An object: a model -> a model, or a list of these. The range as above.
  /// An object: a name -> the key itself, or {"env": "VARIABLE"}. The range as above.
  client_keys,
  networks,  ///< A list of "10.0.0.0/8" or single addresses; the range is the length of the list.
  url,       ///< http://host[:port]; the range is the length of the text in bytes.
};

/// Both ends included.
struct Range {
  std::int64_t least = 0;
  std::int64_t most = 0;
  bool operator==(const Range&) const = default;
};

/// A workers[] entry while it is read.
struct WorkerDraft {
  scheduling::WorkerSpec spec;
  upstream::WorkerAddress address;
  std::string api_key_env;
};

/// What a key can write to. `worker` matters to the keys under workers[] only; it also takes names
/// of environment variables, which no Config keeps.
struct Target {
  Config& config;
  WorkerDraft& worker;
};

/// The place that a key fills; nothing for a key that is read and ignored.
using Field =
    std::variant<std::monostate, std::size_t*, std::uint32_t*, std::optional<std::uint32_t>*,
                 Duration*, std::string*, telemetry::LogLevel*, net::HalfClose*,
                 std::vector<net::ListenAddress>*, upstream::WorkerAddress*, bool*,
                 std::vector<scheduling::ModelAlias>*, std::vector<scheduling::ModelFallback>*,
                 std::vector<proxy::ClientKey>*, std::vector<net::Network>*>;

/// One key of the file: all that parser, schema, example and reference page must agree on. A key's
/// default is what its field holds in a default Config or WorkerDraft.
struct Key {
  std::string_view path;  ///< "queue.length"; below a list "workers[].url".
  KeyType type = KeyType::count;
  Range range;
  std::string_view help;  ///< One sentence, for the schema.
  Field (*field)(Target) = nullptr;
  std::span<const std::string_view> choices =
      {};  ///< For KeyType::choice, in the order of the enum.
};

/// An object of the file, or the list of workers.
struct Section {
  std::string_view path;  ///< "" = the file itself; "queue", "workers[]".
  std::string_view help;
};

/// Every key, in the order of the reference page.
std::span<const Key> all_keys() noexcept;
std::span<const Section> all_sections() noexcept;
/// nullptr when there is none.
const Key* find_key(std::string_view path) noexcept;

/// Names that may stand directly in the section, e.g. "listen" and "queue" in "".
std::vector<std::string_view> names_in(std::string_view section);

/// For messages, the schema and the reference page, e.g. "10ms to 1h".
std::string range_text(const Key& key);

/// The number that a count, duration or size key has in `target`, in the unit of its range.
std::int64_t number_in(const Key& key, Target target);
/// The number in the spelling of the key's type: "4m", "64KiB", "3".
std::string number_text(const Key& key, std::int64_t number);

}  // namespace lmb::config
