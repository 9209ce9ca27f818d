#include "limit_name.hpp"

#include <gtest/gtest.h>

namespace lmb::proxy {
namespace {

TEST(LimitName, names_the_config_key) {
  EXPECT_EQ(limit_name(ErrorKind::body_too_large, false), "limits.body_bytes");
  EXPECT_EQ(limit_name(ErrorKind::body_too_large, true), "limits.body_bytes");
}

TEST(LimitName, of_the_wait_in_the_queue_depends_on_what_waits) {
  EXPECT_EQ(limit_name(ErrorKind::queue_timeout, false), "queue.max_wait");
  EXPECT_EQ(limit_name(ErrorKind::queue_timeout, true), "queue.max_wait_stream");
}

TEST(LimitName, an_error_that_is_no_limit_has_none) {
  EXPECT_EQ(limit_name(ErrorKind::bad_json, false), "");
  EXPECT_EQ(limit_name(ErrorKind::client_gone, true), "");
}

}  // namespace
}  // namespace lmb::proxy
