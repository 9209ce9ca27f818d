#include "lmb/bench/target.hpp"

#include <gtest/gtest.h>

namespace lmb::bench {
namespace {

TEST(Target, reads_what_people_write) {
  const auto plain = parse_target("http://127.0.0.1:8080").value();
  EXPECT_EQ(plain.host, "127.0.0.1");
  EXPECT_EQ(plain.port, 8080);
  EXPECT_EQ(plain.base_path, "/v1");
  EXPECT_EQ(parse_target("http://h:1/v1/").value().base_path, "/v1");
  EXPECT_EQ(parse_target("http://h:1/").value().base_path, "/v1");
  EXPECT_EQ(parse_target("http://h:1/api/v0").value().base_path, "/api/v0");
  EXPECT_EQ(parse_target("mac-studio-05.local:1234").value().port, 1234);
  EXPECT_EQ(parse_target("http://mac").value().port, 80);
}

TEST(Target, writes_the_host_field) {
  EXPECT_EQ(parse_target("http://mac:1234").value().host_field(), "mac:1234");
  EXPECT_EQ(parse_target("http://mac:80").value().host_field(), "mac");
  const auto v6 = parse_target("http://[::1]:8080/v1").value();
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.host_field(), "[::1]:8080");
  EXPECT_EQ(v6.origin(), "http://[::1]:8080");
}

TEST(Target, says_what_is_wrong) {
  const auto problem = [](const char* url) {
    const auto target = parse_target(url);
    return target ? std::string("none") : target.error().detail();
  };
  EXPECT_NE(problem("https://h").find("plain HTTP only"), std::string::npos);
  EXPECT_NE(problem("ftp://h").find("http://"), std::string::npos);
  EXPECT_NE(problem("http://").find("no host"), std::string::npos);
  EXPECT_NE(problem("http://:80").find("no host"), std::string::npos);
  EXPECT_NE(problem("http://::1:80").find("brackets"), std::string::npos);
  EXPECT_NE(problem("http://[::1").find("']'"), std::string::npos);
  EXPECT_NE(problem("http://h/v1?x=1").find("query"), std::string::npos);
  EXPECT_NE(problem("http://user@h").find("user name"), std::string::npos);
  EXPECT_NE(problem("http://h\r\nx").find("blank"), std::string::npos);
  for (const char* url : {"http://h:", "http://h:0", "http://h:65536", "http://h:8o",
                          "http://[::1]8", "http://h:-1"}) {
    EXPECT_NE(problem(url).find("1 to 65535"), std::string::npos) << url;
  }
}

}  // namespace
}  // namespace lmb::bench
