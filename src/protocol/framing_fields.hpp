#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lmb/base/error.hpp"
#include "lmb/protocol/head.hpp"

namespace lmb::protocol {

/// The rule that a head breaks; a static text, so that only a refused head costs an allocation.
struct Violation {
  ErrorKind kind = ErrorKind::bad_request;
  const char* rule = "";
};
using MaybeViolation = std::optional<Violation>;

/// What Content-Length, Transfer-Encoding and Connection say about the end of the body and the fate
/// of the connection (RFC 9112 sections 6 and 9.3). Takes fields that Beast's grammar has accepted.
class FramingFields {
 public:
  MaybeViolation take(const HeaderField& field) noexcept;

  /// The rules that need all fields and the version.
  [[nodiscard]] MaybeViolation check(bool http_1_1) const noexcept;

  [[nodiscard]] bool has_length() const noexcept { return has_length_; }
  [[nodiscard]] std::uint64_t length() const noexcept { return length_; }
  /// Transfer-Encoding is present; after a good check() it is exactly `chunked`.
  [[nodiscard]] bool has_coding() const noexcept { return has_coding_; }
  [[nodiscard]] bool keep_alive(bool http_1_1) const noexcept {
    return !close_ && (http_1_1 || keep_alive_);
  }

 private:
  MaybeViolation take_length(std::string_view value) noexcept;
  MaybeViolation take_coding(std::string_view value) noexcept;
  MaybeViolation take_connection(std::string_view value) noexcept;

  bool has_length_ = false;
  bool has_coding_ = false;
  bool other_coding_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
  std::uint64_t length_ = 0;
  std::size_t connection_options_ = 0;
};

}  // namespace lmb::protocol
