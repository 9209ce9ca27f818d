#include "client_writer.hpp"

#include <algorithm>
#include <utility>

namespace lmb::proxy {
namespace asio = boost::asio;

ClientWriter::~ClientWriter() {
  budget_.give_back(charged_);
}

bool ClientWriter::write(const Buffers& buffers) {
  std::size_t taken = 0;
  if (pending() == 0) {
    const auto step = client_.try_write(buffers);
    if (step.ended()) return false;
    taken = step.bytes;
    if (!step.ok()) taken = 0;
    bytes_written_ += taken;
  }
  for (const auto& buffer : buffers) {
    const auto skip = std::min(taken, buffer.size());
    taken -= skip;
    keep(static_cast<const char*>(buffer.data()) + skip, buffer.size() - skip);
  }
  return true;
}

bool ClientWriter::flush() {
  while (pending() > 0) {
    const std::array<asio::const_buffer, 1> rest{
        asio::buffer(pending_.data() + written_, pending())};
    const auto step = client_.try_write(rest);
    if (step.ended()) return false;
    if (step.would_block()) return true;
    written_ += step.bytes;
    bytes_written_ += step.bytes;
    compact();
  }
  forget_written();
  return true;
}

std::string_view ClientWriter::full_limit() const noexcept {
  if (pending() >= limit_) return "limits.stream_buffer";
  return budget_used_up_ ? "limits.stream_buffer_total" : "";
}

/// What one read brought is always kept, even beyond the budget: it is at most one read buffer, and
/// has_room() then stops the reading.
void ClientWriter::keep(const char* data, std::size_t size) {
  if (size == 0) return;
  if (budget_.take(size)) {
    charged_ += size;
  } else {
    budget_used_up_ = true;
  }
  pending_.append(data, size);
}

/// A client that is always a little behind never empties the buffer: what it took must still go.
void ClientWriter::compact() {
  constexpr std::size_t worth_moving = 64 * 1024;
  if (written_ < worth_moving || written_ < pending_.size() / 2) return;
  pending_.erase(0, written_);
  const auto freed = std::min(written_, charged_);
  budget_.give_back(freed);
  charged_ -= freed;
  budget_used_up_ = false;
  written_ = 0;
}

void ClientWriter::forget_written() {
  budget_.give_back(std::exchange(charged_, 0));
  budget_used_up_ = false;
  written_ = 0;
  std::string().swap(pending_);
}

}  // namespace lmb::proxy
