#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// What libFuzzer calls with each input, and replay.cpp with those that are kept. A broken promise
/// aborts (LMB_ASSERT); 0 always.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace lmb::fuzz {

/// An input, taken from its front: first small numbers that choose, then what is left as text. An
/// input that is used up gives zeros.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept
      : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  /// 0 .. `count` - 1.
  std::size_t below(std::size_t count) noexcept { return byte() % count; }
  std::string text(std::size_t size_max) {
    const auto taken = rest_.substr(0, std::min(rest_.size(), size_max));
    rest_.remove_prefix(taken.size());
    return std::string(taken);
  }
  std::string rest() { return text(rest_.size()); }

 private:
  std::string_view rest_;
};

/// Sizes of the pieces that an input is cut into: 1 to 32 bytes, from a seed, so that the same
/// input is cut the same way each time.
class Cuts {
 public:
  explicit Cuts(std::uint8_t seed) noexcept : state_(seed * 2654435761U + 1U) {}
  std::size_t next(std::size_t left) noexcept {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 17U;
    state_ ^= state_ << 5U;
    // Mostly small ones: they are where parsers lose their place.
    const std::size_t size = (state_ % 4U == 0) ? 1 + state_ / 4U % 32U : 1 + state_ / 4U % 3U;
    return std::min(size, left);
  }

 private:
  std::uint32_t state_;
};

}  // namespace lmb::fuzz
