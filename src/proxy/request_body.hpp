#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lmb/proxy/front.hpp"

namespace lmb::proxy {

/// A request's body in memory, charged to limits.body_memory by what it really takes: the capacity
/// of its buffer, grown as bytes arrive and never ahead of them by more than their own size. Behind
/// the bytes protocol::json_padding is always readable. Thread safety: none.
class RequestBody {
 public:
  /// `spare`: a buffer to begin with.
  RequestBody(MemoryBudget& budget, std::string spare)
      : budget_(budget), bytes_(std::move(spare)) {}
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;
  ~RequestBody() { budget_.give_back(charged_); }

  /// `expected`: the whole body's size when it is known, else 0. False: the budget is used up, and
  /// nothing was added.
  [[nodiscard]] bool append(std::string_view bytes, std::size_t expected);
  /// Takes other bytes instead, as after inflating. False: the budget is used up.
  [[nodiscard]] bool replace(std::string bytes);
  [[nodiscard]] std::string_view view() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  /// Gives the charge back, and the buffer to whoever may use it again; the body is empty then.
  [[nodiscard]] std::string release();

 private:
  [[nodiscard]] bool grow(std::size_t capacity);

  MemoryBudget& budget_;
  std::string bytes_;
  std::size_t charged_ = 0;
};

}  // namespace lmb::proxy
