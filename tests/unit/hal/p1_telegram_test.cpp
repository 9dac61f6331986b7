// SPDX-License-Identifier: Apache-2.0
#include "hal/meters/p1_telegram.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>

#include "hal/meters/crc16.hpp"

namespace wattproof::hal {
namespace {

// The example of the standard (DSMR 5.0.2, P1 companion, 6.13). It prints the checksum EF2F, which does not fit its own text;
// E47C does.
const std::string example =
    "/ISk5\\2MT382-1000\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(101209113020W)\r\n0-0:96.1.1(4B384547303034303436333935353037)\r\n"
    "1-0:1.8.1(123456.789*kWh)\r\n1-0:1.8.2(123456.789*kWh)\r\n1-0:2.8.1(123456.789*kWh)\r\n1-0:2.8.2(123456.789*kWh)\r\n"
    "0-0:96.14.0(0002)\r\n1-0:1.7.0(01.193*kW)\r\n1-0:2.7.0(00.000*kW)\r\n0-0:96.7.21(00004)\r\n0-0:96.7.9(00002)\r\n"
    "1-0:99.97.0(2)(0-0:96.7.19)(101208152415W)(0000000240*s)(101208151004W)(0000000301*s)\r\n"
    "1-0:32.32.0(00002)\r\n1-0:52.32.0(00001)\r\n1-0:72.32.0(00000)\r\n1-0:32.36.0(00000)\r\n1-0:52.36.0(00003)\r\n1-0:72.36.0(00000)\r\n"
    "0-0:96.13.0(303132333435363738393A3B3C3D3E3F303132333435363738393A3B3C3D3E3F303132333435363738393A3B3C3D3E3F"
    "303132333435363738393A3B3C3D3E3F303132333435363738393A3B3C3D3E3F)\r\n"
    "1-0:32.7.0(220.1*V)\r\n1-0:52.7.0(220.2*V)\r\n1-0:72.7.0(220.3*V)\r\n1-0:31.7.0(001*A)\r\n1-0:51.7.0(002*A)\r\n1-0:71.7.0(003*A)\r\n"
    "1-0:21.7.0(01.111*kW)\r\n1-0:41.7.0(02.222*kW)\r\n1-0:61.7.0(03.333*kW)\r\n1-0:22.7.0(04.444*kW)\r\n1-0:42.7.0(05.555*kW)\r\n"
    "1-0:62.7.0(06.666*kW)\r\n0-1:24.1.0(003)\r\n0-1:96.1.0(3232323241424344313233343536373839)\r\n"
    "0-1:24.2.1(101209112500W)(12785.123*m3)\r\n!E47C\r\n";

Bytes bytes_of(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::string with_checksum(const std::string& body) {
  const std::string text = "/XYZ5meter\r\n\r\n" + body + "!";
  char digits[8];
  std::snprintf(digits, sizeof digits, "%04X", crc16_arc(bytes_of(text)));
  return text + digits + "\r\n";
}

Error decode(const std::string& body, MeterReading& reading) { return decode_p1_telegram(bytes_of(with_checksum(body)), reading); }

TEST(crc16, has_the_check_values_of_the_catalogue) {
  const std::string digits = "123456789";
  EXPECT_EQ(crc16_arc(bytes_of(digits)), 0xbb3d);
  EXPECT_EQ(crc16_modbus(bytes_of(digits)), 0x4b37);
  EXPECT_EQ(static_cast<std::uint16_t>(~crc16(bytes_of(digits), crc16_polynomial_8408, 0xffff)), 0x906e);
}

TEST(p1_telegram, reads_the_example_of_the_standard) {
  MeterReading reading;
  ASSERT_EQ(decode_p1_telegram(bytes_of(example), reading), Error::none);
  EXPECT_EQ(reading.power_w, 1193);
  EXPECT_EQ(reading.import_mwh, 2 * 123'456'789'000u);
  EXPECT_EQ(reading.export_mwh, 2 * 123'456'789'000u);
}

TEST(p1_telegram, is_cut_out_of_whatever_the_line_brings) {
  P1Reader reader;
  const std::string line = "5*m3)\r\n!12AB\r\n" + example + "/half a tele" + example;
  int telegrams = 0;
  for (const char character : line) {
    if (!reader.push(static_cast<std::uint8_t>(character))) continue;
    MeterReading reading;
    EXPECT_EQ(decode_p1_telegram(reader.telegram(), reading), Error::none);
    ++telegrams;
  }
  EXPECT_EQ(telegrams, 2);
}

TEST(p1_telegram, drops_one_that_never_ends) {
  P1Reader reader;
  EXPECT_FALSE(reader.push('/'));
  for (std::size_t i = 0; i < 3 * p1_telegram_size_max; ++i) EXPECT_FALSE(reader.push('x'));
  bool is_complete = false;
  for (const char character : example) is_complete = reader.push(static_cast<std::uint8_t>(character)) || is_complete;
  EXPECT_TRUE(is_complete);
}

TEST(p1_telegram, nets_power_and_prefers_tariffs_to_their_total) {
  MeterReading reading;
  ASSERT_EQ(decode("1-0:1.8.0(000003.000*kWh)\r\n1-0:1.8.1(000001.000*kWh)\r\n1-0:1.8.2(000002.000*kWh)\r\n"
                   "1-0:1.7.0(00.000*kW)\r\n1-0:2.7.0(02.500*kW)\r\n", reading), Error::none);
  EXPECT_EQ(reading.import_mwh, 3'000'000u);
  EXPECT_EQ(reading.power_w, -2500);
  EXPECT_FALSE(reading.export_mwh);
  ASSERT_EQ(decode("1-0:2.8.0(000004.001*kWh)\r\n", reading), Error::none);
  EXPECT_EQ(reading.export_mwh, 4'001'000u);
  EXPECT_FALSE(reading.power_w);  // absent, not zero
}

TEST(p1_telegram, refuses_what_is_not_one) {
  MeterReading reading;
  EXPECT_EQ(decode_p1_telegram({}, reading), Error::truncated);
  EXPECT_EQ(decode_p1_telegram(bytes_of("/abc"), reading), Error::truncated);
  EXPECT_EQ(decode_p1_telegram(bytes_of("/abc!12"), reading), Error::truncated);
  EXPECT_EQ(decode_p1_telegram(bytes_of("/abc!12x4"), reading), Error::truncated);
  EXPECT_EQ(decode_p1_telegram(bytes_of("/abc!0000"), reading), Error::record_corrupt);
  EXPECT_EQ(decode("", reading), Error::value_absent);
  for (const char* line : {"1-0:1.7.0(1.193*W)\r\n", "1-0:1.7.0(1193*kW)\r\n", "1-0:1.7.0(.193*kW)\r\n", "1-0:1.7.0(1.19*kW)\r\n", "1-0:1.7.0(-1.193*kW)\r\n",
                           "1-0:1.8.1(1234567890123.000*kWh)\r\n", "1-0:1.7.0(1a.193*kW)\r\n", "1-0:1.7.0(999999999.999*kW)\r\n", "1-0:1.7.0()\r\n"}) {
    EXPECT_EQ(decode(line, reading), Error::out_of_range) << line;
  }
}

TEST(p1_telegram, accepts_no_example_with_a_changed_character) {
  for (std::size_t i = 0; i + 2 < example.size(); ++i) {
    std::string changed = example;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    MeterReading reading;
    EXPECT_NE(decode_p1_telegram(bytes_of(changed), reading), Error::none) << i;
  }
}

TEST(p1_telegram, survives_random_lines_with_right_checksums) {
  std::mt19937 random(7);
  const std::string letters = "1-0:.8()*kWh27\r\n9";
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string body = i % 2 == 0 ? "1-0:1.7.0(01.193*kW)\r\n" : "";
    for (auto n = random() % 60; n != 0; --n) body += letters[random() % letters.size()];
    MeterReading reading;
    const Error error = decode(body, reading);
    accepted += error == Error::none ? 1 : 0;
    EXPECT_TRUE(error == Error::none || error == Error::out_of_range || error == Error::value_absent);
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace wattproof::hal
