#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace lmb::test {

/// A file for the access log of a daemon under test; it is removed with this object.
class AccessLines {
 public:
  AccessLines();
  ~AccessLines();
  AccessLines(const AccessLines&) = delete;
  AccessLines& operator=(const AccessLines&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// The line of this request, once it is written; null when it does not come.
  [[nodiscard]] nlohmann::json of(const std::string& request_id) const;

 private:
  std::string path_;
};

}  // namespace lmb::test
