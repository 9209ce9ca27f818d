#include "lmb/admin/model_lists.hpp"

#include <algorithm>
#include <utility>

#include "percent_decoding.hpp"

namespace lmb::admin {
namespace {

/// The {id} part of "/v1/models/{id}?query".
std::string id_of(std::string_view target, std::string_view prefix) {
  target = target.substr(0, target.find('?'));
  return target.size() <= prefix.size() ? std::string()
                                        : percent_decoded(target.substr(prefix.size()));
}

}  // namespace

void ModelLists::set(WorkerId worker, protocol::ModelCatalogue catalogue) {
  known_[worker.value()] = true;
  catalogues_[worker.value()] = std::move(catalogue);
}

void ModelLists::add(WorkerId place) {
  if (known_.size() <= place.value()) {
    known_.resize(place.value() + 1, true);
    catalogues_.resize(place.value() + 1);
  }
  known_[place.value()] = false;
}

void ModelLists::remove(WorkerId worker) {
  known_[worker.value()] = true;
  catalogues_[worker.value()] = {};
}

bool ModelLists::complete() const noexcept {
  return std::find(known_.begin(), known_.end(), false) == known_.end();
}

std::string ModelLists::render(std::string_view route, std::string_view target) const {
  if (route == "/v1/models") return protocol::render_openai_models(catalogues_);
  if (route == "/api/v0/models") return protocol::render_lmstudio_v0_models(catalogues_);
  if (route == "/api/v1/models") return protocol::render_lmstudio_v1_models(catalogues_);
  if (route == "/v1/models/{id}") {
    return protocol::render_openai_model(catalogues_, id_of(target, "/v1/models/"));
  }
  if (route == "/api/v0/models/{id}") {
    return protocol::render_lmstudio_v0_model(catalogues_, id_of(target, "/api/v0/models/"));
  }
  return {};
}

}  // namespace lmb::admin
