#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "lmb/proxy/front.hpp"

namespace lmb::proxy {

/// A request's body in memory, charged to limits.body_memory as its bytes arrive. Behind them
/// protocol::json_padding is always readable.
///
/// Room for a large body is reserved at once, for what was announced or else the limit, and not
/// grown step by step: copying tens of megabytes would hold the shard. Reserving costs nothing
/// until bytes are written there. Thread safety: none.
class RequestBody {
 public:
  /// `spare`: a buffer to begin with; `size_max`: limits.body_bytes.
  RequestBody(MemoryBudget& budget, std::string spare, std::size_t size_max)
      : budget_(budget), bytes_(std::move(spare)), size_max_(size_max) {}
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;
  ~RequestBody() { budget_.give_back(charged_); }

  /// `announced`: the whole body's size when it is known, else 0. False: the budget is used up, and
  /// nothing was added.
  [[nodiscard]] bool append(std::string_view bytes, std::size_t announced);
  /// Charges bytes that are to become the body by replace(). False: the budget is used up.
  [[nodiscard]] bool charge(std::size_t bytes) noexcept;
  /// Takes other bytes instead, as after inflating; all of them are charged.
  void replace(std::string bytes);
  [[nodiscard]] std::string_view view() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  /// Gives the charge back, and the buffer to whoever may use it again; the body is empty then.
  [[nodiscard]] std::string release();

 private:
  MemoryBudget& budget_;
  std::string bytes_;
  const std::size_t size_max_;
  std::size_t charged_ = 0;
};

}  // namespace lmb::proxy
