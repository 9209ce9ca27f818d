// What the program says and returns when it cannot begin.
#include <gtest/gtest.h>

#include "config_file.hpp"
#include "served_fleet.hpp"

namespace lmb::test {
namespace {

TEST(Start, a_bad_config_is_refused_with_all_its_faults_at_once) {
  const ConfigFile file(R"({"workers": [
    {"name": "a", "url": "http://mac-1:1234", "slot": 2},
    {"name": "a", "url": "https//mac"}], "queue": {"lenght": 5}})");
  for (const std::string command : {"check", "serve"}) {
    Program program({command, "-c", file.name()});
    EXPECT_EQ(program.wait_end(), 1) << command;
    for (const std::string part : {"workers[0].slot: ", "\"slots\"", "workers[1].name: ",
                                   "workers[1].url: ", "queue.lenght: ", "\"length\""}) {
      EXPECT_NE(program.output().find(part), std::string::npos) << part << program.output();
    }
  }
}

TEST(Start, needs_at_least_one_worker) {
  const ConfigFile empty("{}");
  Program nobody({"serve", "-c", empty.name()});
  EXPECT_EQ(nobody.wait_end(), 1);
  EXPECT_NE(nobody.output().find("at least one worker"), std::string::npos) << nobody.output();
}

TEST(Start, a_good_config_is_summed_up) {
  const ConfigFile file(R"({"workers": [{"name": "a", "url": "http://[::1]:9", "slots": 3}]})");
  Program program({"check", "-c", file.name()});
  EXPECT_EQ(program.wait_end(), 0);
  EXPECT_NE(program.output().find("ok, 1 worker\n"), std::string::npos) << program.output();
  EXPECT_NE(program.output().find("a at [::1]:9, slots 3"), std::string::npos);
}

TEST(Start, a_port_in_use_is_told_with_a_way_out) {
  ServedFleet served(100);
  const ConfigFile file(R"({"listen": "127.0.0.1:)" + std::to_string(served.port()) +
                        R"(", "workers": [{"url": "http://127.0.0.1:9"}]})");
  Program second({"serve", "-c", file.name()});
  EXPECT_EQ(second.wait_end(), 1);
  EXPECT_NE(second.output().find("choose another port"), std::string::npos) << second.output();
}

}  // namespace
}  // namespace lmb::test
