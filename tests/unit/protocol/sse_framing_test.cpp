#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "lmb/protocol/sse_scanner.hpp"

namespace lmb::protocol {
namespace {

/// Everything a scanner tells after a stream.
struct Summary {
  std::uint64_t events;
  std::uint64_t token_deltas;
  std::uint64_t seen_events;
  std::uint64_t seen_tokens;
  bool error;
  bool finish;
  bool finish_reason;
  bool boundary;
  std::uint64_t prompt_tokens;
  std::uint64_t generated_tokens;
  std::string error_message;
  bool operator==(const Summary&) const = default;
};

Summary scan(Dialect dialect, const std::vector<std::string_view>& parts) {
  SseScanner scanner(dialect);
  Summary sum{};
  for (const std::string_view part : parts) {
    // A copy of its own lets a sanitizer see reads beyond the part.
    const std::vector<char> copy(part.begin(), part.end());
    const auto seen = scanner.observe({copy.data(), copy.size()});
    sum.seen_events += seen.events;
    sum.seen_tokens += seen.token_deltas;
  }
  sum.events = scanner.events();
  sum.token_deltas = scanner.token_deltas();
  sum.error = scanner.saw_error();
  sum.finish = scanner.saw_finish();
  sum.finish_reason = scanner.saw_finish_reason();
  sum.boundary = scanner.at_event_boundary();
  sum.prompt_tokens = scanner.usage().value_or(Usage{}).prompt_tokens;
  sum.generated_tokens = scanner.usage().value_or(Usage{}).generated_tokens;
  sum.error_message = scanner.error_message();
  return sum;
}

std::string with_line_end(std::string_view text, std::string_view line_end) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += line_end;
    } else {
      out += c;
    }
  }
  return out;
}

struct Sample {
  Dialect dialect;
  std::string_view text;
  std::uint64_t events;
  std::uint64_t tokens;
};

const Sample samples[] = {
    {Dialect::openai_chat,
     ": ping\n\n"
     R"(data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})"
     "\n\n"
     R"(data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]})"
     "\n\n"
     R"(data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":" \"\\"},"finish_reason":null}]})"
     "\n\n: keep-alive\n\n\n\n"
     R"(data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"!"},"finish_reason":null}]})"
     "\n\n"
     R"(data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
     "\n\n"
     R"(data: {"id":"x","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3}})"
     "\n\ndata: [DONE]\n\n",
     7, 3},
    {Dialect::lmstudio_chat,
     "event: chat.start\ndata: {\"type\":\"chat.start\"}\n\n"
     "event: message.delta\ndata: {\"type\":\"message.delta\",\"content\":\"a\"}\n\n"
     "event: message.delta\ndata: {\"type\":\"message.delta\",\"content\":\"b\"}\n\n"
     "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"Channel Error\"}}\n\n"
     "event: chat.end\ndata: {\"type\":\"chat.end\",\"result\":{\"stats\":{\"input_tokens\":5,"
     "\"total_output_tokens\":2}}}\n\n",
     5, 2},
    {Dialect::openai_chat,
     "data: {\"choices\":\ndata: [{\"delta\":\ndata:{\"content\":\"a\"}}]}\n\n"
     "id: 7\nretry: 10\n\n:c\ndata: x\n: d\n\ndata\n\n",
     4, 1},
};

TEST(SseFraming, gives_the_same_counts_however_the_stream_is_split) {
  for (const Sample& sample : samples) {
    for (const std::string_view line_end : {"\n", "\r\n", "\r"}) {
      const std::string text = with_line_end(sample.text, line_end);
      const Summary whole = scan(sample.dialect, {text});
      EXPECT_EQ(whole.events, sample.events);
      EXPECT_EQ(whole.token_deltas, sample.tokens);
      EXPECT_EQ(whole.seen_events, sample.events);
      EXPECT_TRUE(whole.boundary);
      std::vector<std::string_view> bytes;
      for (std::size_t at = 0; at < text.size(); ++at) {
        const std::string_view view = text;
        bytes.push_back(view.substr(at, 1));
        ASSERT_TRUE(scan(sample.dialect, {view.substr(0, at), view.substr(at)}) == whole)
            << "split at " << at;
        const std::size_t next = at + 1 + at % 7;
        if (next > text.size()) continue;
        ASSERT_TRUE(scan(sample.dialect, {view.substr(0, at), view.substr(at, next - at),
                                          view.substr(next)}) == whole)
            << "split at " << at << " and " << next;
      }
      EXPECT_TRUE(scan(sample.dialect, bytes) == whole);
    }
  }
}

TEST(SseFraming, is_at_a_boundary_exactly_after_an_event) {
  const std::string_view text = "data: a\n\n: c\n\ndata: b\n\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    SseScanner scanner;
    scanner.observe(text.substr(0, size));
    const bool boundary = size == 0 || text.substr(0, size).ends_with("\n\n");
    EXPECT_EQ(scanner.at_event_boundary(), boundary) << size;
  }
}

TEST(SseFraming, takes_a_late_line_feed_for_the_carriage_returns) {
  SseScanner scanner;
  EXPECT_EQ(scanner.observe("data: a\r").events, 0U);
  EXPECT_EQ(scanner.observe("\n").events, 0U);
  EXPECT_EQ(scanner.observe("\r").events, 1U);
  EXPECT_TRUE(scanner.at_event_boundary());
  EXPECT_EQ(scanner.observe("\n").events, 0U);
  EXPECT_TRUE(scanner.at_event_boundary());
}

