#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lmb/base/clock.hpp"

namespace lmb::sim {

/// A machine and model that decode all running sequences together, step by step.
///
///   decode step = token_time x batch_factor(n) x (1 + mean depth / decode_depth)
///   prompt time = sum over chunks of chunk / (prompt_rate / (1 + depth / prompt_depth))
///
/// While a prompt is processed, its chunks and the decode steps of the others take turns.
struct BatchPhysics {
  Duration token_time{};  ///< One token of one sequence on an empty context.
  /// (sequences, decode time relative to one sequence), ascending from (1, 1); linear in between,
  /// and beyond the last point with the slope of the last two.
  std::vector<std::pair<std::uint32_t, double>> batch_factor;
  double decode_depth = 1;  ///< Context tokens that double a decode step.
  double prompt_rate = 1;   ///< Prompt tokens per second on an empty context.
  double prompt_depth = 1;  ///< Context tokens that halve the prompt rate.
  Duration overhead{};      ///< Per request, before its prompt may start (template, tokenizer).
  bool prompt_stops_decoding = false;  ///< MLX engine before 1.8.5: no decode step during a prompt.
  std::uint32_t prefix_cache_tokens = 262144;  ///< 0 = no prefix cache.
  std::uint32_t parallel = 4;
};

/// Report A's worker: a request is one unit of work that progresses at rate 1 / R(n), with
/// R(n) = alone + per_request x n while n requests run. Knows no prompt and no depth; the tokens of
/// a streamed answer come evenly over the unit.
struct SharedWorkPhysics {
  Duration alone{};
  Duration per_request{};
  std::uint32_t parallel = 32;
};

/// What the model lists say.
struct ModelFacts {
  std::string key;  ///< e.g. "qwen/qwen3-30b-a3b"; also the id of its instance.
  std::string display_name;
  std::string publisher;
  std::string architecture;
  std::string
      quantization;  ///< e.g. "4bit", "Q4_K_M"; the variant is key@quantization in lower case.
  double bits_per_weight = 4;
  std::string format = "mlx";  ///< mlx or gguf.
  std::string params;
  std::uint64_t size_bytes = 0;
  std::uint64_t max_context_length = 32768;
  std::uint64_t context_length = 32768;  ///< Of the loaded instance.
  bool embedding = false;
};

struct Preset {
  std::string name;
  std::string machine;
  ModelFacts model;
  std::variant<BatchPhysics, SharedWorkPhysics> physics;
};

inline constexpr std::string_view default_preset = "m3-ultra-30b-a3b";

/// All presets that generate text. Their numbers come from published measurements;
/// docs/simulator.md says how far off each is.
const std::vector<Preset>& presets();
/// nullptr if there is none of this name.
const Preset* find_preset(std::string_view name);
/// The embedding model that every worker has loaded besides.
const Preset& embedding_preset();

/// batch_factor at `n` sequences.
double batch_factor(const BatchPhysics& physics, std::uint32_t n);

}  // namespace lmb::sim
