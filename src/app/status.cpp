#include "status.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "serve.hpp"
#include "terminal_text.hpp"

namespace lmb::app {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

std::string number(const Json& value) {
  return value.dump();
}

/// "4s", "12m", "3h 5m", "2d 4h": enough for a glance.
std::string rough_time(double seconds) {
  const auto whole = static_cast<long>(seconds);
  if (whole < 60) return std::to_string(whole) + "s";
  if (whole < 3600) return std::to_string(whole / 60) + "m";
  if (whole < 86400)
    return std::to_string(whole / 3600) + "h " + std::to_string(whole / 60 % 60) + "m";
  return std::to_string(whole / 86400) + "d " + std::to_string(whole / 3600 % 24) + "h";
}

std::string state_of(const Json& worker) {
  auto state = worker.at("state").get<std::string>();
  const bool idle = worker.at("in_flight").get<int>() == 0;
  if (worker.at("draining").get<bool>() && idle) state = "drained";
  if (worker.value("retired", false)) state = "leaving";
  const auto& failure = worker.at("last_failure");
  const bool alive = worker.at("last_probe").is_object() && worker.at("last_probe").at("alive");
  if (!alive && failure.is_object()) state += " (" + failure.at("kind").get<std::string>() + ")";
  if (worker.value("breaker_open", false)) {
    const auto& left = worker.at("breaker_open_seconds");
    state += left.is_number() ? ", tried again in " + rough_time(left.get<double>() + 1)
                              : ", on probation";
  }
  return state;
}

/// Busy slots over slots; settling ones are busy too.
std::string slots_of(const Json& worker) {
  const auto settling = worker.value("settling", 0);
  return number(worker.at("in_flight")) +
         (settling > 0 ? "+" + std::to_string(settling) + " settling" : "") + "/" +
         number(worker.at("slots"));
}

std::string models_of(const Json& worker) {
  std::string text;
  for (const auto& instance : worker.at("instances")) {
    text += (text.empty() ? "" : ", ") + instance.at("id").get<std::string>() + " " +
            number(instance.at("in_flight")) + "/" + number(instance.at("slots"));
  }
  const auto add = [&text](const char* what, const Json& model) {
    if (!model.is_string()) return;
    text += (text.empty() ? "" : ", ") + (what + model.get<std::string>());
  };
  add("loading ", worker.at("loading"));
  add("switching to ", worker.at("switching_to"));
  const auto on_disk = worker.at("models_on_disk").size();
  if (on_disk == 0) return text.empty() ? "none" : text;
  return text + (text.empty() ? "" : ", ") + "+" + std::to_string(on_disk) + " on disk";
}

/// Why requests wait although a slot may be free; empty when none does for such a reason.
std::string holds_of(const Json& holds) {
  std::string text;
  for (const auto& [hold, waiting] : holds.items()) {
    if (waiting.get<int>() == 0) continue;
    text += (text.empty() ? "\nheld: " : ", ") + hold + " " + number(waiting);
  }
  return text;
}

std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - row[i].size() + 2, ' ');
    }
    text += "\n";
  }
  return text;
}

/// The message of an error body; the whole body when it is none.
std::string message_of(const http::FetchedAnswer& answer) {
  const auto json = Json::parse(answer.body, nullptr, false);
  if (json.is_object() && json.contains("error") && json.at("error").is_object()) {
    return printable(json.at("error").value("message", answer.body));
  }
  return "HTTP status " + std::to_string(answer.status) +
         ": is this an lmbalancer's admin listener?";
}

void complain(const std::string& text) {
  std::fprintf(stderr, "lmbalancer: %s\n", text.c_str());
}

/// The body of a successful call; nothing, told on stderr, otherwise.
std::optional<std::string> body_of(const AdminPlace& place, const std::string& method,
                                   const std::string& path) {
  auto answer = call_admin(place, method, path);
  if (!answer) {
    complain(answer.error().detail());
    return std::nullopt;
  }
  if (answer->status != 200) {
    complain(message_of(*answer));
    return std::nullopt;
  }
  return std::move(answer->body);
}

/// One line for each list of the answer to a reload that is not empty.
std::string reload_text(const Json& answer) {
  std::string text;
  const std::pair<const char*, const char*> lists[] = {
      {"added", "added"},
      {"removed", "removed"},
      {"changed", "changed"},
      {"restart_needed", "changed in the file, but in effect at the next start only"}};
  for (const auto& [member, title] : lists) {
    std::string names;
    for (const auto& name : answer.at(member)) {
      names += (names.empty() ? "" : ", ") + printable(name.get<std::string>());
    }
    if (!names.empty()) text += std::string(title) + ": " + names + "\n";
  }
  return text.empty() ? "no worker has changed\n" : text;
}

std::string problems_of(const Json& answer) {
  std::string text;
  for (const auto& problem : answer.at("error").at("problems")) {
    const auto path = printable(problem.at("path").get<std::string>());
    text += "  " + path + (path.empty() ? "" : ": ") +
            printable(problem.at("message").get<std::string>()) + "\n";
  }
  return text;
}