TEST(SseFraming, does_not_count_comments_and_unfinished_events) {
  SseScanner scanner;
  EXPECT_EQ(scanner.observe(": a\n\n:\n: b\n\n\n\n").events, 0U);
  EXPECT_EQ(scanner.observe("data: {\"error\":\"x\"}\n").events, 0U);
  EXPECT_FALSE(scanner.saw_error());
  EXPECT_EQ(scanner.observe("\n").events, 1U);
  EXPECT_TRUE(scanner.saw_error());
}

TEST(SseFraming, passes_an_event_beyond_the_limit_unjudged) {
  const std::string error = R"({"error":"x"})";
  for (const std::size_t excess : {std::size_t{0}, std::size_t{1}}) {
    // "data: " + JSON + spaces + LF is the event's text.
    const std::size_t spaces = SseScanner::default_event_bytes - error.size() - 7 + excess;
    const std::string text = "data: " + error + std::string(spaces, ' ') + "\n\ndata: [DONE]\n\n";
    const std::string_view view = text;
    const Summary whole = scan(Dialect::openai_chat, {text});
    EXPECT_EQ(whole.error, excess == 0);
    EXPECT_EQ(whole.events, 2U);
    EXPECT_TRUE(whole.finish);
    EXPECT_TRUE(scan(Dialect::openai_chat, {view.substr(0, 100'000), view.substr(100'000)}) ==
                whole);
    EXPECT_TRUE(scan(Dialect::openai_chat,
                     {view.substr(0, view.size() - 17), view.substr(view.size() - 17)}) == whole);
  }
}

TEST(SseFraming, counts_a_late_line_feed_against_the_limit) {
  const std::string error = R"({"error":"x"})";
  const std::size_t spaces = SseScanner::default_event_bytes - error.size() - 7;
  const std::string text = "data: " + error + std::string(spaces, ' ') + "\r\n\r\n";
  const std::string_view view = text;
  EXPECT_FALSE(scan(Dialect::openai_chat, {view}).error);
  EXPECT_FALSE(
      scan(Dialect::openai_chat, {view.substr(0, view.size() - 3), view.substr(view.size() - 3)})
          .error);
}

TEST(SseFraming, survives_an_endless_line) {
  SseScanner scanner;
  const std::string part(100'000, 'x');
  for (int i = 0; i < 100; ++i) EXPECT_EQ(scanner.observe(part).events, 0U);
  EXPECT_FALSE(scanner.at_event_boundary());
  EXPECT_EQ(scanner.observe("\n\n").events, 1U);
  EXPECT_TRUE(scanner.at_event_boundary());
}

std::string random_event(std::mt19937& random) {
  static constexpr std::string_view texts[] = {"",        "a",        " b",     "\\n", "\\\"",
                                               "\\\\",    "c\\",      "\",\"x", "\n",  "\"}}",
                                               "\\u00e9", "\xC3\xA9", "}"};
  static constexpr std::string_view keys[] = {"content", "reasoning_content", "role", "x"};
  static constexpr std::string_view tails[] = {"}}]}",
                                               "},\"finish_reason\":null}]}",
                                               "},\"finish_reason\":\"stop\"}]}",
                                               "}}],\"usage\":{\"completion_tokens\":3}}",
                                               "}}],\"error\":\"e\"}",
                                               "}]}"};
  const auto pick = [&random](const auto& from) {
    return std::string(from[random() % std::size(from)]);
  };
  // Mostly the same frame, so that the shortcut for like events is taken often.
  const bool plain = random() % 4 != 0;
  const std::string key = plain ? "content" : pick(keys);
  const std::string tail = plain ? "},\"finish_reason\":null}]}" : pick(tails);
  return "data: {\"choices\":[{\"delta\":{\"" + key + "\":\"" + pick(texts) + "\"" + tail + "\n\n";
}

// The shortcut for events that differ in their text alone must never change a verdict.
TEST(SseFraming, judges_each_event_as_if_it_were_the_first) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> events;
    for (int i = 0; i < 40; ++i) events.push_back(random_event(random));
    SseScanner scanner;
    for (const std::string& text : events) {
      SseScanner fresh;
      const auto expected = fresh.observe(text);
      const auto seen = scanner.observe(text);
      ASSERT_EQ(seen.token_deltas, expected.token_deltas) << text;
      ASSERT_EQ(seen.events, expected.events) << text;
      ASSERT_EQ(seen.error, expected.error) << text;
      ASSERT_TRUE(!fresh.saw_finish_reason() || scanner.saw_finish_reason()) << text;
    }
  }
}

TEST(SseFraming, survives_random_bytes) {
  std::mt19937 random(13);
  static constexpr std::string_view alphabet =
      "data: event\n\n\r{}[]\",:\\errousgfinish_\xC3\xFF\0";
  for (int round = 0; round < 2000; ++round) {
    std::string text = round % 2 == 0 ? std::string(samples[round / 2 % 3].text) : std::string();
    for (int i = 0; i < 60; ++i) {
      const std::size_t at = text.empty() ? 0 : random() % text.size();
      text.insert(at, 1, alphabet[random() % alphabet.size()]);
    }
    const auto dialect = static_cast<Dialect>(random() % 7);
    const std::string_view view = text;
    const std::size_t cut = random() % text.size();
    ASSERT_TRUE(scan(dialect, {view}) == scan(dialect, {view.substr(0, cut), view.substr(cut)}))
        << text;
  }
}

}  // namespace
}  // namespace lmb::protocol
