#pragma once

#include <string>
#include <string_view>

namespace lmb::app {

/// The text with '?' for each character that a terminal might obey (control characters, C1 too, and
/// those that turn the direction of text) and for bytes that are no UTF-8: names come from workers
/// and clients.
std::string printable(std::string_view text);

}  // namespace lmb::app
