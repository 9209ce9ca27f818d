#pragma once

#include <cstdint>
#include <string>

namespace lmb::peers {

/// A whole chat request (head and body) for a stub worker with a prompt of about 1 KB.
/// `events` = 0 asks for a plain answer, else for a stream of that many events, `interval_us`
/// apart.
[[nodiscard]] std::string chat_request(std::uint64_t events, std::uint64_t interval_us);

}  // namespace lmb::peers
