#include "value_reader.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
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
  const auto index = chosen - choices.begin();
  if (auto* const* level = std::get_if<telemetry::LogLevel*>(&reading.field)) {
    **level = static_cast<telemetry::LogLevel>(index);
  } else {
    *std::get<net::HalfClose*>(reading.field) = static_cast<net::HalfClose>(index);
  }
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

bool read_flag(const Reading& reading) {
  if (reading.node.kind != NodeKind::boolean) return reading.refuse_type();
  *std::get<bool*>(reading.field) = reading.node.boolean;
  return true;
}

constexpr std::size_t model_name_max = 512;

/// A model's name; nothing = refused, and told.
std::optional<std::string> model_name(const Reading& reading) {
  if (reading.node.kind != NodeKind::text) {
    (void)reading.refuse("expected a model's name, found " + finding(reading.node, true));
    return std::nullopt;
  }
  const auto& name = reading.node.text;
  if (name.empty() || name.size() > model_name_max) {
    (void)reading.refuse("must be a model's name of 1 to " + std::to_string(model_name_max) +
                         " characters");
    return std::nullopt;
  }
  return name;
}

/// An object whose names are models' names: `take` gets each with its value.
template <class Take>
bool read_names(const Reading& reading, const Take& take) {
  const auto& node = reading.node;
  if (node.kind != NodeKind::object) return reading.refuse_type();
  if (node.names.size() > static_cast<std::size_t>(reading.key.range.most)) {
    return reading.refuse("must be at most " + std::to_string(reading.key.range.most) +
                          " names, are " + std::to_string(node.names.size()));
  }
  std::set<std::string_view> seen;
  bool taken = true;
  for (std::size_t i = 0; i < node.names.size(); ++i) {
    const auto path = child_path(reading.path, node.names[i]);
    const Reading entry{reading.key, node.elements[i], path, reading.field, reading.problems};
    if (node.names[i].empty() || node.names[i].size() > model_name_max) {
      taken = entry.refuse("is no model's name: these have 1 to " + std::to_string(model_name_max) +
                           " characters");
    } else if (!seen.insert(node.names[i]).second) {
      taken = entry.refuse("this name stands twice in the same object");
    } else {
      taken = take(node.names[i], entry) && taken;
    }
  }
  return taken;
}

bool read_aliases(const Reading& reading) {
  std::vector<scheduling::ModelAlias> all;
  const bool taken = read_names(reading, [&all](const std::string& name, const Reading& entry) {
    auto model = model_name(entry);
    if (model) all.push_back({name, std::move(*model)});
    return model.has_value();
  });
  if (taken) *std::get<std::vector<scheduling::ModelAlias>*>(reading.field) = std::move(all);
  return taken;
}

bool read_fallback(const Reading& entry, std::vector<std::string>& instead) {
  const auto& node = entry.node;
  const bool list = node.kind == NodeKind::list;
  const std::span<const Node> models = list ? std::span(node.elements) : std::span(&node, 1);
  constexpr std::size_t instead_max = 16;
  if (models.empty() || models.size() > instead_max) {
    return entry.refuse("must name 1 to " + std::to_string(instead_max) + " models");
  }
  for (std::size_t i = 0; i < models.size(); ++i) {
    const auto path = list ? element_path(entry.path, i) : entry.path;
    auto model = model_name({entry.key, models[i], path, entry.field, entry.problems});
    if (!model) return false;
    instead.push_back(std::move(*model));
  }
  return true;
}

bool read_fallbacks(const Reading& reading) {
  std::vector<scheduling::ModelFallback> all;
  const bool taken = read_names(reading, [&all](const std::string& name, const Reading& entry) {
    all.push_back({name, {}});
    return read_fallback(entry, all.back().instead);
  });
  if (taken) *std::get<std::vector<scheduling::ModelFallback>*>(reading.field) = std::move(all);
  return taken;
}

bool is_client_name(std::string_view name) noexcept {
  constexpr std::size_t longest = 64;
  return !name.empty() && name.size() <= longest &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '@' || c == '-';
         });
}

/// The key itself, or where it is found. No message shows it.
bool read_client_key(const std::string& name, const Reading& entry, proxy::ClientKey& key) {
  if (!is_client_name(name)) {
    return entry.refuse("a client's name may hold 1 to 64 letters, digits and . _ @ -");
  }
  key.name = name;
  const auto& node = entry.node;
  if (node.kind == NodeKind::text) {
    auto fault = secret_fault(*find_key("workers[].api_key"), node.text);
    if (!fault.empty()) return entry.refuse(std::move(fault));
    key.secret = node.text;
    return true;
  }
  const bool named = node.kind == NodeKind::object && node.names.size() == 1 &&
                     node.names.front() == "env" && node.elements.front().kind == NodeKind::text;
  if (!named) {
    return entry.refuse("expected the key in double quotes, or {\"env\": \"VARIABLE\"}, found " +
                        finding(node, false));
  }
  key.variable = node.elements.front().text;
  return true;
}

bool read_client_keys(const Reading& reading) {
  std::vector<proxy::ClientKey> all;
  const bool taken = read_names(reading, [&all](const std::string& name, const Reading& entry) {
    all.emplace_back();
    return read_client_key(name, entry, all.back());
  });
  if (taken) *std::get<std::vector<proxy::ClientKey>*>(reading.field) = std::move(all);
  return taken;
}

bool read_networks(const Reading& reading) {
  const auto& node = reading.node;
  if (node.kind != NodeKind::list) return reading.refuse_type();
  if (node.elements.size() > static_cast<std::size_t>(reading.key.range.most)) {
    return reading.refuse("must be at most " + std::to_string(reading.key.range.most) +
                          " networks, are " + std::to_string(node.elements.size()));
  }
  std::vector<net::Network> all;
  bool taken = true;
  for (std::size_t i = 0; i < node.elements.size(); ++i) {
    const auto& element = node.elements[i];
    const auto path = element_path(reading.path, i);
    const Reading entry{reading.key, element, path, reading.field, reading.problems};
    const auto network =
        element.kind == NodeKind::text ? net::parse_network(element.text) : std::nullopt;
    if (network) {
      all.push_back(*network);
    } else {
      taken = entry.refuse(
          "expected an IP address or a network whose address has no bits behind its prefix, such "
          "as \"192.168.0.0/16\", found " +
          finding(element, true));
    }
  }
  if (taken) *std::get<std::vector<net::Network>*>(reading.field) = std::move(all);
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
    case KeyType::flag:
      return read_flag(reading);
    case KeyType::aliases:
      return read_aliases(reading);
    case KeyType::fallbacks:
      return read_fallbacks(reading);
    case KeyType::client_keys:
      return read_client_keys(reading);
    case KeyType::networks:
      return read_networks(reading);
    case KeyType::url:
      return read_url(reading);
  }
  return false;
}

}  // namespace lmb::config
