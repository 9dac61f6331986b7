// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/configuration.hpp"

#include <gtest/gtest.h>

#include "firmware/linux_node/node_config.hpp"
#include "unit/firmware/linux_node_config.hpp"
#include "unit/hal/scratch_folder.hpp"

namespace wattproof::firmware {
namespace {

namespace fs = std::filesystem;
using testing::good_linux_node_config;
using testing::replaced;
using testing::ScratchFolder;

std::vector<std::string> complaints(const std::string& text) {
  const ScratchFolder folder;
  Configuration configuration;
  std::vector<std::string> errors = read_configuration(folder.write("d.toml", text), configuration);
  for (std::string& error : errors) error = error.substr(folder.path().string().size() + 1);
  return errors;
}

TEST(configuration, gives_the_node_what_the_file_says) {
  const ScratchFolder folder;
  Configuration configuration;
  const std::vector<std::string> errors = read_configuration(folder.write("d.toml", good_linux_node_config), configuration);
  ASSERT_TRUE(errors.empty()) << errors[0];
  EXPECT_EQ(check_node_config(configuration), "");
  Address address{};
  address.fill(9);
  const node::Config config = to_node_config(configuration, address);
  EXPECT_EQ(config.chain.chain_id, 1337u);
  EXPECT_EQ(config.chain.registry[1], 0x11);
  EXPECT_EQ(config.chain.engine.shape, chain::HeaderShape::shanghai);
  EXPECT_EQ(config.chain.engine.period_s_min, 2u);
  EXPECT_EQ(config.chain.engine.trusting_period_s, 1000u);
  EXPECT_EQ(config.chain.freshness.age_s_max, 60u);
  EXPECT_EQ(config.chain.freshness.skew_s_max, 5u);
  EXPECT_EQ(config.chain.checkpoint.number, 7u);
  EXPECT_EQ(config.chain.checkpoint.hash[31], 0x11);
  EXPECT_EQ(config.chain.checkpoint.timestamp.s, 1'700'000'000u);
  EXPECT_TRUE(config.chain.checkpoint.is_linked);
  ASSERT_EQ(config.chain.checkpoint.validators.count, 2u);
  EXPECT_EQ(config.chain.checkpoint.validators.items[0][0], 0x22);  // put in ascending order
  EXPECT_EQ(config.device.id, 3u);
  EXPECT_EQ(config.device.address, address);
  EXPECT_EQ(config.device.grid.slots, 4u);
  EXPECT_EQ(config.device.grid.slot_seconds, 900u);
  EXPECT_EQ(config.device.device.kind, solver::DeviceKind::battery);
  EXPECT_EQ(config.device.device.power_min_w.at(3), -2000);
  EXPECT_EQ(config.device.device.power_max_w.at(1), 1000);
  EXPECT_EQ(config.device.device.energy_start_wh, 2500);
  EXPECT_EQ(config.device.fallback_w.at(2), -100);
  EXPECT_TRUE(config.output.has_relay);
  EXPECT_TRUE(config.output.has_setpoint);
  EXPECT_EQ(config.output.relay.off_ms_min, 2u);
  EXPECT_EQ(config.output.setpoint_fallback_w, -100);
  EXPECT_EQ(config.link.poll_ms, 250u);
  EXPECT_EQ(configuration.store_folder, folder.path() / "state");
  EXPECT_EQ(configuration.key_file, folder.path() / "state" / "device.key");
}

TEST(configuration, names_the_line_and_key_of_each_mistake) {
  const struct {
    const char *from, *to, *complaint;
  } cases[] = {
      {"id = 3", "id = 0", "d.toml:2: device.id: must be an integer from 1 to 4294967295"},
      {"kind = \"battery\"", "kind = \"barrel\"",
       "d.toml:3: device.kind: must be one of \"fixed\", \"curtailable\", \"shapeable\", \"battery\", \"appliance\", "
     "\"thermal\", \"switched\", \"generator\", \"banded\", \"home\""},
      {"slots = 4", "slots = 97", "d.toml:4: device.slots: must be an integer from 1 to 96"},
      {"slot_seconds = 900", "slot_seconds = 700", "d.toml:5: device.slot_seconds: must divide 3600"},
      {"1000, 1500, 2000]", "1000]", "d.toml:7: device.power_max_w: has 2 entries; there are 4 slots"},
      {"energy_max_wh = 5000", "energy_max_wh = -1", "d.toml:9: device.energy_max_wh: must be an integer from 0 to 100000000"},
      {"energy_end_max_wh = 5000", "energy_end_max_wh = 5", "d.toml:12: device.energy_end_max_wh: is below energy_end_min_wh"},
      {"min_w = -2000\nmax_w = 2000", "min_w = -2000\nmax_w = -2001", "d.toml:14: limits.min_w: is above max_w in slot 0"},
      {"fallback_w = -100\n[", "fallback_w = 9000\n[", "d.toml:16: limits.fallback_w: is outside min_w and max_w in slot 0"},
      {"relay = \"simulated\"", "relay = \"gpio\"", "d.toml:17: output.chip_label: is missing"},
      {"start_spread_ms_max = 3", "start_spread_ms_max = 5001", "d.toml:23: output.start_spread_ms_max: must be an integer from 0 to 5000"},
      {"registry = \"0x00", "registry = \"0x", "d.toml:28: chain.registry: must be 0x and 40 hexadecimal digits"},
      {"timestamp = 1700000000\n", "", "d.toml:35: chain.checkpoint.timestamp: is missing"},
      {"0x2222222222222222222222222222222222222222", "0x3333333333333333333333333333333333333333",
       "d.toml:39: chain.checkpoint.validators: names one validator twice"},
      {"0x2222222222222222222222222222222222222222", "0x22", "d.toml:39: chain.checkpoint.validators: \"0x22\" is not 0x and 40 hexadecimal digits"},
      {"anonymous = true\n", "", "d.toml:41: broker.host: needs password_file or psk_file, or anonymous = true"},
      {"backoff_ms_max = 200", "backoff_ms_max = 10", "d.toml:45: broker.backoff_ms_max: is below backoff_ms_min"},
      {"folder = \"state\"", "", "d.toml:46: store.folder: is missing"},
      {"poll_ms = 250", "pol_ms = 250", "d.toml:49: link.pol_ms: is not known here"},
      {"[link]", "[lnik]", "d.toml:48: lnik: is not known here"},
  };
  for (const auto& each : cases) {
    const std::vector<std::string> errors = complaints(replaced(good_linux_node_config, each.from, each.to));
    ASSERT_FALSE(errors.empty()) << each.complaint;
    EXPECT_NE(std::find(errors.begin(), errors.end(), each.complaint), errors.end()) << each.complaint << "\nbut: " << errors[0];
  }
}

TEST(configuration, lists_all_mistakes_at_once) {
  std::string text = replaced(good_linux_node_config, "id = 3", "id = 0");
  text = replaced(text, "port = 18830", "port = 99999");
  EXPECT_EQ(complaints(text).size(), 2u);
  EXPECT_GE(complaints("").size(), 8u);
}

TEST(configuration, says_which_limit_of_a_device_cannot_be_met) {
  const ScratchFolder folder;
  Configuration configuration;
  const std::string text = replaced(good_linux_node_config, "energy_end_min_wh = 2500", "energy_end_min_wh = 5000");
  ASSERT_TRUE(read_configuration(folder.write("d.toml", text), configuration).empty());
  const std::string complaint = check_node_config(configuration);
  EXPECT_NE(complaint.find("d.toml:1: device: cannot be met: least energy (Wh) needs 5000 at slot 4, possible is 4125"), std::string::npos) << complaint;
}

TEST(configuration, refuses_a_relay_alone_for_what_needs_a_setpoint) {
  const std::string text = replaced(replaced(good_linux_node_config, "setpoint = \"log\"\n", ""), "setpoint_fallback_w = -100\n", "");
  const std::vector<std::string> errors = complaints(text);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0], "d.toml:18: output.relay: alone cannot follow a device of this kind; add a setpoint");
}

TEST(configuration, takes_a_relay_from_a_board_file) {
  const ScratchFolder folder;
  folder.write("board.toml", "name = \"b\"\n[relay.left]\nchip_label = \"c\"\nline = 5\nactive_low = true\n");
  const std::string gpio = replaced(good_linux_node_config, "relay = \"simulated\"",
                                    "relay = \"gpio\"\nboard = \"board.toml\"\nrelay_name = \"left\"");
  Configuration configuration;
  std::vector<std::string> errors = read_configuration(folder.write("d.toml", gpio), configuration);
  ASSERT_TRUE(errors.empty()) << errors[0];
  EXPECT_EQ(configuration.output.gpio.chip_label, "c");
  EXPECT_EQ(configuration.output.gpio.line, 5u);
  EXPECT_TRUE(configuration.output.gpio.active_low);

  Configuration other;
  errors = read_configuration(folder.write("d.toml", replaced(gpio, "\"left\"", "\"right\"")), other);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("relay_name: is not in"), std::string::npos) << errors[0];
  EXPECT_NE(errors[0].find("left"), std::string::npos) << errors[0];
  folder.write("board.toml", "[relay.left]\nline = -5\nactive_low = 1\n");
  Configuration broken;
  errors = read_configuration(folder.write("d.toml", gpio), broken);
  EXPECT_EQ(errors.size(), 3u);
  for (const std::string& error : errors) EXPECT_NE(error.find("board.toml:"), std::string::npos) << error;
}

TEST(configuration, accepts_every_example_and_board_of_this_repository) {
  int examples = 0;
  for (const char* board : {"host_sim", "raspberry_pi_4", "raspberry_pi_5", "jetson_nano"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(WATTPROOF_SOURCE_DIR) / "boards" / board)) {
      if (entry.path().extension() != ".toml") continue;
      std::ifstream stream(entry.path());
      const std::string text{std::istreambuf_iterator<char>(stream), {}};
      if (text.find("[device]") == std::string::npos) continue;  // a board file: read through the examples that name it
      Configuration configuration;
      const std::vector<std::string> errors = read_configuration(entry.path(), configuration);
      EXPECT_TRUE(errors.empty()) << errors[0];
      EXPECT_EQ(check_node_config(configuration), "") << entry.path();
      ++examples;
    }
  }
  EXPECT_GE(examples, 6);
}

}  // namespace
}  // namespace wattproof::firmware
