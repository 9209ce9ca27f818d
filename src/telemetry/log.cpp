#include "lmb/telemetry/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>

#include <memory>
#include <string>

#include "lmb/base/utf8.hpp"
#include "stderr_sink.hpp"

namespace lmb::telemetry {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Never destroyed: a message may come from the destructor of another static object.
spdlog::logger& logger() {
  static spdlog::logger& instance = []() -> spdlog::logger& {
    auto* created = new spdlog::logger("lmbalancer", std::make_shared<StderrSink>());
    created->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
    created->set_level(spdlog::level::info);
    // Its own handler writes to stderr and may be held there. What fails is memory for the text.
    created->set_error_handler([](const std::string&) { StderrSink::count_dropped(); });
    return *created;
  }();
  return instance;
}

void append_escaped_bytes(std::string& out, std::string_view bytes) {
  constexpr std::string_view hex_digits = "0123456789abcdef";
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    out += "\\x";
    out += hex_digits[value >> 4U];
    out += hex_digits[value & 0xFU];
  }
}

std::string printable(std::string_view message) {
  std::string out;
  out.reserve(message.size());
  while (!message.empty()) {
    const Utf8Unit unit = first_unit(message);
    const std::string_view character = message.substr(0, unit.length);
    if (unit.kind == Utf8Kind::plain) {
      out += character;
    } else if (character == "\n") {
      out += "\\n";
    } else {
      append_escaped_bytes(out, character);
    }
    message.remove_prefix(unit.length);
  }
  return out;
}

}  // namespace

void log(LogLevel level, std::string_view message) {
  if (!log_enabled(level)) return;
  const std::string text = printable(message);
  logger().log(spdlog_level(level), spdlog::string_view_t(text.data(), text.size()));
}

void set_log_level(LogLevel level) noexcept {
  logger().set_level(spdlog_level(level));
}

bool log_enabled(LogLevel level) noexcept {
  return logger().should_log(spdlog_level(level));
}

std::uint64_t log_messages_dropped() noexcept {
  return StderrSink::dropped();
}

}  // namespace lmb::telemetry
