#include "lmb/net/session_group.hpp"

#include <coroutine>
#include <exception>
#include <utility>

#include "lmb/base/assert.hpp"

namespace lmb::net {

StopWatch::StopWatch(SessionGroup& group, Bell& bell) noexcept : group_(group), bell_(bell) {
  group_.watches_.push_back(*this);
}

StopLevel StopWatch::level() const noexcept {
  return group_.level_;
}

struct SessionGroup::Run {
  struct promise_type : RunHook {
    promise_type(SessionGroup& its_group, Task<void>&) : group(its_group) {
      group.runs_.push_back(*this);
      ++group.active_;
    }
    ~promise_type() { --group.active_; }
    promise_type(const promise_type&) = delete;
    promise_type& operator=(const promise_type&) = delete;

    static Run get_return_object() noexcept { return {}; }
    static std::suspend_never initial_suspend() noexcept { return {}; }
    static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    void unhandled_exception() {
      try {
        throw;
      } catch (const std::exception& error) {
        group.on_escape_(error.what());
      } catch (...) {
        group.on_escape_("unknown exception");
      }
    }

    SessionGroup& group;
  };
};

SessionGroup::Run SessionGroup::run([[maybe_unused]] SessionGroup& group, Task<void> session) {
  co_await session;
}

SessionGroup::SessionGroup(std::function<void(const char*)> on_escape)
    : on_escape_(std::move(on_escape)) {}

SessionGroup::~SessionGroup() {
  drop();
  LMB_ASSERT(watches_.empty());
}

void SessionGroup::spawn(Task<void> session) {
  run(*this, std::move(session));
}

std::size_t SessionGroup::drop() noexcept {
  std::size_t dropped = 0;
  for (; !runs_.empty(); ++dropped) {
    auto& promise = static_cast<Run::promise_type&>(runs_.front());
    std::coroutine_handle<Run::promise_type>::from_promise(promise).destroy();
  }
  return dropped;
}

void SessionGroup::stop(StopLevel level) {
  if (level <= level_) return;
  level_ = level;
  // A rung session may end and unlink itself or others: take each from the front and put it at the
  // back of a second list before ringing.
  decltype(watches_) rung;
  while (!watches_.empty()) {
    auto& watch = watches_.front();
    watches_.pop_front();
    rung.push_back(watch);
    watch.bell_.ring();
  }
  watches_.swap(rung);
}

}  // namespace lmb::net
