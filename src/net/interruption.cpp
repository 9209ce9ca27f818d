#include "lmb/net/interruption.hpp"

namespace lmb::net {
namespace {

constexpr Duration wanted_interval = std::chrono::seconds(1);

}  // namespace

void Interruption::watch(Stream& client, HalfClose half_close) {
  client_ = &client;
  half_close_ = half_close;
  client_gone_ = false;
  client.arm_read(bell_);
}

void Interruption::unwatch() noexcept {
  client_ = nullptr;
  wanted_ = nullptr;
  look_.clear();
}

std::optional<ErrorKind> Interruption::reason() {
  look_at_client();
  if (client_gone_ && !still_wanted()) return ErrorKind::client_gone;
  if (stop_.level() == StopLevel::now) return ErrorKind::shutting_down;
  if (failure_) return failure_;
  if (deadline_.passed()) return ErrorKind::request_timeout;
  return std::nullopt;
}

bool Interruption::still_wanted() {
  if (!wanted_) return false;
  const bool asked = client_ == nullptr;
  if (asked && !look_.passed()) return true;
  // What is asked may close the stream.
  client_ = nullptr;
  if (!wanted_()) {
    wanted_ = nullptr;
    look_.clear();
    return false;
  }
  look_.set(Clock::now() + wanted_interval);
  return true;
}

void Interruption::look_at_client() {
  if (client_ == nullptr || client_gone_) return;
  if (look_.passed()) return look_each_tick();
  const bool hidden = look_.at() != TimePoint::max();
  if (hidden || !client_->read_ready()) return;
  switch (client_->peek()) {
    case Stream::Peer::gone:
      if (half_close_ == HalfClose::keep) return look_each_tick();
      client_gone_ = true;
      break;
    case Stream::Peer::quiet:
      client_->arm_read(bell_);
      break;
    case Stream::Peer::sent_bytes:
      look_each_tick();
      break;
  }
}

bool Interruption::client_ended() const noexcept {
  return half_close_ == HalfClose::keep ? client_->peer_gone() : client_->peer_ended();
}

void Interruption::look_each_tick() {
  client_gone_ = client_ended();
  look_.set(Clock::now() + DeadlineList::tick_interval);
}

}  // namespace lmb::net
