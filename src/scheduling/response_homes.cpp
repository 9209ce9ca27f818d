#include "lmb/scheduling/response_homes.hpp"

namespace lmb::scheduling {
namespace {

std::uint64_t hash_of(std::string_view id) noexcept {
  return std::hash<std::string_view>{}(id);
}

}  // namespace

void ResponseHomes::remember(std::string_view id, WorkerId worker, TimePoint now) {
  if (id.empty() || options_.ids_max == 0) {
    return;
  }
  // At once, so that no later call pays for moving all.
  if (homes_.empty()) {
    homes_.reserve(options_.ids_max);
  }
  const std::uint64_t hash = hash_of(id);
  homes_[hash] = {worker, now, ++told_};
  ages_.push_back({hash, now, told_});
  forget(now);
}

void ResponseHomes::forget(TimePoint now) {
  // An id that was told again stands in `ages_` twice: its first place means nothing any more, but
  // counts, so that neither grows without limit.
  while (!ages_.empty() &&
         (ages_.size() > options_.ids_max || now - ages_.front().at >= options_.age_max)) {
    const Age oldest = ages_.front();
    ages_.pop_front();
    const auto found = homes_.find(oldest.id);
    if (found != homes_.end() && found->second.number == oldest.number) {
      homes_.erase(found);
    }
  }
}

Home ResponseHomes::find(std::string_view id, TimePoint now, std::size_t workers,
                         const std::function<bool(WorkerId)>& usable) const {
  const auto found = homes_.find(hash_of(id));
  const bool known = found != homes_.end() && now - found->second.at < options_.age_max &&
                     found->second.number > forgotten_[found->second.worker.value()];
  if (!known) {
    return {workers <= 1 ? HomeVerdict::any : HomeVerdict::unknown, {}};
  }
  const WorkerId worker = found->second.worker;
  return {usable(worker) ? HomeVerdict::known : HomeVerdict::away, worker};
}

}  // namespace lmb::scheduling
