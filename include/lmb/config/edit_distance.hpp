#pragma once

#include <cstddef>
#include <string_view>

namespace lmb::config {

/// The edits (insert, remove, replace, swap neighbours) between two names, case and '-' against '_'
/// not counting. Takes time in proportion to the product of their lengths.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Whether a name that needs so many edits to become `meant` is a misspelling of it: one, or a
/// third of its length.
bool near(std::size_t edits, std::string_view meant) noexcept;

}  // namespace lmb::config
