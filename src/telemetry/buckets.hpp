#pragma once

#include <vector>

/// Upper bounds of histogram buckets, in seconds.
namespace lmb::telemetry::buckets {

/// vLLM's list, so that one dashboard serves engines and balancer.
inline std::vector<double> time_to_first_token() {
  return {.001, .005, .01, .02, .04, .06, .08, .1, .25, .5,  .75,
          1,    2.5,  5,   7.5, 10,  20,  40,  80, 160, 640, 2560};
}

/// vLLM's list with four bounds more between 5 and 50 ms, where a Mac Studio's 20 to 200 tokens/s
/// lie.
inline std::vector<double> time_per_output_token() {
  return {.005, .01, .015, .02, .025, .035, .05, .075, .1, .15, .2, .3,
          .4,   .5,  .75,  1,   2.5,  5,    7.5, 10,   20, 40,  80};
}

/// The llm-d router's list up to timeouts.request (30 min).
inline std::vector<double> request_duration() {
  return {.005, .025, .05, .1, .2, .4, .6,  .8,  1,   1.25, 1.5, 2,   3,   4,   5,    6,   8,
          10,   15,   20,  30, 45, 60, 120, 180, 240, 300,  360, 480, 600, 900, 1200, 1800};
}

/// From our own work (tens of microseconds) to a generation of half an hour.
inline std::vector<double> phase_duration() {
  return {.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1,  .25, .5,
          1,     2.5,    5,     10,   20,    40,   80,  160,  320, 640, 1800};
}

/// Up to queue.max_wait (streams 10 min).
inline std::vector<double> queue_wait() {
  return {.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60, 120, 240, 300, 600};
}

/// Up to twice the time-out of a probe (2 s).
inline std::vector<double> probe_duration() {
  return {.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 4};
}

inline std::vector<double> loop_lag() {
  return {.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1};
}

}  // namespace lmb::telemetry::buckets
