#include "lmb/admin/model_lists.hpp"

#include <utility>

namespace lmb::admin {
namespace {

int hex_digit(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/// Percent-decoding (RFC 3986 section 2.1): SDKs send `qwen%2Fqwen3-30b-a3b`. What is no valid
/// escape stays as it is.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool room = text[i] == '%' && i + 2 < text.size();
    const int high = room ? hex_digit(text[i + 1]) : -1;
    const int low = room ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// The {id} part of "/v1/models/{id}?query".
std::string id_of(std::string_view target, std::string_view prefix) {
  target = target.substr(0, target.find('?'));
  return target.size() <= prefix.size() ? std::string()
                                        : percent_decoded(target.substr(prefix.size()));
}

}  // namespace

void ModelLists::set(WorkerId worker, protocol::ModelCatalogue catalogue) {
  catalogues_[worker.value()] = std::move(catalogue);
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
