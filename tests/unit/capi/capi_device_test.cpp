// SPDX-License-Identifier: Apache-2.0
#include "capi/capi_device.hpp"

#include <gtest/gtest.h>

#include <array>

#include "base/error.hpp"

namespace wattproof::capi {
namespace {

wattproof_device_config charger() {
  wattproof_device_config device;
  wattproof_device_init(&device);
  device.kind = WATTPROOF_SHAPEABLE;
  device.slots = 4;
  device.slot_seconds = 3600;
  return device;
}

TEST(capi_device, makes_milestones_in_the_memory_and_leaves_the_rest) {
  const std::array<wattproof_milestone, 3> milestones{{{1, 10}, {2, 20}, {4, -30}}};
  wattproof_device_config device = charger();
  device.milestones = milestones.data();
  device.milestone_count = 3;
  std::array<std::uint64_t, 10> memory{};
  DeviceView view;
  ASSERT_EQ(read_device(device, memory, view), Error::none);
  ASSERT_EQ(view.device.milestones.size(), 3u);
  EXPECT_EQ(view.device.milestones[2].slot, 4u);
  EXPECT_EQ(view.device.milestones[2].energy_min_wh, -30);
  EXPECT_EQ(view.workspace.size(), 7u);
  EXPECT_EQ(read_device(device, std::span(memory).first(2), view), Error::workspace_too_small);
  EXPECT_EQ(words_for(device), 3 + solver::workspace_words(4));
}

TEST(capi_device, refuses_what_it_cannot_read) {
  std::array<std::uint64_t, 1000> memory{};
  DeviceView view;
  const auto refuse = [&](auto change, Error error) {
    wattproof_device_config device = charger();
    change(device);
    EXPECT_EQ(read_device(device, memory, view), error) << error_name(error);
    EXPECT_EQ(words_for(device), 0u);
  };
  refuse([](wattproof_device_config& d) { d.size = 3; }, Error::unknown_version);
  refuse([](wattproof_device_config& d) { d.kind = 10; }, Error::unknown_kind);
  refuse([](wattproof_device_config& d) { d.kind = -1; }, Error::unknown_kind);
  refuse([](wattproof_device_config& d) { d.slots = slot_count_max + 1; }, Error::slot_count_invalid);
  refuse([](wattproof_device_config& d) { d.milestone_count = 1000; d.milestones = reinterpret_cast<wattproof_milestone*>(&d); }, Error::too_large);
  refuse([](wattproof_device_config& d) { d.profile_count = 1; }, Error::configuration_invalid);
  refuse([](wattproof_device_config& d) { d.kind = WATTPROOF_HOME; d.part_count = 1; }, Error::configuration_invalid);
  wattproof_device_config inner = charger();
  inner.kind = WATTPROOF_HOME;
  refuse([&](wattproof_device_config& d) { d.kind = WATTPROOF_HOME; d.parts = &inner; d.part_count = 1; }, Error::unknown_kind);
  refuse([&](wattproof_device_config& d) { d.kind = WATTPROOF_HOME; d.parts = &inner; d.part_count = 17; }, Error::too_large);
}

TEST(capi_device, reads_states_with_their_series) {
  const std::array<std::int32_t, 4> drift{1, 2, 3, 4};
  const wattproof_linear_state state{5, {nullptr, 1}, {nullptr, 9}, {900'000, 0}, 7, {drift.data(), 0}};
  wattproof_device_config device = charger();
  device.kind = WATTPROOF_BANDED;
  device.states = &state;
  device.state_count = 1;
  std::array<std::uint64_t, 100> memory{};
  DeviceView view;
  ASSERT_EQ(read_device(device, memory, view), Error::none);
  ASSERT_EQ(view.device.states.size(), 1u);
  EXPECT_EQ(view.device.states[0].drift_milli.at(3), 4);
  EXPECT_EQ(view.device.states[0].keep_ppm[0], 900'000);
  EXPECT_EQ(view.device.ramp_up_w, solver::ramp_unlimited);
  device.state_count = 3;
  EXPECT_EQ(read_device(device, memory, view), Error::too_large);
  device.state_count = 1;
  device.states = nullptr;
  EXPECT_EQ(read_device(device, memory, view), Error::configuration_invalid);
}

}  // namespace
}  // namespace wattproof::capi
