#include "doctor.hpp"

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <utility>
#include <vector>

#include "diagnosis.hpp"
#include "lmb/config/config.hpp"
#include "lmb/net/resolver.hpp"
#include "serve.hpp"

namespace lmb::app {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::array<const char*, 3> model_lists{"/api/v1/models", "/api/v0/models", "/v1/models"};

/// One worker under examination.
struct Patient {
  upstream::WorkerAddress address;
  bool slots_configured = false;
  Duration timeout{};
  std::vector<Finding> findings;
};

const char* environment(const char* name) {
  return std::getenv(name);
}

void add(Patient& patient, std::vector<Finding> findings) {
  std::move(findings.begin(), findings.end(), std::back_inserter(patient.findings));
}

http::FetchRequest request_for(const Patient& patient, const char* path) {
  const auto& address = patient.address;
  http::FetchRequest request("GET", path, net::host_field_text(address.host, address.port));
  if (!address.api_key.empty()) {
    request.fields.emplace_back("Authorization", "Bearer " + address.api_key);
  }
  request.timeout = patient.timeout;
  return request;
}

asio::awaitable<std::vector<Finding>> examine_models(const Patient& patient,
                                                     tcp::endpoint endpoint) {
  std::vector<Finding> findings;
  Error last(ErrorKind::bad_response);
  for (const char* path : model_lists) {
    auto request = request_for(patient, path);
    auto answer = co_await http::fetch(endpoint, std::move(request));
    if (!answer) {
      last = answer.error();
      break;
    }
    if (answer->status == 401 || answer->status == 403) {
      findings.push_back(judge_refused_token(patient.address));
      co_return findings;
    }
    const auto catalogue = protocol::parse_model_list(answer->body);
    if (!catalogue) {
      last = catalogue.error();
      continue;
    }
    const bool keyed = !patient.address.api_key.empty();
    Finding token;
    token.step = "token";
    token.says = keyed ? "accepted" : "none is asked for";
    findings.push_back(std::move(token));
    auto models = judge_models(*catalogue, patient.slots_configured);
    std::move(models.begin(), models.end(), std::back_inserter(findings));
    co_return findings;
  }
  findings.push_back(judge_no_list(last));
  co_return findings;
}

asio::awaitable<std::vector<Finding>> examine_at(const Patient& patient, tcp::endpoint endpoint) {
  auto request = request_for(patient, "/lmstudio-greeting");
  const auto greeting = co_await http::fetch(endpoint, std::move(request));
  auto findings = judge_greeting(patient.address, greeting);
  if (!greeting) co_return findings;
  auto models = co_await examine_models(patient, endpoint);
  std::move(models.begin(), models.end(), std::back_inserter(findings));
  co_return findings;
}

asio::awaitable<void> examine(Patient& patient) {
  auto resolved = co_await net::resolve(patient.address.host, patient.address.port);
  if (!resolved) {
    patient.findings.push_back(judge_unresolved(patient.address, resolved.error().detail()));
    co_return;
  }
  Finding addresses;
  addresses.step = "resolve";
  for (const auto& endpoint : *resolved) {
    addresses.says += (addresses.says.empty() ? "" : ", ") + endpoint.address().to_string();
  }
  patient.findings.push_back(std::move(addresses));
  // As the probes do it: the first address at which all is well, or else what the last one says.
  std::vector<Finding> findings;
  for (const auto& endpoint : *resolved) {
    findings = co_await examine_at(patient, endpoint);
    if (usable(findings)) break;
  }
  add(patient, std::move(findings));
}

}  // namespace

int doctor(const std::string& config_file) {
  const auto parsed = config::load_config(config_file, &environment);
  if (!parsed.ok()) {
    std::fputs(config::describe(parsed.problems, config_file).c_str(), stderr);
    return exit_failed;
  }
  const auto& config = parsed.config;
  std::vector<Patient> patients;
  for (std::size_t i = 0; i < config.fleet.size(); ++i) {
    Patient patient;
    patient.address = config.addresses[i];
    patient.slots_configured = config.fleet[i].slots.has_value();
    patient.timeout = config.upstream.probe_timeout;
    patients.push_back(std::move(patient));
  }
  asio::io_context context;
  const auto ended = [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  };
  for (auto& patient : patients) asio::co_spawn(context, examine(patient), ended);
  context.run();
  std::size_t unusable = 0;
  for (const auto& patient : patients) {
    std::printf("%s\n%s", patient.address.name.c_str(), describe(patient.findings).c_str());
    if (!usable(patient.findings)) ++unusable;
  }
  std::printf("\n%zu of %zu workers can be used\n", patients.size() - unusable, patients.size());
  return unusable == 0 ? exit_ok : exit_failed;
}

}  // namespace lmb::app
