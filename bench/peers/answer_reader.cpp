#include "answer_reader.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "stub_event.hpp"

namespace lmb::peers {
namespace {

constexpr std::size_t line_limit = 1024;
constexpr std::size_t head_limit = 16384;

bool contains_ignoring_case(std::string_view text, std::string_view lower_case) {
  const auto same = [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  };
  return std::search(text.begin(), text.end(), lower_case.begin(), lower_case.end(), same) !=
         text.end();
}

}  // namespace

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::connect:
      return "connect";
    case Fault::status:
      return "status";
    case Fault::framing:
      return "framing";
    case Fault::event:
      return "event";
    case Fault::early:
      return "early";
    case Fault::cut:
      return "cut";
    case Fault::late:
      return "late";
  }
  return "unknown";
}

void AnswerReader::start(std::uint64_t events) {
  part_ = Part::head;
  fault_ = Fault::none;
  done_seen_ = false;
  expected_ = events;
  events_ = 0;
  line_.clear();
  event_.clear();
}

void AnswerReader::end(Fault fault) {
  fault_ = fault;
  part_ = Part::finished;
}

void AnswerReader::feed(std::string_view bytes, std::vector<std::uint64_t>& stamps) {
  while (!bytes.empty()) {
    switch (part_) {
      case Part::head:
        bytes.remove_prefix(take_head(bytes));
        break;
      case Part::chunk_size:
      case Part::chunk_end:
      case Part::trailer:
        bytes.remove_prefix(take_line(bytes));
        break;
      case Part::chunk_data:
        bytes.remove_prefix(take_data(bytes, stamps));
        break;
      case Part::finished:
        if (fault_ == Fault::none) fault_ = Fault::framing;
        return;
    }
  }
}

std::size_t AnswerReader::take_head(std::string_view bytes) {
  const auto before = line_.size();
  line_.append(bytes);
  const auto end_of_head = line_.find("\r\n\r\n", before > 3 ? before - 3 : 0);
  if (end_of_head == std::string::npos) {
    if (line_.size() > head_limit) end(Fault::framing);
    return bytes.size();
  }
  line_.resize(end_of_head + 4);
  const auto taken = line_.size() - before;
  on_head();
  line_.clear();
  return taken;
}

void AnswerReader::on_head() {
  if (!line_.starts_with("HTTP/1.1 200")) return end(Fault::status);
  if (!contains_ignoring_case(line_, "\r\ntransfer-encoding: chunked\r\n")) {
    return end(Fault::framing);
  }
  part_ = Part::chunk_size;
}

std::size_t AnswerReader::take_line(std::string_view bytes) {
  const auto newline = bytes.find('\n');
  if (newline == std::string_view::npos) {
    line_.append(bytes);
    if (line_.size() > line_limit) end(Fault::framing);
    return bytes.size();
  }
  line_.append(bytes.substr(0, newline + 1));
  const bool empty = line_ == "\r\n";
  if (part_ == Part::chunk_size) {
    on_chunk_size();
  } else if (part_ == Part::chunk_end && empty) {
    part_ = Part::chunk_size;
  } else if (part_ == Part::chunk_end) {
    end(Fault::framing);
  } else if (empty) {
    end(done_seen_ && events_ == expected_ ? Fault::none : Fault::early);
  }
  line_.clear();
  return newline + 1;
}

void AnswerReader::on_chunk_size() {
  const auto* const first = line_.data();
  const auto [rest, error] = std::from_chars(first, first + line_.size(), chunk_left_, 16);
  const bool closed = *rest == '\r' || *rest == ';';
  if (error != std::errc{} || !closed) return end(Fault::framing);
  part_ = chunk_left_ == 0 ? Part::trailer : Part::chunk_data;
}

std::size_t AnswerReader::take_data(std::string_view bytes, std::vector<std::uint64_t>& stamps) {
  const auto data = bytes.substr(0, chunk_left_);
  chunk_left_ -= data.size();
  if (chunk_left_ == 0) part_ = Part::chunk_end;
  if (event_.empty()) {
    scan(data, stamps);
  } else {
    event_.append(data);
    std::string text;
    text.swap(event_);
    scan(text, stamps);
  }
  return data.size();
}

void AnswerReader::scan(std::string_view text, std::vector<std::uint64_t>& stamps) {
  while (!text.empty()) {
    const auto blank_line = text.find("\n\n");
    if (blank_line == std::string_view::npos) {
      event_ = text;
      if (event_.size() > event_bytes) end(Fault::event);
      return;
    }
    if (!take_event(text.substr(0, blank_line + 2), stamps)) return end(Fault::event);
    text.remove_prefix(blank_line + 2);
  }
}

bool AnswerReader::take_event(std::string_view event, std::vector<std::uint64_t>& stamps) {
  if (done_seen_) return false;
  if (event == done_event) {
    done_seen_ = true;
    return true;
  }
  const auto stamp = read_stamp(event);
  if (!stamp) return false;
  ++events_;
  stamps.push_back(*stamp);
  return true;
}

}  // namespace lmb::peers
