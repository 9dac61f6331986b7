// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/i2c_relay.hpp"

#include <gtest/gtest.h>

#include <array>

namespace wattproof::hal {
namespace {

struct Chip {
  std::array<std::uint8_t, 256> registers{};
  bool is_dead = false;
  int locks = 0;
  int writes_without_lock = 0;
};

class FakeBus final : public I2cBus {
 public:
  explicit FakeBus(Chip& chip) : chip_(chip) {}
  Error lock(bool is_locked) override {
    chip_.locks += is_locked ? 1 : -1;
    return Error::none;
  }
  Error write(std::uint8_t reg, std::uint8_t value) override {
    if (chip_.is_dead) return Error::hardware_failed;
    if (chip_.locks != 1) ++chip_.writes_without_lock;
    chip_.registers[reg] = value;
    return Error::none;
  }
  Error read(std::uint8_t reg, std::uint8_t& value) override {
    value = chip_.registers[reg];
    return chip_.is_dead ? Error::hardware_failed : Error::none;
  }
  std::string detail() const override { return "dead"; }

 private:
  Chip& chip_;
};

// Seeed's board of four: register 6, one bit a relay, a cleared bit closes.
I2cRelay seeed(Chip& chip, unsigned channel) {
  return {std::make_unique<FakeBus>(chip), {.bus = "", .address = 0x20, .reg = 6, .mask = static_cast<std::uint8_t>(1u << (channel - 1)), .active_low = true}};
}

TEST(i2c_relay, changes_its_own_bit_alone) {
  Chip chip;
  chip.registers[6] = 0xff;
  I2cRelay first = seeed(chip, 1);
  I2cRelay third = seeed(chip, 3);
  EXPECT_EQ(first.command(true, {}), Error::none);
  EXPECT_EQ(chip.registers[6], 0xfe);
  EXPECT_EQ(third.command(true, {}), Error::none);
  EXPECT_EQ(chip.registers[6], 0xfa);
  EXPECT_EQ(first.command(false, {}), Error::none);
  EXPECT_EQ(chip.registers[6], 0xfb);
  EXPECT_EQ(chip.locks, 0);
  EXPECT_EQ(chip.writes_without_lock, 0);
}

TEST(i2c_relay, drives_a_board_with_a_register_for_each_relay) {
  Chip chip;
  I2cRelay relay(std::make_unique<FakeBus>(chip), {.bus = "", .address = 0x10, .reg = 2, .mask = 0xff, .active_low = false});
  EXPECT_EQ(relay.command(true, {}), Error::none);
  EXPECT_EQ(chip.registers[2], 0xff);
  EXPECT_EQ(relay.command(false, {}), Error::none);
  EXPECT_EQ(chip.registers[2], 0x00);
}

TEST(i2c_relay, notices_a_board_that_was_reset) {
  Chip chip;
  chip.registers[6] = 0xff;
  I2cRelay relay = seeed(chip, 1);
  bool on = false;
  ASSERT_EQ(relay.command(true, {}), Error::none);
  EXPECT_EQ(relay.sense(on, {}), Error::none);
  EXPECT_TRUE(on);
  chip.registers[6] = 0xff;
  EXPECT_EQ(relay.sense(on, {}), Error::none);
  EXPECT_FALSE(on);
}

TEST(i2c_relay, says_so_when_nobody_answers) {
  Chip chip;
  chip.is_dead = true;
  I2cRelay relay = seeed(chip, 1);
  bool on = false;
  EXPECT_EQ(relay.command(true, {}), Error::hardware_failed);
  EXPECT_EQ(relay.sense(on, {}), Error::hardware_failed);
  EXPECT_EQ(relay.detail(), "dead");
  EXPECT_EQ(chip.locks, 0);  // let go although the chip is dead
}

TEST(i2c_relay, names_a_bus_that_is_not_there) {
  std::unique_ptr<RelayDriver> driver;
  std::string detail;
  EXPECT_EQ(open_i2c_relay({.bus = "/dev/i2c-absent", .address = 0x20, .reg = 6, .mask = 1, .active_low = true}, driver, detail), Error::hardware_failed);
  EXPECT_EQ(driver, nullptr);
  EXPECT_NE(detail.find("/dev/i2c-absent 0x20: open"), std::string::npos) << detail;
  EXPECT_NE(detail.find("load the module i2c-dev"), std::string::npos) << detail;
}

}  // namespace
}  // namespace wattproof::hal
