#include "demo_sample.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "lmb/base/clock.hpp"
#include "lmb/protocol/body_decoder.hpp"
#include "lmb/protocol/head.hpp"
#include "lmb/protocol/sse_scanner.hpp"
#include "time_table.hpp"

namespace lmb::app {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::string_view question =
    "In a few sentences: why should several Mac Studios share the work of one office?";

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string make_request(const std::string& model) {
  nlohmann::json body;
  body["model"] = model;
  body["stream"] = true;
  body["stream_options"]["include_usage"] = true;
  body["max_tokens"] = 120;
  body["messages"] = nlohmann::json::array({{{"role", "user"}, {"content", question}}});
  const auto text = body.dump();
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: lmbalancer\r\nContent-Type: "
         "application/json\r\n"
         "Connection: close\r\nContent-Length: " +
         std::to_string(text.size()) + "\r\n\r\n" + text;
}

/// The sample request's answer as it comes in.
class Sample {
 public:
  explicit Sample(tcp::socket& socket) : socket_(socket), begun_(Clock::now()) {}

  Result<void> read_head() {
    constexpr protocol::HeadLimits limits{64 * 1024, protocol::header_count_max, 0};
    for (;;) {
      const auto end = protocol::find_head_end(input_, 0, limits);
      if (!end) return end.error();
      if (*end > 0) return take_head(*end, limits);
      if (!read_more()) return Error(ErrorKind::worker_closed, "closed before it answered");
    }
  }

  Result<void> read_body() {
    do {
      const auto step = decoder_.decode(input_);
      if (step.broken) return Error(ErrorKind::bad_response, "broken chunk");
      take_payload(std::string_view(input_).substr(0, step.payload));
      input_.clear();
    } while (!decoder_.done() && read_more());
    ended_ = Clock::now();
    if (!decoder_.done()) return Error(ErrorKind::worker_closed, "the answer was cut");
    return {};
  }

  void print_summary() const {
    const auto first = first_token_.value_or(ended_);
    const auto tokens =
        scanner_.usage() ? scanner_.usage()->generated_tokens : scanner_.token_deltas();
    const double generating = seconds(last_token_ - first);
    std::printf("\n\n  worker          %s\n", worker_.c_str());
    std::printf("  time to first token (TTFT)  %.0f ms\n", seconds(first - begun_) * 1e3);
    if (tokens > 1 && generating > 0) {
      std::printf("  speed           %.1f tokens/s (%llu tokens, TPOT %.1f ms)\n",
                  static_cast<double>(tokens - 1) / generating,
                  static_cast<unsigned long long>(tokens),
                  generating * 1e3 / static_cast<double>(tokens - 1));
    }
    const auto since_begin = [this](TimePoint at) {
      return std::chrono::duration_cast<std::chrono::microseconds>(at - begun_);
    };
    SeenTimes seen;
    seen.head = since_begin(head_at_);
    seen.first_token = since_begin(first);
    seen.end = since_begin(ended_);
    const auto parts = split_time(timing_, seen);
    std::printf("  where the time went\n%s", time_table(parts).c_str());
  }

 private:
  bool read_more() {
    std::array<char, 16 * 1024> buffer{};
    boost::system::error_code ec;
    const auto bytes = socket_.read_some(asio::buffer(buffer), ec);
    input_.append(buffer.data(), bytes);
    return !ec;
  }

  Result<void> take_head(std::size_t end, const protocol::HeadLimits& limits) {
    head_at_ = Clock::now();
    protocol::ResponseHead head;
    auto parsed =
        protocol::parse_response_head(std::string_view(input_).substr(0, end), limits, false, head);
    if (!parsed) return parsed.error();
    if (head.status != 200) return Error(ErrorKind::bad_response, input_);
    const auto text_of = [&head](std::string_view name) {
      const auto* field = head.fields.find(name);
      return field == nullptr ? std::string() : std::string(field->value);
    };
    worker_ = text_of("x-lmb-worker");
    timing_ = text_of("server-timing");
    decoder_ = protocol::BodyDecoder(head.framing, head.content_length);
    input_.erase(0, end);
    return {};
  }

  void take_payload(std::string_view payload) {
    const auto seen = scanner_.observe(payload);
    if (seen.token_deltas > 0) {
      last_token_ = Clock::now();
      if (!first_token_) first_token_ = last_token_;
    }
    events_.append(payload);
    for (auto end = events_.find("\n\n"); end != std::string::npos; end = events_.find("\n\n")) {
      print_event(std::string_view(events_).substr(0, end));
      events_.erase(0, end + 2);
    }
  }

  static void print_event(std::string_view event) {
    if (!event.starts_with("data: {")) return;
    const auto chunk = nlohmann::json::parse(event.substr(6), nullptr, false);
    if (!chunk.is_object() || !chunk.contains("choices") || chunk["choices"].empty()) return;
    const auto& delta = chunk["choices"][0].value("delta", nlohmann::json::object());
    const auto text = delta.value("content", std::string());
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  tcp::socket& socket_;
  const TimePoint begun_;
  TimePoint head_at_{};
  TimePoint ended_{};
  TimePoint last_token_{};
  std::optional<TimePoint> first_token_;
  std::string input_;
  std::string events_;
  std::string worker_;
  std::string timing_;
  protocol::BodyDecoder decoder_;
  protocol::SseScanner scanner_;
};

}  // namespace

Result<void> show_sample(const tcp::endpoint& balancer, const std::string& model) {
  asio::io_context context;
  tcp::socket socket(context);
  boost::system::error_code ec;
  socket.connect(balancer, ec);
  if (ec) return Error(ErrorKind::connect_failed, ec.message());
  // 60 s of silence end the sample: SO_RCVTIMEO, since this is the one blocking client in the
  // program.
  const timeval silence{60, 0};
  setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
  std::printf("\n> %.*s\n\n", static_cast<int>(question.size()), question.data());
  Sample sample(socket);
  asio::write(socket, asio::buffer(make_request(model)), ec);
  if (ec) return Error(ErrorKind::connect_failed, ec.message());
  auto head = sample.read_head();
  if (!head) return head.error();
  auto body = sample.read_body();
  if (!body) return body.error();
  sample.print_summary();
  return {};
}

}  // namespace lmb::app
