#include "file_reader.hpp"

#include <algorithm>
#include <utility>

#include "lmb/base/assert.hpp"
#include "lmb/config/address.hpp"
#include "nearest_key.hpp"
#include "relations.hpp"
#include "spelling.hpp"
#include "value_reader.hpp"

namespace lmb::config {
namespace {

constexpr std::string_view worker_section = "workers[]";
constexpr std::string_view worker_example = "{\"url\": \"http://mac-studio-05.local:1234\"}";

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Fit for a metric label, a header field and a command line, without quoting.
bool is_worker_name(std::string_view name) noexcept {
  if (name == "." || name == "..") return false;  // A path of the admin listener would lose it.
  return name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
           return is_letter(c) || is_digit(c) ||
                  std::string_view("._:[]-").find(c) != std::string_view::npos;
         });
}

bool is_variable_name(std::string_view name) noexcept {
  return !name.empty() && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

}  // namespace

void FileReader::read(const Node& root) {
  if (root.kind != NodeKind::object) {
    problems_.add("", "expected an object in braces, found " + finding(root, false));
    return;
  }
  WorkerDraft none;
  const auto names = read_object(root, "", "", {config_, none});
  if (!names.contains("workers")) {
    problems_.add("workers", "missing: at least one worker is needed, such as [ " +
                                 std::string(worker_example) + " ]");
  }
  check_relations(config_, given_, problems_);
  check_listeners();
  check_aliases();
  check_fallbacks();
}

void FileReader::check_listeners() {
  const auto everywhere = [](const net::ListenAddress& address) {
    return address.host == "0.0.0.0" || address.host == "::";
  };
  const auto ipv6 = [](const net::ListenAddress& address) {
    return address.host.find(':') != std::string::npos;
  };
  for (const auto& admin : config_.admin.listen) {
    for (const auto& client : config_.net.listen) {
      const bool same_family = ipv6(admin) == ipv6(client) || admin.host == "::" ||
                               client.host == "::";  // Takes IPv4 too.
      const bool meet =
          client == admin || (same_family && (everywhere(client) || everywhere(admin)));
      if (admin.port == 0 || admin.port != client.port || !meet) continue;
      problems_.add("admin.listen", net::host_port_text(admin.host, admin.port) +
                                        " is taken by listen (" +
                                        net::host_port_text(client.host, client.port) +
                                        "): choose another port for one of them");
      return;
    }
  }
}

void FileReader::check_aliases() {
  const auto& aliases = config_.scheduling.models.aliases;
  for (const auto& alias : aliases) {
    const bool chained = std::any_of(aliases.begin(), aliases.end(),
                                     [&](const auto& other) { return other.name == alias.model; });
    if (!chained) continue;
    problems_.add(child_path("models.aliases", alias.name),
                  quoted(alias.model) + " is an alias itself; name the model that it means");
  }
}

void FileReader::check_fallbacks() {
  const auto& aliases = config_.scheduling.models.aliases;
  for (const auto& fallback : config_.scheduling.models.fallbacks) {
    const auto path = child_path("models.fallbacks", fallback.model);
    const bool is_alias = std::any_of(aliases.begin(), aliases.end(), [&](const auto& each) {
      return each.name == fallback.model;
    });
    if (is_alias) problems_.add(path, "is an alias; name the model that it means");
    for (const auto& model : fallback.instead) {
      const bool alias = std::any_of(aliases.begin(), aliases.end(),
                                     [&](const auto& each) { return each.name == model; });
      if (alias) problems_.add(path, quoted(model) + " is an alias; name the model that it means");
      if (model == fallback.model) problems_.add(path, quoted(model) + " stands in for itself");
    }
  }
}

FileReader::Names FileReader::read_object(const Node& node, std::string_view section,
                                          const std::string& path, Target target) {
  const auto known = names_in(section);
  Names names;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < node.names.size() && !problems_.full(); ++i) {
    const auto at = child_path(path, node.names[i]);
    if (!seen.insert(node.names[i]).second) {
      problems_.add(at, "this key stands twice in the same object");
      continue;
    }
    const auto name = std::find(known.begin(), known.end(), node.names[i]);
    if (name == known.end()) {
      const auto suggestion = suggest_key(section, node.names[i]);
      problems_.add(at, "unknown key; " + suggestion.text);
      names.insert(suggestion.meant);
      continue;
    }
    names.insert(*name);
    read_member(*name, node.elements[i], section, at, target);
  }
  return names;
}

void FileReader::read_member(std::string_view name, const Node& node, std::string_view section,
                             const std::string& path, Target target) {
  if (const auto* key = find_key(child_path(section, name))) {
    if (read_value(*key, node, path, target, problems_)) given_.insert(key->path);
    return;
  }
  if (name == "workers") return read_workers(node);
  if (node.kind != NodeKind::object) {
    problems_.add(path, "expected an object in braces, found " + finding(node, false));
    return;
  }
  const auto names = read_object(node, name, path, target);
  if (name == "admin") read_admin_key(names, target.worker);
  if (name == "auth") find_client_keys();
}

