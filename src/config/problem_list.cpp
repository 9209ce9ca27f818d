#include "problem_list.hpp"

#include <algorithm>
#include <utility>

namespace lmb::config {
namespace {

constexpr std::size_t problems_max = 100;

}  // namespace

void ProblemList::add(std::string path, std::string message) {
  if (full_) return;
  if (problems_.size() == problems_max) {
    full_ = true;
    path.clear();
    message = "more problems follow; mend these first";
  }
  problems_.push_back({std::move(path), std::move(message)});
}

bool ProblemList::has(std::string_view path) const noexcept {
  return std::any_of(problems_.begin(), problems_.end(), [&](const Problem& problem) {
    const std::string_view at = problem.path;
    return at.starts_with(path) &&
           (at.size() == path.size() || at[path.size()] == '.' || at[path.size()] == '[');
  });
}

}  // namespace lmb::config
