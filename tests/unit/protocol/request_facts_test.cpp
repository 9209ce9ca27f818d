#include "lmb/protocol/request_facts.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "padded_text.hpp"

namespace lmb::protocol {
namespace {

Result<RequestFacts> inspect(std::string_view body, Dialect dialect = Dialect::openai_chat,
                             char padding = '\0') {
  const PaddedText padded(body, padding);
  return inspect_request(padded.view(), dialect);
}

void expect_refused(std::string_view body, ErrorKind kind, std::string_view detail = {}) {
  for (const char padding : {'\0', '}', ']', ',', '"', ':', '{', 'e', '0'}) {
    const Result<RequestFacts> facts = inspect(body, Dialect::openai_chat, padding);
    ASSERT_TRUE(facts.has_error()) << body << " followed by " << padding;
    EXPECT_EQ(to_string(facts.error().kind()), to_string(kind))
        << body << " followed by " << padding;
    EXPECT_NE(facts.error().detail().find(detail), std::string::npos) << facts.error().detail();
  }
}

TEST(RequestFacts, reads_what_the_balancer_needs) {
  const Result<RequestFacts> facts = inspect(
      R"({"messages":[{"role":"user","content":"hi \"}]"}],"temperature":0.5,"model":"qwen/qwen3",)"
      R"("stream":true,"stream_options":{"x":[],"include_usage":true},"max_tokens":128})");
  ASSERT_TRUE(facts.has_value()) << facts.error().detail();
  EXPECT_EQ(facts->model, "qwen/qwen3");
  EXPECT_TRUE(facts->stream);
  EXPECT_TRUE(facts->include_usage);
  EXPECT_EQ(facts->prompt_bytes,
            std::string_view(R"([{"role":"user","content":"hi \"}]"}])").size());
  EXPECT_EQ(facts->max_tokens, 128);
}

TEST(RequestFacts, has_modest_defaults) {
  const Result<RequestFacts> facts = inspect(R"( {"model":"m"} )");
  ASSERT_TRUE(facts.has_value());
  EXPECT_FALSE(facts->stream);
  EXPECT_FALSE(facts->include_usage);
  EXPECT_EQ(facts->prompt_bytes, 0U);
  EXPECT_FALSE(facts->max_tokens.has_value());
}

TEST(RequestFacts, sums_all_that_makes_up_the_prompt) {
  EXPECT_EQ(inspect(R"({"model":"m","prompt":"abcd"})")->prompt_bytes, 6U);
  EXPECT_EQ(inspect(R"({"model":"m","prompt":["a","b"]})")->prompt_bytes, 9U);
  EXPECT_EQ(inspect(R"({"model":"m","input":[1,2,3]})")->prompt_bytes, 7U);
  EXPECT_EQ(inspect(R"({"model":"m","input":[]})")->prompt_bytes, 2U);
  EXPECT_EQ(inspect(R"({"model":"m","input":"ab","instructions":"c"})")->prompt_bytes, 7U);
  EXPECT_EQ(inspect(R"({"model":"m","input":"ab","system_prompt":"c"})")->prompt_bytes, 7U);
  EXPECT_EQ(
      inspect(R"({"model":"m","input":"ab","tools":[{"type":"function","x":[1]}]})")->prompt_bytes,
      4U + 29U);
  EXPECT_EQ(inspect(R"({"tools":[{"type":"f"}],"model":"m","input":"ab"})")->prompt_bytes,
            4U + 14U);
  EXPECT_EQ(inspect(R"({"model":"m","input":"ab","tools":null})")->prompt_bytes, 4U);
  EXPECT_EQ(inspect(R"({"system":{"a":1},"messages":{},"model":"m"})")->prompt_bytes, 9U);
}

TEST(RequestFacts, unescapes_the_model) {
  EXPECT_EQ(inspect(R"({"model":"a\/b\u00e9\n"})")->model, "a/b\xC3\xA9\n");
  EXPECT_EQ(inspect(R"({"mod\u0065l":"m"})")->model, "m");
}

