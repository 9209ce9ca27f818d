#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/list_hook.hpp>

#include "lmb/base/clock.hpp"
#include "lmb/net/bell.hpp"

namespace lmb::net {

class DeadlineList;

/// A point in time at which a bell rings. Setting and moving one costs an assignment: the shard's
/// coarse tick (DeadlineList::tick_interval) looks at all of them, so it passes up to one tick
/// late. Thread safety: none. Lifetime: the list and the bell outlive it; its destructor unlinks
/// it.
class Deadline : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Deadline(DeadlineList& list, Bell& bell) noexcept : list_(list), bell_(bell) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  /// (Re)arms it; TimePoint::max() means never.
  void set(TimePoint at) noexcept;
  /// Disarms it and forgets that it had passed.
  void clear() noexcept;
  [[nodiscard]] bool passed() const noexcept { return passed_; }
  [[nodiscard]] TimePoint at() const noexcept { return at_; }

 private:
  friend class DeadlineList;
  DeadlineList& list_;
  Bell& bell_;
  TimePoint at_ = TimePoint::max();
  bool passed_ = false;
};

/// The armed deadlines of one shard.
class DeadlineList {
 public:
  /// 50 ms: the shortest limit that users set is a few hundred ms, and 20 wake-ups a second cost
  /// nothing.
  static constexpr Duration tick_interval = std::chrono::milliseconds(50);

  /// Marks what has passed and rings, once each.
  void tick(TimePoint now);

 private:
  friend class Deadline;
  using List = boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>>;
  List armed_;
};

}  // namespace lmb::net
