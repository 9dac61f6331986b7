// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/linux_port.hpp"

#include <gtest/gtest.h>

#include "unit/firmware/linux_node_config.hpp"
#include "unit/hal/scratch_folder.hpp"

namespace wattproof::firmware {
namespace {

using testing::good_linux_node_config;
using testing::replaced;
using testing::ScratchFolder;

// A port as the program opens it, on a configuration that a test may spoil.
class linux_port : public ::testing::Test {
 protected:
  Error open(const std::string& text = good_linux_node_config) {
    const std::vector<std::string> errors = read_configuration(folder_.write("d.toml", text), configuration_);
    EXPECT_TRUE(errors.empty()) << errors[0];
    EXPECT_EQ(key_.open(folder_ / "key"), Error::none);
    EXPECT_TRUE(log_.open_events(folder_ / "events"));
    port_.emplace(configuration_, key_, log_);
    return port_->open();
  }
  [[nodiscard]] std::size_t count(const std::string& words) const {
    const std::string events = folder_.read("events");
    std::size_t found = 0;
    for (std::size_t at = events.find(words); at != std::string::npos; at = events.find(words, at + 1)) ++found;
    return found;
  }

  ScratchFolder folder_;
  Configuration configuration_;
  hal::DeviceKey key_;
  EventLog log_;
  std::optional<LinuxPort> port_;
  const node::Evidence scheduled_{.reason = node::Reason::schedule, .epoch = 9, .slot = 3, .block_number = 44, .block_hash = {}};
};

TEST_F(linux_port, logs_each_change_of_an_output_once_with_its_block) {
  ASSERT_EQ(open(), Error::none);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(port_->set_relay(true, scheduled_), Error::none);
    EXPECT_EQ(port_->set_point(1200, scheduled_), Error::none);
  }
  EXPECT_EQ(count("\"event\":\"relay\",\"on\":true,\"reason\":\"schedule\",\"epoch\":9,\"slot\":3,\"block\":44"), 1u);
  EXPECT_EQ(count("\"event\":\"setpoint\",\"power_w\":1200,\"reason\":\"schedule\""), 1u);
  bool sensed = false;
  EXPECT_EQ(port_->sense_relay(sensed), Error::none);
  EXPECT_TRUE(sensed);
}

TEST_F(linux_port, opens_the_relay_and_takes_the_fallback_when_made_safe) {
  ASSERT_EQ(open(), Error::none);
  ASSERT_EQ(port_->set_relay(true, scheduled_), Error::none);
  ASSERT_EQ(port_->set_point(1200, scheduled_), Error::none);
  port_->make_safe();
  bool sensed = true;
  EXPECT_EQ(port_->sense_relay(sensed), Error::none);
  EXPECT_FALSE(sensed);
  EXPECT_EQ(count("\"on\":false,\"reason\":\"fallback\""), 1u);
  EXPECT_EQ(count("\"power_w\":-100,\"reason\":\"fallback\""), 1u);
}

TEST_F(linux_port, closes_nothing_when_made_safe_even_if_the_fallback_is_on) {
  ASSERT_EQ(open(replaced(good_linux_node_config, "on_ms_min = 1\n", "on_ms_min = 1\nfallback_on = true\n")), Error::none);
  port_->make_safe();
  bool sensed = true;
  EXPECT_EQ(port_->sense_relay(sensed), Error::none);
  EXPECT_FALSE(sensed);
  ASSERT_EQ(port_->set_relay(true, scheduled_), Error::none);
  port_->make_safe();
  EXPECT_EQ(port_->sense_relay(sensed), Error::none);
  EXPECT_TRUE(sensed);
}

TEST_F(linux_port, writes_the_set_point_to_its_file_as_a_whole) {
  ASSERT_EQ(open(replaced(good_linux_node_config, "setpoint = \"log\"", "setpoint = \"file\"\nsetpoint_file = \"power\"")), Error::none);
  EXPECT_EQ(port_->set_point(-2000, scheduled_), Error::none);
  EXPECT_EQ(folder_.read("power"), "-2000\n");
  EXPECT_EQ(port_->set_point(7, scheduled_), Error::none);
  EXPECT_EQ(folder_.read("power"), "7\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "power.new"));
}

TEST_F(linux_port, reports_a_set_point_that_cannot_be_written) {
  ASSERT_EQ(open(replaced(good_linux_node_config, "setpoint = \"log\"", "setpoint = \"file\"\nsetpoint_file = \"absent/power\"")), Error::none);
  EXPECT_EQ(port_->set_point(7, scheduled_), Error::hardware_failed);
  EXPECT_EQ(count("\"event\":\"setpoint\""), 0u);
}

TEST_F(linux_port, names_what_keeps_it_from_starting) {
  folder_.write("state", "a file where the folder should be");
  EXPECT_EQ(open(), Error::storage_failed);
  EXPECT_EQ(count("\"event\":\"store_refused\""), 1u);
  EXPECT_GE(count("Not a directory"), 1u);
}

TEST_F(linux_port, names_a_relay_that_is_not_there) {
  const std::string gpio = replaced(good_linux_node_config, "relay = \"simulated\"",
                                    "relay = \"gpio\"\nchip_label = \"no-such-chip\"\nline = 1\nactive_low = true");
  EXPECT_NE(open(gpio), Error::none);
  EXPECT_EQ(count("\"event\":\"relay_refused\""), 1u);
}

TEST_F(linux_port, names_a_secret_that_cannot_be_read) {
  ASSERT_EQ(open(replaced(good_linux_node_config, "anonymous = true", "password_file = \"absent\"")), Error::none);
  EXPECT_EQ(port_->open_link(), Error::configuration_invalid);
  EXPECT_EQ(count("\"event\":\"broker_refused\""), 1u);
  folder_.write("absent", "\n");
  EXPECT_EQ(port_->open_link(), Error::configuration_invalid);
  folder_.write("absent", "secret\n");
  EXPECT_EQ(port_->open_link(), Error::none);
}

TEST_F(linux_port, tells_of_a_proved_schedule_when_it_is_stored) {
  ASSERT_EQ(open(), Error::none);
  node::Schedule schedule;
  schedule.epoch = 12;
  schedule.start = {3600};
  schedule.slots = 4;
  schedule.slot_seconds = 900;
  schedule.block_number = 55;
  std::array<std::uint8_t, node::record_size_max> buffer{};
  const Result<Bytes> record = node::encode_schedule(schedule, buffer);
  ASSERT_TRUE(record);
  const auto id = static_cast<std::uint8_t>(node::RecordId::schedule_a);
  EXPECT_EQ(port_->write_record(id, *record), Error::none);
  EXPECT_EQ(count("\"event\":\"final\",\"epoch\":12,\"start\":3600,\"slots\":4,\"block\":55"), 1u);
  std::array<std::uint8_t, node::record_size_max> read{};
  const Result<std::uint32_t> size = port_->read_record(id, read);
  ASSERT_TRUE(size);
  EXPECT_TRUE(equal(Bytes(read).first(*size), *record));
}

}  // namespace
}  // namespace wattproof::firmware