TEST(RequestFacts, tells_where_the_model_stands) {
  for (const std::string_view token : {R"("m")", R"("a \"b\" \u0041")", R"("m\\")"}) {
    for (const std::string_view space : {"", " ", " \n\t"}) {
      std::string body = R"({"x":"model" , "model":)";
      body.append(space);
      const auto begin = body.size();
      body.append(token).append(space).append(R"(,"y":"z"})");
      const auto facts = inspect(body);
      ASSERT_TRUE(facts.has_value()) << body;
      EXPECT_EQ(facts->model_begin, begin) << body;
      EXPECT_EQ(body.substr(facts->model_begin, facts->model_size), token) << body;
    }
  }
}

TEST(RequestFacts, sees_what_a_worker_may_do_beside_computing) {
  for (const std::string_view member :
       {R"("integrations":["mcp/x"])", R"("integrations":[{"type":"plugin"}])",
        R"("tools":[{"type":"function"},{"x":[1],"type":"mcp"}])",
        R"("tools":[{"type":"\u006dcp"}])"}) {
    EXPECT_TRUE(inspect(R"({"model":"m",)" + std::string(member) + "}")->acts) << member;
  }
  for (const std::string_view member :
       {R"("integrations":[])", R"("integrations":null)", R"("tools":[])", R"("tools":"mcp")",
        R"("tools":[{"type":"function","function":{"name":"mcp","type":"mcp"}},"mcp",3])",
        R"("messages":[{"type":"mcp"}])"}) {
    EXPECT_FALSE(inspect(R"({"model":"m",)" + std::string(member) + "}")->acts) << member;
  }
}

TEST(RequestFacts, refuses_a_model_given_twice_however_the_key_is_written) {
  expect_refused(R"({"model":"a","model":"a"})", ErrorKind::bad_model, "twice");
  expect_refused(R"({"model":"a","mod\u0065l":"b"})", ErrorKind::bad_model, "twice");
  expect_refused(R"({"\u006dodel":"a","stream":true,"\u006Dodel":"b"})", ErrorKind::bad_model,
                 "twice");
}

TEST(RequestFacts, refuses_a_model_that_names_nothing) {
  expect_refused(R"({})", ErrorKind::bad_model, "missing");
  expect_refused(R"({"Model":"m"})", ErrorKind::bad_model, "missing");
  expect_refused(R"({"x":{"model":"m"}})", ErrorKind::bad_model, "missing");
  expect_refused(R"({"model":""})", ErrorKind::bad_model, "empty");
  for (const std::string_view value : {"null", "1", "true", "[\"m\"]", "{\"id\":\"m\"}"}) {
    expect_refused("{\"model\":" + std::string(value) + "}", ErrorKind::bad_model,
                   "must be a string");
  }
}

TEST(RequestFacts, limits_the_models_length) {
  const std::string longest(model_bytes_max, 'm');
  EXPECT_EQ(inspect("{\"model\":\"" + longest + "\"}")->model, longest);
  expect_refused("{\"model\":\"" + longest + "m\"}", ErrorKind::bad_model, "512");
}

TEST(RequestFacts, takes_null_for_no_stream) {
  EXPECT_FALSE(inspect(R"({"model":"m","stream":null})")->stream);
  EXPECT_FALSE(inspect(R"({"model":"m","stream":false})")->stream);
}

TEST(RequestFacts, refuses_a_stream_that_is_no_bool_or_given_twice) {
  for (const std::string_view value : {"1", "\"true\"", "[]", "{}", "truthy", "nul", "0"}) {
    expect_refused("{\"model\":\"m\",\"stream\":" + std::string(value) + "}", ErrorKind::bad_json);
  }
  expect_refused(R"({"model":"m","stream":true,"stream":true})", ErrorKind::bad_json, "twice");
  expect_refused(R"({"model":"m","stream":true,"str\u0065am":false})", ErrorKind::bad_json,
                 "twice");
}

TEST(RequestFacts, never_streams_embeddings) {
  EXPECT_FALSE(inspect(R"({"model":"m","stream":true})", Dialect::openai_embeddings)->stream);
}

TEST(RequestFacts, takes_the_smallest_limit_of_tokens) {
  EXPECT_EQ(inspect(R"({"model":"m","max_output_tokens":7})")->max_tokens, 7);
  EXPECT_EQ(inspect(R"({"model":"m","max_tokens":9,"max_completion_tokens":8})")->max_tokens, 8);
  EXPECT_EQ(inspect(R"({"model":"m","max_tokens":0})")->max_tokens, 0);
  for (const std::string_view none :
       {"-1", "null", "\"7\"", "1.5", "1e3", "99999999999999999999"}) {
    const auto facts = inspect("{\"model\":\"m\",\"max_tokens\":" + std::string(none) + "}");
    ASSERT_TRUE(facts.has_value()) << none;
    EXPECT_FALSE(facts->max_tokens.has_value()) << none;
  }
}

