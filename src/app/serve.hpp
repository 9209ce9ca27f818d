#pragma once

#include <string>

#include "lmb/app/server.hpp"

namespace lmb::app {

/// Exit codes of every command.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

/// `lmbalancer serve`: runs the daemon until SIGTERM or SIGINT. Prints "listening on
/// http://HOST:PORT" per address.
int serve(const std::string& config_file);

/// `lmbalancer check`: every problem of the file, or a summary of what it means.
int check(const std::string& config_file);

/// "http://127.0.0.1:8080" for each endpoint of the server.
std::string url_of(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace lmb::app
