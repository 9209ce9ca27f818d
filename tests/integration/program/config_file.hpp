#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace lmb::test {

/// A config file that is gone with the object.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    ::close(::mkstemp(name_.data()));
    std::ofstream(name_) << text;
  }
  ~ConfigFile() { ::unlink(name_.c_str()); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_ = ::testing::TempDir() + "lmbalancer-check-XXXXXX";
};

}  // namespace lmb::test
