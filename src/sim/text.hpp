#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmb::sim {

/// A stable 64-bit hash (FNV-1a with a final mix), continued from `seed`.
std::uint64_t hash_text(std::string_view text, std::uint64_t seed);

/// Readable sentences as tokens of about four characters, leading space included: at least
/// `tokens_min`, then up to the end of the sentence. The same seed gives the same text everywhere.
std::vector<std::string> make_answer(std::uint64_t seed, std::uint32_t tokens_min);

/// A unit vector, the same for the same text.
std::vector<float> make_embedding(std::string_view text, std::size_t dimensions);

/// Estimated tokens of a text: a quarter of its bytes, at least 1.
std::uint32_t estimate_tokens(std::string_view text);

/// Job::prefix of a prompt: one chained hash per prefix_block_tokens estimated tokens.
std::vector<std::uint64_t> hash_prefix(std::string_view prompt);

}  // namespace lmb::sim
