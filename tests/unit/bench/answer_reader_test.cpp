#include "answer_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace lmb::bench {
namespace {

using std::chrono::milliseconds;
using State = AnswerReader::State;

std::string chunk(const std::string& payload) {
  std::string size;
  for (std::size_t n = payload.size(); n > 0; n /= 16)
    size.insert(0, 1, "0123456789abcdef"[n % 16]);
  return size + "\r\n" + payload + "\r\n";
}

std::string event(const std::string& json) {
  return chunk("data: " + json + "\n\n");
}

std::string token(const std::string& text) {
  return event(R"({"choices":[{"index":0,"delta":{"role":"assistant","content":")" + text +
               R"("},"finish_reason":null}]})");
}

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    "x-lmb-worker: mac-05\r\nServer-Timing: read;dur=0.1, queue;dur=3.5\r\n\r\n";
const std::string role_only =
    event(R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})");
const std::string finish = event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
const std::string usage =
    event(R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":9,"total_tokens":21}})");
const std::string done = chunk("data: [DONE]\n\n");
const std::string last_chunk = "0\r\n\r\n";

class AnswerReaderTest : public ::testing::Test {
 protected:
  /// Feeds the parts 10 ms after one another, the first at 10 ms.
  State feed(const std::vector<std::string>& parts) {
    State state = State::reading;
    for (std::string part : parts) {
      now_ += milliseconds(10);
      state = reader_->feed(part, now_);
    }
    return state;
  }
  void expect_whole_answer() { reader_.emplace(sample_, false); }

  RequestSample sample_;
  Duration now_{};
  std::optional<AnswerReader> reader_{std::in_place, sample_, true};
};

TEST_F(AnswerReaderTest, notes_head_first_and_last_token_and_end) {
  EXPECT_EQ(feed({stream_head, role_only, token("a"), token("b"), finish, usage + done}),
            State::reading);
  EXPECT_EQ(feed({last_chunk}), State::over);
  EXPECT_EQ(sample_.outcome, Outcome::complete);
  EXPECT_EQ(sample_.failure, Failure::none);
  EXPECT_EQ(sample_.head, Duration(milliseconds(10)));
  EXPECT_EQ(sample_.first_token, Duration(milliseconds(30))) << "the role alone is no token";
  EXPECT_EQ(sample_.last_token, Duration(milliseconds(40)));
  EXPECT_EQ(sample_.end, milliseconds(70));
  EXPECT_EQ(sample_.worker, "mac-05");
  EXPECT_EQ(sample_.queue, Duration(std::chrono::microseconds(3500)));
  EXPECT_EQ(sample_.status, 200u);
  EXPECT_TRUE(reader_->reusable());
}

TEST_F(AnswerReaderTest, believes_usage_and_counts_events_without_it) {
  feed({stream_head + token("a") + token("b") + finish + usage + done + last_chunk});
  EXPECT_EQ(sample_.generated_tokens, 9u);
  EXPECT_EQ(sample_.prompt_tokens, 12u);
  EXPECT_EQ(sample_.token_source, TokenSource::usage);

  RequestSample bare;
  AnswerReader reader(bare, true);
  std::string bytes =
      stream_head + role_only + token("a") + token("b") + finish + done + last_chunk;
  EXPECT_EQ(reader.feed(bytes, {}), State::over);
  EXPECT_EQ(bare.generated_tokens, 2u);
  EXPECT_EQ(bare.token_source, TokenSource::chunks);
}

TEST_F(AnswerReaderTest, reads_the_same_however_the_bytes_arrive) {
  const std::string bytes = "HTTP/1.1 100 Continue\r\n\r\n" + stream_head + role_only + token("a") +
                            finish + usage + done + last_chunk;
  for (const char byte : bytes) {
    std::string part(1, byte);
    reader_->feed(part, milliseconds(1));
  }
  EXPECT_EQ(sample_.outcome, Outcome::complete);
  EXPECT_EQ(sample_.generated_tokens, 9u);
}

TEST_F(AnswerReaderTest, tells_a_cut_stream_from_a_whole_one) {
  feed({stream_head, token("a"), finish, done});
  EXPECT_EQ(reader_->end_of_file(milliseconds(99), true), State::over);
  EXPECT_EQ(sample_.outcome, Outcome::failed);
  EXPECT_EQ(sample_.failure, Failure::cut_answer) << "the last chunk never came";
  EXPECT_EQ(sample_.end, milliseconds(99));
}

TEST_F(AnswerReaderTest, tells_a_close_before_the_head) {
  feed({"HTTP/1.1 200 OK\r\nContent-Ty"});
  reader_->end_of_file(milliseconds(99), true);
  EXPECT_EQ(sample_.failure, Failure::closed_before_answer);
  EXPECT_EQ(sample_.status, 0u);
}

TEST_F(AnswerReaderTest, finds_an_error_within_a_stream) {
  EXPECT_EQ(feed({stream_head, event(R"({"error":{"message":"Compute error."}})"), last_chunk}),
            State::over);
  EXPECT_EQ(sample_.failure, Failure::stream_error);
  EXPECT_EQ(sample_.error_message, "Compute error.");
}

