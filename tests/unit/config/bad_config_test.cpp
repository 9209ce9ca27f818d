#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>

#include "bad_config.hpp"
#include "lmb/config/config.hpp"
#include "schema_text.hpp"

namespace lmb::config {
namespace {

constexpr const char* no_workers =
    "F: workers: missing: at least one worker is needed, such as [ {\"url\": "
    "\"http://mac-studio-05.local:1234\"} ]\n";

TEST(BadConfig, with_names_of_models_that_are_none_is_told_where) {
  expect({
      {with(R"("models": {"aliases": {"a": 1}})"),
       "F: models.aliases.a: expected a model's name, found the number 1\n"},
      {with(R"("models": {"aliases": {"a": "b", "a": "c"}})"),
       "F: models.aliases.a: this name stands twice in the same object\n"},
      {with(R"("models": {"fallbacks": {"a": ["b", ""]}})"),
       "F: models.fallbacks.a[1]: must be a model's name of 1 to 512 characters\n"},
      {with(R"("models": {"fallbacks": {"a": []}})"),
       "F: models.fallbacks.a: must name 1 to 16 models\n"},
      {worker(R"("url": "http://mac", "auto_evict": "no")"),
       "F: workers[0].auto_evict: expected true or false, found the text \"no\"\n"},
  });
}

TEST(BadConfig, with_a_wrong_shape_is_told_what_belongs_there) {
  expect({
      {"[]", "F: expected an object in braces, found a list\n"},
      {"42", "F: expected an object in braces, found a number\n"},
      {"{}", no_workers},
      {R"({"workers": [] })",
       "F: workers: at least one worker is needed, such as {\"url\": "
       "\"http://mac-studio-05.local:1234\"}\n"},
      {R"({"workers": {"url": "http://mac"}})",
       "F: workers: expected a list of workers, such as [ {\"url\": "
       "\"http://mac-studio-05.local:1234\"} ], found an object\n"},
      {R"({"workers": ["http://u:secret@mac"]})",
       "F: workers[0]: expected an object such as {\"url\": \"http://mac-studio-05.local:1234\"}, "
       "found a text\n"},
      {with(R"("queue": null)"), "F: queue: expected an object in braces, found null\n"},
      {with(R"("limits": [1])"), "F: limits: expected an object in braces, found a list\n"},
      {R"({"workers": [{"url": "http://mac"})",
       "F: line 1, column 35: expected ',' or ']', found the end of the file\n"},
  });
}

TEST(BadConfig, with_unknown_keys_is_told_the_nearest_known_one) {
  expect({
      {with(R"("liste": "*:80")"), "F: liste: unknown key; did you mean \"listen\"?\n"},
      {with(R"("queue": {"lenght": 5})"),
       "F: queue.lenght: unknown key; did you mean \"length\"?\n"},
      {worker(R"("url": "http://mac", "slot": 4)"),
       "F: workers[0].slot: unknown key; did you mean \"slots\"?\n"},
      {with(R"("attempts": 2)"), "F: attempts: unknown key; \"attempts\" belongs in \"retry\"\n"},
      {with(R"("retry": {"": 1})"),
       "F: retry[\"\"]: unknown key; known here: attempts, budget_percent, budget_min\n"},
      {with(R"("retry": {"a b\n": 1})"),
       "F: retry[\"a b\\x0A\"]: unknown key; known here: attempts, budget_percent, budget_min\n"},
      // A misspelt key that is required is one fault, not two.
      {R"({"worker": []})", "F: worker: unknown key; did you mean \"workers\"?\n"},
      {worker(R"("ulr": "http://mac")"), "F: workers[0].ulr: unknown key; did you mean \"url\"?\n"},
  });
}

TEST(BadConfig, with_a_key_given_twice_is_refused) {
  expect({
      {with(R"("threads": 1, "threads": 2)"),
       "F: threads: this key stands twice in the same object\n"},
      {with(R"("queue": {"length": 1}, "queue": {"length": 2})"),
       "F: queue: this key stands twice in the same object\n"},
      {worker(R"("url": "http://mac", "url": "http://mac")"),
       "F: workers[0].url: this key stands twice in the same object\n"},
      // RFC 8259 section 7: an escape is the same character.
      {with(R"("threads": 1, "thread\u0073": 2)"),
       "F: threads: this key stands twice in the same object\n"},
  });
}

TEST(BadConfig, with_wrong_values_is_told_type_range_and_finding) {
  expect({
      {with(R"("threads": 65)"), "F: threads: must be from 0 to 64, is the number 65\n"},
      {with(R"("threads": -1)"), "F: threads: must be from 0 to 64, is the number -1\n"},
      {with(R"("threads": 99999999999999999999)"),
       "F: threads: expected a whole number from 0 to 64, found the number 99999999999999999999\n"},
      {with(R"("threads": 9223372036854775808)"),
       "F: threads: must be from 0 to 64, is a huge number\n"},
      {with(R"("threads": "4")"),
       "F: threads: expected a whole number from 0 to 64, found the text \"4\"\n"},
      {with(R"("threads": 2.0)"),
       "F: threads: expected a whole number from 0 to 64, found the number 2.0\n"},
      {with(R"("startup_grace": 10)"),
       "F: startup_grace: expected a duration from 0s to 1h, such as \"30s\" or \"1m30s\" (units "
       "h, "
       "m, s, ms), found the number 10\n"},
      {with(R"("startup_grace": "10 sec")"),
       "F: startup_grace: expected a duration from 0s to 1h, such as \"30s\" or \"1m30s\" (units "
       "h, "
       "m, s, ms), found the text \"10 sec\"\n"},
      {with(R"("timeouts": {"connect": "5ms"})"),
       "F: timeouts.connect: must be from 10ms to 1h, is \"5ms\"\n"},
      {with(R"("limits": {"held_answer": "64KB"})"),
       "F: limits.held_answer: expected a size from 1KiB to 1GiB, such as \"64KiB\" (units B, KiB, "
       "MiB, GiB), or a whole number of bytes, found the text \"64KB\"\n"},
      {with(R"("limits": {"held_answer": 1000})"),
       "F: limits.held_answer: must be from 1KiB to 1GiB, is the number 1000\n"},
      {with(R"("client_half_close": "reset")"),
       "F: client_half_close: expected one of \"abort\", \"keep\", found the text "
       "\"reset\"\n"},
      {with(R"("telemetry": {"log_level": "trace"})"),
       "F: telemetry.log_level: expected one of \"debug\", \"info\", \"warn\", \"error\", found "
       "the "
       "text \"trace\"\n"},
      {with(R"("telemetry": {"access_log": "a\u0000b"})"),
       "F: telemetry.access_log: must not hold control characters\n"},
      {worker(R"("url": "http://mac", "slots": "many")"),
       "F: workers[0].slots: expected \"auto\" or a whole number from 1 to 10000, found the text "
       "\"many\"\n"},
      {worker(R"("url": "http://mac", "weight": 0)"),
       "F: workers[0].weight: must be from 1 to 1000, is the number 0\n"},
  });
}

TEST(BadConfig, with_wrong_listen_addresses_is_told_which_and_why) {
  expect({
      {with(R"("listen": 8080)"),
       "F: listen: expected \"host:port\", or a list of these, found the number 8080\n"},
      {with(R"("listen": [])"), "F: listen: must name at least one address\n"},
      {with(R"("listen": ["*:80", 80, "x:1"])"),
       "F: listen[1]: expected \"host:port\", found the number 80\n"
       "F: listen[2]: the host must be an IPv4 address, an IPv6 address in brackets, localhost "
       "(this machine only), or * (every address of this machine)\n"},
      {with(R"("listen": ["[::1]:80", "localhost:80"])"),
       "F: listen[1]: [::1]:80 is listed twice\n"},
      {with(R"("listen": ["*:1","*:2","*:3","*:4","*:5","*:6","*:7","*:8","*:9","*:10","*:11",
                          "*:12","*:13","*:14","*:15","*:16","*:17"])"),
       "F: listen: must be at most 16 addresses, are 17\n"},
  });
}

TEST(BadConfig, with_wrong_worker_urls_never_repeats_the_url) {
  expect({
      {worker(""), "F: workers[0].url: missing, such as \"http://mac-studio-05.local:1234\"\n"},
      {worker(R"("url": 5)"),
       "F: workers[0].url: expected a URL such as \"http://mac-studio-05.local:1234\", found the "
       "number 5\n"},
      {worker(R"("url": "")"), "F: workers[0].url: must not be empty\n"},
      {worker(R"("url": "https://mac")"),
       "F: workers[0].url: https is not supported yet; use http:// (LM Studio itself serves http "
       "only)\n"},
      {worker(R"("url": "http://user:secret@mac")"),
       "F: workers[0].url: must not hold a user or password; a worker's key goes to api_key_env\n"},
      {worker(R"("url": "http://mac/v1")"),
       "F: workers[0].url: must end after host and port: paths such as /v1 come from the client's "
       "request\n"},
  });
}

TEST(BadConfig, with_workers_that_cannot_be_told_apart_is_refused) {
  expect({
      {R"({"workers": [{"name": "a", "url": "http://m1"}, {"name": "a", "url": "http://m2"}]})",
       "F: workers[1].name: the name \"a\" is taken by workers[0]\n"},
      {R"({"workers": [{"name": "m2:1234", "url": "http://m1"}, {"url": "http://m2"}]})",
       "F: workers[1].url: the name \"m2:1234\" is taken by workers[0]\n"},
      {R"({"workers": [{"url": "http://m1"}, {"url": "http://M1:1234/"}]})",
       "F: workers[1].url: the same server as workers[0]; its requests would be counted twice\n"},
      {R"({"workers": [{"name": "a", "url": "http://m1"}, {"name": "b", "url": "http://m1"}]})",
       "F: workers[1].url: the same server as workers[0]; its requests would be counted twice\n"},
      {worker(R"("url": "http://mac", "name": "a b")"),
       "F: workers[0].name: may hold letters, digits and . _ : - [ ] only, must not begin with -, "
       "and is not . or ..\n"},
      {worker(R"("url": "http://mac", "name": "-a")"),
       "F: workers[0].name: may hold letters, digits and . _ : - [ ] only, must not begin with -, "
       "and is not . or ..\n"},
      {worker(R"("url": "http://mac", "name": "..")"),
       "F: workers[0].name: may hold letters, digits and . _ : - [ ] only, must not begin with -, "
       "and is not . or ..\n"},
      {worker(R"("url": "http://mac", "name": "none")"),
       "F: workers[0].name: \"none\" is what the metrics call a request that no worker answered; "
       "choose another\n"},
      {worker(R"("url": "http://mac", "name": "")"), "F: workers[0].name: must not be empty\n"},
  });
}

TEST(BadConfig, with_more_workers_than_a_fleet_can_have_is_refused) {
  std::string workers;
  for (int i = 1; i <= 65; ++i) {
    workers +=
        (i == 1 ? "" : ",") + std::string(R"({"url": "http://m)") + std::to_string(i) + "\"}";
  }
  EXPECT_EQ(problems_of(R"({"workers": [)" + workers + "]}"),
            "F: workers: at most 64 workers are possible, are 65\n");
}

TEST(BadConfig, with_wrong_keys_of_a_worker_never_tells_the_key) {
  expect({
      {worker(R"("url": "http://mac", "api_key": "sk-secret", "api_key_env": "SECRET")"),
       "F: workers[0].api_key_env: give api_key or api_key_env, not both\n"},
      {worker(R"("url": "http://mac", "api_key_env": "UNSET_KEY")"),
       "F: workers[0].api_key_env: the environment variable UNSET_KEY is not set\n"},
      {worker(R"("url": "http://mac", "api_key_env": "EMPTY")"),
       "F: workers[0].api_key_env: the value of the environment variable EMPTY: must not be "
       "empty\n"},
      {worker(R"("url": "http://mac", "api_key_env": "LINE_END")"),
       "F: workers[0].api_key_env: the value of the environment variable LINE_END: character 10 of "
       "10 cannot stand in a key: only visible ASCII can (is there a line end or blank too "
       "many?)\n"},
      {worker(R"("url": "http://mac", "api_key_env": "sk-secret")"),
       "F: workers[0].api_key_env: must be the name of an environment variable (letters, digits "
       "and "
       "'_'), not the key itself\n"},
      {worker(R"("url": "http://mac", "api_key": "sk secret")"),
       "F: workers[0].api_key: character 3 of 9 cannot stand in a key: only visible ASCII can (is "
       "there a line end or blank too many?)\n"},
      {worker(R"("url": "http://mac", "api_key": ["sk-secret"])"),
       "F: workers[0].api_key: expected a text in double quotes, found a list\n"},
      {worker(R"("url": "http://mac", "api_key": 123456)"),
       "F: workers[0].api_key: expected a text in double quotes, found a number\n"},
      {worker(R"("url": "http://mac", "api_kye": "sk-secret")"),
       "F: workers[0].api_kye: unknown key; did you mean \"api_key\"?\n"},
  });
}

TEST(BadConfig, with_limits_that_contradict_each_other_is_told_both) {
  expect({
      {with(R"("health": {"timeout": "5s"})"),
       "F: health.timeout: must be less than health.interval (5s, the default), is 5s: a probe "
       "ends "
       "before the next begins\n"},
      {with(R"("health": {"interval": "1s"})"),
       "F: health.interval: must be more than health.timeout (2s, the default), is 1s: a probe "
       "ends "
       "before the next begins\n"},
      {with(R"("limits": {"body_bytes": "2GiB", "body_memory": "1GiB"})"),
       "F: limits.body_bytes: must be at most limits.body_memory (1GiB), is 2GiB: one body must "
       "fit\n"},
      {with(R"("limits": {"stream_buffer_total": "4KiB"})"),
       "F: limits.stream_buffer_total: must be at least limits.stream_buffer (1MiB, the default), "
       "is "
       "4KiB: one stream must fit\n"},
      {with(R"("limits": {"target_bytes": "17KiB"})"),
       "F: limits.target_bytes: must be at most limits.head_bytes (16KiB, the default), is 17KiB: "
       "the target is part of the head\n"},
      // No word on a relation to a value that is wrong anyway.
      {with(R"("limits": {"body_bytes": "2GiB", "body_memory": "x"})"),
       "F: limits.body_memory: expected a size from 1KiB to 1024GiB, such as \"64KiB\" (units B, "
       "KiB, MiB, GiB), or a whole number of bytes, found the text \"x\"\n"},
  });
}

TEST(BadConfig, is_told_all_its_faults_at_once_in_the_order_of_the_file) {
  EXPECT_EQ(
      problems_of(R"({
      "threads": "x",
      "workers": [ {"url": "https://a", "weight": 0}, {"nam": "b"} ],
      "queue": {"length": -1, "max_wait": 3},
      "health": {"timeout": "6s"},
      "bogus": {"ignored": [1, 2]} })"),
      "F: threads: expected a whole number from 0 to 64, found the text \"x\"\n"
      "F: workers[0].url: https is not supported yet; use http:// (LM Studio itself serves http "
      "only)\n"
      "F: workers[0].weight: must be from 1 to 1000, is the number 0\n"
      "F: workers[1].nam: unknown key; did you mean \"name\"?\n"
      "F: workers[1].url: missing, such as \"http://mac-studio-05.local:1234\"\n"
      "F: queue.length: must be from 0 to 100000, is the number -1\n"
      "F: queue.max_wait: expected a duration from 0s to 24h, such as \"30s\" or \"1m30s\" "
      "(units h, m, s, ms), found the number 3\n"
      "F: bogus: unknown key; known here: $schema, listen, threads, client_half_close, "
      "startup_grace, admin, auth, "
      "workers, models, scheduling, queue, retry, health, timeouts, limits, telemetry\n"
      "F: health.timeout: must be less than health.interval (5s, the default), is 6s: a probe "
      "ends before the next begins\n");
}

TEST(BadConfig, with_an_admin_listener_for_everybody_needs_a_key) {
  const auto told = [](const std::string& members) {
    return describe(parse_config(with(R"("admin": {)" + members + "}"), environment).problems, "F");
  };
  for (const std::string address : {"*:8081", "0.0.0.0:0", "[::]:8081", "10.0.0.2:8081"}) {
    const auto listen = R"("listen": ["127.0.0.1:8081", ")" + address + "\"]";
    const auto problem = told(listen);
    EXPECT_TRUE(problem.starts_with("F: admin.listen: ")) << address << problem;
    EXPECT_NE(problem.find("needs admin.api_key_env"), std::string::npos) << problem;
    EXPECT_EQ(told(listen + R"(, "api_key": "secret")"), "") << address;
  }
  for (const std::string address : {"localhost:8081", "127.0.0.2:8081", "[::1]:8081"}) {
    EXPECT_EQ(told(R"("listen": ")" + address + "\""), "") << address;
  }
}

TEST(BadConfig, with_a_wrong_admin_key_is_told_without_the_key) {
  const auto told = [](const std::string& members) {
    return describe(parse_config(with(R"("admin": {)" + members + "}"), environment).problems, "F");
  };
  EXPECT_EQ(told(R"("api_key": "a", "api_key_env": "B")"),
            "F: admin.api_key_env: give api_key or api_key_env, not both\n");
  EXPECT_EQ(told(R"("api_key_env": "NOT_THERE_AT_ALL")"),
            "F: admin.api_key_env: the environment variable NOT_THERE_AT_ALL is not set\n");
  const auto odd = told(R"("api_key": "s3cret with blanks")");
  EXPECT_TRUE(odd.starts_with("F: admin.api_key: ")) << odd;
  EXPECT_EQ(odd.find("s3cret"), std::string::npos) << odd;
}

TEST(BadConfig, gives_no_config_beside_its_problems) {
  const auto parsed =
      parse_config(R"({"workers": [{"url": "http://mac", "api_key": "sk-secret"}], "threads": -1})",
                   environment);
  EXPECT_EQ(parsed.problems.size(), 1U);
  EXPECT_TRUE(parsed.config.fleet.empty());
  EXPECT_TRUE(parsed.config.addresses.empty());
}

TEST(BadConfig, with_thousands_of_faults_is_told_the_first_hundred) {
  std::string text = "{";
  for (int i = 0; i < 50'000; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  const auto parsed = parse_config(text + "\"z\":0}", environment);
  ASSERT_EQ(parsed.problems.size(), 101U);
  EXPECT_EQ(parsed.problems[0].path, "k0");
  EXPECT_EQ(parsed.problems[100].message, "more problems follow; mend these first");
}

}  // namespace
}  // namespace lmb::config
