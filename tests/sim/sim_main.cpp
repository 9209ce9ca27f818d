#include <charconv>
#include <cstdint>
#include <iostream>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include "sim/history.hpp"

// Replays seeded scheduler histories: lmb_sim --seed N [--count M] [--trace]. Exit codes 0 all
// well, 1 an invariant broke, 2 usage.

namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

int usage() {
  std::cerr << "usage: lmb_sim --seed N [--count M] [--trace]\n"
               "  --seed N   the history to play\n"
               "  --count M  play the seeds N, N+1 … M of them (default 1)\n"
               "  --trace    a line for each event on standard output\n";
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> count = 1;
  bool trace = false;
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--trace") {
      trace = true;
    } else if (argument == "--seed" && i + 1 < arguments.size()) {
      seed = number(arguments[++i]);
    } else if (argument == "--count" && i + 1 < arguments.size()) {
      count = number(arguments[++i]);
    } else {
      return usage();
    }
  }
  if (!seed || !count) {
    return usage();
  }
  for (std::uint64_t each = *seed; each < *seed + *count; ++each) {
    if (trace) {
      std::cout << "seed " << each << std::endl;
    }
    lmb::history::History history(each, trace ? &std::cout : nullptr);
    if (const auto complaint = history.run()) {
      std::cerr << "seed " << each << ": " << *complaint << '\n';
      return 1;
    }
    if (*count == 1) {
      const lmb::history::Ends& ends = history.ends();
      std::cout << "seed " << each << ": all well; events " << ends.events << ", answered "
                << ends.answered << ", failed " << ends.failed << ", left " << ends.left
                << ", retries " << ends.retries << '\n';
      for (const auto& [why, times] : ends.refused) {
        std::cout << "  refused, " << to_string(why) << ": " << times << '\n';
      }
    }
  }
}
