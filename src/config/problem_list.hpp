#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lmb/config/config.hpp"

namespace lmb::config {

/// Collects the faults of one file. Keeps the first 100, so that a hostile or mistaken file (a log,
/// a model) cannot make us write megabytes of messages; the last entry then says so.
class ProblemList {
 public:
  void add(std::string path, std::string message);
  /// True once nothing more is kept: readers may stop.
  [[nodiscard]] bool full() const noexcept { return full_; }
  [[nodiscard]] bool empty() const noexcept { return problems_.empty(); }
  /// True when this key, or one below it, has a problem.
  [[nodiscard]] bool has(std::string_view path) const noexcept;
  std::vector<Problem> take() && { return std::move(problems_); }

 private:
  std::vector<Problem> problems_;
  bool full_ = false;
};

}  // namespace lmb::config
