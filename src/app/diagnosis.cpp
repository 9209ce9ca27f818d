#include "diagnosis.hpp"

#include <algorithm>

#include "lmb/net/options.hpp"
#include "terminal_text.hpp"

namespace lmb::app {
namespace {

constexpr const char* serve_on_network =
    "On the Mac: start LM Studio's server, with \"Serve on Local Network\" on (Developer, Server "
    "Settings) or `lms server start --bind 0.0.0.0`; keep the Mac awake; look at firewalls and at "
    "the port in workers[].url.";

Finding good(std::string step, std::string says) {
  return {Verdict::good, std::move(step), std::move(says), {}};
}

std::string text_of(const Error& error) {
  std::string text(to_string(error.kind()));
  if (error.cause()) text += ", " + error.cause().message();
  return text;
}

Finding judge_connect(const upstream::WorkerAddress& worker, const Error& error) {
  Finding finding{Verdict::bad, "connect",
                  net::host_port_text(worker.host, worker.port) + ": " + text_of(error),
                  serve_on_network};
  const bool silent = error.kind() == ErrorKind::request_timeout;
  const bool connected =
      silent || error.kind() == ErrorKind::worker_closed || error.kind() == ErrorKind::bad_response;
  if (connected) {
    finding.step = "greeting";
    finding.mend = silent
                       ? "It takes connections but does not answer: restart LM Studio on the Mac."
                       : "Something else than LM Studio may have this port: look at the port in "
                         "workers[].url.";
  }
  return finding;
}

std::string count_text(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void judge_instance(const protocol::ModelEntry& model, const protocol::ModelInstance& instance,
                    bool slots_configured, std::vector<Finding>& findings) {
  if (model.type == "embedding") return;
  if (instance.parallel > 0) {
    findings.push_back(good("slots", instance.id + ": " + count_text(instance.parallel, "slot")));
  } else if (!slots_configured) {
    findings.push_back({Verdict::doubtful, "slots", instance.id + ": not told, counted as 1",
                        "Update LM Studio to 0.4 or later, or set workers[].slots."});
  }
  if (instance.context_length > 0) {
    findings.push_back(
        good("context", instance.id + ": " + std::to_string(instance.context_length) + " tokens"));
  }
}

}  // namespace

Finding judge_unresolved(const upstream::WorkerAddress& worker, std::string_view why) {
  const bool bonjour = worker.host.ends_with(".local");
  return {Verdict::bad, "resolve", worker.host + ": " + std::string(why),
          bonjour ? "Is the Mac awake and on this network? `.local` names need Bonjour: on Linux "
                    "install libnss-mdns, or use the Mac's address in workers[].url."
                  : "Look at the spelling in workers[].url, or use the Mac's address."};
}

std::vector<Finding> judge_greeting(const upstream::WorkerAddress& worker,
                                    const Result<http::FetchedAnswer>& answer) {
  if (!answer) return {judge_connect(worker, answer.error())};
  std::vector<Finding> findings{good("connect", net::host_port_text(worker.host, worker.port))};
  if (answer->body.find("\"lmstudio\"") != std::string::npos) {
    findings.push_back(good("greeting", "LM Studio"));
  } else {
    findings.push_back({Verdict::doubtful, "greeting", "not LM Studio's",
                        "If this is no LM Studio, look at the port in workers[].url."});
  }
  return findings;
}

Finding judge_refused_token(const upstream::WorkerAddress& worker) {
  if (worker.api_key.empty()) {
    return {Verdict::bad, "token", "LM Studio requires a key, and none is configured",
            "Make a key in LM Studio and name its variable in workers[].api_key_env."};
  }
  return {Verdict::bad, "token", "LM Studio refuses the configured key",
          "Make a new key in LM Studio and set workers[].api_key_env (or api_key) to it."};
}

Finding judge_no_list(const Error& error) {
  return {Verdict::bad, "models", "no model list: " + text_of(error),
          "Is this LM Studio's server? Look at the port in workers[].url."};
}

std::vector<Finding> judge_models(const protocol::ModelCatalogue& catalogue,
                                  bool slots_configured) {
  std::vector<Finding> findings;
  const auto& models = catalogue.models;
  if (models.empty()) {
    findings.push_back(
        {Verdict::bad, "models", "it lists none", "Download a model in LM Studio on this Mac."});
    return findings;
  }
  const auto loaded = std::count_if(models.begin(), models.end(),
                                    [](const auto& model) { return !model.instances.empty(); });
  if (!catalogue.tells_loaded) {
    findings.push_back({Verdict::doubtful, "models",
                        count_text(models.size(), "model") + ", it does not tell which are loaded",
                        "Update LM Studio: this version tells neither slots nor contexts."});
  } else if (loaded == 0) {
    findings.push_back({Verdict::doubtful, "models",
                        count_text(models.size(), "model") + " on disk, none is loaded",
                        "Load one in LM Studio, or the first request waits for it."});
  } else {
    findings.push_back(good(
        "models", count_text(models.size(), "model") + ", " + std::to_string(loaded) + " loaded"));
  }
  for (const auto& model : models) {
    for (const auto& instance : model.instances) {
      judge_instance(model, instance, slots_configured, findings);
    }
  }
  return findings;
}

std::string describe(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) {
    const char* mark = finding.verdict == Verdict::good       ? "ok    "
                       : finding.verdict == Verdict::doubtful ? "doubt "
                                                              : "BAD   ";
    text += std::string("  ") + mark + finding.step;
    text.append(10 - std::min<std::size_t>(finding.step.size(), 9), ' ');
    text += printable(finding.says);
    text += "\n";
    if (!finding.mend.empty()) text += "        -> " + finding.mend + "\n";
  }
  return text;
}

bool usable(const std::vector<Finding>& findings) noexcept {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.verdict == Verdict::bad; });
}

}  // namespace lmb::app
