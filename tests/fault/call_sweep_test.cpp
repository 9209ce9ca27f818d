// Every system call that serving two requests makes fails once, each in a run of its own.
#include <string>

#include "two_requests.hpp"

namespace lmb::test {
namespace {

using Answer = TwoRequests::Answer;

class CallSweep : public ::testing::TestWithParam<CallFault> {
 protected:
  CallSweep() { failing() = Failing(); }
  ~CallSweep() override { failing() = Failing(); }

  static bool harmless() {
    return GetParam() == CallFault::later || GetParam() == CallFault::partly;
  }
  /// The run in which call `number` fails.
  static void run_with(std::size_t number) {
    failing() = Failing();
    failing().call_fault = GetParam();
    failing().fail_call = number;
    TwoRequests two;
    two.run();
    const auto answers = two.answers();
    const auto where = std::string(failing().failed_call) + " was call " + std::to_string(number) +
                       " of request " + std::to_string(two.failed_request()) +
                       (two.failed_at_client() ? ", the client's\n" : ", a worker's\n") +
                       two.client_heard();
    EXPECT_EQ(two.left_over(), "") << where;
    EXPECT_EQ(two.broke_out(), "") << where;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      EXPECT_NE(answers[i], Answer::wrong) << where;
      if (harmless()) {
        EXPECT_EQ(answers[i], Answer::whole) << where;
      }
    }
    // What is sent to the client in one piece has come whole: the worker has nothing left to do.
    const bool last_send = two.failed_request() == 1 && two.failed_at_client() &&
                           failing().failed_call == std::string_view("sendmsg");
    if (last_send) {
      EXPECT_EQ(two.settled_later(), 0U) << where;
    }
    const bool spared = !two.failed_at_client() && two.failed_before_answer();
    if (spared) {
      EXPECT_EQ(answers[two.failed_request()], Answer::whole) << where;
    }
  }
};

TEST_P(CallSweep, each_call_of_two_requests_may_fail_once) {
  run_with(0);
  const auto calls = failing().calls;
  EXPECT_GE(calls, 20U);
  for (std::size_t number = 1; number <= calls && !HasFailure(); ++number) run_with(number);
}

std::string name_of(const ::testing::TestParamInfo<CallFault>& each) {
  switch (each.param) {
    case CallFault::error:
      return "by_an_error";
    case CallFault::end:
      return "by_an_end";
    case CallFault::later:
      return "by_a_delay";
    case CallFault::partly:
      return "by_a_single_byte";
  }
  return {};
}

INSTANTIATE_TEST_SUITE_P(Ends, CallSweep,
                         ::testing::Values(CallFault::error, CallFault::end, CallFault::later,
                                           CallFault::partly),
                         name_of);

}  // namespace
}  // namespace lmb::test
