#include "lmb/proxy/client_identity.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lmb::proxy {
namespace {

using boost::asio::ip::make_address;

/// What a request with these header lines shows.
Credentials shown(const std::string& lines, protocol::RequestHead& head) {
  static std::string text;  // The head's views point here.
  text = "GET / HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n";
  const auto parsed = protocol::parse_request_head(text, protocol::HeadLimits{}, head);
  EXPECT_TRUE(parsed.has_value()) << text;
  return credentials_of(head, true);
}

std::string token_in(const std::string& lines) {
  protocol::RequestHead head;
  return std::string(shown(lines, head).token);
}

TEST(Credentials, the_token_stands_where_sdks_write_it) {
  EXPECT_EQ(token_in("Authorization: Bearer sk-1\r\n"), "sk-1");
  EXPECT_EQ(token_in("authorization: bearer  sk-1 \r\n"), "sk-1");
  EXPECT_EQ(token_in("X-Api-Key: sk-2\r\n"), "sk-2");
  EXPECT_EQ(token_in("X-Api-Key: sk-2\r\nAuthorization: Bearer sk-1\r\n"), "sk-1");
  EXPECT_EQ(token_in("Authorization: Basic c2s=\r\n"), "");
  EXPECT_EQ(token_in(""), "");
}

AuthOptions with_proxies() {
  AuthOptions options;
  options.trusted_proxies = {*net::parse_network("10.0.0.0/8"), *net::parse_network("::1")};
  return options;
}

std::string chain(const Identities& identities, const std::string& lines, const char* peer) {
  protocol::RequestHead head;
  const auto credentials = shown(lines, head);
  const auto origin = identities.origin(credentials, make_address(peer));
  return origin.client.to_string() + " by " + origin.chain;
}

TEST(Origin, nobody_is_believed_who_is_not_trusted) {
  const std::string claim = "X-Forwarded-For: 203.0.113.1\r\n";
  EXPECT_EQ(chain(Identities({}), claim, "10.0.0.1"), "10.0.0.1 by 10.0.0.1");
  EXPECT_EQ(chain(Identities(with_proxies()), claim, "192.0.2.1"), "192.0.2.1 by 192.0.2.1");
}

TEST(Origin, is_the_last_address_that_a_trusted_proxy_wrote) {
  const Identities identities(with_proxies());
  EXPECT_EQ(chain(identities, "X-Forwarded-For: 203.0.113.1\r\n", "10.0.0.1"),
            "203.0.113.1 by 203.0.113.1, 10.0.0.1");
  // What stands before it the client may have written itself.
  EXPECT_EQ(chain(identities, "X-Forwarded-For: 198.51.100.9, 203.0.113.1, 10.0.0.2\r\n", "::1"),
            "203.0.113.1 by 203.0.113.1, 10.0.0.2, ::1");
  EXPECT_EQ(chain(identities, "X-Forwarded-For: 203.0.113.1\r\nX-Forwarded-For: 10.0.0.2\r\n",
                  "10.0.0.1"),
            "203.0.113.1 by 203.0.113.1, 10.0.0.2, 10.0.0.1");
  EXPECT_EQ(chain(identities, "", "::ffff:10.0.0.1"), "10.0.0.1 by 10.0.0.1");
}

TEST(Origin, ends_at_what_is_no_address) {
  const Identities identities(with_proxies());
  for (const auto* odd :
       {"unknown", "203.0.113.1.5", "a, 10.0.0.3x", "fe80::1%lo", "[::1", "\"1\""}) {
    EXPECT_EQ(chain(identities, std::string("X-Forwarded-For: ") + odd + "\r\n", "10.0.0.1"),
              "10.0.0.1 by 10.0.0.1")
        << odd;
  }
  EXPECT_EQ(chain(identities, "X-Forwarded-For: 203.0.113.1:4711\r\n", "10.0.0.1"),
            "203.0.113.1 by 203.0.113.1, 10.0.0.1");
  EXPECT_EQ(chain(identities, "X-Forwarded-For: [2001:db8::1]:4711\r\n", "10.0.0.1"),
            "2001:db8::1 by 2001:db8::1, 10.0.0.1");
}

TEST(Origin, a_long_way_is_cut) {
  const Identities identities(with_proxies());
  std::string line = "X-Forwarded-For: 203.0.113.1";
  for (int i = 0; i < 200; ++i) line += ", 10.0.0.2";
  EXPECT_TRUE(chain(identities, line + "\r\n", "10.0.0.1").starts_with("10.0.0.2 by "));
}

std::string name_of(const Identities& identities, const std::string& lines,
                    const char* peer = "192.0.2.1") {
  protocol::RequestHead head;
  const auto credentials = shown(lines, head);
  const auto origin = identities.origin(credentials, make_address(peer));
  const auto identity = identities.identify(credentials, origin);
  return identity ? identity->name : std::string(to_string(identity.error().kind()));
}

TEST(Identity, without_keys_is_a_hash_of_the_token_or_else_of_the_address) {
  const Identities identities({});
  const std::set<std::string> names{name_of(identities, ""), name_of(identities, "", "192.0.2.2"),
                                    name_of(identities, "Authorization: Bearer sk-1\r\n"),
                                    name_of(identities, "Authorization: Bearer sk-2\r\n"),
                                    // A token that looks like an address is not one.
                                    name_of(identities, "Authorization: Bearer 192.0.2.1\r\n")};
  EXPECT_EQ(names.size(), 5U);
  for (const auto& name : names) {
    EXPECT_TRUE(name.starts_with("token-") || name.starts_with("address-")) << name;
    EXPECT_EQ(name.find("sk-"), std::string::npos);
    EXPECT_EQ(name.find("192."), std::string::npos);
  }
  EXPECT_EQ(name_of(identities, "Authorization: Bearer sk-1\r\n", "192.0.2.7"),
            name_of(identities, "X-Api-Key: sk-1\r\n", "192.0.2.8"))
      << "the same client from two places";
  EXPECT_NE(name_of(identities, ""), name_of(Identities({}), "")) << "keyed anew by each process";
}

TEST(Identity, with_keys_is_the_name_of_the_one_shown) {
  AuthOptions options;
  options.keys = {{"alice", "sk-1", ""}, {"bob", "sk-2", ""}};
  const Identities identities(options);
  EXPECT_TRUE(identities.keyed());
  EXPECT_EQ(name_of(identities, "Authorization: Bearer sk-1\r\n"), "alice");
  EXPECT_EQ(name_of(identities, "x-api-key: sk-2\r\n"), "bob");
  EXPECT_EQ(name_of(identities, "Authorization: Bearer sk-\r\n"), "unauthorized");
  EXPECT_EQ(name_of(identities, "Authorization: Bearer sk-11\r\n"), "unauthorized");
  EXPECT_EQ(name_of(identities, "Authorization: Basic sk-1\r\n"), "unauthorized");
  EXPECT_EQ(name_of(identities, ""), "unauthorized");
}

}  // namespace
}  // namespace lmb::proxy
