#include "text_format.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <locale>
#include <sstream>

namespace lmb::bench {
namespace {

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

std::string decimal_text(double value, int decimals) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.setf(std::ios::fixed);
  out.precision(decimals);
  out << value;
  return out.str();
}

std::string short_text(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 99.95) return decimal_text(value, 0);
  if (size >= 9.995) return decimal_text(value, 1);
  return decimal_text(value, size >= 0.9995 ? 2 : 3);
}

std::string milliseconds_text(Duration duration) {
  return short_text(std::chrono::duration<double, std::milli>(duration).count());
}

std::string percent_text(double share) {
  return decimal_text(share * 100, 1) + " %";
}

std::string counted(std::uint64_t count, std::string_view noun) {
  std::string out = std::to_string(count) + " ";
  out += noun;
  if (count != 1) out += 's';
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return out;
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string fill(widths[i] - columns(row[i]), ' ');
      if (i > 0) line += "  ";
      line += i == 0 ? row[i] + fill : fill + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace lmb::bench
