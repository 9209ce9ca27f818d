#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "lmb/bench/load.hpp"

namespace lmb::bench {

/// When a client abandons its request.
struct AbortPoint {
  std::uint32_t tokens = 0;  ///< After so many token events; 0 = without reading the answer.
  Duration delay{};          ///< For 0 tokens: so long after the request was sent.
};

/// The abort point of measured request `index`, if it has one: drawn by the plan's seed and the
/// index alone, so that neither the order of the requests nor earlier draws change it.
std::optional<AbortPoint> abort_point(const LoadPlan& plan, std::size_t index);

/// The request's first words are a nonce of plan and index (`warmup`: another one), so that no two
/// requests share a cached prefix; about plan.prompt_tokens tokens long, and never shorter than its
/// instruction.
std::string prompt_text(const LoadPlan& plan, std::size_t index, bool warmup);

/// The whole request: head and body of POST {base_path}/chat/completions.
std::string request_bytes(const LoadPlan& plan, std::size_t index, bool warmup);

}  // namespace lmb::bench
