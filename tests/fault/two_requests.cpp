#include "two_requests.hpp"

#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>
#include <sstream>

namespace lmb::test {
namespace {

using Answer = TwoRequests::Answer;

constexpr std::size_t requests = 2;
constexpr std::string_view blank = "\r\n\r\n";
constexpr std::string_view json =
    R"({"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]})";
constexpr std::string_view token = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
constexpr std::string_view done = "data: [DONE]\n\n";

std::string chunk(std::string_view text) {
  std::string digits;
  for (auto left = text.size(); left > 0; left /= 16) {
    digits.insert(0, 1, "0123456789abcdef"[left % 16]);
  }
  return digits + "\r\n" + std::string(text) + "\r\n";
}

/// What a worker says, piece by piece.
std::vector<std::string> answer_pieces(bool stream) {
  if (!stream) {
    return {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(json.size()) + std::string(blank) + std::string(json.substr(0, 20)),
            std::string(json.substr(20))};
  }
  return {
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
      chunk(token),
      chunk(token).substr(0, 9),
      chunk(token).substr(9),
      chunk(done),
      "0\r\n\r\n"};
}

std::string post(bool stream, std::size_t prompt) {
  const std::string body = std::string(R"({"model":"m","stream":)") + (stream ? "true" : "false") +
                           R"(,"messages":[{"role":"user","content":")" + std::string(prompt, 'x') +
                           R"("}]})";
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Length: " +
         std::to_string(body.size()) + std::string(blank) + body;
}

std::size_t length_in(std::string_view head) {
  constexpr std::string_view name = "Content-Length: ";
  const auto at = head.find(name);
  if (at == std::string_view::npos) return std::string_view::npos;
  return std::stoul(std::string(head.substr(at + name.size(), 12)));
}

/// A whole request or counted answer at the front of `text`: its size; 0 when it is not whole.
std::size_t counted_size(std::string_view text) {
  const auto head = text.find(blank);
  if (head == std::string_view::npos) return 0;
  const auto length = length_in(text.substr(0, head));
  if (length == std::string_view::npos) return 0;
  const auto size = head + blank.size() + length;
  return text.size() < size ? 0 : size;
}

bool is_chunked(std::string_view text) {
  return text.substr(0, text.find(blank)).find("chunked") != std::string_view::npos;
}

/// The answer that `text` begins with is whole by its framing.
bool is_complete(std::string_view text) {
  return is_chunked(text) ? text.ends_with("\r\n0\r\n\r\n") : counted_size(text) > 0;
}

/// A body without its chunk headers, taken loosely: all chunks here are text of our own.
std::string events_of(std::string_view text) {
  std::string events;
  auto rest = text.substr(text.find(blank) + blank.size());
  while (!rest.empty()) {
    const auto line = rest.find("\r\n");
    const auto size = std::stoul(std::string(rest.substr(0, line)), nullptr, 16);
    events += rest.substr(line + 2, size);
    rest.remove_prefix(std::min(rest.size(), line + 2 + size + 2));
  }
  return events;
}

Answer judge(std::string_view text, bool stream) {
  if (text.empty()) return Answer::none;
  if (!is_complete(text)) return Answer::cut;
  if (!text.starts_with("HTTP/1.1 200 ")) return Answer::refused;
  if (!stream) return text.ends_with(json) ? Answer::whole : Answer::wrong;
  const auto events = events_of(text);
  std::string all(token);
  all += token;
  if (events == all + std::string(done)) return Answer::whole;
  return events.find("\"error\"") != std::string::npos ? Answer::refused : Answer::wrong;
}

}  // namespace

bool Talker::step() {
  if (ended_) return false;
  bool moved = false;
  boost::system::error_code ec;
  if (!unsent_.empty()) {
    const auto sent = socket_.write_some(asio::buffer(unsent_), ec);
    unsent_.erase(0, sent);
    moved = sent > 0;
  }
  std::array<char, 4096> space{};
  const auto got = socket_.read_some(asio::buffer(space), ec);
  heard.append(space.data(), got);
  if (ec && ec != asio::error::would_block) ended_ = true;
  return moved || got > 0 || ended_;
}

TwoRequests::TwoRequests() : heard_(requests) {
  for (auto& port : ports) port.non_blocking(true);
  raise(0);
  raise(1);
  turn();
  begun_ = Clock::now();
  tcp::acceptor acceptor(peers, loopback());
  tcp::socket ours(shard.context());
  ours.connect(acceptor.local_endpoint());
  client_ = std::make_unique<Talker>(acceptor.accept());
  client_socket_ = ours.native_handle();
  auto served = std::make_shared<tcp::socket>(std::move(ours));
  asio::post(shard.context(), [this, served] { front->serve(std::move(*served)); });
}

