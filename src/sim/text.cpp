#include "text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <random>

#include "lmb/sim/engine.hpp"

namespace lmb::sim {
namespace {

constexpr std::size_t bytes_per_token = 4;
constexpr std::size_t piece_length = 5;

constexpr std::array<std::string_view, 64> words = {
    "the",    "a",     "small", "old",   "red",   "clear",  "quiet", "late",  "river", "stone",
    "bird",   "road",  "lamp",  "wind",  "field", "house",  "door",  "tea",   "book",  "cloud",
    "garden", "ship",  "song",  "hill",  "train", "winter", "bread", "glass", "cat",   "boat",
    "sees",   "finds", "keeps", "opens", "holds", "moves",  "waits", "turns", "calls", "brings",
    "under",  "over",  "near",  "with",  "from",  "into",   "after", "and",   "then",  "but",
    "so",     "every", "some",  "this",  "that",  "one",    "two",   "still", "soon",  "never",
    "always", "here",  "there", "again"};

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

void add_word(std::vector<std::string>& out, std::string_view word, bool starts_sentence) {
  std::string text(word);
  if (starts_sentence)
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  if (!out.empty()) text.insert(text.begin(), ' ');
  for (std::size_t at = 0; at < text.size(); at += piece_length) {
    out.push_back(text.substr(at, piece_length));
  }
}

}  // namespace

std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ mix(seed);
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return mix(hash);
}

std::vector<std::string> make_answer(std::uint64_t seed, std::uint32_t tokens_min) {
  std::mt19937_64 random(seed);
  std::vector<std::string> out;
  do {
    const std::uint64_t length = 6 + random() % 8;
    for (std::uint64_t i = 0; i < length; ++i) {
      add_word(out, words[random() % words.size()], i == 0);
    }
    out.emplace_back(".");
  } while (out.size() < tokens_min);
  return out;
}

std::vector<float> make_embedding(std::string_view text, std::size_t dimensions) {
  std::mt19937_64 random(hash_text(text, 0));
  std::vector<float> out(dimensions);
  double squares = 0;
  for (float& x : out) {
    const double value = static_cast<double>(random() >> 11) * 0x1p-52 - 1;
    squares += value * value;
    x = static_cast<float>(value);
  }
  for (float& x : out) x = static_cast<float>(x / std::sqrt(squares));
  return out;
}

std::uint32_t estimate_tokens(std::string_view text) {
  const std::size_t tokens = (text.size() + bytes_per_token - 1) / bytes_per_token;
  return static_cast<std::uint32_t>(std::max<std::size_t>(tokens, 1));
}

std::vector<std::uint64_t> hash_prefix(std::string_view prompt) {
  constexpr std::size_t block = prefix_block_tokens * bytes_per_token;
  std::vector<std::uint64_t> out;
  out.reserve(prompt.size() / block);
  std::uint64_t hash = 0;
  for (std::size_t at = 0; at + block <= prompt.size(); at += block) {
    hash = hash_text(prompt.substr(at, block), hash);
    out.push_back(hash);
  }
  return out;
}

}  // namespace lmb::sim
