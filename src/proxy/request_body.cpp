#include "request_body.hpp"

#include <algorithm>

#include "lmb/base/assert.hpp"
#include "lmb/protocol/request_facts.hpp"

namespace lmb::proxy {
namespace {

/// 1 MiB: up to here growing by doubling copies less than a tenth of a millisecond's worth.
constexpr std::size_t small = 1024 * 1024;

}  // namespace

bool RequestBody::append(std::string_view bytes, std::size_t announced) {
  if (!charge(bytes.size())) return false;
  const auto needed = bytes_.size() + bytes.size();
  if (needed + protocol::json_padding > bytes_.capacity()) {
    auto room = needed <= small ? 2 * needed : std::max(needed, size_max_);
    if (announced >= needed) room = announced;
    bytes_.reserve(room + protocol::json_padding);
  }
  bytes_.append(bytes);
  return true;
}

bool RequestBody::charge(std::size_t bytes) noexcept {
  if (!budget_.take(bytes)) return false;
  charged_ += bytes;
  return true;
}

void RequestBody::replace(std::string bytes) {
  LMB_ASSERT(bytes.size() <= charged_);
  bytes.reserve(bytes.size() + protocol::json_padding);
  bytes_ = std::move(bytes);
  budget_.give_back(std::exchange(charged_, bytes_.size()) - bytes_.size());
}

std::string RequestBody::release() {
  budget_.give_back(std::exchange(charged_, 0));
  return std::exchange(bytes_, {});
}

}  // namespace lmb::proxy
