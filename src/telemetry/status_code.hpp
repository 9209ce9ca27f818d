#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// The closed list of values of the label `code`, so that a worker which invents status codes
/// cannot create series without end.
namespace lmb::telemetry::status_code {

/// The final codes of IANA's HTTP Status Code Registry; then what stands for all others of a class.
inline constexpr std::array<std::string_view, 64> labels = {
    "none", "200", "201", "202", "203", "204", "205", "206", "207", "208", "226", "300",  "301",
    "302",  "303", "304", "305", "307", "308", "400", "401", "402", "403", "404", "405",  "406",
    "407",  "408", "409", "410", "411", "412", "413", "414", "415", "416", "417", "421",  "422",
    "423",  "424", "425", "426", "428", "429", "431", "451", "500", "501", "502", "503",  "504",
    "505",  "506", "507", "508", "510", "511", "1xx", "2xx", "3xx", "4xx", "5xx", "other"};

inline constexpr unsigned end_of_codes = 600;

/// Index into `labels` by status code.
inline constexpr auto index_by_status = [] {
  std::array<std::uint8_t, end_of_codes> table{};
  constexpr std::uint8_t first_class = 58;
  for (unsigned status = 0; status < end_of_codes; ++status) {
    table[status] =
        static_cast<std::uint8_t>(status < 100 ? first_class + 5 : first_class + status / 100 - 1);
  }
  for (std::uint8_t i = 1; i < first_class; ++i) {
    const std::string_view label = labels[i];
    const auto digit = [label](std::size_t at) { return static_cast<unsigned>(label[at] - '0'); };
    table[digit(0) * 100 + digit(1) * 10 + digit(2)] = i;
  }
  table[0] = 0;
  return table;
}();

/// `status` 0 means that no head was sent to the client.
constexpr std::size_t index(unsigned status) noexcept {
  return status < end_of_codes ? index_by_status[status] : labels.size() - 1;
}

}  // namespace lmb::telemetry::status_code
