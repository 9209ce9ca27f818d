// Workers that have said the last word of a stream and do not end it: clients and slots do not wait
// for them.
#include <sstream>
#include <string>

#include "times_fixture.hpp"

namespace lmb::proxy {
namespace {

using std::chrono::seconds;
using test::Peer;

constexpr const char* head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& data) {
  std::ostringstream size;
  size << std::hex << data.size();
  return size.str() + "\r\n" + data + "\r\n";
}

const std::string token = chunk("data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n");
const std::string last_word = chunk("data: [DONE]\n\n");
const std::string error = chunk("data: {\"error\":{\"message\":\"Compute error.\"}}\n\n");

class LastWord : public test::TimesFixture {
 protected:
  LastWord() { raise(0); }

  [[nodiscard]] std::uint32_t in_flight() const {
    return dispatcher->snapshot().workers[0].in_flight;
  }
  /// The client has got the answer up to this text.
  void expect_told(Peer& client, const std::string& text) {
    EXPECT_TRUE(until([&] {
      answer += client.read_available();
      return answer.find(text) != std::string::npos;
    })) << answer;
  }

  std::string answer;
};

TEST_F(LastWord, of_a_stream_is_its_end_a_second_later) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + token + last_word);
  expect_told(client, "[DONE]");
  EXPECT_EQ(in_flight(), 1U) << "its end may still come";
  expect_after(seconds(1), [&] { return in_flight() == 0; });
  expect_told(client, "\r\n0\r\n\r\n");
  EXPECT_TRUE(idle());
  EXPECT_TRUE(worker->at_end()) << "who knows what it would say next";
  EXPECT_NE(log().find(R"("termination":"--")"), std::string::npos) << log();
  client.send(chat());
  auto again = accept_request();
  again->send(head + token + last_word + "0\r\n\r\n");
  answer.clear();
  expect_told(client, "\r\n0\r\n\r\n");
}

TEST_F(LastWord, that_is_an_error_is_the_end_when_nothing_follows_for_a_second) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + token + error);
  expect_told(client, "Compute error");
  for (int i = 0; i < 3; ++i) {
    pass(seconds(1) - moment);
    EXPECT_EQ(in_flight(), 1U);
    answer.clear();
    worker->send(token);
    expect_told(client, "Hi");
  }
  expect_after(seconds(1), [&] { return in_flight() == 0; });
  answer.clear();
  expect_told(client, "0\r\n\r\n");
  expect_line("worker_error", "WD");
}

TEST_F(LastWord, is_what_a_client_waits_for_that_leaves_then) {
  auto client = connect();
  client.send(chat());
  auto worker = accept_request();
  worker->send(head + token + last_word);
  expect_told(client, "[DONE]");
  client.close();
  EXPECT_TRUE(until([&] { return in_flight() == 0; }));
  EXPECT_EQ(dispatcher->snapshot().workers[0].settling, 0U);
}

}  // namespace
}  // namespace lmb::proxy
