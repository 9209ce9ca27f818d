#include "lmb/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace lmb {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "lmbalancer: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace lmb