TEST(RequestFacts, refuses_every_body_that_was_cut) {
  const std::string_view whole =
      R"({"messages":[{"role":"user","content":"a\\\"b"},{"n":[1,{"x":{}}]}],"model":"m","stream":true,)"
      R"("stream_options":{"include_usage":true},"t":-1.5e3,"z":null,"a":[[],{}]})";
  ASSERT_TRUE(inspect(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_refused(whole.substr(0, size), ErrorKind::bad_json);
  }
}

TEST(RequestFacts, says_how_a_body_is_broken) {
  expect_refused("", ErrorKind::bad_json, "empty");
  expect_refused(" \r\n\t", ErrorKind::bad_json, "empty");
  expect_refused(R"({"model":"m")", ErrorKind::bad_json, "after 12 bytes");
  expect_refused(R"({"model":"m"}})", ErrorKind::bad_json, "follows the JSON object at byte 13");
  expect_refused(R"({"model":"m"} x)", ErrorKind::bad_json, "at byte 14");
  expect_refused(R"({"model":"m"}{"model":"n"})", ErrorKind::bad_json, "follows");
  expect_refused(R"({"model":"m","a":[1}})", ErrorKind::bad_json, "other kind at byte 19");
  for (const std::string_view other : {"[]", "null", "1", "\"x\"", "model=m", "\xEF\xBB\xBF{}"}) {
    expect_refused(other, ErrorKind::bad_json, "must be a JSON object");
  }
}

TEST(RequestFacts, refuses_broken_syntax_between_the_members) {
  for (const std::string_view body : {R"({"model":"m","a":})",
                                      R"({"model":"m",})",
                                      R"({,"model":"m"})",
                                      R"({"model" "m"})",
                                      R"({"model":"m" "a":1})",
                                      R"({"model":"m","a":"b":1})",
                                      R"({"model":"m",1:2})",
                                      R"({"model":"m","a":,"b":1})",
                                      R"({"model":"m","a":1 2})",
                                      R"({"model":"m"def})",
                                      R"({"model":"m","a":\"b"})",
                                      R"({"model":"m",{}})",
                                      R"({"model":"m","a":[] []})",
                                      R"({"model":"m","a"})",
                                      R"({model:"m"})",
                                      R"({'model':'m'})",
                                      R"({"model":m})",
                                      R"({"model":"m","a":x})",
                                      R"({"model":"m","stream_options":{"a":}})",
                                      R"({"model":"m","stream_options":{"a":"b":1}})",
                                      R"({"model":"m","stream_options":{"a":"b":1},"stream":true})",
                                      R"({"model":"m","stream_options":{"a":1 "b":2}})",
                                      R"({"model":"\q"})",
                                      R"({"model":"\ud800"})",
                                      R"({"mod\el":"m"})",
                                      "{\"model\":\"a\nb\"}"}) {
    const Result<RequestFacts> facts = inspect(body);
    EXPECT_TRUE(facts.has_error()) << body;
    for (const char padding : {'}', ',', '"', ':'}) {
      EXPECT_TRUE(inspect(body, Dialect::openai_chat, padding).has_error()) << body << padding;
    }
  }
}

TEST(RequestFacts, refuses_a_backslash_outside_strings_where_it_stands) {
  expect_refused(R"({"model":"m","a":[\"x"]})", ErrorKind::bad_json, "near byte 18");
  expect_refused(R"({"model":"m","a":[\"[1"\",2]"]})", ErrorKind::bad_json, "near byte 18");
}

TEST(RequestFacts, refuses_text_that_is_not_utf8) {
  expect_refused("{\"model\":\"m\",\"prompt\":\"\xFF\"}", ErrorKind::bad_json, "UTF-8");
  expect_refused("{\"model\":\"\xC0\xAF\"}", ErrorKind::bad_json, "UTF-8");
  expect_refused("{\"model\":\"m\",\"prompt\":\"\xED\xA0\x80\"}", ErrorKind::bad_json, "UTF-8");
}

