#include "lmb/net/deadline.hpp"

namespace lmb::net {

void Deadline::set(TimePoint at) noexcept {
  at_ = at;
  passed_ = false;
  if (at == TimePoint::max()) {
    unlink();
  } else if (!is_linked()) {
    list_.armed_.push_back(*this);
  }
}

void Deadline::clear() noexcept {
  unlink();
  passed_ = false;
  at_ = TimePoint::max();
}

void DeadlineList::tick(TimePoint now) {
  // Ringing runs coroutines that unlink any deadline, so the passed ones are moved aside first and
  // taken from the front one at a time.
  List passed;
  for (auto it = armed_.begin(); it != armed_.end();) {
    auto& deadline = *it++;
    if (deadline.at_ > now) continue;
    deadline.unlink();
    passed.push_back(deadline);
  }
  while (!passed.empty()) {
    auto& deadline = passed.front();
    passed.pop_front();
    if (deadline.at_ > now) {
      // Set anew by a coroutine that another one of them woke.
      armed_.push_back(deadline);
      continue;
    }
    deadline.passed_ = true;
    deadline.bell_.ring();
  }
}

}  // namespace lmb::net
