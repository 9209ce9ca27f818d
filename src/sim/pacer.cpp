#include "pacer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "duration.hpp"

namespace lmb::sim {

namespace asio = boost::asio;

Progress::Progress(const asio::any_io_executor& executor) : wake_(executor) {
  wake_.expires_at(TimePoint::max());
}

asio::awaitable<void> Progress::changed() {
  if (!pending_) co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
  pending_ = false;
}

void Progress::wake() {
  pending_ = true;
  wake_.cancel();
}

Pacer::Pacer(const asio::any_io_executor& executor, std::unique_ptr<Engine> engine, double speed,
             Observer observer)
    : engine_(std::move(engine)),
      speed_(speed),
      observer_(std::move(observer)),
      epoch_(Clock::now()),
      timer_(executor) {}

std::shared_ptr<Progress> Pacer::submit(Job job) {
  const TimePoint now = simulated(Clock::now());
  auto progress = std::make_shared<Progress>(timer_.get_executor());
  progress->submitted_at = now;
  progress->job = engine_->submit(std::move(job), now);
  jobs_.emplace(progress->job, progress);
  pump();
  return progress;
}

void Pacer::cancel(JobId job) {
  engine_->cancel(job, simulated(Clock::now()));
  pump();
}

TimePoint Pacer::simulated(TimePoint real) const {
  return epoch_ + scaled(real - epoch_, speed_);
}

TimePoint Pacer::real(TimePoint simulated) const {
  return epoch_ + scaled(simulated - epoch_, 1 / speed_) + Duration(1);
}

void Pacer::halt() {
  halted_ = true;
  timer_.cancel();
}

void Pacer::pump() {
  if (halted_) return;
  for (const Event& event : engine_->advance(simulated(Clock::now()))) tell(event);
  const auto next = engine_->next_event();
  if (!next) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(real(*next));
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code ec) {
    if (!ec && !alive.expired()) pump();
  });
}

void Pacer::tell(const Event& event) {
  const auto found = jobs_.find(event.job);
  if (found == jobs_.end()) return;
  const std::shared_ptr<Progress> progress = found->second;
  switch (event.kind) {
    case EventKind::prompt_started:
      progress->cached_tokens = event.tokens;
      break;
    case EventKind::prompt_progress:
      break;
    case EventKind::first_token:
      progress->first_token_at = event.at;
      progress->tokens += event.tokens;
      break;
    case EventKind::tokens:
      progress->tokens += event.tokens;
      break;
    case EventKind::finished:
      progress->finished = true;
      progress->finished_at = event.at;
      jobs_.erase(found);
      break;
    case EventKind::cancelled:
      progress->cancelled = true;
      jobs_.erase(found);
      break;
  }
  progress->wake();
  observer_(event);
}

}  // namespace lmb::sim
