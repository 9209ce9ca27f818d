#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lmb/scheduling/scheduler.hpp"
#include "sim/chance.hpp"

namespace lmb::history {

/// The truth about one worker, which the scheduler learns only through probes and outcomes.
struct TrueWorker {
  bool alive = true;
  bool member = true;       ///< Of the fleet that is configured.
  std::uint32_t stay = 0;   ///< Counts memberships, so that the probes of an old one end.
  std::uint32_t lives = 0;  ///< Crashes so far; an exchange of an earlier life has failed.
  double fault_rate = 0;    ///< Share of exchanges that fail though it is alive.
  Duration service_mean{};
  scheduling::Offers catalogue;
};

/// All that chance decides before a history begins.
struct Setting {
  scheduling::SchedulerOptions options;
  std::vector<scheduling::WorkerSpec> specs;
  std::vector<TrueWorker> workers;
  Duration arrivals_mean{};
  Duration length{};        ///< Arrivals and faults stop then.
  Duration faults_mean{};   ///< Between two faults of the fleet.
  Duration reloads_mean{};  ///< Between two changes of who is in it; 0 = none.
  Duration probe_interval{};
  Duration delivery_max{};  ///< From an effect to the request it is about.
  double leaver_rate = 0;   ///< Share of clients that leave early.
  bool closes = false;      ///< The scheduler is closed at the end, with requests still in it.
};

Setting random_setting(Chance& chance);
/// What an operator may say of worker "w<number>".
scheduling::WorkerSpec random_spec(Chance& chance, std::uint32_t number);

/// "m0" … "m3", each also as "any" and "m0@4bit"; a worker offers some of them, on disk or with up
/// to three instances.
scheduling::Offers random_catalogue(Chance& chance);
/// Every model, loaded: what a fleet at peace offers.
scheduling::Offers full_catalogue();
/// What a client asks for: mostly a model of the fleet by one of its names, sometimes a name that
/// many models share, rarely one that does not exist.
std::string random_model(Chance& chance);

}  // namespace lmb::history
