// Every allocation that serving two requests makes is refused once, each in a run of its own.
#include <functional>
#include <string>
#include <thread>

#include "lmb/base/refused_memory.hpp"
#include "two_requests.hpp"

namespace lmb::test {
namespace {

using Answer = TwoRequests::Answer;

class AllocationSweep : public ::testing::Test {
 protected:
  AllocationSweep() {
    failing() = Failing();
    watch_refused_memory();
  }
  ~AllocationSweep() override { failing() = Failing(); }

  /// The run in which allocation `number` of at least `size_min` bytes is refused; `look` sees its
  /// end. On a thread of its own: what a thread keeps for later would not be allocated again.
  static void run_with(std::size_t number, std::size_t size_min,
                       const std::function<void(TwoRequests&)>& look) {
    failing() = Failing();
    failing().fail_allocation = number;
    failing().allocation_min = size_min;
    std::thread([&] {
      TwoRequests two;
      two.run();
      EXPECT_EQ(two.left_over(), "") << where(two);
      EXPECT_EQ(two.broke_out(), "") << where(two);
      for (const auto answer : two.answers()) EXPECT_NE(answer, Answer::wrong) << where(two);
      look(two);
    }).join();
  }
  static std::string where(const TwoRequests& two) {
    return "allocation " + std::to_string(failing().fail_allocation) + " of " +
           std::to_string(failing().failed_bytes) + " bytes in request " +
           std::to_string(two.failed_request()) + "\n" + two.client_heard();
  }
};

TEST_F(AllocationSweep, each_allocation_of_two_requests_may_be_refused) {
  const auto nothing = [](TwoRequests&) {};
  run_with(0, 0, nothing);
  const auto allocations = failing().allocations;
  EXPECT_GE(allocations, 60U);
  std::size_t refused = 0;
  for (std::size_t number = 1; number <= allocations && !HasFailure(); ++number) {
    run_with(number, 0, nothing);
    refused += failing().failed_bytes > 0 ? 1U : 0U;
  }
  // How many there are depends on the pieces in which bytes come.
  EXPECT_GE(refused, allocations * 9 / 10);
}

TEST_F(AllocationSweep, a_large_body_without_memory_is_refused_with_503) {
  constexpr std::size_t large = 64 * 1024;
  std::size_t allocations = 0;
  run_with(0, large, [&](TwoRequests&) { allocations = failing().allocations; });
  std::size_t refused = 0;
  for (std::size_t number = 1; number <= allocations && !HasFailure(); ++number) {
    run_with(number, large, [&](TwoRequests& two) {
      const auto answers = two.answers();
      EXPECT_EQ(answers[0], Answer::whole) << where(two);
      if (failing().failed_bytes == 0) return;
      ++refused;
      EXPECT_EQ(answers[1], Answer::refused) << where(two);
      const auto heard = two.client_heard();
      EXPECT_NE(heard.find("HTTP/1.1 503 "), std::string::npos) << where(two);
      EXPECT_NE(heard.find("\"code\":\"out_of_memory\""), std::string::npos) << where(two);
      EXPECT_NE(heard.find("Retry-After: "), std::string::npos) << where(two);
    });
  }
  EXPECT_GE(refused, 2U) << "the body, and what parses it";
}

}  // namespace
}  // namespace lmb::test
