// SPDX-License-Identifier: Apache-2.0
// Every kind of device from its TOML section to a node that takes it.
#include "firmware/linux_node/device_configuration.hpp"

#include <gtest/gtest.h>

#include "firmware/linux_node/configuration.hpp"
#include "firmware/linux_node/node_config.hpp"
#include "node/node.hpp"
#include "unit/firmware/linux_node_config.hpp"
#include "unit/hal/scratch_folder.hpp"

namespace wattproof::firmware {
namespace {

using testing::good_linux_node_config;
using testing::ScratchFolder;

// The good configuration with another [device], of four slots of an hour.
std::string with_device(const std::string& keys) {
  const std::size_t limits = good_linux_node_config.find("[limits]");
  return "[device]\nid = 3\nslots = 4\n" + keys + "\n" + good_linux_node_config.substr(limits);
}

struct Read {
  ScratchFolder folder;
  Configuration configuration;
  std::vector<std::string> errors;
  explicit Read(const std::string& keys) { errors = read_configuration(folder.write("d.toml", with_device(keys)), configuration); }
};

// The device as the node gets it; the node must take it.
void expect_taken(Read& read) {
  ASSERT_TRUE(read.errors.empty()) << read.errors[0];
  EXPECT_EQ(check_node_config(read.configuration), "");
  Address address{};
  address.fill(9);
  node::Node node;
  EXPECT_EQ(node.configure(to_node_config(read.configuration, address)), Error::none);
}

TEST(device_configuration, a_battery_has_losses_if_it_says_so) {
  Read read("kind = \"battery\"\npower_min_w = -2000\npower_max_w = 2000\nenergy_min_wh = 0\nenergy_max_wh = 5000\n"
            "energy_start_wh = 2500\nenergy_end_min_wh = 2000\nenergy_end_max_wh = 5000\ncharge_efficiency_permille = 950\n"
            "discharge_efficiency_permille = 940\nstanding_loss_w = 3");
  expect_taken(read);
  const solver::Device device = read.configuration.device.device();
  EXPECT_EQ(device.charge_efficiency_permille, 950);
  EXPECT_EQ(device.discharge_efficiency_permille, 940);
  EXPECT_EQ(device.standing_loss_w, 3);
}

TEST(device_configuration, a_charger_has_milestones) {
  Read read("kind = \"shapeable\"\npower_min_w = 0\npower_max_w = 2000\nenergy_wh = 6000\nend_slot = 4\n"
            "milestone_slots = [2, 3]\nmilestone_energy_min_wh = [1000, 3000]");
  expect_taken(read);
  const solver::Device device = read.configuration.device.device();
  ASSERT_EQ(device.milestones.size(), 2u);
  EXPECT_EQ(device.milestones[1].slot, 3u);
  EXPECT_EQ(device.milestones[1].energy_min_wh, 3000);
  Read backwards("kind = \"shapeable\"\npower_min_w = 0\npower_max_w = 2000\nenergy_wh = 6000\nend_slot = 4\n"
                 "milestone_slots = [3, 2]\nmilestone_energy_min_wh = [1000, 3000]");
  ASSERT_EQ(backwards.errors.size(), 1u);
  EXPECT_NE(backwards.errors[0].find("milestone_slots"), std::string::npos);
}

TEST(device_configuration, a_heat_store_has_a_band) {
  Read read("kind = \"thermal\"\npower_max_w = 2000\ngain_mk_per_wh = 1\nleak_permyriad_per_slot = 100\n"
            "ambient_mc = [5000, 6000, 7000, 8000]\nstart_mc = 21000\nmin_mc = 19000\nmax_mc = 23000\nsoft = true");
  expect_taken(read);
  const solver::Device device = read.configuration.device.device();
  EXPECT_EQ(device.ambient_mc.at(3), 8000);
  EXPECT_EQ(device.power_min_w.at(0), 0);
  EXPECT_TRUE(device.soft);
}

TEST(device_configuration, a_switched_load_may_have_a_relay_alone) {
  Read read("kind = \"switched\"\npower_w = 1000\nenergy_wh = 2000\nmin_on_slots = 2\nend_slot = 4");
  expect_taken(read);
  EXPECT_EQ(read.configuration.device.device().min_on_slots, 2u);
  Read half("kind = \"switched\"\npower_w = 1000\nenergy_wh = 2500\nend_slot = 4");
  ASSERT_EQ(half.errors.size(), 1u);
  EXPECT_NE(half.errors[0].find("energy_wh: is no whole number of slots at power_w"), std::string::npos);
}

TEST(device_configuration, a_generator_has_costs) {
  Read read("kind = \"generator\"\npower_min_w = -2000\npower_max_w = 0\ncost_linear = 50000\ncost_quadratic = 65536");
  expect_taken(read);
  EXPECT_EQ(read.configuration.device.device().cost_linear, 50'000);
}

TEST(device_configuration, an_appliance_runs_several_times) {
  Read read("kind = \"appliance\"\nrun_w = [500, 1000]\nlatest_end_slot = 4\nruns = 2\ninterruptible = true");
  expect_taken(read);
  EXPECT_EQ(read.configuration.device.device().runs, 2u);
  Read long_run("kind = \"appliance\"\nrun_w = [500, 1000]\nlatest_end_slot = 4\nruns = 3");
  ASSERT_EQ(long_run.errors.size(), 1u);
}

TEST(device_configuration, a_banded_device_has_ramps_and_states) {
  const std::string text =
      "kind = \"banded\"\npower_min_w = 0\npower_max_w = 2000\nramp_up_w = 500\npower_before_w = 100\n"
      "[device.first_state]\nstart = 20000\nmin = 15000\nmax = 25000\nkeep_ppm = [880000, 100000]\ngain_milli_per_wh = 500\n"
      "drift_milli = [100000, 90000, 80000, 70000]\n"
      "[device.second_state]\nstart = 20000\nmin = 15000\nmax = 25000\nkeep_ppm = [20000, 980000]\ngain_milli_per_wh = 0";
  Read read(text);
  expect_taken(read);
  const solver::Device device = read.configuration.device.device();
  ASSERT_EQ(device.states.size(), 2u);
  EXPECT_EQ(device.states[1].keep_ppm[0], 20'000);
  EXPECT_EQ(device.states[0].drift_milli.at(2), 80'000);
  EXPECT_TRUE(device.is_ramped_from_before);
  EXPECT_EQ(device.ramp_down_w, solver::ramp_unlimited);
  Read loud(testing::replaced(text, "keep_ppm = [20000, 980000]", "keep_ppm = [20001, 980000]"));
  ASSERT_EQ(loud.errors.size(), 1u);
}

TEST(device_configuration, a_home_has_parts) {
  Read read("kind = \"home\"\nlimit_w = 2000\n"
            "[device.parts.car]\nkind = \"shapeable\"\npower_min_w = 0\npower_max_w = 2000\nenergy_wh = 3000\nend_slot = 4\n"
            "[device.parts.base]\nkind = \"fixed\"\nprofile_w = 300");
  expect_taken(read);
  const solver::Device device = read.configuration.device.device();
  ASSERT_EQ(device.part_count, 2u);
  EXPECT_EQ(device.parts[0].kind, solver::DeviceKind::fixed);  // by name
  EXPECT_EQ(device.parts[1].energy_wh, 3000);
  EXPECT_EQ(device.limit_w, 2000);
  EXPECT_EQ(device.parts[1].cost_quadratic, 0);
  Read costly("kind = \"home\"\nlimit_w = 2000\nown_cost_quadratic = 7\n"
              "[device.parts.car]\nkind = \"curtailable\"\nmin_w = 0\nmax_w = 2000\nown_cost_quadratic = 393216");
  expect_taken(costly);
  EXPECT_EQ(costly.configuration.device.own_cost_quadratic, 7u);
  EXPECT_EQ(costly.configuration.device.device().parts[0].cost_quadratic, 6 << 16);
  Read dear("kind = \"home\"\nlimit_w = 2000\n"
            "[device.parts.car]\nkind = \"curtailable\"\nmin_w = 0\nmax_w = 2000\nown_cost_quadratic = 16777217");
  ASSERT_EQ(dear.errors.size(), 1u);
  Read twice("kind = \"home\"\nlimit_w = 2000\n[device.parts.engine]\nkind = \"generator\"\npower_min_w = -2000\n"
             "power_max_w = 0\ncost_linear = 1\ncost_quadratic = 1\nown_cost_quadratic = 1");
  ASSERT_EQ(twice.errors.size(), 1u);
  Read nested("kind = \"home\"\nlimit_w = 2000\n[device.parts.a]\nkind = \"home\"\nlimit_w = 1");
  EXPECT_FALSE(nested.errors.empty());
  Read empty("kind = \"home\"\nlimit_w = 2000");
  ASSERT_EQ(empty.errors.size(), 1u);
}

TEST(device_configuration, the_check_says_which_limit_cannot_be_met) {
  Read cold("kind = \"thermal\"\npower_max_w = 2000\ngain_mk_per_wh = 1\nleak_permyriad_per_slot = 100\n"
            "ambient_mc = 5000\nstart_mc = 15000\nmin_mc = 19000\nmax_mc = 23000");
  ASSERT_TRUE(cold.errors.empty()) << cold.errors[0];
  EXPECT_NE(check_node_config(cold.configuration).find("lower comfort limit (mK) needs 19000 at slot 1, possible is 16900"),
            std::string::npos) << check_node_config(cold.configuration);
}

}  // namespace
}  // namespace wattproof::firmware
