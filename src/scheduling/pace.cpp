#include "pace.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace lmb::scheduling {
namespace {

constexpr std::uint32_t enough = 20;
/// What an empty prompt costs, counted in tokens: a first token takes some 0.2 s whatever the
/// prompt.
constexpr double overhead = 500;

double thousands(std::uint64_t prompt_tokens) noexcept {
  return (static_cast<double>(prompt_tokens) + overhead) / 1000;
}

Duration times(Duration duration, double factor) noexcept {
  constexpr double longest = 1e18;  // 31 years.
  const double product = static_cast<double>(duration.count()) * factor;
  return Duration(static_cast<Duration::rep>(std::min(product, longest)));
}

std::optional<Duration> scaled(const DurationSpread& spread, double quantile,
                               double factor) noexcept {
  if (spread.count() < enough) {
    return std::nullopt;
  }
  return times(spread.quantile(quantile), factor);
}

}  // namespace

void DurationSpread::add(Duration value) noexcept {
  const double microseconds =
      std::max(1.0, std::chrono::duration<double, std::micro>(value).count());
  const auto step = static_cast<std::size_t>(std::log2(microseconds) * 4);
  ++weights_[std::min(step, steps - 1)];
  ++count_;
  constexpr std::uint32_t fading = 1000;
  if (count_ < fading) {
    return;
  }
  count_ = 0;
  for (std::uint32_t& weight : weights_) {
    weight /= 2;
    count_ += weight;
  }
}

Duration DurationSpread::quantile(double quantile) const noexcept {
  const double wanted = quantile * count_;
  double seen = 0;
  std::size_t step = 0;
  for (; step + 1 < steps; ++step) {
    seen += weights_[step];
    if (seen >= wanted) {
      break;
    }
  }
  const std::chrono::duration<double, std::micro> edge(
      std::exp2(static_cast<double>(step + 1) / 4));
  return std::chrono::duration_cast<Duration>(edge);
}

void Pace::first_token(std::uint64_t prompt_tokens, Duration took) noexcept {
  prefills_.add(times(took, 1 / thousands(prompt_tokens)));
}

void Pace::whole_answer(std::uint64_t prompt_tokens, Duration took) noexcept {
  wholes_.add(times(took, 1 / thousands(prompt_tokens)));
}

std::optional<Duration> Pace::prefill(std::uint64_t prompt_tokens) const noexcept {
  const DurationSpread& known = prefills_.count() < enough ? wholes_ : prefills_;
  return scaled(known, 0.9, thousands(prompt_tokens));
}

std::optional<Duration> Pace::longest_prefill(std::uint64_t prompt_tokens) const noexcept {
  return scaled(prefills_, 0.99, thousands(prompt_tokens));
}

std::optional<Duration> Pace::longest_gap() const noexcept {
  return scaled(gaps_, 0.99, 1);
}

}  // namespace lmb::scheduling
