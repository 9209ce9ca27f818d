#include "lmb/config/address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace lmb::config {
namespace {

using Addresses = std::vector<net::ListenAddress>;

Addresses listen(std::string_view text) {
  auto parsed = parse_listen(text);
  if (const auto* fault = std::get_if<AddressFault>(&parsed)) {
    ADD_FAILURE() << text << ": " << fault->message;
    return {};
  }
  return std::get<Addresses>(parsed);
}

std::string listen_fault(std::string_view text) {
  auto parsed = parse_listen(text);
  const auto* fault = std::get_if<AddressFault>(&parsed);
  return fault == nullptr ? "no fault" : fault->message;
}

std::string worker(std::string_view text) {
  auto parsed = parse_worker_url(text, 1234);
  if (const auto* fault = std::get_if<AddressFault>(&parsed)) return fault->message;
  const auto& address = std::get<HostPort>(parsed);
  return net::host_port_text(address.host, address.port);
}

TEST(ListenAddress, is_a_literal_or_a_name_for_several) {
  EXPECT_EQ(listen("127.0.0.1:8080"), (Addresses{{"127.0.0.1", 8080}}));
  EXPECT_EQ(listen("[::]:0"), (Addresses{{"::", 0}}));
  EXPECT_EQ(listen("[0:0::0001]:80"), (Addresses{{"::1", 80}}));
  EXPECT_EQ(listen("localhost:1"), (Addresses{{"127.0.0.1", 1}, {"::1", 1}}));
  EXPECT_EQ(listen("*:65535"), (Addresses{{"0.0.0.0", 65535}, {"::", 65535}}));
}

TEST(ListenAddress, of_any_other_form_is_refused_with_the_right_form) {
  for (const auto* text : {"", "8080", "127.0.0.1", ":8080", "[::1]", "[]:80", "localhost"}) {
    EXPECT_NE(listen_fault(text).find("expected \"host:port\""), std::string::npos) << text;
  }
  for (const auto* text : {"::1:8080", "[::1:8080", "[::1]8080", "1:2:3"}) {
    EXPECT_NE(listen_fault(text).find("IPv6 address in brackets"), std::string::npos) << text;
  }
  for (const auto* text : {"*:", "*:65536", "*:-1", "*:+1", "*:80 ", "*:0x50", "*:http"}) {
    EXPECT_EQ(listen_fault(text), "the port must be a number from 0 to 65535") << text;
  }
  for (const auto* text : {"myhost:80", "1.2.3:80", "1.2.3.256:80", "[1.2.3.4]:80",
                           "[fe80::1%en0]:80", " 127.0.0.1:80", "[localhost]:80", "[*]:80"}) {
    EXPECT_TRUE(listen_fault(text).starts_with("the host must be an IPv4 address")) << text;
  }
  EXPECT_TRUE(listen_fault(std::string_view("[::1\0x]:80", 10)).starts_with("the host must be"));
}

TEST(WorkerUrl, gives_host_and_port) {
  EXPECT_EQ(worker("http://mac-studio-05.local:1235"), "mac-studio-05.local:1235");
  EXPECT_EQ(worker("http://mac-studio-05.local"), "mac-studio-05.local:1234");
  EXPECT_EQ(worker("HTTP://Mac.Local/"), "mac.local:1234");
  EXPECT_EQ(worker("http://10.0.0.5:80/"), "10.0.0.5:80");
  EXPECT_EQ(worker("http://[FD00:0::5]"), "[fd00::5]:1234");
  EXPECT_EQ(worker("http://[::1]:1"), "[::1]:1");
  EXPECT_EQ(worker("http://[FE80::1%25en0]:1"), "[fe80::1%en0]:1");
  EXPECT_EQ(worker("http://[fe80::1%En0]"), "[fe80::1%En0]:1234") << "interfaces have cases";
  EXPECT_EQ(worker("http://my_mac"), "my_mac:1234");
}

TEST(WorkerUrl, refuses_what_it_would_have_to_ignore) {
  for (const auto* text :
       {"http://mac/v1", "http://mac:1234/v1/", "http://mac?x=1", "http://mac#x", "http://mac//"}) {
    EXPECT_TRUE(worker(text).starts_with("must end after host and port")) << text;
  }
  EXPECT_TRUE(worker("http://user:pw@mac").starts_with("must not hold a user or password"));
  EXPECT_TRUE(worker("https://mac").starts_with("https is not supported yet"));
  EXPECT_TRUE(worker("HTTPS://mac").starts_with("https is not supported yet"));
  for (const auto* text :
       {"", "mac", "mac:1234", "ftp://mac", "http:/mac", "//mac", " http://mac"}) {
    EXPECT_TRUE(worker(text).starts_with("must begin with http://")) << text;
  }
}

TEST(WorkerUrl, refuses_hosts_and_ports_that_cannot_be) {
  for (const auto* text : {"http://", "http:///", "http://:1234", "http://[]"}) {
    EXPECT_EQ(worker(text), "the host is missing after http://") << text;
  }
  for (const auto* text : {"http://mac:", "http://mac:0", "http://mac:65536", "http://mac:12x"}) {
    EXPECT_EQ(worker(text), "the port must be a number from 1 to 65535") << text;
  }
  for (const auto* text : {"http://::1", "http://[::1", "http://[::1]x", "http://a:b:c"}) {
    EXPECT_TRUE(worker(text).starts_with("an IPv6 address needs brackets")) << text;
  }
  for (const auto* text : {"http://1.2.3", "http://1234", "http://1.2.3.4.5", "http://300.1.1.1"}) {
    EXPECT_TRUE(worker(text).starts_with("the host looks like an IPv4 address")) << text;
  }
  EXPECT_TRUE(worker("http://[mac]").starts_with("no IPv6 address"));
  EXPECT_TRUE(worker("http://[mac%25en0]").starts_with("no IPv6 address"));
  EXPECT_TRUE(worker("http://[fd00::1%25en0]").starts_with("only link-local addresses"));
  for (const auto* text : {"http://[fe80::1%]", "http://[fe80::1%a b]", "http://[fe80::1%a%b]",
                           "http://[fe80::1%0123456789abcdef]"}) {
    EXPECT_TRUE(worker(text).starts_with("the zone must be")) << text;
  }
  for (const std::string& text :
       {std::string("http://m\xC3\xA4"), std::string("http://a..b"), std::string("http://a b"),
        std::string("http://.a"), std::string("http://a%41"), "http://" + std::string(64, 'a'),
        "http://" + std::string(254, 'a')}) {
    EXPECT_TRUE(worker(text).starts_with("the host is neither a DNS name")) << text;
  }
}

}  // namespace
}  // namespace lmb::config
