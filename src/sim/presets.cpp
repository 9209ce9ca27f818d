#include "lmb/sim/presets.hpp"

#include <algorithm>

#include "batch_engine.hpp"
#include "duration.hpp"
#include "report_a_engine.hpp"

namespace lmb::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

ModelFacts qwen_30b_a3b() {
  ModelFacts model;
  model.key = "qwen/qwen3-30b-a3b";
  model.display_name = "Qwen3 30B A3B";
  model.publisher = "qwen";
  model.architecture = "qwen3_moe";
  model.quantization = "4bit";
  model.params = "30B-A3B";
  model.size_bytes = 17'190'000'000;
  model.max_context_length = 262144;
  return model;
}

Preset m3_ultra_30b_a3b() {
  BatchPhysics physics;
  physics.token_time = microseconds(9400);
  physics.batch_factor = {{1, 1}, {2, 1.27}, {4, 1.80}, {8, 2.65}};
  physics.decode_depth = 45'000;
  physics.prompt_rate = 1800;
  physics.prompt_depth = 100'000;
  physics.overhead = milliseconds(150);
  return {"m3-ultra-30b-a3b", "Mac Studio M3 Ultra", qwen_30b_a3b(), physics};
}

Preset m4_max_30b_a3b() {
  BatchPhysics physics;
  physics.token_time = microseconds(8800);
  // 5 concurrent sequences are measured; the other points follow the M3 Ultra's shape.
  physics.batch_factor = {{1, 1}, {2, 1.27}, {4, 1.80}, {5, 2.10}, {8, 2.90}};
  physics.decode_depth = 45'000;
  physics.prompt_rate = 1775;
  physics.prompt_depth = 91'000;
  physics.overhead = milliseconds(150);
  return {"m4-max-30b-a3b", "Mac Studio M4 Max", qwen_30b_a3b(), physics};
}

Preset m2_ultra_8b() {
  BatchPhysics physics;
  physics.token_time = microseconds(12400);
  // Dense models gain little from small batches: 1.56 times at 2 to 2.16 times at 8 in aggregate.
  physics.batch_factor = {{1, 1}, {2, 1.28}, {4, 2.05}, {8, 3.70}};
  physics.decode_depth = 17'000;
  physics.prompt_rate = 1020;
  physics.prompt_depth = 43'000;
  physics.overhead = milliseconds(150);
  ModelFacts model;
  model.key = "meta-llama-3-8b-instruct";
  model.display_name = "Meta Llama 3 8B Instruct";
  model.publisher = "lmstudio-community";
  model.architecture = "llama";
  model.quantization = "Q4_K_M";
  model.bits_per_weight = 4.83;
  model.format = "gguf";
  model.params = "8B";
  model.size_bytes = 4'920'000'000;
  model.max_context_length = 8192;
  model.context_length = 8192;
  return {"m2-ultra-8b", "Mac Studio M2 Ultra", model, physics};
}

Preset m3_ultra_70b() {
  BatchPhysics physics;
  physics.token_time = microseconds(70'000);
  physics.batch_factor = {{1, 1}, {2, 1.28}, {4, 2.05}, {8, 3.70}};
  physics.decode_depth = 55'000;
  physics.prompt_rate = 175;
  physics.prompt_depth = 95'000;
  physics.overhead = milliseconds(150);
  ModelFacts model;
  model.key = "llama-3.3-70b-instruct";
  model.display_name = "Llama 3.3 70B Instruct";
  model.publisher = "mlx-community";
  model.architecture = "llama";
  model.quantization = "4bit";
  model.params = "70B";
  model.size_bytes = 39'710'000'000;
  model.max_context_length = 131072;
  return {"m3-ultra-70b", "Mac Studio M3 Ultra", model, physics};
}

/// The one machine whose LM Studio was measured over many concurrencies and prompt lengths.
Preset m2_max_gemma_e2b() {
  BatchPhysics physics;
  physics.token_time = microseconds(9700);
  physics.batch_factor = {{1, 1}, {2, 1.21}, {4, 1.91}, {8, 4.43}, {16, 6.24}, {32, 10.0}};
  physics.decode_depth = 200'000;
  physics.prompt_rate = 2700;
  physics.prompt_depth = 109'000;
  physics.overhead = milliseconds(200);
  physics.parallel = 32;
  ModelFacts model;
  model.key = "google/gemma-4-e2b";
  model.display_name = "Gemma 4 E2B";
  model.publisher = "google";
  model.architecture = "gemma4";
  model.quantization = "4bit";
  model.params = "E2B";
  model.size_bytes = 3'600'000'000;
  model.max_context_length = 131072;
  model.context_length = 131072;
  return {"m2-max-gemma-e2b", "Mac Studio M2 Max", model, physics};
}

Preset report_a() {
  SharedWorkPhysics physics;
  physics.alone = milliseconds(3480);
  physics.per_request = milliseconds(275);
  ModelFacts model = qwen_30b_a3b();
  return {"report-a", "Mac Studio as in report A", model, physics};
}

}  // namespace

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {m3_ultra_30b_a3b(), m4_max_30b_a3b(),   m2_ultra_8b(),
                                          m3_ultra_70b(),     m2_max_gemma_e2b(), report_a()};
  return all;
}

const Preset* find_preset(std::string_view name) {
  const auto found = std::ranges::find(presets(), name, &Preset::name);
  return found == presets().end() ? nullptr : &*found;
}

const Preset& embedding_preset() {
  static const Preset preset = [] {
    BatchPhysics physics;
    physics.token_time = milliseconds(1);
    physics.batch_factor = {{1, 1}};
    physics.decode_depth = 1e9;
    physics.prompt_rate = 20'000;
    physics.prompt_depth = 1e9;
    physics.overhead = milliseconds(10);
    physics.prefix_cache_tokens = 0;
    physics.parallel = 1;  // LM Studio computes embeddings one after the other.
    ModelFacts model;
    model.key = "text-embedding-nomic-embed-text-v1.5";
    model.display_name = "Nomic Embed Text v1.5";
    model.publisher = "nomic-ai";
    model.architecture = "nomic-bert";
    model.quantization = "Q4_K_M";
    model.format = "gguf";
    model.size_bytes = 84'110'000;
    model.max_context_length = 2048;
    model.context_length = 2048;
    model.embedding = true;
    return Preset{"embedding", "", model, physics};
  }();
  return preset;
}

double batch_factor(const BatchPhysics& physics, std::uint32_t n) {
  const auto& points = physics.batch_factor;
  auto above = std::ranges::find_if(points, [n](const auto& p) { return p.first >= n; });
  if (above == points.begin() || points.size() < 2) return points.front().second;
  if (above == points.end()) --above;
  const auto& [n1, f1] = *(above - 1);
  const auto& [n2, f2] = *above;
  return f1 + (f2 - f1) * (static_cast<double>(n) - n1) / (static_cast<double>(n2) - n1);
}

std::unique_ptr<Engine> make_engine(const Preset& preset, std::uint32_t parallel,
                                    std::uint64_t seed) {
  if (const auto* batch = std::get_if<BatchPhysics>(&preset.physics)) {
    return std::make_unique<BatchEngine>(*batch, parallel, seed);
  }
  return std::make_unique<ReportAEngine>(std::get<SharedWorkPhysics>(preset.physics), parallel);
}

}  // namespace lmb::sim
