// SPDX-License-Identifier: Apache-2.0
// The meter at the other end of the line is this test, on a pseudo terminal.
#include "firmware/linux_node/meter_service.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>

#include "hal/meters/crc16.hpp"
#include "unit/hal/scratch_folder.hpp"

namespace wattproof::firmware {
namespace {

using testing::ScratchFolder;

class meter_service : public ::testing::Test {
 protected:
  void SetUp() override {
    other_ = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    ASSERT_TRUE(other_ >= 0 && grantpt(other_) == 0 && unlockpt(other_) == 0);
    configuration_.device = ptsname(other_);
    configuration_.poll_ms = 1000;
    configuration_.rules = {.power_w_max = 5000, .timeout_ms = 5000};
  }
  void TearDown() override {
    if (other_ >= 0) close(other_);
  }
  MeterService& open(MeterKind kind, BootMs now = {0}) {
    configuration_.kind = kind;
    service_.reset();
    service_ = std::make_unique<MeterService>(configuration_, hal::GpioBackend::automatic);
    EXPECT_EQ(service_->open(folder_ / "journal", now), Error::none) << service_->detail();
    return *service_;
  }
  void say(const std::string& text) {
    ASSERT_EQ(write(other_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    pollfd entry{service_->poll_file(), POLLIN, 0};
    poll(&entry, 1, 1000);
  }
  static std::string telegram(std::uint64_t wh, const char* power) {
    char body[200];
    std::snprintf(body, sizeof body, "/M\r\n\r\n1-0:1.8.0(%06llu.%03llu*kWh)\r\n1-0:1.7.0(%s*kW)\r\n!", static_cast<unsigned long long>(wh / 1000),
                  static_cast<unsigned long long>(wh % 1000), power);
    const std::string text = body;
    char digits[8];
    std::snprintf(digits, sizeof digits, "%04X", hal::crc16_arc({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
    return text + digits + "\r\n";
  }

  ScratchFolder folder_;
  MeterConfiguration configuration_;
  std::unique_ptr<MeterService> service_;
  int other_ = -1;
};

TEST_F(meter_service, believes_telegrams_and_keeps_their_sum_over_a_start) {
  MeterService& meter = open(MeterKind::p1);
  say(telegram(1'000'000, "01.000"));
  EXPECT_TRUE(meter.serve({1000}, false));
  EXPECT_EQ(meter.filter().power_w({1000}), 1000);
  say(telegram(1'000'020, "02.000"));
  EXPECT_TRUE(meter.serve({11'000}, false));
  EXPECT_EQ(meter.filter().totals().import_mwh, 20'000u);
  EXPECT_EQ(meter.keep({12'000}), Error::none);
  EXPECT_EQ(open(MeterKind::p1).filter().totals().import_mwh, 20'000u);
}

TEST_F(meter_service, says_unavailable_and_not_zero_when_the_meter_is_silent_or_gone) {
  MeterService& meter = open(MeterKind::p1);
  EXPECT_FALSE(meter.filter().is_available({0}));
  say(telegram(5, "01.000"));
  EXPECT_TRUE(meter.serve({1000}, false));
  EXPECT_FALSE(meter.serve({5000}, false));
  EXPECT_TRUE(meter.filter().is_available({5999}));
  EXPECT_EQ(meter.filter().power_w({6000}), std::nullopt);
  close(other_);
  other_ = -1;
  EXPECT_FALSE(meter.serve({7000}, false));
  EXPECT_FALSE(meter.detail().empty());
  EXPECT_EQ(meter.poll_file(), -1);
}

TEST_F(meter_service, refuses_a_damaged_telegram_and_impossible_power) {
  MeterService& meter = open(MeterKind::p1);
  std::string damaged = telegram(5, "01.000");
  damaged[30] = static_cast<char>(damaged[30] ^ 1);
  say(damaged);
  EXPECT_FALSE(meter.serve({1000}, false));
  EXPECT_NE(meter.detail().find("record_corrupt"), std::string::npos) << meter.detail();
  say(telegram(5, "05.001"));
  EXPECT_FALSE(meter.serve({2000}, false));
  EXPECT_FALSE(meter.filter().is_available({2000}));
}

TEST_F(meter_service, asks_a_modbus_meter_and_reads_its_answer) {
  MeterService& meter = open(MeterKind::pzem);
  EXPECT_FALSE(meter.serve({1000}, false));
  std::array<std::uint8_t, 16> asked{};
  pollfd entry{other_, POLLIN, 0};
  poll(&entry, 1, 1000);
  EXPECT_EQ(read(other_, asked.data(), asked.size()), 8);
  EXPECT_EQ(asked[1], 4);
  std::array<std::uint8_t, hal::pzem_answer_size> answer{1, 4, 20, 0x08, 0xfc, 0, 0, 0, 0, 0x1f, 0x40};  // 230.0 V, 800.0 W
  const std::uint16_t crc = hal::crc16_modbus(Bytes(answer).first(23));
  answer[23] = static_cast<std::uint8_t>(crc & 0xff);
  answer[24] = static_cast<std::uint8_t>(crc >> 8);
  say({reinterpret_cast<const char*>(answer.data()), answer.size()});
  EXPECT_TRUE(meter.serve({1100}, false));
  EXPECT_EQ(meter.filter().power_w({1100}), 800);
}

TEST_F(meter_service, counts_what_a_simulated_load_draws) {
  configuration_.rated_w = 3600;
  MeterService& meter = open(MeterKind::simulated);
  EXPECT_TRUE(meter.serve({1000}, true));
  EXPECT_TRUE(meter.serve({11'000}, true));
  EXPECT_EQ(meter.filter().totals().import_mwh, 10'000u);
  EXPECT_EQ(meter.poll_file(), -1);
}

TEST_F(meter_service, works_on_without_a_meter_and_without_a_journal_does_not_start) {
  configuration_.kind = MeterKind::pulse;
  configuration_.line.chip_label = "no-such-chip";
  MeterService pulse(configuration_, hal::GpioBackend::chardev);
  EXPECT_EQ(pulse.open(folder_ / "other", {0}), Error::none);
  EXPECT_NE(pulse.detail().find("no-such-chip"), std::string::npos);
  EXPECT_FALSE(pulse.serve({10'000}, false));
  MeterService lost(configuration_, hal::GpioBackend::chardev);
  EXPECT_EQ(lost.open(folder_ / "no" / "journal", {0}), Error::storage_failed);
}

}  // namespace
}  // namespace wattproof::firmware