std::string percent_encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    std::array<char, 4> escape{};
    std::snprintf(escape.data(), escape.size(), "%%%02X",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += escape.data();
  }
  return out;
}

}  // namespace

std::string status_table(std::string_view status, std::string_view workers,
                         std::string_view queue) {
  const auto about = Json::parse(status);
  const auto waits = Json::parse(queue);
  const auto& totals = about.at("totals");
  std::string text = "lmbalancer " + about.at("version").get<std::string>() + ", up for " +
                     rough_time(about.at("uptime_seconds").get<double>()) +
                     (about.at("draining").get<bool>() ? ", shutting down\n" : "\n");
  text += number(totals.at("workers_up")) + " of " + number(totals.at("workers")) +
          " workers up, " + number(totals.at("in_flight")) + " of " + number(totals.at("slots")) +
          " slots busy, " +
          (totals.value("settling", 0) > 0 ? number(totals.at("settling")) + " settling, " : "") +
          number(waits.at("waiting")) + " waiting";
  if (waits.at("oldest_wait_seconds").is_number()) {
    text += " (the oldest for " + rough_time(waits.at("oldest_wait_seconds").get<double>()) + ")";
  }
  text += holds_of(totals.at("holds")) + "\n\n";
  std::vector<Row> rows{{"WORKER", "STATE", "BUSY/SLOTS", "MODELS"}};
  const auto fleet = Json::parse(workers);
  for (const auto& worker : fleet.at("workers")) {
    rows.push_back({worker.at("name").get<std::string>(), state_of(worker), slots_of(worker),
                    printable(models_of(worker))});
  }
  text += aligned(rows);
  if (waits.at("models").empty()) return text;
  rows = {{"WAITING FOR", "REQUESTS", "OLDEST"}};
  for (const auto& model : waits.at("models")) {
    rows.push_back({printable(model.at("model").get<std::string>()), number(model.at("waiting")),
                    rough_time(model.at("oldest_wait_seconds").get<double>())});
  }
  return text + "\n" + aligned(rows);
}

int status(const AdminTarget& target, bool json) {
  const auto place = find_admin(target);
  if (!place) {
    complain(place.error().detail());
    return exit_usage;
  }
  const auto about = body_of(*place, "GET", "/admin/status");
  if (!about) return exit_failed;
  const auto workers = body_of(*place, "GET", "/admin/workers");
  if (!workers) return exit_failed;
  const auto queue = body_of(*place, "GET", "/admin/queue");
  if (!queue) return exit_failed;
  try {
    if (!json) {
      std::fputs(status_table(*about, *workers, *queue).c_str(), stdout);
      return exit_ok;
    }
    const Json all{{"status", Json::parse(*about)},
                   {"workers", Json::parse(*workers).at("workers")},
                   {"queue", Json::parse(*queue)}};
    std::printf("%s\n", all.dump(2).c_str());
    return exit_ok;
  } catch (const Json::exception&) {
    complain("this answer is none of lmbalancer's: is it an admin listener of the same version?");
    return exit_failed;
  }
}

int set_draining(const AdminTarget& target, const std::string& worker, bool draining) {
  const auto place = find_admin(target);
  if (!place) {
    complain(place.error().detail());
    return exit_usage;
  }
  const auto path =
      "/admin/workers/" + percent_encoded(worker) + (draining ? "/drain" : "/undrain");
  const auto body = body_of(*place, "POST", path);
  if (!body) return exit_failed;
  const auto json = Json::parse(*body, nullptr, false);
  const bool understood =
      json.is_object() && json.contains("worker") && json.at("worker").is_object();
  const auto running = understood ? json.at("worker").value("in_flight", 0) : 0;
  if (!draining) {
    std::printf("%s takes requests again\n", worker.c_str());
  } else if (running > 0) {
    std::printf("%s gets nothing new; %d running request%s may finish\n", worker.c_str(), running,
                running == 1 ? "" : "s");
  } else {
    std::printf("%s gets nothing new and runs nothing\n", worker.c_str());
  }
  return exit_ok;
}

int reload(const AdminTarget& target) {
  const auto place = find_admin(target);
  if (!place) {
    complain(place.error().detail());
    return exit_usage;
  }
  const auto answer = call_admin(*place, "POST", "/admin/reload");
  if (!answer) {
    complain(answer.error().detail());
    return exit_failed;
  }
  const auto json = Json::parse(answer->body, nullptr, false);
  try {
    if (answer->status == 200) {
      std::fputs(reload_text(json).c_str(), stdout);
      return exit_ok;
    }
    complain(message_of(*answer));
    if (answer->status == 400) std::fputs(problems_of(json).c_str(), stderr);
  } catch (const Json::exception&) {
    complain("this answer is none of lmbalancer's: is it an admin listener of the same version?");
  }
  return exit_failed;
}

}  // namespace lmb::app
