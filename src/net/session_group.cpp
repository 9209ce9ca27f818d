#include "lmb/net/session_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "lmb/base/assert.hpp"

namespace lmb::net {
namespace asio = boost::asio;

StopWatch::StopWatch(SessionGroup& group, Bell& bell) noexcept : group_(group), bell_(bell) {
  group_.watches_.push_back(*this);
}

StopLevel StopWatch::level() const noexcept {
  return group_.level_;
}

SessionGroup::SessionGroup(asio::io_context& context, std::function<void(const char*)> on_escape)
    : context_(context), on_escape_(std::move(on_escape)) {}

SessionGroup::~SessionGroup() {
  LMB_ASSERT(watches_.empty());
}

void SessionGroup::spawn(asio::awaitable<void> session) {
  ++active_;
  auto ended = [this](std::exception_ptr escaped) {
    --active_;
    if (escaped == nullptr) return;
    try {
      std::rethrow_exception(escaped);
    } catch (const std::exception& error) {
      on_escape_(error.what());
    } catch (...) {
      on_escape_("unknown exception");
    }
  };
  asio::co_spawn(context_, std::move(session), std::move(ended));
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
