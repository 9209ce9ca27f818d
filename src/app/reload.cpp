#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <set>
#include <utility>

#include "lmb/config/changes.hpp"
#include "lmb/telemetry/log.hpp"
#include "server_parts.hpp"

// Reading the config file again: docs/adr/0010-reload.md. All on the control shard, but for the
// file itself; the shards that serve clients are told by posts.

namespace lmb::app {

namespace {

using telemetry::LogLevel;

const char* environment(const char* name) {
  return std::getenv(name);
}

std::string listed(const char* what, const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? what : ", ") + name;
  return text;
}

}  // namespace

/// One reload under way.
struct Server::Parts::Reload {
  /// A worker that joins: an added one, or one that moved to another address.
  struct Joining {
    WorkerId place;
    Seat seat;
    bool returns = false;  ///< To the place that it had: what is known there is about itself.
  };

  ReloadDone done;
  admin::ReloadReport report;
  config::Config config;
  config::FleetChanges changes;
  std::vector<Joining> joining;
  scheduling::WorkerSet named;  ///< Workers that requests in the shards name.
  std::size_t unanswered = 0;   ///< Shards.
};

void Server::Parts::begin_reload(ReloadDone done) {
  auto reload = std::make_shared<Reload>();
  reload->done = std::move(done);
  using Result = admin::ReloadReport::Result;
  auto& result = reload->report.result;
  result = draining.load()       ? Result::ending
           : config_file.empty() ? Result::no_file
           : reloading           ? Result::busy
                                 : Result::done;
  if (result != Result::done) return reload->done(std::move(reload->report));
  reloading = true;
  asio::post(scribe->get_executor(), [this, reload] {
    auto parsed = std::make_shared<config::Parsed>(config::load_config(config_file, &environment));
    asio::post(control->context(),
               [this, reload, parsed] { on_config(reload, std::move(*parsed)); });
  });
}

void Server::Parts::reload_on_signal() {
  if (config_file.empty()) {
    telemetry::log(LogLevel::warn, "no reload: lmbalancer runs without a config file");
  }
  reload_again = reloading;
  if (!reloading) begin_reload([](const admin::ReloadReport&) {});
}

void Server::Parts::on_config(const ReloadPointer& reload, config::Parsed parsed) {
  if (!parsed.ok()) {
    reload->report.problems = std::move(parsed.problems);
    return end_reload(reload);
  }
  reload->config = std::move(parsed.config);
  reload->changes = config::compare_fleets(running_config, reload->config);
  ask_shards(reload);
}

void Server::Parts::ask_shards(const ReloadPointer& reload) {
  reload->unanswered = fronts.size();
  for (auto& front : fronts) {
    asio::post(front->shard().context(), [this, reload, &front = *front] {
      asio::post(control->context(), [this, reload, named = front.named_workers()] {
        reload->named = reload->named | named;
        if (--reload->unanswered == 0) choose_places(reload);
      });
    });
  }
}

void Server::Parts::choose_places(const ReloadPointer& reload) {
  const auto vacant = dispatcher->vacant() - reload->named;
  scheduling::WorkerSet taken;
  const auto is_own = [this](std::uint32_t place, const Seat& seat) {
    const auto& last = seats[place];
    return last.used && !last.member && last.spec.name == seat.spec.name &&
           last.address.host == seat.address.host && last.address.port == seat.address.port;
  };
  auto indices = reload->changes.added;
  indices.insert(indices.end(), reload->changes.moved.begin(), reload->changes.moved.end());
  for (const auto index : indices) {
    Reload::Joining joining;
    joining.seat = {reload->config.fleet[index], reload->config.addresses[index], true, true};
    std::optional<std::uint32_t> place;
    for (std::uint32_t i = 0; i < seats.size() && !joining.returns; ++i) {
      joining.returns = is_own(i, joining.seat) && !taken.contains(WorkerId(i));
      if (joining.returns) place = i;
    }
    // In turn: what was left just now may still be known to somebody.
    for (std::uint32_t i = 0; i < seats.size() && !place; ++i) {
      const auto candidate = static_cast<std::uint32_t>((next_place + i) % seats.size());
      const WorkerId id(candidate);
      if (vacant.contains(id) && !taken.contains(id)) place = candidate;
    }
    if (!place) {
      reload->report.problems.push_back(
          {"workers",
           "more than " + std::to_string(seats.size()) +
               " workers, those counted that leave with this reload or left before and still "
               "finish requests: take some out with a reload of its own first"});
      return end_reload(reload);
    }
    joining.place = WorkerId(*place);
    taken.insert(joining.place);
    if (!joining.returns) next_place = (*place + 1) % static_cast<std::uint32_t>(seats.size());
    reload->joining.push_back(std::move(joining));
  }
  tell_shards(reload);
}

