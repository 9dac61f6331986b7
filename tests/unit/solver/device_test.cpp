// SPDX-License-Identifier: Apache-2.0
#include "solver/device.hpp"

#include <gtest/gtest.h>

#include <array>
#include <iterator>
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
  EXPECT_EQ(validate({.kind = DeviceKind::thermal, .gain_mk_per_wh = 1, .leak_permyriad_per_slot = 10'000}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::thermal, .gain_mk_per_wh = 0}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::appliance, .profile_w = four, .runs = 0}, grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::switched, .min_on_slots = 0}, grid), Error::out_of_range);
}

// Sets one number of a device.
using Setter = void (*)(Device& device, std::int32_t value);

struct Bounds {
  Device device;
  Setter set;
  std::int32_t low;
  std::int32_t high;
};

const Bounds bounds[] = {
    {{.kind = DeviceKind::curtailable}, [](Device& d, std::int32_t v) { d.power_min_w = v; }, -power_w_max, power_w_max},
    {{.kind = DeviceKind::generator}, [](Device& d, std::int32_t v) { d.power_max_w = v; }, -power_w_max, power_w_max},
    {{.kind = DeviceKind::shapeable}, [](Device& d, std::int32_t v) { d.energy_wh = v; }, -energy_wh_max, energy_wh_max},
    {{.kind = DeviceKind::battery}, [](Device& d, std::int32_t v) { d.energy_min_wh = v; }, -energy_wh_max, energy_wh_max},
    {{.kind = DeviceKind::battery}, [](Device& d, std::int32_t v) { d.energy_max_wh = v; }, -energy_wh_max, energy_wh_max},
    {{.kind = DeviceKind::battery}, [](Device& d, std::int32_t v) { d.energy_start_wh = v; }, -energy_wh_max, energy_wh_max},
    {{.kind = DeviceKind::battery}, [](Device& d, std::int32_t v) { d.energy_end_min_wh = v; }, -energy_wh_max, energy_wh_max},
    {{.kind = DeviceKind::battery}, [](Device& d, std::int32_t v) { d.energy_end_max_wh = v; }, -energy_wh_max, energy_wh_max},
    {{.kind = DeviceKind::battery}, [](Device& d, std::int32_t v) { d.standing_loss_w = v; }, 0, power_w_max},
    {{.kind = DeviceKind::battery}, [](Device& d, std::int32_t v) { d.charge_efficiency_permille = static_cast<std::uint16_t>(v); }, 1, 1000},
    {{.kind = DeviceKind::battery}, [](Device& d, std::int32_t v) { d.discharge_efficiency_permille = static_cast<std::uint16_t>(v); }, 1, 1000},
    {{.kind = DeviceKind::thermal, .gain_mk_per_wh = 1}, [](Device& d, std::int32_t v) { d.gain_mk_per_wh = v; }, -1'000'000, 1'000'000},
    {{.kind = DeviceKind::thermal, .gain_mk_per_wh = 1}, [](Device& d, std::int32_t v) { d.leak_permyriad_per_slot = v; }, 0, 9'999},
    {{.kind = DeviceKind::thermal, .gain_mk_per_wh = 1}, [](Device& d, std::int32_t v) { d.ambient_mc = v; }, -1'000'000, 1'000'000},
    {{.kind = DeviceKind::thermal, .gain_mk_per_wh = 1}, [](Device& d, std::int32_t v) { d.start_mc = v; }, -1'000'000, 1'000'000},
    {{.kind = DeviceKind::thermal, .gain_mk_per_wh = 1}, [](Device& d, std::int32_t v) { d.min_mc = v; }, -1'000'000, 1'000'000},
    {{.kind = DeviceKind::thermal, .gain_mk_per_wh = 1}, [](Device& d, std::int32_t v) { d.max_mc = v; }, -1'000'000, 1'000'000},
    {{.kind = DeviceKind::appliance, .profile_w = four}, [](Device& d, std::int32_t v) { d.runs = static_cast<std::uint32_t>(v); }, 1, 4},
    {{.kind = DeviceKind::switched}, [](Device& d, std::int32_t v) { d.power_w = v; }, -power_w_max, power_w_max},
    {{.kind = DeviceKind::switched}, [](Device& d, std::int32_t v) { d.min_on_slots = static_cast<std::uint32_t>(v); }, 1, 4},
    {{.kind = DeviceKind::switched}, [](Device& d, std::int32_t v) { d.min_off_slots = static_cast<std::uint32_t>(v); }, 1, 4},
    {{.kind = DeviceKind::fixed, .profile_w = four}, [](Device& d, std::int32_t v) { d.cost_quadratic = v; }, 0, own_cost_max},
};

TEST(device, takes_every_number_up_to_its_limits_and_not_beyond) {
  for (std::size_t i = 0; i < std::size(bounds); ++i) {
    SCOPED_TRACE(i);
    Device device = bounds[i].device;
    for (const std::int32_t inside : {bounds[i].low, bounds[i].high}) {
      bounds[i].set(device, inside);
      EXPECT_EQ(validate(device, grid), Error::none);
    }
    for (const std::int32_t outside : {bounds[i].low - 1, bounds[i].high + 1}) {
      bounds[i].set(device, outside);
      EXPECT_EQ(validate(device, grid), Error::out_of_range);
    }
  }
}

TEST(device, a_linear_cost_may_be_46_bits_wide) {
  Device generator{.kind = DeviceKind::generator};
  for (const std::int64_t sign : {-1, 1}) {
    generator.cost_linear = sign * (std::int64_t{1} << 46);
    EXPECT_EQ(validate(generator, grid), Error::none);
    generator.cost_linear += sign;
    EXPECT_EQ(validate(generator, grid), Error::out_of_range);
  }
}

TEST(device, reads_only_the_fields_of_its_kind) {
  Device device;
  device.power_min_w = std::span<const std::int32_t>(three);
  device.leak_permyriad_per_slot = -1;
  device.runs = 0;
  device.profile_w = four;
  EXPECT_EQ(validate(device, grid), Error::none);
  device.profile_w = {};
  EXPECT_EQ(validate(device, grid), Error::wrong_length);
}

TEST(device, a_cycle_is_no_longer_than_the_day) {
  const std::array<std::int32_t, 5> five{};
  EXPECT_EQ(validate({.kind = DeviceKind::appliance, .profile_w = three}, grid), Error::none);
  EXPECT_EQ(validate({.kind = DeviceKind::appliance, .profile_w = four}, grid), Error::none);
  EXPECT_EQ(validate({.kind = DeviceKind::appliance, .profile_w = five}, grid), Error::wrong_length);
  EXPECT_EQ(validate({.kind = DeviceKind::fixed, .profile_w = five}, grid), Error::wrong_length);
  const std::array<std::int32_t, 1> strong{power_w_max + 1};
  EXPECT_EQ(validate({.kind = DeviceKind::appliance, .profile_w = strong}, grid), Error::out_of_range);
}

TEST(device, energy_of_a_switched_load_is_a_sum_of_its_slots) {
  Device load{.kind = DeviceKind::switched, .energy_wh = 150, .power_w = 300};
  EXPECT_EQ(validate(load, {4, 1800}), Error::none);
  EXPECT_EQ(validate(load, {4, 3600}), Error::not_a_multiple);
  load.power_w = -300;
  EXPECT_EQ(validate(load, {4, 1800}), Error::out_of_range);
  load.power_w = 0;
  EXPECT_EQ(validate(load, {4, 1800}), Error::not_a_multiple);
  load.energy_wh = 0;
  EXPECT_EQ(validate(load, {4, 1800}), Error::none);
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
