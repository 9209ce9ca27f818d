#include "time_table.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include "lmb/protocol/server_timing.hpp"

namespace lmb::app {
namespace {

using std::chrono::microseconds;

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> told_phases{{
    {"read", "the request comes in"},
    {"proxy", "the balancer's own work"},
    {"queue", "waiting for a free slot"},
    {"connect", "connecting to the worker"},
    {"send", "the request goes to the worker"},
    {"prefill", "the worker reads the prompt"},
}};

std::string line(std::string_view name, microseconds spent, long long permille,
                 std::string_view meaning) {
  std::array<char, 160> text{};
  const auto count = static_cast<long long>(spent.count());
  const auto length =
      std::snprintf(text.data(), text.size(), "    %-10.*s %12.3f ms %6lld.%lld %%  %.*s",
                    static_cast<int>(name.size()), name.data(), static_cast<double>(count) / 1e3,
                    permille / 10, permille % 10, static_cast<int>(meaning.size()), meaning.data());
  std::string out(text.data(), static_cast<std::size_t>(length));
  out.erase(out.find_last_not_of(' ') + 1);
  return out + '\n';
}

}  // namespace

std::vector<TimePart> split_time(std::string_view server_timing, const SeenTimes& seen) {
  std::vector<TimePart> parts;
  auto rest = seen.end;
  for (const auto& [name, meaning] : told_phases) {
    const auto told = protocol::server_timing(server_timing, name);
    if (!told) continue;
    auto spent = std::chrono::duration_cast<microseconds>(*told);
    // The head leaves with the first event, which need not hold a token yet.
    if (name == "prefill") spent += seen.first_token - seen.head;
    parts.push_back({name, spent, meaning});
    rest -= spent;
  }
  const auto generating = seen.end - seen.first_token;
  parts.push_back({"generate", generating, "first token to the end, as seen here"});
  parts.push_back({"rest", rest - generating, "between this client and the balancer"});
  return parts;
}

std::string time_table(const std::vector<TimePart>& parts) {
  microseconds total{};
  for (const auto& part : parts) total += part.spent;
  const auto permille_until = [total](microseconds until) -> long long {
    if (total.count() <= 0) return 0;
    return (1000 * until.count() + total.count() / 2) / total.count();
  };
  std::string out;
  microseconds until{};
  for (const auto& part : parts) {
    const auto before = permille_until(until);
    until += part.spent;
    out += line(part.name, part.spent, permille_until(until) - before, part.meaning);
  }
  return out + line("total", total, permille_until(total), "");
}

}  // namespace lmb::app
