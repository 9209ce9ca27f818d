#include "lmb/net/shard.hpp"

#include <csignal>
#include <utility>

#include "lmb/base/assert.hpp"

namespace lmb::net {

Shard::Shard(std::size_t index, std::function<void(const char*)> on_escape)
    : index_(index),
      context_(1),
      sessions_(std::move(on_escape)),
      tick_timer_(context_),
      read_buffer_(read_buffer_bytes) {}

Shard::~Shard() {
  LMB_ASSERT(!thread_.joinable());
}

void Shard::on_tick(TickAction action) {
  tick_actions_.push_back(std::move(action));
}

void Shard::start() {
  thread_ = std::thread([this] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    tick_due_ = Clock::now() + DeadlineList::tick_interval;
    arm_tick();
    context_.run();
  });
}

void Shard::stop() {
  context_.stop();
}

void Shard::join() {
  if (thread_.joinable()) thread_.join();
}

void Shard::arm_tick() {
  tick_timer_.expires_at(tick_due_);
  tick_timer_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec) tick();
  });
}

void Shard::tick() {
  const auto now = Clock::now();
  const auto lag = now - tick_due_;
  deadlines_.tick(now);
  for (const auto& action : tick_actions_) action(now, lag);
  tick_due_ = now + DeadlineList::tick_interval;
  arm_tick();
}

}  // namespace lmb::net