TEST(RequestFacts, refuses_deep_nesting) {
  const std::string deep(100'000, '[');
  const std::string end(100'000, ']');
  expect_refused(deep, ErrorKind::bad_json);
  expect_refused("{\"model\":\"m\",\"a\":" + deep, ErrorKind::bad_json, "deeper than 1024");
  expect_refused("{\"model\":\"m\",\"a\":" + deep + end + "}", ErrorKind::bad_json,
                 "deeper than 1024");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  expect_refused(objects, ErrorKind::bad_json, "deeper than 1024");
}

TEST(RequestFacts, takes_nesting_up_to_its_limit) {
  const auto nested = [](std::size_t depth) {
    return "{\"model\":\"m\",\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(inspect(nested(1023)).has_value());
  EXPECT_TRUE(inspect(nested(1024)).has_error());
}

TEST(RequestFacts, takes_brackets_and_escapes_inside_strings_for_text) {
  const std::string text = R"(]}[{\"\\\\\"}]\\)";
  const Result<RequestFacts> facts =
      inspect("{\"prompt\":\"" + text + "\",\"" + text + "\":1,\"model\":\"m\"}");
  ASSERT_TRUE(facts.has_value()) << facts.error().detail();
  EXPECT_EQ(facts->prompt_bytes, text.size() + 2);
}

TEST(RequestFacts, reads_large_bodies_and_small_ones_after_them) {
  for (int round = 0; round < 3; ++round) {
    const std::string prompt(5'000'000, 'x');
    const Result<RequestFacts> large =
        inspect("{\"prompt\":\"" + prompt + "\",\"model\":\"large\"}");
    ASSERT_TRUE(large.has_value());
    EXPECT_EQ(large->prompt_bytes, prompt.size() + 2);
    EXPECT_EQ(inspect(R"({"model":"small"})")->model, "small");
  }
}

TEST(RequestFacts, never_quotes_values_in_errors) {
  for (const std::string_view body :
       {R"({"model":1,"prompt":"secret"})", R"({"prompt":"secret")", R"({"prompt":"secret",})",
        R"({"stream":"secret","model":"m"})", R"({"model":"secret","model":"secret"})",
        R"({"secret":1}{"secret")"}) {
    const Result<RequestFacts> facts = inspect(body);
    ASSERT_TRUE(facts.has_error());
    EXPECT_EQ(facts.error().detail().find("secret"), std::string::npos) << facts.error().detail();
  }
}

TEST(RequestFacts, can_be_read_on_several_threads_at_once) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t id = 0; id < wrong.size(); ++id) {
    threads.emplace_back([id, &wrong] {
      const std::string name = "model-" + std::to_string(id);
      for (int i = 0; i < 200; ++i) {
        if (inspect("{\"model\":\"" + name + "\"}")->model != name) ++wrong[id];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(RequestFacts, tell_which_response_is_gone_on_from) {
  const std::string_view body = R"({"model":"m","previous_response_id":"resp_\u0031"})";
  for (const auto dialect : {Dialect::openai_responses, Dialect::lmstudio_chat}) {
    EXPECT_EQ(inspect(body, dialect)->previous_response, "resp_1");
  }
  EXPECT_EQ(inspect(body, Dialect::openai_chat)->previous_response, "") << "not kept there";
  for (const char* none : {"null", "7", "{}", "\"\""}) {
    const auto text = R"({"model":"m","previous_response_id":)" + std::string(none) + "}";
    EXPECT_EQ(inspect(text, Dialect::openai_responses)->previous_response, "") << none;
  }
}

TEST(RequestFacts, refuse_a_previous_response_that_two_readers_could_read_differently) {
  expect_refused(R"({"model":"m","previous_response_id":"a","previous_response_id":"b"})",
                 ErrorKind::bad_json, "twice");
  const std::string longest(response_id_bytes_max, 'x');
  EXPECT_EQ(inspect(R"({"model":"m","previous_response_id":")" + longest + "\"}",
                    Dialect::openai_responses)
                ->previous_response,
            longest);
  expect_refused(R"({"model":"m","previous_response_id":"x)" + longest + "\"}", ErrorKind::bad_json,
                 "longer");
}

}  // namespace
}  // namespace lmb::protocol
