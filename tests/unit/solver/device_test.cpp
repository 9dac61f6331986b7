// SPDX-License-Identifier: Apache-2.0
#include "solver/device.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace wattproof::solver {
namespace {

constexpr Grid grid{4, 3600};
const std::array<std::int32_t, 3> three{};
const std::array<std::int32_t, 4> four{};

TEST(device, series_gives_its_constant_or_its_slot) {
  const std::array<std::int32_t, 2> values{7, 9};
  EXPECT_EQ(Series(5).at(3), 5);
  EXPECT_EQ(Series(std::span<const std::int32_t>(values)).at(1), 9);
}

TEST(device, refuses_a_grid_that_is_none) {
  const Device device{.kind = DeviceKind::fixed, .profile_w = four};
  EXPECT_EQ(validate(device, grid), Error::none);
  EXPECT_EQ(validate(device, {0, 3600}), Error::slot_count_invalid);
  EXPECT_EQ(validate(device, {slot_count_max + 1, 3600}), Error::slot_count_invalid);
  for (const std::uint32_t seconds : {0u, 7u, 3601u, 7200u}) EXPECT_EQ(validate(device, {4, seconds}), Error::slot_count_invalid);
}

TEST(device, refuses_arrays_of_another_length) {
  EXPECT_EQ(validate({.kind = DeviceKind::fixed, .profile_w = three}, grid), Error::wrong_length);
  EXPECT_EQ(validate({.kind = DeviceKind::curtailable, .power_max_w = std::span<const std::int32_t>(three)}, grid),
            Error::wrong_length);
  EXPECT_EQ(validate({.kind = DeviceKind::appliance}, grid), Error::wrong_length);
  EXPECT_EQ(validate({.kind = DeviceKind::thermal, .ambient_mc = std::span<const std::int32_t>(three)}, grid), Error::wrong_length);
}

TEST(device, refuses_numbers_out_of_range) {
  EXPECT_EQ(validate({.kind = DeviceKind::curtailable, .power_max_w = power_w_max + 1}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::battery, .energy_max_wh = energy_wh_max + 1}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::battery, .charge_efficiency_permille = 0}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::battery, .discharge_efficiency_permille = 1001}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::battery, .standing_loss_w = -1}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::generator, .cost_quadratic = -1}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::generator, .cost_quadratic = own_cost_max + 1}, grid), Error::none);
  EXPECT_EQ(validate({.kind = DeviceKind::battery, .cost_quadratic = own_cost_max}, grid), Error::none);
  EXPECT_EQ(validate({.kind = DeviceKind::battery, .cost_quadratic = own_cost_max + 1}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::appliance, .profile_w = four, .cost_quadratic = -1}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::thermal, .leak_permyriad_per_slot = 10'000}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::appliance, .profile_w = four, .runs = 0}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::switched, .min_on_slots = 0}, grid), Error::out_of_range);
}

TEST(device, refuses_windows_and_milestones_that_do_not_fit) {
  const Device late{.kind = DeviceKind::shapeable, .start_slot = 2, .end_slot = 5};
  EXPECT_EQ(validate(late, grid), Error::out_of_range);
  const Device empty{.kind = DeviceKind::shapeable, .start_slot = 2, .end_slot = 2};
  EXPECT_EQ(validate(empty, grid), Error::out_of_range);
  const std::array<Milestone, 2> descending{{{3, 1}, {2, 1}}};
  EXPECT_EQ(validate({.kind = DeviceKind::shapeable, .milestones = descending}, grid), Error::out_of_range);
  const std::array<Milestone, 2> ascending{{{2, 1}, {4, 1}}};
  EXPECT_EQ(validate({.kind = DeviceKind::shapeable, .milestones = ascending}, grid), Error::none);
}

TEST(device, refuses_a_kind_that_it_does_not_know) {
  EXPECT_EQ(validate({.kind = static_cast<DeviceKind>(99)}, grid), Error::unknown_kind);
}

}  // namespace
}  // namespace wattproof::solver
