#include "relations.hpp"

#include <array>
#include <string>

#include "lmb/base/assert.hpp"
#include "spelling.hpp"

namespace lmb::config {
namespace {

constexpr std::array relations{
    Relation{"health.timeout", "health.interval", false, "a probe ends before the next begins"},
    Relation{"models.unloadable", "models.unloadable_max", true, "it grows up to that"},
    Relation{"limits.target_bytes", "limits.head_bytes", true, "the target is part of the head"},
    Relation{"limits.body_bytes", "limits.body_memory", true, "one body must fit"},
    Relation{"limits.stream_buffer", "limits.stream_buffer_total", true, "one stream must fit"},
};

}  // namespace

std::span<const Relation> all_relations() noexcept {
  return relations;
}

void check_relations(Config& config, const std::set<std::string_view>& given,
                     ProblemList& problems) {
  WorkerDraft no_worker;
  const Target target{config, no_worker};
  for (const auto& relation : relations) {
    if (problems.has(relation.lesser) || problems.has(relation.greater)) continue;
    const auto* lesser = find_key(relation.lesser);
    const auto* greater = find_key(relation.greater);
    LMB_ASSERT(lesser != nullptr && greater != nullptr);
    const auto small = number_in(*lesser, target);
    const auto large = number_in(*greater, target);
    if (small < large || (relation.equal_allowed && small == large)) continue;
    const bool blame_lesser = given.contains(relation.lesser);
    const auto& blamed = blame_lesser ? *lesser : *greater;
    const auto& other = blame_lesser ? *greater : *lesser;
    const auto bound =
        std::string(blame_lesser ? (relation.equal_allowed ? "at most " : "less than ")
                                 : (relation.equal_allowed ? "at least " : "more than "));
    problems.add(std::string(blamed.path), "must be " + bound + std::string(other.path) + " (" +
                                               number_text(other, blame_lesser ? large : small) +
                                               (given.contains(other.path) ? "" : ", the default") +
                                               "), is " +
                                               number_text(blamed, blame_lesser ? small : large) +
                                               ": " + std::string(relation.reason));
  }
}

}  // namespace lmb::config
