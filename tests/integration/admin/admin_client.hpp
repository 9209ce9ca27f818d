#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace lmb::test {

/// One request to the admin listener, on a connection of its own. `fields`: all of them, each with
/// its line end.
inline RawAnswer ask_admin(const Daemon& daemon, const std::string& method_and_target,
                           const std::string& fields, const std::string& body = {}) {
  RawClient client(daemon.admin_port());
  client.send(method_and_target + " HTTP/1.1\r\n" + fields + "\r\n" + body);
  return client.read_answer();
}

inline constexpr const char* safe_host = "Host: localhost:8081\r\n";

inline nlohmann::json read_admin(const Daemon& daemon, const std::string& target) {
  const auto answer = ask_admin(daemon, "GET " + target, safe_host);
  EXPECT_EQ(answer.status, 200U) << target << answer.body;
  return nlohmann::json::parse(answer.body);
}

/// A call as `lmbalancer drain` sends it.
inline RawAnswer post_admin(const Daemon& daemon, const std::string& target) {
  return ask_admin(
      daemon, "POST " + target,
      std::string(safe_host) + "Content-Type: application/json\r\nContent-Length: 0\r\n");
}

}  // namespace lmb::test
