#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace lmb::test {

/// One answer as it came over the wire.
struct RawAnswer {
  unsigned status = 0;                        ///< 0: closed before a status line.
  std::map<std::string, std::string> fields;  ///< Names in lower case; the last of equal names.
  std::string body;                           ///< Decoded from its framing.
  bool complete = false;                      ///< The framing says that nothing is missing.
};

/// A blocking client that sends bytes as they are. Every wait ends after `limit_seconds` with a
/// failure, so no test hangs.
class RawClient {
 public:
  static constexpr int limit_seconds = 30;

  /// Connects to 127.0.0.1.
  explicit RawClient(std::uint16_t port);
  explicit RawClient(const boost::asio::ip::tcp::endpoint& endpoint);

  /// Sends all of it; false when the peer is gone.
  bool send(std::string_view bytes);
  /// Reads one answer. Bytes that follow it stay for the next call.
  RawAnswer read_answer(bool to_head_request = false);
  /// Reads until at least `count` bytes of any kind are there or the peer ends; returns what is
  /// there.
  std::string read_some(std::size_t count);
  /// The last read ended by a reset of the connection, not by its regular end.
  [[nodiscard]] bool was_reset() const noexcept { return was_reset_; }
  /// True when the peer has closed and nothing is left to read.
  bool at_end();
  /// Something can be read at once: bytes, or the end.
  [[nodiscard]] bool ready();
  void shutdown_send();
  /// Closes with RST instead of FIN.
  void reset();
  void close();

 private:
  bool read_more();
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_;
  std::string input_;
  bool was_reset_ = false;
};

/// A POST with a JSON body and Content-Length.
std::string post(std::string_view target, std::string_view body,
                 std::string_view extra_fields = {});
std::string get(std::string_view target, std::string_view extra_fields = {});

}  // namespace lmb::test
