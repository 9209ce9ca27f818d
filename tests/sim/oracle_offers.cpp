#include <algorithm>

#include "sim/oracle.hpp"

// What a catalogue changes in the oracle's picture.

namespace lmb::history {

using scheduling::Effects;

void Oracle::list(Worker& worker, const scheduling::Offers& offers) {
  std::vector<Instance> before;
  before.swap(worker.instances);
  for (const scheduling::ModelOffer& model : offers.models) {
    for (const scheduling::InstanceOffer& offer : model.instances) {
      worker.instances.push_back({offer.id, model, offer, true, true, {}, {}});
    }
    if (model.instances.empty()) {
      worker.instances.push_back({model.key, model, {.id = model.key}, false, true, {}, {}});
    }
  }
  // Leases go on under the same id.
  const auto continues = [](const Instance& a, const Instance& b) {
    return a.model.key == b.model.key && a.id == b.id;
  };
  std::vector<Instance*> fresh;
  for (Instance& now : worker.instances) {
    const auto old = std::find_if(before.begin(), before.end(),
                                  [&](const Instance& b) { return continues(now, b); });
    if (old == before.end()) {
      fresh.push_back(&now);
    } else {
      now.leases = old->leases;
      now.settling = old->settling;
      before.erase(old);
    }
  }
  // What a request was loading is the instance that has appeared.
  for (Instance* now : fresh) {
    const auto loading = std::find_if(before.begin(), before.end(), [&](const Instance& b) {
      return !b.loaded && b.model.key == now->model.key;
    });
    if (loading != before.end()) {
      now->leases = loading->leases;
      now->settling = loading->settling;
      before.erase(loading);
    }
  }
  // The rest only finishes what it runs.
  for (Instance& old : before) {
    old.listed = false;
    if (occupied(old) > 0) {
      worker.instances.push_back(old);
    }
  }
}

void Oracle::see(Worker& w, const std::string& model) {
  w.unseen.erase(model);
  const auto load = w.loads.find(model);
  if (load == w.loads.end()) {
    return;
  }
  learn_load(w, model);
  w.loads.erase(load);
  w.failed.erase(model);
}

void Oracle::learn_load(Worker& w, const std::string& model) {
  if (!w.loads[model].learns) {
    return;
  }
  const Duration took = now_ - w.load_began[model];
  const auto learned = w.load_learned.find(model);
  w.load_learned[model] = learned == w.load_learned.end() ? took : (learned->second * 3 + took) / 4;
}

bool Oracle::strike(Worker& w, const std::string& model, const std::string& id) {
  const bool told = std::any_of(w.instances.begin(), w.instances.end(), [&](const Instance& each) {
    return each.listed && each.loaded && each.model.key == model && each.id == id;
  });
  if (!told) {
    return false;
  }
  for (scheduling::ModelOffer& offer : w.offers.models) {
    if (offer.key == model) {
      std::erase_if(offer.instances, [&](const auto& each) { return each.id == id; });
    }
  }
  list(w, w.offers);
  return true;
}

void Oracle::offered(WorkerId worker, const scheduling::Offers& offers, const Effects& effects,
                     TimePoint now) {
  pass(now);
  Worker& w = workers_[worker.value()];
  w.read = true;
  w.offers = offers;
  list(w, offers);
  for (const scheduling::ModelOffer& model : offers.models) {
    if (!model.instances.empty()) {
      see(w, model.key);
    }
  }
  watch_unloaded(worker);
  expect_no_transition(effects);
  apply(effects, now);
}

}  // namespace lmb::history
