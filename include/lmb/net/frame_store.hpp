#pragma once

#include <array>
#include <cstddef>

namespace lmb::net {

/// Spare coroutine frames of one thread: a request makes the same dozen frames as the one before
/// it, and most are larger than what malloc keeps ready. Bounded: at most 1 MiB per thread; larger
/// frames and what is too many go to and come from the heap. Thread safety: none; each thread has
/// its own, and a frame may end on another thread than it began on.
class FrameStore {
 public:
  static FrameStore& of_thread() noexcept;

  FrameStore() = default;
  FrameStore(const FrameStore&) = delete;
  FrameStore& operator=(const FrameStore&) = delete;
  ~FrameStore();

  /// At least `bytes`, aligned as operator new aligns. Throws std::bad_alloc.
  void* take(std::size_t bytes);
  /// `bytes` as given to take().
  void give_back(void* frame, std::size_t bytes) noexcept;

 private:
  static constexpr std::size_t step = 128;
  static constexpr std::size_t classes = 16;  ///< Up to 2 KiB.
  static constexpr std::size_t spare_max = 60;
  struct Spare {
    Spare* next;
  };
  struct Class {
    Spare* first = nullptr;
    std::size_t count = 0;
  };
  static std::size_t class_of(std::size_t bytes) noexcept { return (bytes - 1) / step; }

  std::array<Class, classes> classes_{};
};

}  // namespace lmb::net
