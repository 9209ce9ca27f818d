#pragma once

#include "lmb/sim/version.hpp"

namespace lmb::sim {

// What changed when, as far as a client can see it (study, section 0).

inline bool lists_capabilities(const StudioVersion& v) {
  return v >= StudioVersion{0, 3, 16};
}
/// Idle TTL and auto-evict.
inline bool unloads_by_itself(const StudioVersion& v) {
  return v >= StudioVersion{0, 3, 9};
}
/// With one model loaded, any name is answered by it (last seen in 0.3.14).
inline bool any_name_answers(const StudioVersion& v) {
  return v <= StudioVersion{0, 3, 14};
}
/// `stream_options.include_usage`, and stream errors as OpenAI's clients expect them.
inline bool streams_usage(const StudioVersion& v) {
  return v >= StudioVersion{0, 3, 18};
}
/// Parallel requests, API tokens, /api/v1.
inline bool is_parallel(const StudioVersion& v) {
  return v >= StudioVersion{0, 4, 0};
}
/// GGUF engines are processes of their own, whose errors are quoted.
inline bool has_engine_protocol(const StudioVersion& v) {
  return v >= StudioVersion{0, 4, 17};
}

}  // namespace lmb::sim
