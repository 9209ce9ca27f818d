#include "value_reader.hpp"

#include <algorithm>
#include <utility>

#include "lmb/base/assert.hpp"
#include "lmb/config/address.hpp"
#include "spelling.hpp"
#include "units.hpp"

namespace lmb::config {
namespace {

/// One value on its way to its field.
struct Reading {
  const Key& key;
  const Node& node;
  const std::string& path;
  Field field;
  ProblemList& problems;

  [[nodiscard]] bool refuse(std::string message) const {
    problems.add(path, std::move(message));
    return false;
  }
  [[nodiscard]] bool refuse_type() const {
    return refuse("expected " + expectation(key) + ", found " +
                  finding(node, key.type != KeyType::secret));
  }
};

bool store_number(const Reading& reading, std::int64_t number) {
  const auto& key = reading.key;
  if (number < key.range.least || number > key.range.most) {
    const auto& node = reading.node;
    const auto given = node.kind == NodeKind::text ? quoted(node.text) : finding(node, true);
    return reading.refuse("must be from " + number_text(key, key.range.least) + " to " +
                          number_text(key, key.range.most) + ", is " + given);
  }
  if (auto* const* field = std::get_if<std::size_t*>(&reading.field)) {
    **field = static_cast<std::size_t>(number);
  } else if (auto* const* narrow = std::get_if<std::uint32_t*>(&reading.field)) {
    **narrow = static_cast<std::uint32_t>(number);
  } else if (auto* const* optional = std::get_if<std::optional<std::uint32_t>*>(&reading.field)) {
    **optional = static_cast<std::uint32_t>(number);
  } else {
    auto* const* time = std::get_if<Duration*>(&reading.field);
    LMB_ASSERT(time != nullptr);
    **time = std::chrono::milliseconds(number);
  }
  return true;
}

bool read_number(const Reading& reading) {
  const auto& node = reading.node;
  const auto type = reading.key.type;
  if (node.kind == NodeKind::integer && type != KeyType::duration) {
    return store_number(reading, node.integer);
  }
  if (node.kind == NodeKind::text && type == KeyType::duration) {
    if (const auto time = parse_duration(node.text)) return store_number(reading, *time);
  }
  if (node.kind == NodeKind::text && type == KeyType::size) {
    if (const auto size = parse_size(node.text)) return store_number(reading, *size);
  }
  if (node.kind == NodeKind::text && type == KeyType::slots && node.text == "auto") {
    *std::get<std::optional<std::uint32_t>*>(reading.field) = std::nullopt;
    return true;
  }
  return reading.refuse_type();
}

bool read_choice(const Reading& reading) {
  const auto& choices = reading.key.choices;
  const auto chosen = std::find(choices.begin(), choices.end(), reading.node.text);
  if (reading.node.kind != NodeKind::text || chosen == choices.end()) return reading.refuse_type();
  *std::get<telemetry::LogLevel*>(reading.field) =
      static_cast<telemetry::LogLevel>(chosen - choices.begin());
  return true;
}

std::string length_fault(const Key& key, std::string_view text) {
  const auto length = static_cast<std::int64_t>(text.size());
  if (length < key.range.least) return "must not be empty";
  if (length <= key.range.most) return {};
  return "must be at most " + std::to_string(key.range.most) + " characters long, has " +
         std::to_string(length);
}

bool read_text(const Reading& reading) {
  const auto& text = reading.node.text;
  if (reading.node.kind != NodeKind::text) return reading.refuse_type();
  auto fault = length_fault(reading.key, text);
  if (reading.key.type == KeyType::secret) fault = secret_fault(reading.key, text);
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (fault.empty() && control) fault = "must not hold control characters";
  if (!fault.empty()) return reading.refuse(std::move(fault));
  if (auto* const* field = std::get_if<std::string*>(&reading.field)) **field = text;
  return true;
}

bool read_url(const Reading& reading) {
  if (reading.node.kind != NodeKind::text) return reading.refuse_type();
  if (auto fault = length_fault(reading.key, reading.node.text); !fault.empty()) {
    return reading.refuse(std::move(fault));
  }
  auto* address = std::get<upstream::WorkerAddress*>(reading.field);
  auto parsed = parse_worker_url(reading.node.text, address->port);
  if (auto* fault = std::get_if<AddressFault>(&parsed)) {
    return reading.refuse(std::move(fault->message));
  }
  auto& host_port = std::get<HostPort>(parsed);
  address->host = std::move(host_port.host);
  address->port = host_port.port;
  return true;
}

bool read_listen(const Reading& reading) {
  const auto& node = reading.node;
  const bool list = node.kind == NodeKind::list;
  if (!list && node.kind != NodeKind::text) return reading.refuse_type();
  const std::span<const Node> entries = list ? std::span(node.elements) : std::span(&node, 1);
  if (entries.empty() && reading.key.range.least > 0) {
    return reading.refuse("must name at least one address");
  }
  if (entries.size() > static_cast<std::size_t>(reading.key.range.most)) {
    return reading.refuse("must be at most " + std::to_string(reading.key.range.most) +
                          " addresses, are " + std::to_string(entries.size()));
  }
  std::vector<net::ListenAddress> all;
  bool taken = true;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto path = list ? element_path(reading.path, i) : reading.path;
    const Reading entry{reading.key, entries[i], path, reading.field, reading.problems};
    if (entries[i].kind != NodeKind::text) {
      taken = entry.refuse("expected \"host:port\", found " + finding(entries[i], true));
      continue;
    }
    auto parsed = parse_listen(entries[i].text);
    if (auto* fault = std::get_if<AddressFault>(&parsed)) {
      taken = entry.refuse(std::move(fault->message));
      continue;
    }
    for (auto& address : std::get<std::vector<net::ListenAddress>>(parsed)) {
      const bool fixed = address.port != 0;  // Any number of listeners may take "any free port".
      if (fixed && std::find(all.begin(), all.end(), address) != all.end()) {
        taken = entry.refuse(net::host_port_text(address.host, address.port) + " is listed twice");
      }
      all.push_back(std::move(address));
    }
  }
  if (taken) *std::get<std::vector<net::ListenAddress>*>(reading.field) = std::move(all);
  return taken;
}

}  // namespace

std::string secret_fault(const Key& key, std::string_view secret) {
  auto fault = length_fault(key, secret);
  if (!fault.empty()) return fault;
  const auto odd = std::find_if(secret.begin(), secret.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F;
  });
  if (odd == secret.end()) return {};
  return "character " + std::to_string(odd - secret.begin() + 1) + " of " +
         std::to_string(secret.size()) +
         " cannot stand in a key: only visible ASCII can (is there a line end or blank too many?)";
}

bool read_value(const Key& key, const Node& node, const std::string& path, Target target,
                ProblemList& problems) {
  const Reading reading{key, node, path, key.field(target), problems};
  switch (key.type) {
    case KeyType::count:
    case KeyType::duration:
    case KeyType::size:
    case KeyType::slots:
      return read_number(reading);
    case KeyType::choice:
      return read_choice(reading);
    case KeyType::text:
    case KeyType::secret:
      return read_text(reading);
    case KeyType::listen:
      return read_listen(reading);
    case KeyType::url:
      return read_url(reading);
  }
  return false;
}

}  // namespace lmb::config
