#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmb::peers {

/// Why a request did not end as it should. `none` = no fault.
enum class Fault : std::uint8_t {
  none,
  connect,  ///< No connection.
  status,   ///< Not 200.
  framing,  ///< Not a chunked answer, or broken chunks, or bytes behind the last chunk.
  event,    ///< An event differs from what the stub sends.
  early,    ///< The stream ended with too few events or without `[DONE]`.
  cut,      ///< The connection ended within the answer.
  late,     ///< Not finished when the time was up.
};
inline constexpr std::size_t fault_count = static_cast<std::size_t>(Fault::late) + 1;
/// The fault's name in reports.
[[nodiscard]] std::string_view to_string(Fault fault);

/// Reads one streamed answer of a stub worker, byte-exact, however a proxy cut and framed it.
/// One object serves one request after another.
class AnswerReader {
 public:
  /// Prepares for the next answer, which must bring `events` events.
  void start(std::uint64_t events);

  /// Takes bytes as received; appends the stamp of each event completed by them to `stamps`.
  void feed(std::string_view bytes, std::vector<std::uint64_t>& stamps);

  /// True when the answer's last chunk was read, or a fault ended it.
  [[nodiscard]] bool finished() const { return part_ == Part::finished; }
  [[nodiscard]] Fault fault() const { return fault_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  enum class Part : std::uint8_t { head, chunk_size, chunk_data, chunk_end, trailer, finished };

  std::size_t take_head(std::string_view bytes);
  std::size_t take_line(std::string_view bytes);
  std::size_t take_data(std::string_view bytes, std::vector<std::uint64_t>& stamps);
  void on_head();
  void on_chunk_size();
  void scan(std::string_view text, std::vector<std::uint64_t>& stamps);
  /// Takes one whole event; false if it is not one that may come here.
  bool take_event(std::string_view event, std::vector<std::uint64_t>& stamps);
  void end(Fault fault);

  Part part_ = Part::finished;
  Fault fault_ = Fault::none;
  bool done_seen_ = false;
  std::uint64_t expected_ = 0;
  std::uint64_t events_ = 0;
  std::size_t chunk_left_ = 0;
  std::string line_;   ///< The head, or a chunk line, as far as it came.
  std::string event_;  ///< An event of which only a part came.
};

}  // namespace lmb::peers
