#include "nearest_key.hpp"

#include <gtest/gtest.h>

#include "lmb/config/edit_distance.hpp"

#include <string>

namespace lmb::config {
namespace {

TEST(EditDistance, counts_inserts_removals_replacements_and_swaps) {
  EXPECT_EQ(edit_distance("slots", "slots"), 0U);
  EXPECT_EQ(edit_distance("slot", "slots"), 1U);
  EXPECT_EQ(edit_distance("slotss", "slots"), 1U);
  EXPECT_EQ(edit_distance("slats", "slots"), 1U);
  EXPECT_EQ(edit_distance("solts", "slots"), 1U);
  EXPECT_EQ(edit_distance("", "slots"), 5U);
  EXPECT_EQ(edit_distance("slots", ""), 5U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("Keep-Alive", "keep_alive"), 0U);
}

TEST(Suggestion, names_the_nearest_key_of_the_section) {
  EXPECT_EQ(suggest_key("workers[]", "slot").text, "did you mean \"slots\"?");
  EXPECT_EQ(suggest_key("workers[]", "slot").meant, "slots");
  EXPECT_EQ(suggest_key("", "worker").text, "did you mean \"workers\"?");
  EXPECT_EQ(suggest_key("", "Listen").text, "did you mean \"listen\"?");
  EXPECT_EQ(suggest_key("timeouts", "keepalive").text, "did you mean \"keep_alive\"?");
  EXPECT_EQ(suggest_key("limits", "stream_bufer_total").text,
            "did you mean \"stream_buffer_total\"?");
  EXPECT_EQ(suggest_key("queue", "max_wait_steam").text, "did you mean \"max_wait_stream\"?");
}

TEST(Suggestion, says_where_a_key_of_another_section_belongs) {
  EXPECT_EQ(suggest_key("", "max_wait").text, "\"max_wait\" belongs in \"queue\"");
  EXPECT_EQ(suggest_key("queue", "threads").text, "\"threads\" belongs at the top level");
  EXPECT_EQ(suggest_key("", "url").text, "\"url\" belongs in \"workers[]\"");
  EXPECT_EQ(suggest_key("", "url").meant, "");
}

TEST(Suggestion, lists_the_keys_when_none_is_near) {
  EXPECT_EQ(suggest_key("retry", "zzzzzz").text,
            "known here: attempts, budget_percent, budget_min");
  EXPECT_EQ(suggest_key("retry", std::string(1'000'000, 'a')).text,
            "known here: attempts, budget_percent, budget_min");
  EXPECT_EQ(suggest_key("retry", "").text, "known here: attempts, budget_percent, budget_min");
}

}  // namespace
}  // namespace lmb::config
