#include "pacer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

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

Pacer::Pacer(const asio::any_io_executor& executor, std::unique_ptr<Engine> engine,
             const MachineClock& clock, Observer observer)
    : engine_(std::move(engine)), clock_(clock), observer_(std::move(observer)), timer_(executor) {}

void Pacer::submit(Job job, const std::shared_ptr<Progress>& progress) {
  const TimePoint now = clock_.now();
  progress->submitted_at = now;
  progress->job = engine_->submit(std::move(job), now);
  jobs_.emplace(progress->job, progress);
  pump();
}

void Pacer::cancel(JobId job) {
  engine_->cancel(job, clock_.now());
  pump();
}

void Pacer::halt() {
  halted_ = true;
  timer_.cancel();
}

void Pacer::kill(const Problem& problem) {
  halt();
  const TimePoint now = clock_.now();
  for (const auto& [job, progress] : std::exchange(jobs_, {})) {
    progress->failure = problem;
    progress->cancelled = true;
    progress->wake();
    observer_({now, job, EventKind::cancelled, 0}, *progress);
  }
}

void Pacer::fail_all(const Problem& problem) {
  std::vector<JobId> failed;
  for (const auto& [job, progress] : jobs_) {
    if (progress->failure) continue;
    progress->failure = problem;
    progress->wake();
    failed.push_back(job);
  }
  for (const JobId job : failed) engine_->cancel(job, clock_.now());
  pump();
}

void Pacer::change(const std::function<void(TimePoint)>& work) {
  work(clock_.now());
  pump();
}

void Pacer::pump() {
  if (halted_) return;
  for (const Event& event : engine_->advance(clock_.now())) tell(event);
  const auto next = engine_->next_event();
  if (!next) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(clock_.real(*next));
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
      progress->prompt_started = true;
      progress->cached_tokens = event.tokens;
      progress->prompt_tokens = event.tokens;
      break;
    case EventKind::prompt_progress:
      progress->prompt_tokens = event.tokens;
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
  observer_(event, *progress);
}

}  // namespace lmb::sim
