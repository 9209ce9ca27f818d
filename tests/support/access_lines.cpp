#include "support/access_lines.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/daemon.hpp"

namespace lmb::test {
namespace {

nlohmann::json find_line(const std::string& path, const std::string& request_id) {
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);) {
    auto line = nlohmann::json::parse(text, nullptr, false);
    if (line.is_object() && line.value("request_id", "") == request_id) return line;
  }
  return nullptr;
}

}  // namespace

AccessLines::AccessLines() : path_(testing::TempDir() + "lmbalancer-access-XXXXXX") {
  ::close(::mkstemp(path_.data()));
}

AccessLines::~AccessLines() {
  ::unlink(path_.c_str());
}

nlohmann::json AccessLines::of(const std::string& request_id) const {
  nlohmann::json line;
  EXPECT_TRUE(eventually([&] {
    line = find_line(path_, request_id);
    return !line.is_null();
  })) << "no line of "
      << request_id;
  return line;
}

}  // namespace lmb::test
