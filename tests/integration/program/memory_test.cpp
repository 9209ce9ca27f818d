// What large requests leave behind.
#include <list>

#include "served_fleet.hpp"

namespace lmb::test {
namespace {

// Of glibc's allocator: a sanitizer's keeps freed memory in quarantine.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
double resident_bytes(const ServedFleet& served) {
  const auto page = served.get_once("/metrics").body;
  const std::string name = "\nprocess_resident_memory_bytes ";
  const auto at = page.find(name);
  EXPECT_NE(at, std::string::npos);
  return at == std::string::npos ? 0 : std::stod(page.substr(at + name.size()));
}

TEST(Memory, of_large_bodies_goes_back_to_the_system) {
  ServedFleet served(100);
  constexpr double mebibyte = 1024 * 1024;
  auto body = chat(false);
  body.pop_back();
  body += R"(,"user":")";
  const auto send_bodies = [&](std::size_t count, std::size_t bytes) {
    const auto request = post("/v1/chat/completions", body + std::string(bytes, 'x') + "\"}");
    std::list<RawClient> clients;
    // The last byte comes when all are there: so all are held at once.
    for (std::size_t i = 0; i < count; ++i) {
      clients.emplace_back(served.port()).send(request.substr(0, request.size() - 1));
    }
    for (auto& client : clients) client.send(request.substr(request.size() - 1));
    for (auto& client : clients) EXPECT_EQ(client.read_answer().status, 200U);
  };
  send_bodies(1, 1000);
  const auto before = resident_bytes(served);
  send_bodies(1, 64 * 1024 * 1024 - 1000);
  // Each freed block would teach glibc to keep the next ones of its size.
  for (int round = 0; round < 2; ++round) send_bodies(4, 20 * 1024 * 1024);
  EXPECT_TRUE(eventually([&] { return resident_bytes(served) < before + 16 * mebibyte; }))
      << before / mebibyte << " MiB before, " << resident_bytes(served) / mebibyte << " after";
}
#endif

}  // namespace
}  // namespace lmb::test
