#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lmb::sim {

/// The errors that LM Studio is known to answer with (study of its server, section 4), on demand:
/// by request with the header `x-sim-error: NAME`, or scripted with Worker::set_error. Each comes
/// with the status and the bytes that were seen, whatever the route.
enum class ErrorAnswer : std::uint8_t {
  none,
  unexpected_endpoint,         ///< 200
  no_models_loaded,            ///< 400, object
  no_models_loaded_string,     ///< 400, older form
  no_models_loaded_404,        ///< 0.3.5
  unknown_model,               ///< 400, model_not_found
  load_refused,                ///< 400, memory guard
  load_refused_memory,         ///< 400, with the memory it would take
  load_refused_404,            ///< 0.3.5
  model_is_unloaded,           ///< 400 "Model is unloaded."
  model_is_unloaded_200,       ///< The same body with 200; one client guards against it.
  model_unloaded,              ///< 400 "Model unloaded."
  model_unloaded_by_user,      ///< 400 "Model unloaded by user or API request."
  crashed_exit_code,           ///< 400 "The model has crashed… (Exit code: 6)"
  crashed_null,                ///< 400, exit code null
  channel_error,               ///< 400
  engine_fetch_failed,         ///< 400, engine process gone (from 0.4.17 on)
  engine_returned_400,         ///< 400
  iteration_error,             ///< 400, fatal exception in the engine's scheduler
  express_failure,             ///< 500, HTML
  prompt_too_long,             ///< 400, n_keep >= n_ctx
  prompt_exceeds_context,      ///< 400, llama-server's words inside the engine protocol's
  context_exceeded,            ///< 400, context or shared pool full (from 0.4.17 on)
  context_exceeded_responses,  ///< 500, the same on /v1/responses
  anthropic_error,             ///< 500, on /v1/messages
  token_required,              ///< 401
  missing_parameter,           ///< 400, native API
};

std::string_view to_string(ErrorAnswer error) noexcept;
/// The error of that name; nothing for an unknown one.
std::optional<ErrorAnswer> find_error_answer(std::string_view name) noexcept;

}  // namespace lmb::sim
