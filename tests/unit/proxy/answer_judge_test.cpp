// What an answer is worth, from its bytes alone.
#include "answer_judge.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lmb::proxy {
namespace {

using protocol::BodyFraming;
using protocol::Dialect;

/// An answer that comes as these pieces; its judge when all have come.
class Answer {
 public:
  Answer(std::string head, Dialect dialect, bool stream_asked, std::size_t event_bytes = 4096) {
    Limits limits;
    limits.event_bytes = event_bytes;
    limits.held_answer = 100;
    head_text_ = "HTTP/1.1 200 OK\r\n" + std::move(head) + "\r\n";
    const protocol::HeadLimits most{4096, 100, 0};
    EXPECT_TRUE(protocol::parse_response_head(head_text_, most, false, head_));
    judge_.emplace(head_, dialect, stream_asked, limits);
  }
  Answer& operator<<(const std::string& piece) {
    (void)judge_->observe(piece);
    judge_->keep(piece);
    return *this;
  }
  AnswerJudge& operator*() { return *judge_; }
  AnswerJudge* operator->() { return &*judge_; }

 private:
  std::string head_text_;
  protocol::ResponseHead head_;
  std::optional<AnswerJudge> judge_;
};

constexpr const char* events = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";
constexpr const char* json_chunks =
    "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";

std::optional<ErrorKind> kind_of(const std::optional<Error>& error) {
  return error ? std::optional(error->kind()) : std::nullopt;
}

TEST(AnswerJudge, a_stream_whose_last_event_is_too_long_to_be_looked_at_is_not_cut) {
  for (const bool fits : {true, false}) {
    std::string last = R"(data: {"type":"response.completed","response":{"text":")";
    last += std::string(4096 - last.size() - 4 + (fits ? 0 : 1), 'x') + "\"}}\n";
    Answer answer(events, Dialect::openai_responses, true);
    answer << "event: response.output_text.delta\ndata: "
              "{\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n";
    EXPECT_FALSE(answer->told_end()) << "so far";
    answer << last + "\n";
    EXPECT_EQ(answer->scanner().unjudged_events(), fits ? 0U : 1U);
    EXPECT_TRUE(answer->told_end()) << fits;
  }
}

TEST(AnswerJudge, an_error_is_the_last_word_but_in_the_dialect_that_goes_on_behind_it) {
  const std::string error =
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"x\"}}\n\n";
  const std::string end = "event: chat.end\ndata: {\"type\":\"chat.end\",\"result\":{}}\n\n";
  for (const auto dialect : {Dialect::openai_chat, Dialect::openai_completions,
                             Dialect::openai_responses, Dialect::anthropic}) {
    Answer answer(events, dialect, true);
    EXPECT_FALSE(answer->said_last_word());
    answer << error;
    EXPECT_TRUE(answer->said_last_word());
  }
  Answer native(events, Dialect::lmstudio_chat, true);
  native << error;
  EXPECT_FALSE(native->said_last_word()) << "chat.end follows";
  native << end;
  EXPECT_TRUE(native->said_last_word());
}

TEST(AnswerJudge, the_verdict_does_not_depend_on_how_much_comes_at_once) {
  for (const bool at_once : {true, false}) {
    Answer answer(json_chunks, Dialect::openai_chat, true);
    EXPECT_EQ(answer->hold(), AnswerJudge::Hold::first_byte);
    answer << "plain ";
    if (at_once) answer << "text";
    EXPECT_TRUE(answer->ready(at_once));
    EXPECT_EQ(kind_of(answer->judge(at_once)), std::nullopt);
  }
}

TEST(AnswerJudge, an_unstreamed_answer_is_held_until_it_is_whole_whatever_its_framing) {
  Answer answer(json_chunks, Dialect::openai_chat, false);
  EXPECT_EQ(answer->hold(), AnswerJudge::Hold::whole);
  answer << R"({"choices":[)";
  EXPECT_FALSE(answer->ready(false));
  EXPECT_EQ(kind_of(answer->judge(true)), ErrorKind::bad_response) << "half an object";
  answer << "]}";
  EXPECT_EQ(kind_of(answer->judge(true)), std::nullopt);
  answer << std::string(100 - std::string(R"({"choices":[]})").size(), ' ');
  EXPECT_FALSE(answer->over_limit());
  answer << " ";
  EXPECT_TRUE(answer->over_limit());
}

TEST(AnswerJudge, a_stream_without_a_token_that_tells_its_end_is_whole) {
  Answer answer(events, Dialect::openai_chat, true);
  answer << "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
  EXPECT_TRUE(answer->ready(false));
  EXPECT_EQ(kind_of(answer->judge(true)), std::nullopt);
  EXPECT_TRUE(answer->told_end());
  EXPECT_EQ(answer->scanner().token_deltas(), 0U);
}

TEST(AnswerJudge, an_error_before_any_token_is_the_error_that_it_is) {
  Answer answer(events, Dialect::openai_chat, true);
  answer << "data: {\"error\":{\"message\":\"The model has crashed\"}}\n\n";
  EXPECT_EQ(kind_of(answer->judge(false)), ErrorKind::worker_error);
}

}  // namespace
}  // namespace lmb::proxy
