// SPDX-License-Identifier: Apache-2.0
// Telegrams are put together here by the rules of the specification (BSI TR-03109-1, annex IV): an opening, a list response
// and a closing message inside one transport frame.
#include "hal/meters/sml_telegram.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "hal/meters/crc16.hpp"

namespace wattproof::hal {
namespace {

using Buffer = std::vector<std::uint8_t>;

void add(Buffer& to, const Buffer& more) { to.insert(to.end(), more.begin(), more.end()); }

Buffer octets(const Buffer& content) {
  Buffer out{static_cast<std::uint8_t>(content.size() + 1)};
  add(out, content);
  return out;
}

// The shortest form of a signed number, as meters send it.
Buffer integer(std::int64_t value, std::uint8_t type = 5) {
  int size = 1;
  while (size < 8 && (value < -(std::int64_t{1} << (8 * size - 1)) || value >= std::int64_t{1} << (8 * size - 1))) ++size;
  Buffer out{static_cast<std::uint8_t>(type << 4 | (size + 1))};
  for (int i = size - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return out;
}

Buffer list(const std::vector<Buffer>& elements) {
  Buffer out;
  if (elements.size() > 15) out = {static_cast<std::uint8_t>(0xf0 | elements.size() >> 4), static_cast<std::uint8_t>(elements.size() & 15)};
  else out = {static_cast<std::uint8_t>(0x70 | elements.size())};
  for (const Buffer& element : elements) add(out, element);
  return out;
}

const Buffer absent{0x01};

Buffer entry(const Buffer& name, std::uint8_t unit, int scaler, const Buffer& value, const Buffer& time = absent) {
  return list({octets(name), integer(0x182, 6), time, {0x62, unit}, integer(scaler), value, absent});
}

Buffer message(std::uint32_t tag, const Buffer& body) {
  return list({octets({1, 2, 3}), {0x62, 0x00}, {0x62, 0x00}, list({{0x63, static_cast<std::uint8_t>(tag >> 8), static_cast<std::uint8_t>(tag)}, body}),
               {0x63, 0x12, 0x34}, {0x00}});
}

const Buffer import_name{1, 0, 1, 8, 0, 255}, export_name{1, 0, 2, 8, 0, 255}, power_name{1, 0, 16, 7, 0, 255};

Buffer content_of(const std::vector<Buffer>& entries) {
  std::vector<Buffer> all{list({octets({129, 129, 199, 130, 3, 255}), absent, absent, absent, absent, octets({'E', 'M', 'H'}), absent})};
  all.insert(all.end(), entries.begin(), entries.end());
  Buffer out = message(0x0101, list({absent, absent, octets({9, 9}), octets({10, 1}), absent, absent}));
  add(out, message(0x0701, list({absent, octets({10, 1}), absent, list({{0x62, 0x01}, integer(123456, 6)}), list(all), absent, absent})));
  add(out, message(0x0201, list({absent})));
  return out;
}

Buffer framed(Buffer content) {
  Buffer escaped{0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1};
  std::uint8_t padding = 0;
  while (content.size() % 4 != 0) {
    content.push_back(0);
    ++padding;
  }
  for (std::size_t i = 0; i < content.size();) {
    const bool is_escape = i + 4 <= content.size() && content[i] == 0x1b && content[i + 1] == 0x1b && content[i + 2] == 0x1b && content[i + 3] == 0x1b;
    const std::size_t count = is_escape ? 4 : 1;
    for (std::size_t k = 0; k < (is_escape ? 8u : 1u); ++k) escaped.push_back(content[i + (is_escape ? 0 : k)]);
    i += count;
  }
  add(escaped, {0x1b, 0x1b, 0x1b, 0x1b, 0x1a, padding});
  const auto crc = static_cast<std::uint16_t>(~crc16(escaped, crc16_polynomial_8408, 0xffff));
  add(escaped, {static_cast<std::uint8_t>(crc & 0xff), static_cast<std::uint8_t>(crc >> 8)});
  return escaped;
}

int frames_in(SmlReader& reader, const Buffer& line, Buffer* content = nullptr) {
  int frames = 0;
  for (const std::uint8_t byte : line) {
    if (!reader.push(byte)) continue;
    if (content != nullptr) *content = Buffer(reader.content().begin(), reader.content().end());
    ++frames;
  }
  return frames;
}

const Buffer usual = content_of({entry(import_name, 30, -1, integer(123'456'789)), entry(export_name, 30, -1, integer(42)),
                                 entry(power_name, 27, -1, integer(-3451))});

TEST(sml_telegram, reads_energy_and_power) {
  MeterReading reading;
  ASSERT_EQ(decode_sml_telegram(usual, reading), Error::none);
  EXPECT_EQ(reading.import_mwh, 12'345'678'900u);
  EXPECT_EQ(reading.export_mwh, 4'200u);
  EXPECT_EQ(reading.power_w, -345);
}

TEST(sml_telegram, follows_scalers_times_and_wide_numbers) {
  MeterReading reading;
  const Buffer time = list({{0x62, 0x01}, {0x65, 1, 2, 3, 4}});
  ASSERT_EQ(decode_sml_telegram(content_of({entry(import_name, 30, 0, {0x69, 0, 0, 0, 0, 0, 0, 0x30, 0x39}, time), entry(power_name, 27, 2, integer(3))}), reading),
            Error::none);
  EXPECT_EQ(reading.import_mwh, 12'345'000u);
  EXPECT_EQ(reading.power_w, 300);
  EXPECT_FALSE(reading.export_mwh);
  ASSERT_EQ(decode_sml_telegram(content_of({entry(import_name, 30, -5, integer(1'234'567))}), reading), Error::none);
  EXPECT_EQ(reading.import_mwh, 12'345u);
  EXPECT_FALSE(reading.power_w);
}

TEST(sml_telegram, leaves_out_a_value_that_the_meter_hides) {
  MeterReading reading;
  EXPECT_EQ(decode_sml_telegram(content_of({entry(power_name, 27, 0, absent)}), reading), Error::value_absent);
}

TEST(sml_telegram, refuses_other_units_and_values_beyond_their_range) {
  MeterReading reading;
  EXPECT_EQ(decode_sml_telegram(content_of({entry(import_name, 27, 0, integer(1))}), reading), Error::out_of_range);
  EXPECT_EQ(decode_sml_telegram(content_of({entry(import_name, 30, 0, integer(-1))}), reading), Error::out_of_range);
  EXPECT_EQ(decode_sml_telegram(content_of({entry(import_name, 30, 100, integer(1))}), reading), Error::out_of_range);
  EXPECT_EQ(decode_sml_telegram(content_of({entry(import_name, 30, 15, integer(1'000'000))}), reading), Error::out_of_range);
  EXPECT_EQ(decode_sml_telegram(content_of({entry(power_name, 27, 0, integer(std::int64_t{1} << 40))}), reading), Error::out_of_range);
}

TEST(sml_telegram, is_cut_out_of_whatever_the_line_brings) {
  SmlReader reader;
  Buffer line{0x1b, 0x1b, 0x00, 0x1b, 0x1b, 0x1b, 0x1b, 0x1a, 0x00, 0x11, 0x22};
  add(line, framed(usual));
  const Buffer half = framed(usual);
  line.insert(line.end(), half.begin(), half.begin() + 40);
  add(line, framed(usual));
  Buffer content;
  EXPECT_EQ(frames_in(reader, line, &content), 2);
  EXPECT_EQ(content, usual);
}

TEST(sml_telegram, takes_escapes_out_of_the_content) {
  for (int run = 3; run <= 9; ++run) {
    Buffer inside = octets(Buffer(static_cast<std::size_t>(run), 0x1b));
    Buffer content = content_of({list({octets(power_name), inside, absent, {0x62, 27}, integer(0), integer(7), absent})});
    SmlReader reader;
    Buffer read;
    ASSERT_EQ(frames_in(reader, framed(content), &read), 1) << run;
    EXPECT_EQ(read, content) << run;
    MeterReading reading;
    EXPECT_EQ(decode_sml_telegram(read, reading), Error::none);
    EXPECT_EQ(reading.power_w, 7);
  }
}

TEST(sml_telegram, accepts_no_frame_with_a_changed_bit) {
  const Buffer frame = framed(usual);
  for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    Buffer changed = frame;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1u << bit % 8);
    SmlReader reader;
    EXPECT_EQ(frames_in(reader, changed), 0) << bit;
  }
}

TEST(sml_telegram, drops_one_that_never_ends_and_counts_it) {
  SmlReader reader;
  Buffer line{0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1};
  line.resize(5000, 0x55);
  EXPECT_EQ(frames_in(reader, line), 0);
  EXPECT_EQ(reader.refused(), 1u);
  EXPECT_EQ(frames_in(reader, framed(usual)), 1);
}

TEST(sml_telegram, survives_cut_and_changed_content) {
  std::mt19937 random(3);
  int accepted = 0;
  for (int i = 0; i < 100'000; ++i) {
    Buffer content = usual;
    content.resize(random() % (content.size() + 1));
    for (auto n = random() % 4; n != 0 && !content.empty(); --n) content[random() % content.size()] = static_cast<std::uint8_t>(random());
    MeterReading reading;
    accepted += decode_sml_telegram(content, reading) == Error::none ? 1 : 0;
  }
  EXPECT_GT(accepted, 0);
  Buffer deep(sml_telegram_size_max, 0x71);  // a list in a list in a list ...
  MeterReading reading;
  EXPECT_EQ(decode_sml_telegram(deep, reading), Error::value_absent);
  deep.assign(sml_telegram_size_max, 0xff);
  EXPECT_EQ(decode_sml_telegram(deep, reading), Error::too_large);
}

}  // namespace
}  // namespace wattproof::hal
