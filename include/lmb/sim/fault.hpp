#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lmb::sim {

/// How a simulated worker misbehaves. By request: header `x-sim-fault: <name>`; or scripted with
/// Worker::set_fault. "Mid stream" is after the third token of a stream, or half of a whole answer.
enum class Fault : std::uint8_t {
  none,
  refuse,  ///< Listener and connections are closed until the fault is lifted. Only scripted.
  close_before_head,  ///< FIN instead of an answer.
  close_mid_stream,
  reset_mid_stream,   ///< RST.
  garbage,            ///< Bytes that are not HTTP.
  stall_before_head,  ///< Nothing at all until the client leaves.
  stall_mid_stream,   ///< Nothing more until the client leaves.
  error_400_crash,    ///< 400 with LM Studio's "The model has crashed".
  error_in_stream,    ///< 200, then an error event instead of tokens; 400 when not streamed.
  error_mid_stream,   ///< 200, some tokens, then an error event; 400 when not streamed.
  status_500,         ///< Express' HTML page.
  truncated_json,  ///< Correct HTTP, but the JSON of the body or of the third event ends half-way.
  empty_stream,    ///< 200 and the end of the stream, without a token; an empty body when whole.
  // These befall the instance, with all requests on it; mid stream (whole: at the first token).
  engine_crash,      ///< The engine's process ends: all fail, the model is not loaded any more.
  engine_wedge,      ///< Nothing more from this instance until Worker::wedge lifts it.
  context_overflow,  ///< The shared pool is full: all that run or wait fail, the instance stays.
};

std::string_view to_string(Fault fault) noexcept;
/// The fault of that name; nothing for an unknown one.
std::optional<Fault> find_fault(std::string_view name) noexcept;

enum class FaultScope : std::uint8_t {
  generation,  ///< Chat, completions and embeddings only; probes and lists answer as usual.
  everything,
};

}  // namespace lmb::sim
