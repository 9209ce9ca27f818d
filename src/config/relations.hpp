#pragma once

#include <set>
#include <span>
#include <string_view>

#include "key.hpp"
#include "problem_list.hpp"

namespace lmb::config {

/// A rule between two keys of one unit.
struct Relation {
  std::string_view lesser;
  std::string_view greater;
  bool equal_allowed = true;
  std::string_view reason;
};

std::span<const Relation> all_relations() noexcept;

/// Checks every relation whose two keys have no problem of their own. A broken one is a problem of
/// a key that the file gives: of the lesser one when it gives both. `given`: paths of the keys in
/// the file.
void check_relations(Config& config, const std::set<std::string_view>& given,
                     ProblemList& problems);

}  // namespace lmb::config
