#include <optional>
#include <string_view>

#include "lmb/bench/run_report.hpp"
#include "text_format.hpp"

namespace lmb::bench {
namespace {

std::string milliseconds_cell(Duration duration) {
  return decimal_text(std::chrono::duration<double, std::milli>(duration).count(), 3);
}

std::string milliseconds_cell(const std::optional<Duration>& duration) {
  return duration ? milliseconds_cell(*duration) : std::string();
}

/// RFC 4180: quoted when it must be. A leading =, +, - or @ of a server's text is kept from being
/// read as a formula by the spreadsheet that opens the file.
std::string text_cell(std::string_view text) {
  std::string value;
  if (!text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos) {
    value += '\'';
  }
  value += printable(text);
  if (value.find_first_of(",\"") == std::string::npos) return value;
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string line(std::size_t concurrency, const RequestSample& sample) {
  const bool failed = sample.outcome == Outcome::failed;
  const std::vector<std::string> cells = {
      std::to_string(concurrency),
      std::to_string(sample.index),
      std::string(to_string(sample.outcome)),
      failed ? failure_label(sample) : std::string(),
      sample.status == 0 ? std::string() : std::to_string(sample.status),
      text_cell(sample.worker),
      milliseconds_cell(sample.start),
      milliseconds_cell(sample.connect),
      milliseconds_cell(sample.head),
      milliseconds_cell(sample.first_token),
      milliseconds_cell(sample.last_token),
      milliseconds_cell(sample.end),
      milliseconds_cell(sample.queue),
      std::to_string(sample.prompt_tokens),
      std::to_string(sample.generated_tokens),
      std::string(to_string(sample.token_source)),
      text_cell(sample.error_message)};
  std::string out;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) out += ',';
    out += cell;
  }
  return out + "\r\n";
}

}  // namespace

std::string render_csv(const RunReport& report) {
  std::string out =
      "concurrency,index,outcome,failure,status,worker,start_ms,connect_ms,head_ms,first_token_ms,"
      "last_token_ms,end_ms,queue_ms,prompt_tokens,generated_tokens,tokens_from,error\r\n";
  for (const LoadReport& load : report.loads) {
    for (const RequestSample& sample : load.samples) out += line(load.concurrency, sample);
  }
  return out;
}

}  // namespace lmb::bench
