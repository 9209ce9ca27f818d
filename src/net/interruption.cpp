#include "lmb/net/interruption.hpp"

namespace lmb::net {

void Interruption::watch(Stream& client) {
  client_ = &client;
  client_gone_ = false;
  client.arm_read(bell_);
}

std::optional<ErrorKind> Interruption::reason() {
  if (client_ != nullptr && client_->read_ready()) {
    switch (client_->peek()) {
      case Stream::Peer::gone:
        client_gone_ = true;
        break;
      case Stream::Peer::quiet:
        client_->arm_read(bell_);
        break;
      case Stream::Peer::sent_bytes:
        client_ = nullptr;
        break;
    }
  }
  if (client_gone_) return ErrorKind::client_gone;
  if (stop_.level() == StopLevel::now) return ErrorKind::shutting_down;
  if (deadline_.passed()) return ErrorKind::request_timeout;
  return std::nullopt;
}

}  // namespace lmb::net
