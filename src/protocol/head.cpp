#include "lmb/protocol/head.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/none.hpp>
#include <limits>

#include "framing_fields.hpp"
#include "request_target.hpp"

namespace lmb::protocol {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::iequals;
using http::field;

constexpr std::string_view line_end = "\r\n";

std::string_view to_std(boost::beast::string_view text) noexcept {
  return {text.data(), text.size()};
}

/// Beast's grammar checks; fields go to a HeaderFields, body callbacks are never reached because
/// only a head is put in.
template <bool is_request>
class FieldParser : public http::basic_parser<is_request> {
 public:
  FieldParser(HeaderFields& fields, const HeadLimits& limits) noexcept
      : fields_(fields), count_max_(std::min(limits.header_count, header_count_max)) {
    this->header_limit(static_cast<std::uint32_t>(
        std::min<std::size_t>(limits.head_bytes, std::numeric_limits<std::uint32_t>::max())));
    this->body_limit(boost::none);
    fields_.clear();
  }

  /// Why a callback stopped the parser; nothing when it was Beast's grammar.
  [[nodiscard]] const MaybeViolation& violation() const noexcept { return violation_; }
  [[nodiscard]] const FramingFields& framing() const noexcept { return framing_; }

 protected:
  void stop(const Violation& violation, error_code& ec) {
    violation_ = violation;
    ec = http::error::bad_field;
  }
  virtual MaybeViolation take(HeaderField&) { return std::nullopt; }

 private:
  void on_field_impl(field id, boost::beast::string_view name, boost::beast::string_view value,
                     error_code& ec) final {
    HeaderField taken{id, to_std(name), to_std(value)};
    MaybeViolation violation = framing_.take(taken);
    if (!violation) {
      violation = take(taken);
    }
    if (!violation && (fields_.all().size() >= count_max_ || !fields_.push(taken))) {
      violation = Violation{ErrorKind::too_many_headers, "too many header fields"};
    }
    if (violation) {
      stop(*violation, ec);
    }
  }
  void on_header_impl(error_code&) final {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) final {}
  std::size_t on_body_impl(boost::beast::string_view, error_code&) final { return 0; }
  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code&) final {}
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view, error_code&) final {
    return 0;
  }
  void on_finish_impl(error_code&) final {}

  HeaderFields& fields_;
  std::size_t count_max_;
  FramingFields framing_;
  MaybeViolation violation_;
};

class RequestParser final : public FieldParser<true> {
 public:
  RequestParser(RequestHead& out, const HeadLimits& limits) noexcept
      : FieldParser(out.fields, limits), out_(out), target_bytes_(limits.target_bytes) {
    out_.expect_continue = false;
  }
  [[nodiscard]] bool has_host() const noexcept { return has_host_; }

 private:
  void on_request_impl(http::verb, boost::beast::string_view method,
                       boost::beast::string_view target, int version, error_code& ec) override {
    if (target.size() > target_bytes_) {
      stop({ErrorKind::target_too_long, "request target too long"}, ec);
      return;
    }
    const auto read = read_request_target(to_std(method), to_std(target));
    if (!read) {
      stop({ErrorKind::bad_request, "request target not allowed"}, ec);
      return;
    }
    out_.method = to_std(method);
    out_.target = read->origin;
    out_.http_1_1 = version == 11;
    authority_ = read->authority;
  }
  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}

  MaybeViolation take(HeaderField& taken) override {
    if (taken.id == field::host) {
      if (has_host_) {
        return Violation{ErrorKind::bad_request, "Host repeated"};
      }
      if (!valid_host(taken.value)) {
        return Violation{ErrorKind::bad_request, "malformed Host"};
      }
      has_host_ = true;
      // RFC 9112 section 3.2.2: an absolute form's authority replaces what Host says.
      taken.value = authority_.empty() ? taken.value : authority_;
    }
    if (taken.id == field::expect) {
      if (!iequals(taken.value, "100-continue")) {
        return Violation{ErrorKind::expectation_failed, "the only expectation met is 100-continue"};
      }
      out_.expect_continue = true;
    }
    return std::nullopt;
  }

  RequestHead& out_;
  std::size_t target_bytes_;
  std::string_view authority_;
  bool has_host_ = false;
};

class ResponseParser final : public FieldParser<false> {
 public:
  ResponseParser(ResponseHead& out, const HeadLimits& limits) noexcept
      : FieldParser(out.fields, limits), out_(out) {}