void FileReader::read_workers(const Node& node) {
  if (node.kind != NodeKind::list) {
    problems_.add("workers", "expected a list of workers, such as [ " +
                                 std::string(worker_example) + " ], found " + finding(node, false));
    return;
  }
  const auto count = node.elements.size();
  if (count == 0) {
    problems_.add("workers",
                  "at least one worker is needed, such as " + std::string(worker_example));
  }
  if (count > scheduling::fleet_size_max) {
    problems_.add("workers", "at most " + std::to_string(scheduling::fleet_size_max) +
                                 " workers are possible, are " + std::to_string(count));
  }
  for (std::size_t i = 0; i < count && !problems_.full(); ++i) {
    read_worker(node.elements[i], element_path("workers", i));
  }
}

void FileReader::read_worker(const Node& node, const std::string& path) {
  if (node.kind != NodeKind::object) {
    problems_.add(path, "expected an object such as " + std::string(worker_example) + ", found " +
                            finding(node, false));
    return;
  }
  WorkerDraft draft;
  const auto names = read_object(node, worker_section, path, {config_, draft});
  if (!names.contains("url")) {
    problems_.add(path + ".url", "missing, such as \"http://mac-studio-05.local:1234\"");
  }
  read_api_key(names, draft.api_key_env, path, draft.address.api_key);
  const bool named = names.contains("name");
  if (!named && !draft.address.host.empty()) {
    draft.spec.name = net::host_field_text(draft.address.host, draft.address.port);
  }
  draft.address.name = draft.spec.name;
  check_worker(draft, path, named);
  worker_paths_.push_back(path);
  config_.fleet.push_back(std::move(draft.spec));
  config_.addresses.push_back(std::move(draft.address));
}

void FileReader::read_admin_key(const Names& names, const WorkerDraft& draft) {
  read_api_key(names, draft.api_key_env, "admin", config_.admin.api_key);
  const bool keyed = names.contains("api_key") || names.contains("api_key_env");
  if (keyed) return;
  for (const auto& address : config_.admin.listen) {
    if (net::is_loopback(address)) continue;
    problems_.add("admin.listen", net::host_port_text(address.host, address.port) +
                                      " can be reached from other machines: that needs "
                                      "admin.api_key_env (or admin.api_key), or listen on "
                                      "localhost");
    return;
  }
}

void FileReader::read_api_key(const Names& names, const std::string& variable,
                              const std::string& path, std::string& secret) {
  const auto at = path + ".api_key_env";
  if (names.contains("api_key") && names.contains("api_key_env")) {
    problems_.add(at, "give api_key or api_key_env, not both");
    return;
  }
  if (!variable.empty()) read_variable(variable, at, secret);
}

void FileReader::read_variable(const std::string& variable, const std::string& at,
                               std::string& secret) {
  if (!is_variable_name(variable)) {
    // Not shown: it may be the key itself.
    problems_.add(at,
                  "must be the name of an environment variable (letters, digits and '_'), not "
                  "the key itself");
    return;
  }
  const char* value = environment_(variable.c_str());
  if (value == nullptr) {
    problems_.add(at, "the environment variable " + variable + " is not set");
    return;
  }
  const auto* key = find_key("workers[].api_key");
  LMB_ASSERT(key != nullptr);
  if (const auto fault = secret_fault(*key, value); !fault.empty()) {
    problems_.add(at, "the value of the environment variable " + variable + ": " + fault);
    return;
  }
  secret = value;
}

void FileReader::find_client_keys() {
  auto& keys = config_.proxy.auth.keys;
  for (std::size_t i = 0; i < keys.size() && !problems_.full(); ++i) {
    const auto path = child_path("auth.keys", keys[i].name);
    if (keys[i].secret.empty()) read_variable(keys[i].variable, path + ".env", keys[i].secret);
    const auto twin =
        std::find_if(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const auto& other) { return other.secret == keys[i].secret; });
    if (twin == keys.begin() + static_cast<std::ptrdiff_t>(i) || keys[i].secret.empty()) continue;
    problems_.add(path, "the same key as " + child_path("auth.keys", twin->name) +
                            "; give each client its own");
  }
}

void FileReader::check_worker(const WorkerDraft& draft, const std::string& path, bool named) {
  if (named && !draft.spec.name.empty() && !is_worker_name(draft.spec.name)) {
    problems_.add(
        path + ".name",
        "may hold letters, digits and . _ : - [ ] only, must not begin with -, and is not . or "
        "..");
  } else if (named && draft.spec.name == "none") {
    problems_.add(path + ".name",
                  "\"none\" is what the metrics call a request that no worker answered; choose "
                  "another");
  }
  for (std::size_t i = 0; i < config_.fleet.size(); ++i) {
    const auto& other = config_.addresses[i];
    if (!draft.address.host.empty() && other.host == draft.address.host &&
        other.port == draft.address.port) {
      problems_.add(path + ".url", "the same server as " + worker_paths_[i] +
                                       "; its requests would be counted twice");
    } else if (!draft.spec.name.empty() && other.name == draft.spec.name) {
      problems_.add(path + (named ? ".name" : ".url"),
                    "the name " + quoted(draft.spec.name) + " is taken by " + worker_paths_[i]);
    } else {
      continue;
    }
    return;
  }
}

}  // namespace lmb::config
