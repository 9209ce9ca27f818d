#pragma once

#include <string>

namespace lmb::test {

/// `plain` as one gzip member.
std::string gzip(const std::string& plain);

}  // namespace lmb::test
