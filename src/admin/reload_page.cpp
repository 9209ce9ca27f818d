#include "reload_page.hpp"

#include <nlohmann/json.hpp>

namespace lmb::admin {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

AdminAnswer refused_file(const ReloadReport& report) {
  auto answer = refusal(400, "config_invalid",
                        "Nothing was changed: the config file has problems, or no place is left "
                        "for its workers.");
  auto json = Json::parse(answer.body);
  auto& problems = json["error"]["problems"];
  problems = Json::array();
  for (const auto& problem : report.problems) {
    problems.push_back({{"path", problem.path}, {"message", problem.message}});
  }
  answer.body = text_of(json);
  return answer;
}

}  // namespace

AdminAnswer reload_answer(const ReloadReport& report) {
  switch (report.result) {
    case ReloadReport::Result::done:
      break;
    case ReloadReport::Result::refused:
      return refused_file(report);
    case ReloadReport::Result::no_file:
      return refusal(409, "no_config_file",
                     "lmbalancer runs without a config file: there is nothing to read again.");
    case ReloadReport::Result::busy:
      return refusal(409, "reload_busy", "Another reload is under way: ask again when it is over.");
    case ReloadReport::Result::ending:
      return refusal(503, "shutting_down", "lmbalancer is shutting down.");
  }
  return {200, text_of(Json{{"added", report.added},
                            {"removed", report.removed},
                            {"changed", report.changed},
                            {"restart_needed", report.restart_needed}})};
}

}  // namespace lmb::admin
