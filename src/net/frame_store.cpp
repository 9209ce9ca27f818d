#include "lmb/net/frame_store.hpp"

#include <new>

namespace lmb::net {
namespace {

/// A sanitizer must see each frame's end: a frame that waits here for its next use looks alive.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool keeps_frames = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool keeps_frames = false;
#else
constexpr bool keeps_frames = true;
#endif
#else
constexpr bool keeps_frames = true;
#endif

}  // namespace

FrameStore& FrameStore::of_thread() noexcept {
  static thread_local FrameStore store;
  return store;
}

FrameStore::~FrameStore() {
  for (auto& size : classes_) {
    while (size.first != nullptr) {
      auto* const spare = size.first;
      size.first = spare->next;
      ::operator delete(spare);
    }
  }
}

void* FrameStore::take(std::size_t bytes) {
  const auto index = class_of(bytes);
  if (index >= classes) return ::operator new(bytes);
  auto& size = classes_[index];
  if (size.first == nullptr) return ::operator new((index + 1) * step);
  auto* const spare = size.first;
  size.first = spare->next;
  --size.count;
  return spare;
}

void FrameStore::give_back(void* frame, std::size_t bytes) noexcept {
  const auto index = class_of(bytes);
  if (!keeps_frames || index >= classes || classes_[index].count == spare_max) {
    ::operator delete(frame);
    return;
  }
  auto& size = classes_[index];
  size.first = ::new (frame) Spare{size.first};
  ++size.count;
}

}  // namespace lmb::net
