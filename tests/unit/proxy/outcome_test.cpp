// What a failed attempt means for the client, beside why no other is made.
#include "outcome.hpp"

#include <gtest/gtest.h>

namespace lmb::proxy {
namespace {

TEST(Outcome, of_an_attempt_tells_more_than_that_nobody_is_left) {
  for (const auto failure : {ErrorKind::worker_closed, ErrorKind::worker_error,
                             ErrorKind::model_unavailable, ErrorKind::route_unsupported}) {
    EXPECT_TRUE(tells_more(failure, ErrorKind::no_worker));
  }
  EXPECT_TRUE(tells_more(ErrorKind::worker_closed, ErrorKind::model_unavailable));
  EXPECT_TRUE(tells_more(ErrorKind::load_timeout, ErrorKind::model_unavailable));
}

TEST(Outcome, of_an_attempt_at_a_worker_without_the_route_tells_less_than_that_another_has_it) {
  EXPECT_FALSE(tells_more(ErrorKind::route_unsupported, ErrorKind::model_unavailable));
}

TEST(Outcome, of_an_attempt_tells_less_than_the_clients_time_or_the_programs_end) {
  for (const auto refusal :
       {ErrorKind::queue_timeout, ErrorKind::client_gone, ErrorKind::shutting_down}) {
    EXPECT_FALSE(tells_more(ErrorKind::worker_closed, refusal));
  }
}

}  // namespace
}  // namespace lmb::proxy
