#include "support/raw_client.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <cctype>
#include <chrono>

#include "lmb/protocol/body_decoder.hpp"
#include "lmb/protocol/head.hpp"
#include "support/socket_wait.hpp"

namespace lmb::test {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::seconds limit{RawClient::limit_seconds};
constexpr protocol::HeadLimits limits{1024 * 1024, protocol::header_count_max, 0};

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

RawClient::RawClient(std::uint16_t port)
    : RawClient(tcp::endpoint(asio::ip::address_v4::loopback(), port)) {}

RawClient::RawClient(const tcp::endpoint& endpoint) : socket_(context_) {
  socket_.connect(endpoint);
  socket_.non_blocking(true);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!wait_ready(socket_, tcp::socket::wait_write, limit)) return false;
    boost::system::error_code ec;
    bytes.remove_prefix(socket_.write_some(asio::buffer(bytes.data(), bytes.size()), ec));
    if (ec && ec != asio::error::would_block) return false;
  }
  return true;
}

bool RawClient::read_more() {
  if (!wait_ready(socket_, tcp::socket::wait_read, limit)) return false;
  std::array<char, 64 * 1024> buffer{};
  boost::system::error_code ec;
  const auto bytes = socket_.read_some(asio::buffer(buffer), ec);
  input_.append(buffer.data(), bytes);
  was_reset_ = ec == asio::error::connection_reset;
  return !ec;
}

RawAnswer RawClient::read_answer(bool to_head_request) {
  RawAnswer answer;
  for (;;) {
    const auto end = protocol::find_head_end(input_, 0, limits);
    if (!end) return answer;
    if (*end == 0) {
      if (!read_more()) return answer;
      continue;
    }
    protocol::ResponseHead head;
    const auto text = std::string_view(input_).substr(0, *end);
    if (!protocol::parse_response_head(text, limits, to_head_request, head)) return answer;
    answer.status = head.status;
    for (const auto& field : head.fields.all()) {
      answer.fields[lower(field.name)] = std::string(field.value);
    }
    protocol::BodyDecoder decoder(head.framing, head.content_length);
    input_.erase(0, *end);
    bool open = true;
    do {
      const auto step = decoder.decode(input_);
      if (step.broken) return answer;
      answer.body.append(input_, 0, step.payload);
      input_.erase(0, step.consumed);
      if (!decoder.done()) open = read_more();
    } while (!decoder.done() && open);
    answer.complete = decoder.done() || decoder.may_end_by_close();
    return answer;
  }
}

std::string RawClient::read_some(std::size_t count) {
  while (input_.size() < count && read_more()) {
  }
  return input_;
}

bool RawClient::at_end() {
  if (!input_.empty() || !wait_ready(socket_, tcp::socket::wait_read, limit)) return false;
  std::array<char, 1> byte{};
  boost::system::error_code ec;
  const auto bytes = socket_.read_some(asio::buffer(byte), ec);
  input_.append(byte.data(), bytes);
  return bytes == 0 && ec != asio::error::would_block;
}

bool RawClient::ready() {
  return !input_.empty() || wait_ready(socket_, tcp::socket::wait_read, std::chrono::seconds(0));
}

void RawClient::shutdown_send() {
  socket_.shutdown(tcp::socket::shutdown_send);
}

void RawClient::reset() {
  socket_.set_option(asio::socket_base::linger(true, 0));
  socket_.close();
}

void RawClient::close() {
  socket_.close();
}

std::string post(std::string_view target, std::string_view body, std::string_view extra_fields) {
  std::string request = "POST ";
  request += target;
  request += " HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";
  request += extra_fields;
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  return request;
}

std::string get(std::string_view target, std::string_view extra_fields) {
  std::string request = "GET ";
  request += target;
  request += " HTTP/1.1\r\nHost: test\r\n";
  request += extra_fields;
  request += "\r\n";
  return request;
}

}  // namespace lmb::test
