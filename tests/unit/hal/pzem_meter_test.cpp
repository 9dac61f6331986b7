// SPDX-License-Identifier: Apache-2.0
#include "hal/meters/pzem_meter.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "hal/meters/crc16.hpp"

namespace wattproof::hal {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer with_crc(Buffer bytes) {
  const std::uint16_t crc = crc16_modbus(bytes);
  bytes.push_back(static_cast<std::uint8_t>(crc & 0xff));
  bytes.push_back(static_cast<std::uint8_t>(crc >> 8));
  return bytes;
}

// 230.4 V, 8.765 A, 2,019.5 W, 123,456 Wh, 50.0 Hz, 1.00, no alarm. The low word of a pair comes first.
const Buffer body{0x01, 0x04, 0x14, 0x09, 0x00, 0x22, 0x3d, 0x00, 0x00, 0x4e, 0xe3, 0x00, 0x00, 0xe2, 0x40, 0x00, 0x01, 0x01, 0xf4, 0x00, 0x64, 0x00, 0x00};

TEST(pzem_meter, asks_as_the_data_sheet_says) {
  const auto request = pzem_request(0x01);
  EXPECT_EQ(Buffer(request.begin(), request.end()), (Buffer{0x01, 0x04, 0x00, 0x00, 0x00, 0x0a, 0x70, 0x0d}));
}

TEST(pzem_meter, reads_low_words_first) {
  MeterReading reading;
  ASSERT_EQ(decode_pzem_answer(with_crc(body), 1, reading), Error::none);
  EXPECT_EQ(reading.voltage_mv, 230'400u);
  EXPECT_EQ(reading.power_w, 2020);  // to the nearest
  EXPECT_EQ(reading.import_mwh, 123'456'000u);
  EXPECT_FALSE(reading.export_mwh);
  EXPECT_EQ(decode_pzem_answer(with_crc(body), pzem_general_address, reading), Error::none);
}

TEST(pzem_meter, refuses_other_meters_functions_lengths_and_values) {
  MeterReading reading;
  EXPECT_EQ(decode_pzem_answer(with_crc(body), 2, reading), Error::wrong_device);
  Buffer other = body;
  other[1] = 3;
  EXPECT_EQ(decode_pzem_answer(with_crc(other), 1, reading), Error::wrong_device);
  other = body;
  other[2] = 18;
  EXPECT_EQ(decode_pzem_answer(with_crc(other), 1, reading), Error::wrong_device);
  other = body;
  other[11] = 0x10;  // a million times the power
  EXPECT_EQ(decode_pzem_answer(with_crc(other), 1, reading), Error::out_of_range);
  other = body;
  other.pop_back();
  EXPECT_EQ(decode_pzem_answer(with_crc(other), 1, reading), Error::truncated);
  EXPECT_EQ(decode_pzem_answer({}, 1, reading), Error::truncated);
  EXPECT_EQ(decode_pzem_answer(with_crc({0x01, 0x84, 0x02}), 1, reading), Error::hardware_failed);
  EXPECT_EQ(decode_pzem_answer(Buffer{0x01, 0x84, 0x02, 0, 0}, 1, reading), Error::record_corrupt);
}

TEST(pzem_meter, accepts_no_answer_with_a_changed_bit) {
  const Buffer answer = with_crc(body);
  for (std::size_t bit = 0; bit < 8 * answer.size(); ++bit) {
    Buffer changed = answer;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1u << bit % 8);
    MeterReading reading;
    EXPECT_NE(decode_pzem_answer(changed, 1, reading), Error::none) << bit;
  }
}

TEST(pzem_meter, survives_random_answers_with_right_checksums) {
  std::mt19937 random(5);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    Buffer answer = body;
    for (auto n = random() % 6; n != 0; --n) answer[3 + random() % 20] = static_cast<std::uint8_t>(random());
    if (random() % 4 == 0) answer.resize(random() % 30);
    MeterReading reading;
    if (decode_pzem_answer(with_crc(answer), 1, reading) != Error::none) continue;
    EXPECT_LE(*reading.power_w, 23'000);
    ++accepted;
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace wattproof::hal
