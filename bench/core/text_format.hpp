#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/clock.hpp"

namespace lmb::bench {

/// `value` with so many decimals, in the C locale whatever the program's is.
std::string decimal_text(double value, int decimals);
/// Three significant digits or all before the point: "0.123", "4.56", "78.9", "1234".
std::string short_text(double value);
/// The same of the duration in milliseconds.
std::string milliseconds_text(Duration duration);
/// Of a share from 0 to 1: "99.7 %".
std::string percent_text(double share);
/// "1 request", "2 requests".
std::string counted(std::uint64_t count, std::string_view noun);

/// One line without control characters (a terminal would obey them): each becomes a blank.
std::string printable(std::string_view text);

/// Rows of cells as lines of right-aligned columns (the first one left-aligned), two blanks between
/// them. Rows may be shorter than others. Characters outside ASCII count as one column each.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace lmb::bench
