// Configs whose listeners, clients or names of models contradict each other.
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "bad_config.hpp"

namespace lmb::config {
namespace {

TEST(BadConfig, with_a_place_for_clients_and_operators_alike_is_told) {
  const auto problem = [](const std::string& listen, const std::string& admin) {
    return problems_of(with(R"("listen": ")" + listen + R"(", "admin": {"listen": ")" + admin +
                            R"(", "api_key": "k"})"));
  };
  for (const auto& [listen, admin] :
       std::initializer_list<std::pair<const char*, const char*>>{{"127.0.0.1:81", "127.0.0.1:81"},
                                                                  {"*:81", "127.0.0.1:81"},
                                                                  {"127.0.0.1:81", "*:81"},
                                                                  {"[::]:81", "127.0.0.1:81"},
                                                                  {"localhost:81", "[::1]:81"}}) {
    const auto text = problem(listen, admin);
    EXPECT_TRUE(text.starts_with("F: admin.listen: ") && text.find("is taken by listen") < 80)
        << text;
  }
  for (const auto& [listen, admin] :
       std::initializer_list<std::pair<const char*, const char*>>{{"127.0.0.1:81", "127.0.0.1:82"},
                                                                  {"127.0.0.1:81", "127.0.0.2:81"},
                                                                  {"0.0.0.0:81", "[::1]:81"},
                                                                  {"127.0.0.1:0", "127.0.0.1:0"}}) {
    EXPECT_EQ(problem(listen, admin), "");
  }
}

TEST(BadConfig, with_an_alias_of_an_alias_is_told) {
  expect({{with(R"("models": {"aliases": {"a": "b", "b": "m"}})"),
           "F: models.aliases.a: \"b\" is an alias itself; name the model that it means\n"},
          {with(R"("models": {"aliases": {"a": "a"}})"),
           "F: models.aliases.a: \"a\" is an alias itself; name the model that it means\n"}});
}

TEST(BadConfig, with_a_fallback_that_can_never_serve_is_told) {
  expect({{with(R"("models": {"aliases": {"a": "m"}, "fallbacks": {"big": ["small", "a"]}})"),
           "F: models.fallbacks.big: \"a\" is an alias; name the model that it means\n"},
          {with(R"("models": {"aliases": {"a": "m"}, "fallbacks": {"a": "small"}})"),
           "F: models.fallbacks.a: is an alias; name the model that it means\n"},
          {with(R"("models": {"fallbacks": {"big": "big"}})"),
           "F: models.fallbacks.big: \"big\" stands in for itself\n"}});
}

TEST(BadConfig, with_wrong_keys_of_clients_never_tells_them) {
  expect({
      {with(R"("auth": {"keys": {"a b": "sk-secret"}})"),
       "F: auth.keys[\"a b\"]: a client's name may hold 1 to 64 letters, digits and . _ @ -\n"},
      {with(R"("auth": {"keys": {"a": "sk secret"}})"),
       "F: auth.keys.a: character 3 of 9 cannot stand in a key: only visible ASCII can (is there a "
       "line end or blank too many?)\n"},
      {with(R"("auth": {"keys": {"a": 5}})"),
       "F: auth.keys.a: expected the key in double quotes, or {\"env\": \"VARIABLE\"}, found a "
       "number\n"},
      {with(R"("auth": {"keys": {"a": {"file": "x"}}})"),
       "F: auth.keys.a: expected the key in double quotes, or {\"env\": \"VARIABLE\"}, found an "
       "object\n"},
      {with(R"("auth": {"keys": {"a": {"env": "UNSET_KEY"}}})"),
       "F: auth.keys.a.env: the environment variable UNSET_KEY is not set\n"},
      {with(R"("auth": {"keys": {"a": {"env": "sk-secret"}}})"),
       "F: auth.keys.a.env: must be the name of an environment variable (letters, digits and '_'), "
       "not the key itself\n"},
      {with(R"("auth": {"keys": {"a": "sk-secret", "b": {"env": "SECRET"}}})"),
       "F: auth.keys.b: the same key as auth.keys.a; give each client its own\n"},
      {with(R"("auth": {"keys": {"a": "sk-1", "a": "sk-2"}})"),
       "F: auth.keys.a: this name stands twice in the same object\n"},
      {with(R"("auth": {"trusted_proxies": ["10.0.0.5/8"]})"),
       "F: auth.trusted_proxies[0]: expected an IP address or a network whose address has no bits "
       "behind its prefix, such as \"192.168.0.0/16\", found the text \"10.0.0.5/8\"\n"},
      {with(R"("auth": {"trusted_proxies": "10.0.0.5"})"),
       "F: auth.trusted_proxies: expected a list such as [\"10.0.0.5\", \"192.168.0.0/16\"], found "
       "the text \"10.0.0.5\"\n"},
  });
}

}  // namespace
}  // namespace lmb::config
