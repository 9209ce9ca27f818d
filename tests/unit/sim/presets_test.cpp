#include "lmb/sim/presets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "engine_run.hpp"

// Every preset against the measurements it was made from. Prints the table of docs/simulator.md.

namespace lmb::sim {
namespace {

using test::EngineRun;
using test::start;

struct Group {
  double tpot = 0;        // Seconds, mean over the jobs.
  double ttft = 0;        // Seconds, mean over the jobs.
  double aggregate = 0;   // Tokens per second, all jobs, from the first first token on.
  double throughput = 0;  // The same, from the start on.
};

/// `n` equal requests at once; `warm`: their common prompt has been seen before.
Group measure(const std::string& preset, std::uint32_t n, std::uint32_t prompt,
              std::uint32_t answer, bool warm) {
  const auto engine = make_engine(*find_preset(preset), 32, 1);
  EngineRun run(*engine);
  std::vector<std::uint64_t> prefix(prompt / prefix_block_tokens);
  std::iota(prefix.begin(), prefix.end(), 1u);
  TimePoint at = start;
  if (warm) {
    run.submit(prompt, 1, at, prefix);
    run.play_out();
    at = run.last();
  } else {
    prefix.clear();
  }
  std::vector<JobId> jobs;
  for (std::uint32_t i = 0; i < n; ++i) jobs.push_back(run.submit(prompt, answer, at, prefix));
  run.play_out();
  Group out;
  TimePoint first = TimePoint::max();
  TimePoint last = start;
  for (const JobId job : jobs) {
    const auto& story = run[job];
    EXPECT_EQ(story.tokens, answer);
    out.tpot += test::seconds_of(*story.finished - *story.first_token) / (answer - 1) / n;
    out.ttft += test::seconds_of(*story.first_token - at) / n;
    first = std::min(first, *story.first_token);
    last = std::max(last, *story.finished);
  }
  out.aggregate = n * answer / test::seconds_of(last - first);
  out.throughput = n * answer / test::seconds_of(last - at);
  return out;
}

double overhead_of(const std::string& preset) {
  return test::seconds_of(std::get<BatchPhysics>(find_preset(preset)->physics).overhead);
}

/// Tokens per second of one stream whose context is `depth` deep.
double decode_rate(const std::string& preset, std::uint32_t depth) {
  return 1 / measure(preset, 1, depth, 128, false).tpot;
}

/// Prompt tokens per second over a whole cold prompt.
double prompt_rate(const std::string& preset, std::uint32_t prompt) {
  return prompt / (measure(preset, 1, prompt, 2, false).ttft - overhead_of(preset));
}

/// Checks and prints one row.
void expect_close(const std::string& preset, const std::string& quantity, double study,
                  double simulated, double tolerance) {
  const double deviation = simulated / study - 1;
  std::printf("| %s | %s | %.4g | %.4g | %+.1f %% |\n", preset.c_str(), quantity.c_str(), study,
              simulated, 100 * deviation);
  EXPECT_LE(std::abs(deviation), tolerance) << preset << ": " << quantity;
}

std::string at(const char* what, std::uint32_t tokens) {
  return std::string(what) + " at " + std::to_string(tokens) + " tokens";
}

TEST(Presets, m2_ultra_8b_is_like_the_measured_machine) {
  const std::string preset = "m2-ultra-8b";
  for (const auto& [depth, rate] :
       {std::pair(512u, 78.8), {1024u, 76.3}, {4096u, 64.6}, {8192u, 54.1}}) {
    expect_close(preset, at("decode tok/s", depth), rate, decode_rate(preset, depth), 0.03);
  }
  for (const auto& [length, rate] :
       {std::pair(512u, 994.), {1024u, 1024.}, {4096u, 979.}, {8192u, 914.}}) {
    expect_close(preset, at("prefill tok/s", length), rate, prompt_rate(preset, length), 0.03);
  }
}

TEST(Presets, m3_ultra_30b_a3b_is_like_the_measured_machine) {
  const std::string preset = "m3-ultra-30b-a3b";
  for (const auto& [n, rate] : {std::pair(1u, 106.), {2u, 166.5}, {4u, 235.9}, {8u, 322.3}}) {
    const Group group = measure(preset, n, 64, 400, true);
    expect_close(preset, "aggregate decode tok/s, " + std::to_string(n) + " streams", rate,
                 group.aggregate, 0.05);
  }
  const double one = measure(preset, 1, 64, 400, true).tpot;
  for (const auto& [n, ratio] : {std::pair(2u, 1.27), {4u, 1.80}, {8u, 2.65}}) {
    expect_close(preset, "TPOT ratio, " + std::to_string(n) + " streams", ratio,
                 measure(preset, n, 64, 400, true).tpot / one, 0.03);
  }
  expect_close(preset, at("prefill tok/s", 512), 1807, prompt_rate(preset, 512), 0.03);
}

TEST(Presets, m4_max_30b_a3b_is_like_the_measured_machine) {
  const std::string preset = "m4-max-30b-a3b";
  expect_close(preset, "decode tok/s", 113, decode_rate(preset, 64), 0.03);
  expect_close(preset, at("prefill tok/s", 2048), 1754, prompt_rate(preset, 2048), 0.03);
  const Group five = measure(preset, 5, 64, 400, true);
  expect_close(preset, "aggregate decode tok/s against 1 stream, 5 streams", 2.4,
               five.aggregate * measure(preset, 1, 64, 400, true).tpot, 0.05);
}

TEST(Presets, m3_ultra_70b_is_like_the_measured_machine) {
  const std::string preset = "m3-ultra-70b";
  expect_close(preset, "decode tok/s", 14.1, decode_rate(preset, 64), 0.03);
  expect_close(preset, at("prefill tok/s", 4096), 170, prompt_rate(preset, 4096), 0.03);
  const double to_128k = measure(preset, 1, 131072, 2, false).ttft;
  const double to_126k = measure(preset, 1, 131072 - 2048, 2, false).ttft;
  expect_close(preset, "prefill tok/s of the 2048 tokens up to 131072", 74,
               2048 / (to_128k - to_126k), 0.05);
}

TEST(Presets, m2_max_gemma_e2b_is_like_the_measured_lm_studio) {
  const std::string preset = "m2-max-gemma-e2b";
  const double one = measure(preset, 1, 914, 255, true).tpot;
  const std::vector<std::array<double, 3>> table = {{1, 9.75, 1},     {2, 11.8, 1.21},
                                                    {4, 18.6, 1.91},  {8, 43.2, 4.43},
                                                    {16, 60.8, 6.24}, {32, 97.7, 10.0}};
  for (const auto& [n, tpot, ratio] : table) {
    const Group group = measure(preset, static_cast<std::uint32_t>(n), 914, 255, true);
    const std::string streams = std::to_string(static_cast<int>(n)) + " streams";
    expect_close(preset, "TPOT ms, " + streams, tpot, group.tpot * 1000, 0.05);
    expect_close(preset, "TPOT ratio, " + streams, ratio, group.tpot / one, 0.05);
  }
  // 1354 tokens took 1.68 s there, more than any rate of the other rows explains: not asserted
  // tightly.
  const std::vector<std::array<double, 3>> cold = {{1354, 1.68, 0.65},  {5090, 2.50, 0.20},
                                                   {10026, 4.93, 0.20}, {19766, 8.02, 0.10},
                                                   {39818, 16.3, 0.10}, {79531, 40.2, 0.05}};
  for (const auto& [length, ttft, tolerance] : cold) {
    const auto tokens = static_cast<std::uint32_t>(length);
    expect_close(preset, at("cold TTFT s", tokens), ttft, measure(preset, 1, tokens, 2, false).ttft,
                 tolerance);
  }
  for (const auto& [depth, tpot] :
       {std::pair(1354u, 9.8), {10026u, 10.5}, {39818u, 11.8}, {79531u, 13.6}}) {
    expect_close(preset, at("TPOT ms", depth), tpot, 1000 / decode_rate(preset, depth), 0.05);
  }
}

TEST(Presets, a_cold_burst_is_slower_in_reality_than_here) {
  // Known and recorded, not hidden: 8 cold prompts of 1k at once took 5.2 s to first token on
  // average and gave 117 tok/s; the physics of the study's section 7.3 knows no interference
  // between prompts.
  const Group group = measure("m2-max-gemma-e2b", 8, 1024, 255, false);
  expect_close("m2-max-gemma-e2b", "cold TTFT s, 8 x 1k", 5.2, group.ttft, 0.70);
  expect_close("m2-max-gemma-e2b", "throughput tok/s, 8 x 1k cold", 117, group.throughput, 0.30);
}

TEST(Presets, report_a_gives_the_reported_throughput) {
  for (const auto& [n, rate] : {std::pair(6u, 1.17), {12u, 1.77}}) {
    const auto engine = make_engine(*find_preset("report-a"), 0, 1);
    EngineRun run(*engine);
    for (std::uint32_t i = 0; i < n; ++i) run.submit(100, 100, start);
    run.play_out();
    expect_close("report-a", "requests/s, concurrency " + std::to_string(n), rate,
                 n / test::seconds_of(run.last() - start), 0.01);
  }
}

TEST(Presets, are_found_by_name) {
  for (const auto& preset : presets()) EXPECT_EQ(find_preset(preset.name), &preset);
  EXPECT_NE(find_preset(default_preset), nullptr);
  EXPECT_EQ(find_preset("m3-ultra"), nullptr);
  EXPECT_EQ(make_engine(*find_preset(default_preset), 0, 1)->slots(), 4u);
  EXPECT_EQ(make_engine(*find_preset(default_preset), 7, 1)->slots(), 7u);
  EXPECT_EQ(make_engine(*find_preset("report-a"), 0, 1)->slots(), 32u);
}

TEST(Presets, batch_factor_is_linear_between_and_beyond_its_points) {
  BatchPhysics physics;
  physics.batch_factor = {{1, 1}, {2, 1.5}, {4, 2}};
  EXPECT_DOUBLE_EQ(batch_factor(physics, 1), 1);
  EXPECT_DOUBLE_EQ(batch_factor(physics, 3), 1.75);
  EXPECT_DOUBLE_EQ(batch_factor(physics, 4), 2);
  EXPECT_DOUBLE_EQ(batch_factor(physics, 6), 2.5);
  physics.batch_factor = {{1, 1}};
  EXPECT_DOUBLE_EQ(batch_factor(physics, 9), 1);
}

}  // namespace
}  // namespace lmb::sim
