#pragma once

#include <string_view>

namespace lmb::protocol {

/// Takes the first element off a comma-separated field value (RFC 9110 section 5.6.1) and returns
/// it without the white space around it; it may be empty. Loop while `rest` is not empty.
std::string_view take_list_item(std::string_view& rest) noexcept;

/// True for the characters that RFC 9110 section 5.6.2 allows in a token.
bool is_token_char(char c) noexcept;

/// True when `text` is a token: at least one character, and only token characters.
bool is_token(std::string_view text) noexcept;

/// Field-name equality as a CGI-like server sees it: without regard to case, and `_` equals `-`.
bool same_field_name(std::string_view a, std::string_view b) noexcept;

/// `name` begins with `prefix` in the sense of same_field_name.
bool field_name_starts_with(std::string_view name, std::string_view prefix) noexcept;

}  // namespace lmb::protocol