 private:
  void on_request_impl(http::verb, boost::beast::string_view, boost::beast::string_view, int,
                       error_code&) override {}
  void on_response_impl(int status, boost::beast::string_view, int version, error_code&) override {
    out_.status = static_cast<unsigned>(status);
    out_.http_1_1 = version == 11;
  }

  ResponseHead& out_;
};

/// A line that continues the one before (RFC 9112 section 5.2). Beast would unfold it.
bool has_folded_line(std::string_view head) noexcept {
  std::size_t lf = head.find('\n');
  while (lf != std::string_view::npos && lf + 1 < head.size()) {
    if (head[lf + 1] == ' ' || head[lf + 1] == '\t') {
      return true;
    }
    lf = head.find('\n', lf + 1);
  }
  return false;
}

/// Beast reports junk and other versions alike: a third word of the form HTTP/d.d is a version.
bool names_a_version(std::string_view request_head) noexcept {
  const std::string_view line = request_head.substr(0, request_head.find(line_end));
  const std::size_t target = line.find(' ') + 1;
  const std::string_view version = line.substr(line.find(' ', target) + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
         version[6] == '.' && is_digit(version[7]);
}

Violation grammar_violation(error_code ec, std::string_view head) noexcept {
  const auto refused = [](const char* rule) { return Violation{ErrorKind::bad_request, rule}; };
  if (ec == http::error::bad_version) {
    return names_a_version(head)
               ? Violation{ErrorKind::unsupported_version, "neither HTTP/1.0 nor HTTP/1.1"}
               : refused("malformed HTTP version");
  }
  if (ec == http::error::bad_method) {
    return refused("malformed method");
  }
  if (ec == http::error::bad_target) {
    return refused("malformed request target");
  }
  if (ec == http::error::bad_field) {
    return refused("malformed field name");
  }
  if (ec == http::error::bad_value) {
    return refused("malformed field value");
  }
  if (ec == http::error::bad_line_ending) {
    return refused("CR without LF");
  }
  if (ec == http::error::bad_content_length) {
    return refused("malformed Content-Length, or Content-Length together with Transfer-Encoding");
  }
  if (ec == http::error::multiple_content_length) {
    return refused("Content-Length repeated");
  }
  if (ec == http::error::bad_transfer_encoding) {
    return refused("Transfer-Encoding repeated, or together with Content-Length");
  }
  return refused("malformed head");
}

template <bool is_request>
MaybeViolation run(FieldParser<is_request>& parser, std::string_view head,
                   const HeadLimits& limits) {
  if (head.size() > limits.head_bytes) {
    return Violation{ErrorKind::head_too_large, "head too large"};
  }
  if (has_folded_line(head)) {
    return Violation{ErrorKind::bad_request, "folded field line"};
  }
  error_code ec;
  const std::size_t used = parser.put(boost::asio::const_buffer(head.data(), head.size()), ec);
  if (ec) {
    return parser.violation() ? parser.violation() : grammar_violation(ec, head);
  }
  if (!parser.is_header_done() || used != head.size()) {
    return Violation{ErrorKind::bad_request, "not exactly one head"};
  }
  return std::nullopt;
}

MaybeViolation finish_request(const RequestParser& parser, RequestHead& out) noexcept {
  const FramingFields& framing = parser.framing();
  if (MaybeViolation violation = framing.check(out.http_1_1)) {
    return violation;
  }
  if (out.http_1_1 && !parser.has_host()) {
    return Violation{ErrorKind::bad_request, "Host missing"};
  }
  out.keep_alive = framing.keep_alive(out.http_1_1);
  out.content_length = framing.length();
  out.framing = framing.has_coding()   ? BodyFraming::chunked
                : framing.has_length() ? BodyFraming::counted
                                       : BodyFraming::none;
  // RFC 9110 section 10.1.1: an HTTP/1.0 client cannot mean it, and without a body nobody waits.
  const bool has_body = framing.has_coding() || framing.length() > 0;
  out.expect_continue = out.expect_continue && out.http_1_1 && has_body;
  return std::nullopt;
}

MaybeViolation finish_response(const FramingFields& framing, bool to_head_request,
                               ResponseHead& out) noexcept {
  const auto refused = [](const char* rule) { return Violation{ErrorKind::bad_response, rule}; };
  if (MaybeViolation violation = framing.check(out.http_1_1)) {
    return violation;
  }
  if (out.status < 100 || out.status > 599) {
    return refused("status outside 100 to 599");
  }
  if (out.status == 101) {
    return refused("switch of protocols that was not asked for");
  }
  const bool never_has_body = out.status < 200 || out.status == 204;
  if (never_has_body && (framing.has_coding() || framing.length() > 0)) {
    return refused("a body announced with a status that has none");
  }
  // Clients that count in signed 64 bits, as most do, would misread it.
  if (framing.length() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return refused("Content-Length above 2^63 - 1");
  }
  out.keep_alive = framing.keep_alive(out.http_1_1);
  out.content_length = 0;
  if (never_has_body || out.status == 304 || to_head_request) {
    out.framing = BodyFraming::none;
  } else if (framing.has_coding()) {
    out.framing = BodyFraming::chunked;
  } else if (framing.has_length()) {
    out.framing = BodyFraming::counted;
    out.content_length = framing.length();
  } else {
    out.framing = BodyFraming::until_close;
    out.keep_alive = false;
  }
  return std::nullopt;
}

}  // namespace

