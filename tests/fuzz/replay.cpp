// Plays the kept inputs of a fuzz target, and many small changes of them, without a fuzzer: what
// was found once stays found, with any compiler.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "input.hpp"

namespace lmb::fuzz {
namespace {

struct Kept {
  std::string name;
  std::string bytes;
};

std::vector<Kept> corpus() {
  std::vector<Kept> all;
  for (const auto& entry : std::filesystem::directory_iterator(LMB_CORPUS)) {
    std::ifstream file(entry.path(), std::ios::binary);
    all.push_back(
        {entry.path().filename().string(), std::string(std::istreambuf_iterator<char>(file), {})});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

void play(const std::string& bytes) {
  // A copy of its own size, so that a sanitizer sees a read beyond its end.
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  ASSERT_EQ(LLVMFuzzerTestOneInput(exact.data(), exact.size()), 0);
}

TEST(Corpus, keeps_every_promise) {
  const auto all = corpus();
  ASSERT_FALSE(all.empty()) << LMB_CORPUS;
  for (const auto& kept : all) {
    SCOPED_TRACE(kept.name);
    play(kept.bytes);
  }
}

/// One to four bytes changed, taken out or doubled, or the tail of another input put on.
std::string changed(std::string bytes, const std::string& other, std::mt19937_64& random) {
  const auto count = 1 + random() % 4;
  for (std::uint64_t i = 0; i < count && !bytes.empty(); ++i) {
    const auto at = random() % bytes.size();
    switch (random() % 5) {
      case 0:
        bytes[at] = static_cast<char>(random() % 256);
        break;
      case 1:
        bytes.erase(at, 1 + random() % 8);
        break;
      case 2:
        bytes.insert(at, bytes.substr(random() % bytes.size(), 1 + random() % 16));
        break;
      case 3:
        bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << random() % 8));
        break;
      default:
        bytes.resize(at);
        if (!other.empty()) bytes += other.substr(random() % other.size());
        break;
    }
  }
  return bytes;
}

TEST(Corpus, keeps_every_promise_when_it_is_changed_a_little) {
  const auto all = corpus();
  ASSERT_FALSE(all.empty());
  std::mt19937_64 random(20261122);
  constexpr std::size_t changes = 2000;
  for (std::size_t i = 0; i < changes; ++i) {
    const auto& kept = all[i % all.size()];
    play(changed(kept.bytes, all[random() % all.size()].bytes, random));
  }
}

}  // namespace
}  // namespace lmb::fuzz
