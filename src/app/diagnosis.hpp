#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/base/error.hpp"
#include "lmb/http/client.hpp"
#include "lmb/protocol/model_list.hpp"
#include "lmb/upstream/options.hpp"

namespace lmb::app {

enum class Verdict : std::uint8_t { good, doubtful, bad };

/// What one step of an examination found.
struct Finding {
  Verdict verdict = Verdict::good;
  std::string step;  ///< "resolve", "connect", "greeting", "token", "models", "slots", "context".
  std::string says;
  std::string mend;  ///< The next step for the operator; empty when nothing is to be done.
};

// What each step means. Pure; no text shows a key.

Finding judge_unresolved(const upstream::WorkerAddress& worker, std::string_view why);
/// An answer to GET /lmstudio-greeting, or why there is none.
std::vector<Finding> judge_greeting(const upstream::WorkerAddress& worker,
                                    const Result<http::FetchedAnswer>& answer);
/// 401 or 403 to a model list.
Finding judge_refused_token(const upstream::WorkerAddress& worker);
Finding judge_no_list(const Error& error);
/// Models, slots and contexts of a list that could be read. `slots_configured`: workers[].slots.
std::vector<Finding> judge_models(const protocol::ModelCatalogue& catalogue, bool slots_configured);

/// The findings as lines, each with its mending below; a worker is usable when none is bad.
std::string describe(const std::vector<Finding>& findings);
bool usable(const std::vector<Finding>& findings) noexcept;

}  // namespace lmb::app