bool HeaderFields::push(const HeaderField& field_to_add) noexcept {
  if (size_ == fields_.size()) {
    return false;
  }
  fields_[size_++] = field_to_add;
  return true;
}

const HeaderField* HeaderFields::find(field id) const noexcept {
  const auto fields = all();
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const HeaderField& each) { return each.id == id; });
  return found == fields.end() ? nullptr : &*found;
}

const HeaderField* HeaderFields::find(std::string_view name) const noexcept {
  const auto fields = all();
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const HeaderField& each) {
    return iequals(each.name, name);
  });
  return found == fields.end() ? nullptr : &*found;
}

std::size_t HeaderFields::count(field id) const noexcept {
  const auto fields = all();
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(), [&](const HeaderField& each) { return each.id == id; }));
}

Result<std::size_t> find_head_end(std::string_view buffered, std::size_t scanned,
                                  const HeadLimits& limits) {
  // A record of type handshake, version 3.x.
  if (buffered.starts_with("\x16\x03")) {
    return Error(ErrorKind::bad_request, std::string(tls_on_plain_port));
  }
  const std::string_view window = buffered.substr(0, limits.head_bytes);
  const std::size_t from = std::min(scanned, window.size());
  std::size_t line = from;
  const auto has_nul = [](std::string_view text) {
    return text.find('\0') != std::string_view::npos;
  };
  const auto nul_found = [] { return Error(ErrorKind::bad_request, "NUL in the head"); };
  while (line < window.size()) {
    const std::size_t lf = window.find('\n', line);
    if (lf == std::string_view::npos) {
      break;
    }
    if (lf == 0 || window[lf - 1] != '\r') {
      return Error(ErrorKind::bad_request, "LF without CR");
    }
    if (lf >= 2 && window[lf - 2] == '\n') {
      if (has_nul(window.substr(from, lf - from))) return nul_found();
      return lf + 1;
    }
    line = lf + 1;
  }
  if (has_nul(window.substr(from))) {
    return nul_found();
  }
  if (buffered.size() >= limits.head_bytes) {
    return Error(ErrorKind::head_too_large, "head too large");
  }
  return std::size_t{0};
}

std::size_t leading_empty_lines(std::string_view buffered) noexcept {
  std::size_t lines = 0;
  while (lines < 2 && buffered.substr(lines * line_end.size()).starts_with(line_end)) {
    ++lines;
  }
  return lines;
}

Result<void> parse_request_head(std::string_view head, const HeadLimits& limits, RequestHead& out) {
  RequestParser parser(out, limits);
  MaybeViolation violation = run(parser, head, limits);
  if (!violation) {
    violation = finish_request(parser, out);
  }
  if (violation) {
    return Error(violation->kind, violation->rule);
  }
  return {};
}

Result<void> parse_response_head(std::string_view head, const HeadLimits& limits,
                                 bool to_head_request, ResponseHead& out) {
  ResponseParser parser(out, limits);
  MaybeViolation violation = run(parser, head, limits);
  if (!violation) {
    violation = finish_response(parser.framing(), to_head_request, out);
  }
  if (violation) {
    return Error(ErrorKind::bad_response, violation->rule);
  }
  return {};
}

}  // namespace lmb::protocol
