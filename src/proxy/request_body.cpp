#include "request_body.hpp"

#include <algorithm>

#include "lmb/protocol/request_facts.hpp"

namespace lmb::proxy {
namespace {

/// 1 MiB: up to here growing by doubling copies less than a tenth of a millisecond's worth.
constexpr std::size_t small = 1024 * 1024;

}  // namespace

bool RequestBody::append(std::string_view bytes, std::size_t announced) {
  if (!budget_.take(bytes.size())) return false;
  charged_ += bytes.size();
  const auto needed = bytes_.size() + bytes.size();
  if (needed + protocol::json_padding > bytes_.capacity()) {
    auto room = needed <= small ? 2 * needed : std::max(needed, size_max_);
    if (announced >= needed) room = announced;
    bytes_.reserve(room + protocol::json_padding);
  }
  bytes_.append(bytes);
  return true;
}

bool RequestBody::replace(std::string bytes) {
  if (!budget_.take(bytes.size())) return false;
  budget_.give_back(std::exchange(charged_, bytes.size()));
  bytes.reserve(bytes.size() + protocol::json_padding);
  bytes_ = std::move(bytes);
  return true;
}

std::string RequestBody::release() {
  budget_.give_back(std::exchange(charged_, 0));
  return std::exchange(bytes_, {});
}

}  // namespace lmb::proxy