bool TwoRequests::turn_once() {
  const Armed armed;
  try {
    shard.context().restart();
    return shard.context().run_one_for(std::chrono::milliseconds(1)) > 0;
  } catch (const std::exception& error) {
    broke_out_ = error.what();
    return true;
  }
}

bool TwoRequests::step_workers() {
  bool moved = false;
  for (auto& port : ports) {
    boost::system::error_code ec;
    tcp::socket socket(peers);
    port.accept(socket, ec);
    if (ec) continue;
    workers_.push_back(std::make_unique<Talker>(std::move(socket)));
    pieces_.push_back(0);
    moved = true;
  }
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    auto& worker = *workers_[i];
    moved = worker.step() || moved;
    const auto size = counted_size(worker.heard);
    if (size == 0 || !worker.has_said_all() || worker.ended()) continue;
    const auto pieces = answer_pieces(worker.heard.find("\"stream\":true") != std::string::npos);
    worker.say(pieces[pieces_[i]]);
    if (++pieces_[i] == pieces.size()) {
      worker.heard.erase(0, size);
      pieces_[i] = 0;
    }
    moved = true;
  }
  return moved;
}

void TwoRequests::note_failure() {
  if (failed_ || (failing().failed_socket == -1 && failing().failed_bytes == 0 &&
                  std::string_view(failing().failed_call).empty())) {
    return;
  }
  failed_ = true;
  failed_before_answer_ = client_->heard.empty();
}

void TwoRequests::run() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (std::size_t i = 0; i < requests && !client_->ended(); ++i) {
    const auto text = post(i == 0, i == 0 ? 5 : 100'000);
    client_->heard.clear();
    client_->say(text.substr(0, text.size() - 10));
    bool second_half = false;
    while (!is_complete(client_->heard) && !client_->ended()) {
      if (std::chrono::steady_clock::now() > give_up) break;
      if (!failed_) failed_request_ = i;
      step_workers();
      client_->step();
      turn_once();
      client_->step();
      note_failure();
      if (!second_half && client_->has_said_all()) {
        client_->say(text.substr(text.size() - 10));
        second_half = true;
      }
    }
    heard_[i] = client_->heard;
  }
  client_->close();
  settle();
}

/// Until nobody is served any more; then the time passes in which what a client left settles.
void TwoRequests::settle() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (shard.sessions().active() > 0 && std::chrono::steady_clock::now() < give_up) {
    step_workers();
    turn_once();
  }
  if (Clock::now() != begun_) hung_ = "only a time limit ended it";
  for (const auto& worker : dispatcher->snapshot().workers) settled_later_ += worker.settling;
  pass(scheduling::SchedulerOptions().abandon_settle_max + std::chrono::seconds(1));
  dispatcher->observe_probe(WorkerId(0), scheduling::ProbeReport(true));
}

std::vector<Answer> TwoRequests::answers() const {
  return {judge(heard_[0], true), judge(heard_[1], false)};
}

bool TwoRequests::failed_at_client() const {
  return failing().failed_socket == client_socket_;
}

std::string TwoRequests::client_heard() const {
  return heard_[0] + "\n----\n" + heard_[1];
}

std::string TwoRequests::left_over() {
  std::string left = hung_;
  const auto note = [&](const char* what, std::size_t count) {
    if (count > 0) left += std::string(" ") + what + "=" + std::to_string(count);
  };
  const auto fleet = dispatcher->snapshot();
  for (const auto& worker : fleet.workers) {
    note("in_flight", worker.in_flight);
    note("settling", worker.settling);
  }
  note("queued", fleet.queued);
  note("running", front->running().size());
  note("sessions", shard.sessions().active());
  note("body_memory", shared->body_memory.used());
  note("stream_memory", shared->stream_memory.used());
  if (!counted("lmbalancer_client_connections 0")) left += " a connection counted";
  note("inspections", shared->inspections.load());
  const auto lines = log();
  std::size_t begun = 0;
  for (const auto& heard : heard_) begun += heard.empty() ? 0U : 1U;
  std::istringstream text(lines);
  std::size_t records = front->access_log().dropped_lines();
  bool whole = true;
  for (std::string line; std::getline(text, line); ++records) {
    whole = whole && nlohmann::json::accept(line);
  }
  if (!whole || records < begun || records > requests) left += " access lines: " + lines;
  return left;
}

}  // namespace lmb::test