void Server::Parts::tell_shards(const ReloadPointer& reload) {
  reload->unanswered = fronts.size();
  for (auto& front : fronts) {
    asio::post(front->shard().context(), [this, reload, &front = *front] {
      for (const auto& joining : reload->joining) {
        front.set_worker(joining.place, joining.seat.address);
      }
      asio::post(control->context(), [this, reload] {
        if (--reload->unanswered == 0) commit(reload);
      });
    });
  }
}

void Server::Parts::commit(const ReloadPointer& reload) {
  const auto& [added, removed, moved, changed] = reload->changes;
  auto& report = reload->report;
  std::vector<WorkerId> leaving;
  for (const auto index : removed) {
    leaving.push_back(*find_member(running_config.fleet[index].name));
    report.removed.push_back(running_config.fleet[index].name);
  }
  std::set<std::string> drained;
  for (const auto& worker : dispatcher->snapshot().workers) {
    if (worker.draining && !worker.retired) drained.insert(worker.name);
  }
  for (const auto index : moved) {
    leaving.push_back(*find_member(reload->config.fleet[index].name));
    report.changed.push_back(reload->config.fleet[index].name);
  }
  for (const auto index : added) report.added.push_back(reload->config.fleet[index].name);
  // First those that come: nobody is refused a model that only changes its worker.
  for (const auto& joining : reload->joining) {
    join(joining.place, joining.seat, joining.returns);
    // Only one that moves is there already: the operator's word outlives the address.
    if (drained.contains(joining.seat.spec.name)) dispatcher->set_draining(joining.place, true);
  }
  for (const auto index : changed) {
    const auto& spec = reload->config.fleet[index];
    change(*find_member(spec.name), {spec, reload->config.addresses[index], true, true});
    report.changed.push_back(spec.name);
  }
  for (const auto worker : leaving) retire(worker);
  if (!leaving.empty()) tell_offers();
  report.restart_needed = config::restart_keys(running_config, reload->config);
  running_config.fleet = std::move(reload->config.fleet);
  running_config.addresses = std::move(reload->config.addresses);
  running_config.telemetry.log_level = reload->config.telemetry.log_level;
  telemetry::set_log_level(running_config.telemetry.log_level);
  end_reload(reload);
}

void Server::Parts::end_reload(const ReloadPointer& reload) {
  auto& report = reload->report;
  const bool successful = report.problems.empty();
  if (!successful) report.result = admin::ReloadReport::Result::refused;
  metrics.note_reload(successful);
  for (const auto& problem : report.problems) {
    telemetry::log(LogLevel::error, "config: " + config_file + ": " +
                                        (problem.path.empty() ? "" : problem.path + ": ") +
                                        problem.message);
  }
  telemetry::log(successful ? LogLevel::info : LogLevel::error,
                 successful ? "config reloaded" + listed("; added ", report.added) +
                                  listed("; removed ", report.removed) +
                                  listed("; changed ", report.changed)
                            : "config not reloaded: nothing was changed");
  if (!report.restart_needed.empty()) {
    telemetry::log(LogLevel::warn, listed("config: these take effect at the next start only: ",
                                          report.restart_needed));
  }
  reloading = false;
  reload->done(std::move(report));
  if (std::exchange(reload_again, false)) reload_on_signal();
}

void Server::Parts::join(WorkerId place, const Seat& seat, bool returns) {
  seats[place.value()] = seat;
  if (!returns) shared->responses.forget(place);
  shared->route_gaps.forget(place);
  metrics.set_worker(place, seat.spec.name);
  model_lists->add(place);
  admin->set_worker(place, seat.spec, seat.address);
  dispatcher->add_worker(place, seat.spec);
  watch->add(place, seat.address);
}

void Server::Parts::retire(WorkerId worker) {
  seats[worker.value()].member = false;
  watch->remove(worker);
  dispatcher->retire_worker(worker);
  catalogues[worker.value()].reset();
  model_lists->remove(worker);
  admin->retire_worker(worker);
  for (auto& front : fronts) {
    asio::post(front->shard().context(),
               [&front = *front, worker] { front.retire_worker(worker); });
  }
}

void Server::Parts::change(WorkerId worker, const Seat& seat) {
  const bool new_key = seats[worker.value()].address.api_key != seat.address.api_key;
  seats[worker.value()] = seat;
  dispatcher->change_worker(worker, seat.spec);
  admin->set_worker(worker, seat.spec, seat.address);
  if (!new_key) return;
  watch->set_key(worker, seat.address.api_key);
  for (auto& front : fronts) {
    asio::post(front->shard().context(), [&front = *front, worker, address = seat.address] {
      front.set_worker(worker, address);
    });
  }
}

std::optional<WorkerId> Server::Parts::find_member(const std::string& name) const {
  for (std::uint32_t i = 0; i < seats.size(); ++i) {
    if (seats[i].member && seats[i].spec.name == name) return WorkerId(i);
  }
  return std::nullopt;
}

}  // namespace lmb::app
