#include "framing_fields.hpp"

#include <boost/beast/core/string.hpp>
#include <charconv>

#include "field_list.hpp"

namespace lmb::protocol {
namespace {

using boost::beast::iequals;
using boost::beast::http::field;

MaybeViolation refuse(const char* rule) noexcept {
  return Violation{ErrorKind::bad_request, rule};
}

/// The list ends with the one and only `chunked`, and each other element is a coding's name,
/// perhaps with parameters.
bool ends_chunked_once(std::string_view list) noexcept {
  bool chunked = false;
  if (list.ends_with(',')) {
    return false;
  }
  while (!list.empty()) {
    const std::string_view item = take_list_item(list);
    const std::string_view name = item.substr(0, item.find_first_of("; \t"));
    if (chunked || !is_token(name)) {
      return false;
    }
    chunked = iequals(item, "chunked");
    if (!chunked && iequals(name, "chunked")) {
      return false;
    }
  }
  return chunked;
}

}  // namespace

MaybeViolation FramingFields::take(const HeaderField& field_seen) noexcept {
  if (field_seen.id == field::content_length) {
    return take_length(field_seen.value);
  }
  if (field_seen.id == field::transfer_encoding) {
    return take_coding(field_seen.value);
  }
  if (field_seen.id == field::connection) {
    return take_connection(field_seen.value);
  }
  return std::nullopt;
}

MaybeViolation FramingFields::check(bool http_1_1) const noexcept {
  if (!has_coding_) {
    return std::nullopt;
  }
  if (has_length_) {
    return refuse("Content-Length together with Transfer-Encoding");
  }
  if (!http_1_1) {
    return refuse("Transfer-Encoding in HTTP/1.0");
  }
  if (other_coding_) {
    return Violation{ErrorKind::unsupported_transfer_coding,
                     "the only transfer coding understood is chunked"};
  }
  return std::nullopt;
}

MaybeViolation FramingFields::take_length(std::string_view value) noexcept {
  if (has_length_) {
    return refuse("Content-Length repeated");
  }
  has_length_ = true;
  const char* const end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, length_);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    return refuse("Content-Length is not one decimal number");
  }
  return std::nullopt;
}

MaybeViolation FramingFields::take_coding(std::string_view value) noexcept {
  if (has_coding_) {
    return refuse("Transfer-Encoding repeated");
  }
  has_coding_ = true;
  if (iequals(value, "chunked")) {
    return std::nullopt;
  }
  // RFC 9112 section 6.3: without chunked at the end nobody knows where a request ends, so this is
  // the client's fault (400); with it, the message is well formed and only not understood (501).
  if (!ends_chunked_once(value)) {
    return refuse("Transfer-Encoding does not end with one chunked");
  }
  other_coding_ = true;
  return std::nullopt;
}

MaybeViolation FramingFields::take_connection(std::string_view value) noexcept {
  while (!value.empty()) {
    const std::string_view option = take_list_item(value);
    close_ = close_ || iequals(option, "close");
    keep_alive_ = keep_alive_ || iequals(option, "keep-alive");
    // Forwarding compares each option with each field: this bounds its cost.
    if (++connection_options_ > header_count_max) {
      return refuse("too many Connection options");
    }
  }
  return std::nullopt;
}

}  // namespace lmb::protocol
