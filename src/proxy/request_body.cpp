#include "request_body.hpp"

#include <algorithm>
#include <utility>

#include "lmb/protocol/request_facts.hpp"

namespace lmb::proxy {

bool RequestBody::append(std::string_view bytes, std::size_t expected) {
  const auto needed = bytes_.size() + bytes.size();
  if (needed + protocol::json_padding > bytes_.capacity() || charged_ < bytes_.capacity()) {
    auto room = std::max(needed, 2 * bytes_.size());
    // A length that was announced is an upper bound, not a reason to reserve it before it comes.
    if (expected >= needed) room = std::min(room, expected);
    if (!grow(room + protocol::json_padding)) return false;
  }
  bytes_.append(bytes);
  return true;
}

bool RequestBody::replace(std::string bytes) {
  bytes.reserve(bytes.size() + protocol::json_padding);
  if (!budget_.take(bytes.capacity())) return false;
  budget_.give_back(std::exchange(charged_, bytes.capacity()));
  bytes_ = std::move(bytes);
  return true;
}

std::string RequestBody::release() {
  budget_.give_back(std::exchange(charged_, 0));
  return std::exchange(bytes_, {});
}

/// The old buffer lives until its bytes are moved, so both are charged for that moment.
bool RequestBody::grow(std::size_t capacity) {
  capacity = std::max(capacity, bytes_.capacity());
  if (!budget_.take(capacity)) return false;
  if (capacity > bytes_.capacity()) {
    std::string larger;
    larger.reserve(capacity);
    larger.assign(bytes_);
    bytes_ = std::move(larger);
  }
  budget_.give_back(std::exchange(charged_, capacity));
  return true;
}

}  // namespace lmb::proxy
