#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "answer_reader.hpp"

namespace lmb::peers {

/// Time spans in nanoseconds.
class Samples {
 public:
  void add(std::uint64_t span_ns) { spans_.push_back(span_ns); }
  /// `{"count":n,"p50":..,"p90":..,"p99":..,"max":..}` in microseconds; sorts the samples.
  [[nodiscard]] std::string to_json();

 private:
  std::vector<std::uint64_t> spans_;
};

/// How many requests ended with each fault.
class FaultCounts {
 public:
  void add(Fault fault) { ++counts_[static_cast<std::size_t>(fault)]; }
  [[nodiscard]] std::uint64_t of(Fault fault) const {
    return counts_[static_cast<std::size_t>(fault)];
  }
  /// The faults that happened, as a JSON object; `{}` if none did.
  [[nodiscard]] std::string to_json() const;

 private:
  std::array<std::uint64_t, fault_count> counts_{};
};

/// Prints one line at once: the program that started this one waits for it.
void print_line(const std::string& json);

}  // namespace lmb::peers
