#include "worker.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

namespace lmb::scheduling {
namespace {

/// Takes one catalogue into a worker's table of instances.
class Adoption {
 public:
  Adoption(Worker& worker, TimePoint now) : worker_(worker), now_(now) {
    for (Instance& entry : worker.instances) {
      continues_.push_back(!entry.vacant());
      entry.listed = false;
    }
  }

  void list(const Offers& offers) {
    // Those that are known by their id first: only then is it clear which one was just loaded.
    for (const bool known : {true, false}) {
      for (const ModelOffer& model : offers.models) {
        for (const InstanceOffer& offer : model.instances) {
          list(model, offer, true, known);
        }
        if (model.instances.empty()) {
          list(model, {.id = model.key}, false, known);
        }
      }
    }
  }

 private:
  void list(const ModelOffer& model, const InstanceOffer& offer, bool loaded, bool known) {
    const std::size_t same = find(model.key, &offer.id);
    if (known) {
      if (same != none) {
        take(same, model, offer, loaded);
      }
      return;
    }
    if (listed(model.key, offer.id)) {
      return;
    }
    const std::size_t place_on_disk = find(model.key, nullptr);
    take(place_on_disk != none ? place_on_disk : vacant(), model, offer, loaded);
  }

  /// An entry that the catalogue may continue: the one with that id, or the model's place on disk.
  [[nodiscard]] std::size_t find(const std::string& model, const std::string* id) const {
    for (std::size_t i = 0; i < worker_.instances.size(); ++i) {
      const Instance& entry = worker_.instances[i];
      const bool fits = id != nullptr ? *entry.id == *id : !entry.loaded;
      if (continues_[i] && entry.model == model && fits) {
        return i;
      }
    }
    return none;
  }

  [[nodiscard]] bool listed(const std::string& model, const std::string& id) const {
    return std::any_of(worker_.instances.begin(), worker_.instances.end(),
                       [&](const Instance& entry) {
                         return entry.listed && entry.model == model && *entry.id == id;
                       });
  }

  std::size_t vacant() {
    for (std::size_t i = 0; i < worker_.instances.size(); ++i) {
      if (!continues_[i] && worker_.instances[i].vacant()) {
        worker_.instances[i] = Instance{};
        return i;
      }
    }
    worker_.instances.emplace_back();
    continues_.push_back(false);
    return worker_.instances.size() - 1;
  }

  void take(std::size_t index, const ModelOffer& model, const InstanceOffer& offer, bool loaded) {
    Instance& entry = worker_.instances[index];
    continues_[index] = false;
    if (!entry.id || *entry.id != offer.id) {
      entry.id = std::make_shared<const std::string>(offer.id);
    }
    entry.model = model.key;
    entry.kind = model.kind;
    entry.load_time = model.load_time;
    entry.parallel = offer.parallel;
    entry.context_length = offer.context_length;
    // A new one, and one that was only on disk, has just been used or will be.
    if (!entry.loaded) {
      entry.last_used = now_;
    }
    entry.loaded = loaded;
    entry.shares_model = model.instances.size() > 1;
    entry.listed = true;
  }

  static constexpr auto none = std::numeric_limits<std::size_t>::max();

  Worker& worker_;
  TimePoint now_;
  std::vector<bool> continues_;  ///< By instance: was in use before and is not matched yet.
};

}  // namespace

void adopt_offers(Worker& worker, const Offers& offers, std::uint32_t slots_unknown,
                  TimePoint now) {
  Adoption(worker, now).list(offers);
  worker.offers = offers;
  worker.catalogue_known = true;
  size_slots(worker, slots_unknown);
}

Worker begun_anew(const Worker& worker, const WorkerSpec& spec, const HealthOptions& options) {
  Worker fresh(spec, options);
  fresh.instances = worker.instances;
  for (Instance& entry : fresh.instances) {
    entry.listed = false;
  }
  fresh.member = worker.member;
  fresh.membership = worker.membership;
  fresh.in_flight = worker.in_flight;
  fresh.settling = worker.settling;
  fresh.busy_since = worker.busy_since;
  fresh.grants_total = worker.grants_total;
  fresh.last_grant = worker.last_grant;
  return fresh;
}

void size_slots(Worker& worker, std::uint32_t slots_unknown) noexcept {
  for (Instance& entry : worker.instances) {
    entry.slots = slots_of(entry, worker.spec, slots_unknown);
  }
  worker.slots = slots_of(worker);
}

std::uint32_t slots_of(const Worker& worker) noexcept {
  std::uint64_t sum = 0;
  for (const Instance& entry : worker.instances) {
    sum += entry.listed && entry.loaded ? entry.slots : 0;
  }
  const std::uint64_t cap =
      worker.spec.max_in_flight.value_or(std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(sum, 1, cap));
}

}  // namespace lmb::scheduling
