#include "error_answers.hpp"

#include <array>
#include <utility>

#include "problem.hpp"

namespace lmb::sim {
namespace {

constexpr std::array<std::pair<ErrorAnswer, std::string_view>, 27> names = {
    {{ErrorAnswer::none, "none"},
     {ErrorAnswer::unexpected_endpoint, "unexpected_endpoint"},
     {ErrorAnswer::no_models_loaded, "no_models_loaded"},
     {ErrorAnswer::no_models_loaded_string, "no_models_loaded_string"},
     {ErrorAnswer::no_models_loaded_404, "no_models_loaded_404"},
     {ErrorAnswer::unknown_model, "unknown_model"},
     {ErrorAnswer::load_refused, "load_refused"},
     {ErrorAnswer::load_refused_memory, "load_refused_memory"},
     {ErrorAnswer::load_refused_404, "load_refused_404"},
     {ErrorAnswer::model_is_unloaded, "model_is_unloaded"},
     {ErrorAnswer::model_is_unloaded_200, "model_is_unloaded_200"},
     {ErrorAnswer::model_unloaded, "model_unloaded"},
     {ErrorAnswer::model_unloaded_by_user, "model_unloaded_by_user"},
     {ErrorAnswer::crashed_exit_code, "crashed_exit_code"},
     {ErrorAnswer::crashed_null, "crashed_null"},
     {ErrorAnswer::channel_error, "channel_error"},
     {ErrorAnswer::engine_fetch_failed, "engine_fetch_failed"},
     {ErrorAnswer::engine_returned_400, "engine_returned_400"},
     {ErrorAnswer::iteration_error, "iteration_error"},
     {ErrorAnswer::express_failure, "express_failure"},
     {ErrorAnswer::prompt_too_long, "prompt_too_long"},
     {ErrorAnswer::prompt_exceeds_context, "prompt_exceeds_context"},
     {ErrorAnswer::context_exceeded, "context_exceeded"},
     {ErrorAnswer::context_exceeded_responses, "context_exceeded_responses"},
     {ErrorAnswer::anthropic_error, "anthropic_error"},
     {ErrorAnswer::token_required, "token_required"},
     {ErrorAnswer::missing_parameter, "missing_parameter"}}};
static_assert(static_cast<std::size_t>(ErrorAnswer::missing_parameter) + 1 == names.size());

constexpr std::string_view memory_needed =
    "Model loading was stopped due to insufficient system resources. This model requires "
    "approximately 90.17 GB of memory.";

PlayedError as_string(std::string_view message, unsigned status = 400) {
  return {status, false, plain_refusal(message, status).body, std::string(message)};
}

PlayedError as_model_error(const Problem& problem, std::string_view code, unsigned status = 400) {
  return {status, false, model_refusal(problem.message, code, status).body, problem.message};
}

PlayedError as_refusal(const Problem& problem, Dialect dialect) {
  const Refusal refusal = refusal_of(problem, dialect);
  return {refusal.status, false, refusal.body, problem.message};
}

}  // namespace

std::string_view to_string(ErrorAnswer error) noexcept {
  return names.at(static_cast<std::size_t>(error)).second;
}

std::optional<ErrorAnswer> find_error_answer(std::string_view name) noexcept {
  for (const auto& [error, known] : names) {
    if (known == name) return error;
  }
  return std::nullopt;
}

PlayedError play(ErrorAnswer error, std::string_view asked, std::string_view model) {
  switch (error) {
    case ErrorAnswer::none:
      break;
    case ErrorAnswer::unexpected_endpoint:
      return as_string("Unexpected endpoint or method. (" + std::string(asked) + ")", 200);
    case ErrorAnswer::no_models_loaded:
      return as_model_error(no_models_loaded(), "");
    case ErrorAnswer::no_models_loaded_string:
      return as_string(no_models_loaded().message);
    case ErrorAnswer::no_models_loaded_404:
      return as_model_error(no_models_loaded(), "", 404);
    case ErrorAnswer::unknown_model:
      return as_model_error(unknown_model(model, {"a", "b"}), "model_not_found");
    case ErrorAnswer::load_refused:
      return as_model_error(load_refused(model, insufficient_resources), "");
    case ErrorAnswer::load_refused_memory:
      return as_model_error(load_refused(model, memory_needed), "");
    case ErrorAnswer::load_refused_404:
      return as_model_error(load_refused(model, insufficient_resources), "", 404);
    case ErrorAnswer::model_is_unloaded:
      return as_string("Model is unloaded.");
    case ErrorAnswer::model_is_unloaded_200:
      return as_string("Model is unloaded.", 200);
    case ErrorAnswer::model_unloaded:
      return as_string("Model unloaded.");
    case ErrorAnswer::model_unloaded_by_user:
      return as_string("Model unloaded by user or API request.");
    case ErrorAnswer::crashed_exit_code:
      return as_string(crash_message);
    case ErrorAnswer::crashed_null:
      return as_string("The model has crashed without additional information. (Exit code: null)");
    case ErrorAnswer::channel_error:
      return as_string("Channel Error");
    case ErrorAnswer::engine_fetch_failed:
      return as_string("Engine protocol predict request failed: fetch failed");
    case ErrorAnswer::engine_returned_400:
      return as_string("Engine protocol predict request returned 400");
    case ErrorAnswer::iteration_error:
      return as_string(iteration_message);
    case ErrorAnswer::express_failure:
      return {500, true, std::string(express_page), "Internal Server Error"};
    case ErrorAnswer::prompt_too_long:
      return as_string(prompt_too_long(13055, 4096, false).message);
    case ErrorAnswer::prompt_exceeds_context:
      return as_string(prompt_too_long(20018, 8192, true).message);
    case ErrorAnswer::context_exceeded:
      return as_string(context_exceeded().message);
    case ErrorAnswer::context_exceeded_responses:
      return as_refusal(context_exceeded(), Dialect::responses);
    case ErrorAnswer::anthropic_error:
      return as_refusal({ProblemKind::engine, "Channel Error", {}}, Dialect::anthropic);
    case ErrorAnswer::token_required:
      return {401, false, token_required().body, "An LM Studio API token is required"};
    case ErrorAnswer::missing_parameter:
      return as_refusal(missing_field("model"), Dialect::native);
  }
  return as_string("Compute error.");
}

}  // namespace lmb::sim
