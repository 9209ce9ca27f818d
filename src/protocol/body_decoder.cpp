#include "lmb/protocol/body_decoder.hpp"

#include <algorithm>
#include <cstring>

#include "field_list.hpp"

namespace lmb::protocol {
namespace {

constexpr std::uint8_t size_digits_max = 16;
constexpr std::uint32_t line_bytes_max = 4 * 1024;
constexpr std::uint32_t overhead_bytes_max = 16 * 1024;

/// 0 to 15, or 16 when `c` is no hex digit.
constexpr unsigned hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned>(c - '0');
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10U : 16U;
}

bool is_text(char c) noexcept {
  return (static_cast<unsigned char>(c) >= ' ' && c != 0x7f) || c == '\t';
}

}  // namespace

BodyDecoder::BodyDecoder(BodyFraming framing, std::uint64_t content_length) noexcept {
  switch (framing) {
    case BodyFraming::none:
      break;
    case BodyFraming::counted:
      left_ = content_length;
      state_ = content_length == 0 ? State::done : State::counted;
      break;
    case BodyFraming::chunked:
      state_ = State::size_start;
      break;
    case BodyFraming::until_close:
      state_ = State::until_close;
      break;
  }
}

BodyDecoder::Step BodyDecoder::decode(std::span<char> data) noexcept {
  if (state_ == State::until_close) {
    return {data.size(), data.size(), false};
  }
  if (state_ == State::counted) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
    left_ -= taken;
    if (left_ == 0) {
      state_ = State::done;
    }
    return {taken, taken, false};
  }
  return decode_chunked(data);
}

BodyDecoder::Step BodyDecoder::decode_chunked(std::span<char> data) noexcept {
  const char* in = data.data();
  const char* const end = in + data.size();
  char* out = data.data();
  while (in != end && state_ != State::done && state_ != State::broken) {
    if (state_ != State::chunk_data) {
      take_framing_byte(*in++);
      continue;
    }
    const auto run = static_cast<std::size_t>(
        std::min<std::uint64_t>(left_, static_cast<std::size_t>(end - in)));
    if (out != in) {
      std::memmove(out, in, run);
    }
    out += run;
    in += run;
    left_ -= run;
    if (left_ == 0) {
      state_ = State::data_cr;
      in += take_plain_chunk_header({in, end});
    }
  }
  return {static_cast<std::size_t>(out - data.data()), static_cast<std::size_t>(in - data.data()),
          state_ == State::broken};
}

std::size_t BodyDecoder::take_plain_chunk_header(std::string_view ahead) noexcept {
  if (!ahead.starts_with("\r\n")) {
    return 0;
  }
  const std::size_t last = std::min<std::size_t>(ahead.size(), 2 + size_digits_max);
  std::uint64_t size = 0;
  std::size_t at = 2;
  for (; at < last && hex_value(ahead[at]) < 16; ++at) {
    size = size * 16 + hex_value(ahead[at]);
  }
  if (size == 0 || ahead.size() - at < 2 || ahead[at] != '\r' || ahead[at + 1] != '\n') {
    return 0;
  }
  left_ = size;
  state_ = State::chunk_data;
  return at + 2;
}

void BodyDecoder::take_framing_byte(char byte) noexcept {
  switch (state_) {
    case State::size_start:
      digits_ = 0;
      line_bytes_ = 0;
      state_ = hex_value(byte) < 16 ? after_size_byte(byte) : State::broken;
      return;
    case State::size_digits:
      state_ = after_size_byte(byte);
      return;
    case State::extension_start:
    case State::extension_name:
    case State::extension_named:
    case State::extension_equals:
    case State::extension_value:
    case State::extension_quoted:
    case State::extension_escaped:
    case State::extension_closed:
    case State::extension_gap:
      state_ = byte == '\r' || within_overhead() ? after_extension_byte(byte) : State::broken;
      return;
    case State::size_lf: {
      const State next = left_ == 0 ? State::trailer_start : State::chunk_data;
      state_ = byte == '\n' ? next : State::broken;
      return;
    }
    case State::data_cr:
      state_ = byte == '\r' ? State::data_lf : State::broken;
      return;
    case State::data_lf:
      state_ = byte == '\n' ? State::size_start : State::broken;
      return;
    case State::trailer_start:
    case State::trailer_name:
    case State::trailer_value:
      state_ = after_trailer_byte(byte);
      return;
    case State::trailer_lf:
      state_ = byte == '\n' ? State::trailer_start : State::broken;
      return;
    case State::end_lf:
      state_ = byte == '\n' ? State::done : State::broken;
      return;
    case State::counted:
    case State::until_close:
    case State::chunk_data:
    case State::done:
    case State::broken:
      return;
  }
}

BodyDecoder::State BodyDecoder::after_size_byte(char byte) noexcept {
  if (const unsigned digit = hex_value(byte); digit < 16) {
    left_ = left_ * 16 + digit;
    return ++digits_ <= size_digits_max ? State::size_digits : State::broken;
  }
  if (byte == '\r') {
    return State::size_lf;
  }
  return byte == ';' && within_overhead() ? State::extension_start : State::broken;
}

/// Extensions mean nothing to us, but whoever reads their quotes otherwise than we do would find
/// the line's end elsewhere.
BodyDecoder::State BodyDecoder::after_extension_byte(char byte) noexcept {
  const bool blank = byte == ' ' || byte == '\t';
  const bool token = is_token_char(byte);
  if (state_ == State::extension_quoted && byte == '"') return State::extension_closed;
  if (state_ == State::extension_quoted && byte == '\\') return State::extension_escaped;
  if (state_ == State::extension_quoted || state_ == State::extension_escaped) {
    return is_text(byte) ? State::extension_quoted : State::broken;
  }
  const bool start = state_ == State::extension_start;
  if (start || state_ == State::extension_equals) {
    if (blank) return state_;
    if (byte == '"' && !start) return State::extension_quoted;
    if (!token) return State::broken;
    return start ? State::extension_name : State::extension_value;
  }
  if (byte == ';') return State::extension_start;
  const bool name = state_ == State::extension_name;
  const bool named = state_ == State::extension_named;
  if (token && (name || state_ == State::extension_value)) return state_;
  if (byte == '=' && (name || named)) return State::extension_equals;
  if (blank) return name || named ? State::extension_named : State::extension_gap;
  // White space before the line's end is in no grammar.
  const bool gap = named || state_ == State::extension_gap;
  return byte == '\r' && !gap ? State::size_lf : State::broken;
}

BodyDecoder::State BodyDecoder::after_trailer_byte(char byte) noexcept {
  if (state_ == State::trailer_start) {
    if (byte == '\r') {
      return State::end_lf;
    }
    line_bytes_ = 0;
    return is_token_char(byte) && within_overhead() ? State::trailer_name : State::broken;
  }
  if (state_ == State::trailer_value && byte == '\r') {
    return State::trailer_lf;
  }
  if (!within_overhead()) {
    return State::broken;
  }
  if (state_ == State::trailer_name) {
    if (byte == ':') {
      return State::trailer_value;
    }
    return is_token_char(byte) ? State::trailer_name : State::broken;
  }
  return is_text(byte) ? State::trailer_value : State::broken;
}

bool BodyDecoder::within_overhead() noexcept {
  return ++line_bytes_ <= line_bytes_max && ++overhead_bytes_ <= overhead_bytes_max;
}

}  // namespace lmb::protocol
