#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "lmb/base/manual_clock.hpp"
#include "lmb/telemetry/access_log.hpp"
#include "sample_record.hpp"

namespace lmb::telemetry {
namespace {

std::string line_of(const RequestRecord& record, std::string_view worker = "mac-studio-05") {
  std::string line;
  append_access_line(record, worker, line);
  return line;
}

nlohmann::json parsed(const RequestRecord& record, std::string_view worker = "mac-studio-05") {
  return nlohmann::json::parse(line_of(record, worker));
}

TEST(AccessLine, tells_everything_about_a_request_on_one_line) {
  manual_clock::reset();
  manual_clock::advance(std::chrono::milliseconds(3'723'004));
  EXPECT_EQ(line_of(sample_record()),
            R"({"time":"2019-12-20T02:02:03.004Z","request_id":"req-1","trace_id":null,)"
            R"("method":"POST",)"
            R"("route":"/v1/chat/completions","client":"alice","model":"qwen3-30b-a3b",)"
            R"("worker":"mac-studio-05",)"
            R"("stream":true,"status":200,"error":null,"attempts":1,"termination":"--",)"
            R"("total_ms":8000.000,"phases_ms":{"read":250.000,"proxy":250.000,"queue":500.000,)"
            R"("connect":0.000,"send":0.000,"prefill":1000.000,"generate":6000.000,)"
            R"("drain":0.000},"ttft_ms":2000.000,"tpot_ms":500.000,"prompt_tokens":100,)"
            R"("generated_tokens":13,"token_source":"usage","bytes_from_client":1000,)"
            R"("bytes_to_client":5000,"bytes_from_worker":6000,"bytes_to_worker":900})"
            "\n");
}

TEST(AccessLine, names_the_clients_trace_as_a_traceparent_does) {
  RequestRecord record = sample_record();
  record.trace_id = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
                     0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36};
  EXPECT_EQ(parsed(record).at("trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
  record.trace_id = {};
  record.trace_id.back() = 1;
  EXPECT_EQ(parsed(record).at("trace_id"), "00000000000000000000000000000001");
}

TEST(AccessLine, a_request_that_reached_nothing_is_a_line_too) {
  RequestRecord record;
  record.phases = PhaseClock(sample_begin);
  record.phases.stop(sample_begin + std::chrono::microseconds(1500));
  record.error = ErrorKind::head_timeout;
  record.termination = {'C', 'R'};
  const nlohmann::json line = parsed(record, "");
  EXPECT_TRUE(line.at("worker").is_null());
  EXPECT_TRUE(line.at("ttft_ms").is_null());
  EXPECT_TRUE(line.at("tpot_ms").is_null());
  EXPECT_EQ(line.at("status"), 0);
  EXPECT_EQ(line.at("error"), "head_timeout");
  EXPECT_EQ(line.at("termination"), "CR");
  EXPECT_EQ(line.at("total_ms"), 1.5);
  EXPECT_EQ(line.at("route"), "unknown");
  EXPECT_EQ(line.at("stream"), false);
}

TEST(AccessLine, what_a_client_chose_cannot_forge_or_bloat_a_line) {
  RequestRecord record = sample_record();
  record.model = "x\"}\n{\"time\":\"forged\xFF" + std::string(1'000'000, 'm');
  record.request_id = std::string(255, 'i') + "\xC3\xA9";
  record.method = std::string(5000, 'M');
  const std::string line = line_of(record);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_LT(line.size(), 2000U);
  const auto fields = nlohmann::json::parse(line);
  EXPECT_EQ(fields.at("request_id").get<std::string>(), std::string(255, 'i'));
  EXPECT_EQ(fields.at("model").get<std::string>().substr(0, 24),
            "x\"}\n{\"time\":\"forged\xEF\xBF\xBDmm");
}

/// The digits as they stand in the line, in microseconds.
std::int64_t printed_micros(const std::string& line, const std::string& key) {
  const std::size_t begin = line.find('"' + key + "\":") + key.size() + 3;
  const std::size_t point = line.find('.', begin);
  return std::stoll(line.substr(begin, point - begin)) * 1000 +
         std::stoll(line.substr(point + 1, 3));
}

TEST(AccessLine, printed_phases_sum_to_the_printed_total) {
  std::mt19937_64 random(99);
  for (int i = 0; i < 2000; ++i) {
    RequestRecord record = sample_record();
    TimePoint now = sample_begin;
    record.phases = PhaseClock(now);
    for (std::size_t phase = 1; phase <= phase_count; ++phase) {
      now += Duration(random() % 10'000'000);
      record.phases.enter(static_cast<Phase>(phase % phase_count), now);
    }
    const std::string line = line_of(record);
    std::int64_t sum = 0;
    for (std::size_t phase = 0; phase < phase_count; ++phase) {
      const auto name = static_cast<Phase>(phase);
      const std::int64_t micros = printed_micros(line, std::string(to_string(name)));
      EXPECT_LE(std::abs(micros * 1000 - record.phases.spent(name).count()), 1000);
      sum += micros;
    }
    ASSERT_EQ(sum, printed_micros(line, "total_ms")) << line;
  }
}

}  // namespace
}  // namespace lmb::telemetry
