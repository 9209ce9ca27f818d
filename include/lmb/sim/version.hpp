#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lmb::sim {

/// A release of LM Studio. It decides which routes exist and how some answers look; see
/// docs/simulator.md for the table.
struct StudioVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 4;
  std::uint32_t patch = 26;

  friend constexpr auto operator<=>(const StudioVersion&, const StudioVersion&) = default;
};

/// "0.4.26", nothing else around it; nothing for anything else.
std::optional<StudioVersion> parse_version(std::string_view text);
std::string to_string(const StudioVersion& version);

}  // namespace lmb::sim
