#include "lmb/net/stream.hpp"

#include <array>
#include <boost/asio/error.hpp>
#include <utility>

#include "peer_probes.hpp"
#include "tcp_state.hpp"

namespace lmb::net {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct Stream::State {
  explicit State(tcp::socket connected) : socket(std::move(connected)) {}

  void ring() {
    if (bell != nullptr) bell->ring();
  }

  tcp::socket socket;
  Bell* bell = nullptr;
  error_code connect_result;
  bool connecting = false;
  bool read_armed = false;
  bool read_ready = false;
  bool write_armed = false;
};

namespace {

void prepare(tcp::socket& socket) noexcept {
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  probe_silent_peer(socket);
}

IoStep step_of(const error_code& ec, std::size_t bytes) noexcept {
  IoStep step;
  step.bytes = bytes;
  if (!ec) {
    step.status = IoStep::Status::ok;
  } else if (ec == asio::error::would_block || ec == asio::error::try_again) {
    step.status = IoStep::Status::would_block;
  } else if (ec == asio::error::eof) {
    step.status = IoStep::Status::closed;
  } else {
    step.status = IoStep::Status::failed;
  }
  return step;
}

IoStep no_stream() noexcept {
  IoStep step;
  step.status = IoStep::Status::failed;
  return step;
}

}  // namespace

bool is_our_lack(const error_code& ec) noexcept {
  namespace errc = boost::system::errc;
  return ec == errc::too_many_files_open || ec == errc::too_many_files_open_in_system ||
         ec == errc::not_enough_memory || ec == errc::no_buffer_space ||
         ec == errc::address_not_available;
}

Stream::Stream(tcp::socket socket) : state_(std::make_shared<State>(std::move(socket))) {
  prepare(state_->socket);
}

Stream::Stream(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this == &other) return *this;
  set_bell(nullptr);
  close();
  state_ = std::move(other.state_);
  return *this;
}

Stream::~Stream() {
  if (state_ == nullptr) return;
  // Pending waits complete later with operation_aborted; they hold the state, not us.
  state_->bell = nullptr;
  close();
}

Stream Stream::start_connect(const asio::any_io_executor& executor, const tcp::endpoint& endpoint,
                             Bell& bell) {
  auto state = std::make_shared<State>(tcp::socket(executor));
  state->bell = &bell;
  error_code ec;
  state->socket.open(endpoint.protocol(), ec);
  if (ec) {
    state->connect_result = ec;
    return Stream(std::move(state));
  }
  prepare(state->socket);
  state->connecting = true;
  state->socket.async_connect(endpoint, [state](const error_code& result) {
    state->connecting = false;
    state->connect_result = result;
    state->ring();
  });
  return Stream(std::move(state));
}

bool Stream::connect_pending() const noexcept {
  return state_ != nullptr && state_->connecting;
}

error_code Stream::connect_error() const noexcept {
  return state_ == nullptr ? error_code(asio::error::bad_descriptor) : state_->connect_result;
}

bool Stream::is_open() const noexcept {
  return state_ != nullptr && state_->socket.is_open();
}

IoStep Stream::try_read(std::span<char> into) noexcept {
  if (state_ == nullptr) return no_stream();
  error_code ec;
  const auto bytes = state_->socket.read_some(asio::buffer(into.data(), into.size()), ec);
  return step_of(ec, bytes);
}

IoStep Stream::try_write(std::span<const asio::const_buffer> buffers) noexcept {
  if (state_ == nullptr) return no_stream();
  std::array<asio::const_buffer, 4> gathered;
  std::size_t count = 0;
  for (const auto& buffer : buffers) {
    if (count < gathered.size()) gathered[count++] = buffer;
  }
  error_code ec;
  const auto bytes = state_->socket.write_some(gathered, ec);
  return step_of(ec, bytes);
}

void Stream::arm_read(Bell& bell) {
  if (state_ == nullptr) return;
  state_->bell = &bell;
  arm_read_silently();
}

void Stream::arm_read_silently() {
  if (state_ == nullptr || state_->read_armed) return;
  state_->read_armed = true;
  state_->read_ready = false;
  state_->socket.async_wait(tcp::socket::wait_read, [state = state_](const error_code&) {
    state->read_armed = false;
    state->read_ready = true;
    state->ring();
  });
}

void Stream::arm_write(Bell& bell) {
  if (state_ == nullptr) return;
  state_->bell = &bell;
  if (state_->write_armed) return;
  state_->write_armed = true;
  state_->socket.async_wait(tcp::socket::wait_write, [state = state_](const error_code&) {
    state->write_armed = false;
    state->ring();
  });
}

bool Stream::read_ready() const noexcept {
  return state_ != nullptr && state_->read_ready;
}

bool Stream::read_pending() const noexcept {
  return state_ != nullptr && state_->read_armed;
}

void Stream::set_bell(Bell* bell) noexcept {
  if (state_ != nullptr) state_->bell = bell;
}

Stream::Peer Stream::peek() noexcept {
  if (state_ == nullptr) return Peer::gone;
  char byte = 0;
  error_code ec;
  const auto bytes =
      state_->socket.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, ec);
  if (!ec && bytes > 0) return Peer::sent_bytes;
  if (ec == asio::error::would_block || ec == asio::error::try_again) return Peer::quiet;
  return Peer::gone;
}

bool Stream::peer_ended() noexcept {
  return state_ == nullptr || !state_->socket.is_open() ||
         peer_state(state_->socket) != PeerState::open;
}

bool Stream::peer_gone() noexcept {
  return state_ == nullptr || !state_->socket.is_open() ||
         peer_state(state_->socket) == PeerState::gone;
}

std::size_t Stream::unacknowledged() noexcept {
  return is_open() ? unacknowledged_bytes(state_->socket) : 0;
}

void Stream::shutdown_send() noexcept {
  if (state_ == nullptr) return;
  error_code ignored;
  state_->socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void Stream::reset() noexcept {
  if (state_ == nullptr) return;
  error_code ignored;
  state_->socket.set_option(asio::socket_base::linger(true, 0), ignored);
  state_->socket.close(ignored);
}

void Stream::close() noexcept {
  if (state_ == nullptr) return;
  error_code ignored;
  state_->socket.close(ignored);
}

tcp::endpoint Stream::peer() const noexcept {
  error_code ignored;
  return state_ == nullptr ? tcp::endpoint() : state_->socket.remote_endpoint(ignored);
}

}  // namespace lmb::net
