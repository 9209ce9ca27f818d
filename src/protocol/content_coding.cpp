#include "lmb/protocol/content_coding.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

namespace lmb::protocol {
namespace {

bool equals_ignoring_case(std::string_view a, std::string_view lower) noexcept {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  });
}

std::string_view trimmed(std::string_view value) noexcept {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

/// Window bits for inflateInit2: which wrapper the data must have.
constexpr int gzip_or_zlib = 15 + 32;
constexpr int raw_deflate = -15;

/// One use of zlib's inflate.
class Inflater {
 public:
  explicit Inflater(int window_bits) noexcept
      : ready_(inflateInit2(&stream_, window_bits) == Z_OK) {}
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Appends to `out` until its size is `size_max` at most.
  Result<void> run(std::string_view body, std::size_t size_max, std::string& out,
                   const MayGrow& may_grow) {
    if (!ready_) return Error(ErrorKind::out_of_memory, "zlib has no memory");
    std::array<char, 32 * 1024>
        block;  // NOLINT(cppcoreguidelines-pro-type-member-init): output only.
    int state = Z_OK;
    while (state != Z_STREAM_END) {
      if (stream_.avail_in == 0) feed(body);
      stream_.next_out = reinterpret_cast<Bytef*>(block.data());
      stream_.avail_out = static_cast<uInt>(block.size());
      state = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t produced = block.size() - stream_.avail_out;
      if (state == Z_MEM_ERROR) return Error(ErrorKind::out_of_memory, "zlib has no memory");
      if (state == Z_BUF_ERROR) return Error(ErrorKind::bad_content_coding, "the data ends early");
      if (state != Z_OK && state != Z_STREAM_END) {
        return Error(ErrorKind::bad_content_coding, "the data is corrupt");
      }
      if (produced > size_max - out.size()) return ErrorKind::body_too_large;
      auto room = may_grow ? may_grow(produced) : Result<void>();
      if (!room) return room;
      out.append(block.data(), produced);
      // A gzip file may have several members, one behind the other (RFC 1952 section 2.2).
      if (state == Z_STREAM_END && another_member_follows()) state = inflateReset(&stream_);
    }
    if (stream_.avail_in != 0 || !body.empty()) {
      return Error(ErrorKind::bad_content_coding, "bytes follow the end of the data");
    }
    return {};
  }

 private:
  [[nodiscard]] bool another_member_follows() const noexcept {
    return stream_.avail_in >= 2 && stream_.next_in[0] == 0x1f && stream_.next_in[1] == 0x8b;
  }
  // zlib counts in 32 bits.
  void feed(std::string_view& body) noexcept {
    const std::size_t size = std::min<std::size_t>(body.size(), std::numeric_limits<uInt>::max());
    // zlib's interface predates const; it only reads here.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream_.avail_in = static_cast<uInt>(size);
    body.remove_prefix(size);
  }

  z_stream stream_{};
  bool ready_;
};

Result<void> inflate_as(int window_bits, std::string_view body, std::size_t size_max,
                        std::string& out, const MayGrow& may_grow) {
  const std::size_t size_before = out.size();
  const std::size_t room = std::numeric_limits<std::size_t>::max() - size_before;
  Inflater inflater(window_bits);
  Result<void> result = inflater.run(body, size_before + std::min(size_max, room), out, may_grow);
  if (result.has_error()) out.resize(size_before);
  return result;
}

}  // namespace

ContentCoding parse_content_coding(std::string_view value) noexcept {
  value = trimmed(value);
  if (value.empty() || equals_ignoring_case(value, "identity")) return ContentCoding::identity;
  if (equals_ignoring_case(value, "gzip") || equals_ignoring_case(value, "x-gzip")) {
    return ContentCoding::gzip;
  }
  return equals_ignoring_case(value, "deflate") ? ContentCoding::deflate
                                                : ContentCoding::unsupported;
}

Result<void> inflate_body(std::string_view body, ContentCoding coding, std::size_t size_max,
                          std::string& out, const MayGrow& may_grow) {
  switch (coding) {
    case ContentCoding::identity:
      if (body.size() > size_max) return ErrorKind::body_too_large;
      out += body;
      return {};
    case ContentCoding::unsupported:
      return ErrorKind::unsupported_content_coding;
    case ContentCoding::gzip:
      return inflate_as(gzip_or_zlib, body, size_max, out, may_grow);
    case ContentCoding::deflate:
      break;
  }
  Result<void> wrapped = inflate_as(gzip_or_zlib, body, size_max, out, may_grow);
  if (!wrapped.has_error() || wrapped.error().kind() != ErrorKind::bad_content_coding)
    return wrapped;
  // "deflate" means zlib data, but some clients send it without the wrapper (RFC 9110
  // section 8.4.1.2).
  Result<void> raw = inflate_as(raw_deflate, body, size_max, out, may_grow);
  return raw.has_error() && raw.error().kind() == ErrorKind::bad_content_coding ? wrapped : raw;
}

}  // namespace lmb::protocol
