// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/device_events.hpp"

#include <gtest/gtest.h>

#include "unit/hal/scratch_folder.hpp"

namespace wattproof::firmware {
namespace {

using testing::ScratchFolder;

std::size_t lines(const std::string& text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); }

TEST(device_events, writes_one_json_object_a_line) {
  const ScratchFolder folder;
  {
    EventLog log;
    ASSERT_TRUE(log.open_events(folder / "events"));
    Event event("relay");
    event.add("on", true).add("power_w", std::int32_t{-5}).add("detail", "a \"b\" \\ \n \xff");
    log.write(Level::info, event, 42, 0);
  }
  EXPECT_EQ(folder.read("events"), "{\"ms\":42,\"event\":\"relay\",\"on\":true,\"power_w\":-5,\"detail\":\"a \\\"b\\\" \\\\ \\u000a \\u00ff\"}\n");
}

TEST(device_events, names_the_block_that_justified_an_output) {
  node::Evidence evidence{.reason = node::Reason::schedule, .epoch = 3, .slot = 5, .block_number = 77};
  evidence.block_hash[31] = 0xab;
  Event event("setpoint");
  event.add(evidence);
  EXPECT_EQ(event.json(), ",\"reason\":\"schedule\",\"epoch\":3,\"slot\":5,\"block\":77,\"block_hash\":\"0x" + std::string(62, '0') + "ab\"");
  EXPECT_NE(event.line().find("block=77"), std::string::npos);
  Event fallback("setpoint");
  fallback.add(node::Evidence{});
  EXPECT_EQ(fallback.line(), " reason=fallback");
  EXPECT_NE(fallback.json().find("\"block\":0"), std::string::npos);
}

TEST(device_events, cuts_a_flood_and_says_how_much_was_left_out) {
  const ScratchFolder folder;
  EventLog log;
  ASSERT_TRUE(log.open_events(folder / "events"));
  for (int i = 0; i < 1000; ++i) log.write(Level::debug, Event("refused"), 0, 0);
  EXPECT_EQ(lines(folder.read("events")), event_burst_max);
  EXPECT_EQ(log.suppressed(), 1000 - event_burst_max);
  log.write(Level::debug, Event("other"), 0, 0);  // another kind has a budget of its own
  EXPECT_EQ(lines(folder.read("events")), event_burst_max + 1);
  log.write(Level::debug, Event("refused"), 0, event_refill_ms);
  const std::string text = folder.read("events");
  EXPECT_EQ(lines(text), event_burst_max + 2);
  EXPECT_NE(text.find("\"suppressed_before\":" + std::to_string(1000 - event_burst_max)), std::string::npos);
}

TEST(device_events, never_cuts_the_changes_of_an_output) {
  const ScratchFolder folder;
  EventLog log;
  ASSERT_TRUE(log.open_events(folder / "events"));
  for (int i = 0; i < 1000; ++i) log.write_always(Level::debug, Event("relay"), 0);
  EXPECT_EQ(lines(folder.read("events")), 1000u);
}

TEST(device_events, says_when_its_file_cannot_be_written) {
  const ScratchFolder folder;
  EventLog log;
  EXPECT_FALSE(log.open_events(folder / "absent" / "events"));
  log.write(Level::debug, Event("relay"), 0, 0);
}

}  // namespace
}  // namespace wattproof::firmware
