#pragma once

#include <array>
#include <boost/beast/http/field.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "lmb/base/error.hpp"

namespace lmb::protocol {

/// One header field; both views point into the buffer that was parsed.
struct HeaderField {
  boost::beast::http::field id = boost::beast::http::field::unknown;
  std::string_view name;
  std::string_view value;  ///< Without surrounding white space.
};

/// Most fields a head may have, whatever `HeadLimits` says.
inline constexpr std::size_t header_count_max = 256;

/// The fields of one head, in order of arrival. Fixed capacity: parsing a head allocates nothing.
class HeaderFields {
 public:
  /// False when full.
  bool push(const HeaderField& field) noexcept;
  void clear() noexcept { size_ = 0; }
  [[nodiscard]] std::span<const HeaderField> all() const noexcept {
    return {fields_.data(), size_};
  }
  /// First field with this id, or nullptr.
  [[nodiscard]] const HeaderField* find(boost::beast::http::field id) const noexcept;
  /// First field whose name equals `name` without regard to case, or nullptr.
  [[nodiscard]] const HeaderField* find(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t count(boost::beast::http::field id) const noexcept;

 private:
  std::array<HeaderField, header_count_max> fields_{};
  std::size_t size_ = 0;
};

/// How a message's end is found (RFC 9112 section 6.3).
enum class BodyFraming : std::uint8_t { none, counted, chunked, until_close };

/// The request line and fields of a request, and what RFC 9112 derives from them.
/// All views point into the parsed buffer, or to literals.
struct RequestHead {
  std::string_view method;
  /// Origin form; an absolute form is reduced to its origin part ("/" if it has none).
  std::string_view target;
  bool http_1_1 = true;    ///< Else HTTP/1.0.
  bool keep_alive = true;  ///< RFC 9112 section 9.3.
  bool expect_continue = false;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;  ///< For BodyFraming::counted.
  HeaderFields fields;
};

/// The status line and fields of a worker's answer. All views point into the parsed buffer.
struct ResponseHead {
  unsigned status = 0;
  bool http_1_1 = true;
  bool keep_alive = true;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;
  HeaderFields fields;
};

struct HeadLimits {
  std::size_t head_bytes = 16 * 1024;   ///< limits.head_bytes: first line and fields together.
  std::size_t header_count = 100;       ///< limits.header_count, at most header_count_max.
  std::size_t target_bytes = 8 * 1024;  ///< limits.target_bytes.
};

/// The Error's detail when what came begins a TLS handshake (RFC 8446 section 5.1).
inline constexpr std::string_view tls_on_plain_port =
    "it begins a TLS handshake, and this port speaks plain HTTP: use http://";

/// Length of the head at the start of `buffered` including its empty line, or 0 when more bytes are
/// needed. Errors: bad_request (a bare LF, a NUL), head_too_large.
/// `scanned`: bytes that an earlier call has already looked at; pass the former buffer size.
Result<std::size_t> find_head_end(std::string_view buffered, std::size_t scanned,
                                  const HeadLimits& limits);

/// Number of CR LF pairs before a request line that a server ignores (RFC 9112 section 2.2), at
/// most 2 lines.
std::size_t leading_empty_lines(std::string_view buffered) noexcept;

/// Parses a complete request head (as delimited by find_head_end) with Beast's grammar checks and
/// stricter framing rules: Transfer-Encoding other than exactly `chunked`, or together with
/// Content-Length, or in HTTP/1.0; repeated or malformed Content-Length; missing (1.1), repeated or
/// malformed Host; obs-fold; a target that is neither origin form, absolute http form, nor `*`.
/// Errors: bad_request, too_many_headers, target_too_long, unsupported_version,
/// unsupported_transfer_coding, expectation_failed. The Error's detail names the rule broken and is
/// fit for the client.
Result<void> parse_request_head(std::string_view head, const HeadLimits& limits, RequestHead& out);

/// Parses a complete response head with the same strictness. `to_head_request`: the answer to a
/// HEAD request has no body. 1xx, 204 and 304 have none either. Errors: bad_response.
Result<void> parse_response_head(std::string_view head, const HeadLimits& limits,
                                 bool to_head_request, ResponseHead& out);

}  // namespace lmb::protocol
