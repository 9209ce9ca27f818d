#include "instruments.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace lmb::telemetry {
namespace {

TEST(LazySeries, looks_its_series_up_once) {
  Counter counter;
  LazySeries<Counter> series;
  int created = 0;
  const auto create = [&]() -> Counter& {
    ++created;
    return counter;
  };
  EXPECT_EQ(series.get(create), &counter);
  EXPECT_EQ(series.get(create), &counter);
  EXPECT_EQ(created, 1);
}

TEST(Instruments, describes_each_family_as_it_was_specified) {
  Instruments instruments;
  instruments.counters({"a_total", "things", "As.", {"x", "y"}});
  instruments.gauges({"b", "bytes", "Bs.", {}});
  instruments.histograms({"c_seconds", "seconds", "Cs.", {"z"}});
  const std::vector<Metrics::Description>& all = instruments.descriptions();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "a_total");
  EXPECT_EQ(all[0].type, "counter");
  EXPECT_EQ(all[0].unit, "things");
  EXPECT_EQ(all[0].help, "As.");
  EXPECT_EQ(all[0].labels, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(all[1].type, "gauge");
  EXPECT_EQ(all[2].type, "histogram");
}

}  // namespace
}  // namespace lmb::telemetry