TEST_F(AnswerReaderTest, asks_for_a_finish_and_for_a_token) {
  feed({stream_head, token("a"), last_chunk});
  EXPECT_EQ(sample_.failure, Failure::unfinished_stream);

  RequestSample silent;
  AnswerReader reader(silent, true);
  std::string bytes = stream_head + role_only + finish + done + last_chunk;
  reader.feed(bytes, {});
  EXPECT_EQ(silent.failure, Failure::no_token);
}

TEST_F(AnswerReaderTest, counts_a_status_and_keeps_what_it_said) {
  EXPECT_EQ(feed({"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 50\r\n"
                  "Content-Type: application/json\r\n\r\n",
                  R"({"error":{"message":"no slot","type":"x","a":"b"}})"}),
            State::over);
  EXPECT_EQ(sample_.failure, Failure::http_status);
  EXPECT_EQ(failure_label(sample_), "http_503");
  EXPECT_EQ(sample_.error_message, "no slot");
  EXPECT_TRUE(reader_->reusable());
}

TEST_F(AnswerReaderTest, counts_the_status_even_when_its_body_is_cut) {
  feed({"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\n<html>"});
  reader_->end_of_file(milliseconds(99), false);
  EXPECT_EQ(failure_label(sample_), "http_500");
}

TEST_F(AnswerReaderTest, sees_through_lm_studios_200_for_unknown_paths) {
  const std::string body = R"json({"error":"Unexpected endpoint or method. (POST /x)"})json";
  feed({"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body});
  EXPECT_EQ(sample_.failure, Failure::no_such_route);
}

TEST_F(AnswerReaderTest, refuses_what_is_no_stream_of_events) {
  feed({"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"});
  EXPECT_EQ(sample_.failure, Failure::bad_answer);
}

TEST_F(AnswerReaderTest, refuses_what_is_no_http) {
  EXPECT_EQ(feed({"SSH-2.0-OpenSSH\r\n\r\n"}), State::over);
  EXPECT_EQ(sample_.failure, Failure::bad_answer);
  EXPECT_FALSE(reader_->reusable());
}

TEST_F(AnswerReaderTest, refuses_broken_chunks) {
  EXPECT_EQ(feed({stream_head, "zz\r\n"}), State::over);
  EXPECT_EQ(sample_.failure, Failure::bad_answer);
}

TEST_F(AnswerReaderTest, reads_a_whole_answer) {
  expect_whole_answer();
  const std::string body =
      R"({"choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})";
  EXPECT_EQ(feed({"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body}),
            State::over);
  EXPECT_EQ(sample_.outcome, Outcome::complete);
  EXPECT_EQ(sample_.generated_tokens, 2u);
  EXPECT_EQ(sample_.first_token, std::nullopt) << "a whole answer tells nothing of it";
}

TEST_F(AnswerReaderTest, wants_content_and_json_in_a_whole_answer) {
  const auto failure_of = [](const std::string& body) {
    RequestSample sample;
    AnswerReader reader(sample, false);
    std::string bytes = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body;
    reader.feed(bytes, {});
    return sample.failure;
  };
  EXPECT_EQ(failure_of(R"({"choices":[{"message":{"content":""}}]})"), Failure::no_token);
  EXPECT_EQ(failure_of(R"({"choices":[]})"), Failure::no_token);
  EXPECT_EQ(failure_of(R"({"choices":[{"message":{"content":"a"}}])"), Failure::bad_answer);
  EXPECT_EQ(failure_of(R"({"choices":[{"message":{"content":null,"tool_calls":[{}]}}]})"),
            Failure::none);
}

TEST_F(AnswerReaderTest, ends_a_body_without_length_by_the_close) {
  expect_whole_answer();
  feed(
      {"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
       R"({"choices":[{"message":{"content":"a"}}]})"});
  EXPECT_EQ(reader_->end_of_file(milliseconds(30), true), State::over);
  EXPECT_EQ(sample_.outcome, Outcome::complete);
  EXPECT_FALSE(reader_->reusable());
}

TEST_F(AnswerReaderTest, a_reset_is_no_end) {
  expect_whole_answer();
  feed({"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}"});
  reader_->end_of_file(milliseconds(30), false);
  EXPECT_EQ(sample_.failure, Failure::cut_answer);
}

TEST_F(AnswerReaderTest, gives_up_a_connection_that_says_more_than_asked) {
  feed({stream_head + token("a") + finish + done + last_chunk + "HTTP/1.1 200 OK\r\n"});
  EXPECT_EQ(sample_.outcome, Outcome::complete);
  EXPECT_FALSE(reader_->reusable());
}

TEST_F(AnswerReaderTest, keeps_a_connection_only_if_the_server_does) {
  std::string head = stream_head;
  head.insert(head.size() - 2, "Connection: close\r\n");
  feed({head + token("a") + finish + done + last_chunk});
  EXPECT_EQ(sample_.outcome, Outcome::complete);
  EXPECT_FALSE(reader_->reusable());
}

TEST_F(AnswerReaderTest, counts_token_events_for_who_wants_to_leave) {
  feed({stream_head, role_only, token("a"), token("b") + token("c")});
  EXPECT_EQ(reader_->token_events(), 3u);
}

}  // namespace
}  // namespace lmb::bench
