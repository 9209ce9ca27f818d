#include "limit_name.hpp"

#include <gtest/gtest.h>

namespace lmb::proxy {
namespace {

TEST(LimitName, names_the_config_key) {
  EXPECT_EQ(limit_name(ErrorKind::body_too_large), "limits.body_bytes");
  EXPECT_EQ(limit_name(ErrorKind::queue_timeout), "queue.max_wait");
}

TEST(LimitName, an_error_that_is_no_limit_has_none) {
  EXPECT_EQ(limit_name(ErrorKind::bad_json), "");
  EXPECT_EQ(limit_name(ErrorKind::client_gone), "");
}

}  // namespace
}  // namespace lmb::proxy
