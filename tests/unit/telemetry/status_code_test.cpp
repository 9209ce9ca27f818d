#include "status_code.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lmb::telemetry {
namespace {

std::string_view label(unsigned status) {
  return status_code::labels[status_code::index(status)];
}

TEST(StatusCode, a_code_is_labelled_by_itself_or_by_its_class) {
  EXPECT_EQ(label(0), "none");
  EXPECT_EQ(label(99), "other");
  EXPECT_EQ(label(600), "other");
  EXPECT_EQ(label(100), "1xx");
  EXPECT_EQ(label(599), "5xx");
  std::size_t exact = 0;
  for (unsigned status = 100; status < 600; ++status) {
    const std::string own = std::to_string(status);
    if (label(status) == own) {
      ++exact;
    } else {
      EXPECT_EQ(label(status), own.substr(0, 1) + "xx");
    }
  }
  EXPECT_EQ(exact, 57U);
  for (const unsigned ours : {200U, 400U, 401U, 403U, 404U, 405U, 408U, 413U, 414U, 415U, 417U,
                              429U, 431U, 500U, 501U, 502U, 503U, 504U, 505U}) {
    EXPECT_EQ(label(ours), std::to_string(ours));
  }
}

TEST(StatusCode, labels_are_distinct) {
  const std::set<std::string_view> distinct(status_code::labels.begin(), status_code::labels.end());
  EXPECT_EQ(distinct.size(), status_code::labels.size());
}

}  // namespace
}  // namespace lmb::telemetry
