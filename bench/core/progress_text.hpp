#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "lmb/bench/load.hpp"

namespace lmb::bench {

/// Turns what a run tells of its progress into what a person sees: a bar that is drawn over itself,
/// or, where that would fill a log, a line now and then.
class ProgressText {
 public:
  /// `label` stands in front, e.g. "concurrency 6".
  ProgressText(std::string label, bool bar) : label_(std::move(label)), bar_(bar) {}

  /// What to write now, its line ends included; may be empty.
  std::string update(const Progress& progress);

 private:
  std::string bar(const Progress& progress);
  std::string plain(const Progress& progress);

  std::string label_;
  bool bar_;
  bool warming_up_ = false;
  Duration told_at_{};
  std::size_t told_done_ = 0;
};

}  // namespace lmb::bench
