#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>

#include "lmb/protocol/request_facts.hpp"

namespace lmb::protocol {

/// A text with exactly json_padding bytes of our choice behind it, on the heap, so that a sanitizer
/// sees every byte read beyond.
class PaddedText {
 public:
  explicit PaddedText(std::string_view text, char padding = '\0')
      : size_(text.size()), bytes_(std::make_unique<char[]>(text.size() + json_padding)) {
    std::copy(text.begin(), text.end(), bytes_.get());
    std::fill_n(bytes_.get() + size_, json_padding, padding);
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace lmb::protocol
