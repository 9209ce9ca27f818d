#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "key.hpp"
#include "node.hpp"
#include "problem_list.hpp"

namespace lmb::config {

/// Walks the tree of one file along the key table and fills a Config. Used once.
class FileReader {
 public:
  FileReader(Config& config, Environment environment, ProblemList& problems)
      : config_(config), environment_(environment), problems_(problems) {}

  void read(const Node& root);

 private:
  /// Names that the object has, or evidently means by a misspelt one: these are not missing.
  using Names = std::set<std::string_view>;

  Names read_object(const Node& node, std::string_view section, const std::string& path,
                    Target target);
  void read_member(std::string_view name, const Node& node, std::string_view section,
                   const std::string& path, Target target);
  void read_workers(const Node& node);
  void read_worker(const Node& node, const std::string& path);
  void read_admin_key(const Names& names, const WorkerDraft& draft);
  /// Fills `secret` from the environment if the object at `path` names a `variable`.
  void read_api_key(const Names& names, const std::string& variable, const std::string& path,
                    std::string& secret);
  void read_variable(const std::string& variable, const std::string& at, std::string& secret);
  /// Those of auth.keys that stand in the environment.
  void find_client_keys();
  /// Clients and operators cannot connect to the same place.
  void check_listeners();
  void check_aliases();
  void check_fallbacks();
  void check_worker(const WorkerDraft& draft, const std::string& path, bool named);

  Config& config_;
  Environment environment_;
  ProblemList& problems_;
  std::set<std::string_view> given_;       ///< Paths of the keys read, those below workers[] aside.
  std::vector<std::string> worker_paths_;  ///< "workers[3]" of each worker taken.
};

}  // namespace lmb::config
