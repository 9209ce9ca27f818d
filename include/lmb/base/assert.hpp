#pragma once

namespace lmb {

/// Prints the broken invariant to stderr and aborts. Never returns.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace lmb

/// Checks one of our own invariants, in every build type. Never for input from outside: a peer's
/// misbehaviour is a value (lmb::Error), our own bug is a crash.
#define LMB_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::lmb::assertion_failed(#expression, __FILE__, __LINE__))
