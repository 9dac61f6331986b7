// SPDX-License-Identifier: Apache-2.0
#include "epoch_parameters.hpp"

#include <gtest/gtest.h>

namespace wattproof::tool {
namespace {

std::string csv(int slots, int missing = -1) {
  std::string text = "slot,price,base_w,cap_w\n";
  for (int t = 0; t < slots; ++t) {
    if (t != missing) text += std::to_string(t) + "," + std::to_string(100 - 20 * t) + ",500,9000\n";
  }
  return text;
}

std::string refusal(const std::string& path, const std::string& text) {
  try {
    read_epoch_parameters(path, text);
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(epoch_parameters, a_csv_file_is_one_day) {
  for (const std::uint32_t slots : {24u, 48u, 96u}) {
    const EpochParameters parameters = read_epoch_parameters("day.csv", csv(static_cast<int>(slots)));
    EXPECT_EQ(parameters.slots(), slots);
    EXPECT_EQ(parameters.slot_seconds, 86400 / slots);
    EXPECT_EQ(parameters.price[10], -100);  // prices may be negative
    EXPECT_EQ(parameters.encode().size(), 8 + 12 * slots);
  }
}

TEST(epoch_parameters, a_missing_slot_is_named_with_file_and_line) {
  EXPECT_EQ(refusal("day.csv", csv(24, 7)), "day.csv:9: slot 7 is missing, slot 8 comes in its place");
  EXPECT_EQ(refusal("day.csv", csv(24, 23)), "day.csv:24: ends after 23 slots; a day has 24, 48, 96 or 288");
}

TEST(epoch_parameters, columns_may_come_in_any_order_and_others_are_left_alone) {
  std::string text = "# a comment\ncap_w,zone,price,slot,base_w\n";
  for (int t = 0; t < 24; ++t) text += "1000,DK1," + std::to_string(t) + "," + std::to_string(t) + ",-5\r\n";
  const EpochParameters parameters = read_epoch_parameters("x.csv", text);
  EXPECT_EQ(parameters.base_w[3], -5);
  EXPECT_EQ(parameters.price[23], 23);
}

TEST(epoch_parameters, refuses_malformed_csv_naming_the_line) {
  EXPECT_EQ(refusal("x.csv", ""), "x.csv:0: is empty");
  EXPECT_EQ(refusal("x.csv", "slot,price,base_w\n"), "x.csv:1: has no column cap_w");
  EXPECT_EQ(refusal("x.csv", "slot,price,base_w,cap_w\n0,1,2\n"), "x.csv:2: has 3 columns, not 4");
  EXPECT_EQ(refusal("x.csv", "slot,price,base_w,cap_w\n0,1.5,2,3\n"), "x.csv:2: price: \"1.5\" is not a whole number of 32 bits");
  EXPECT_EQ(refusal("x.csv", "slot,price,base_w,cap_w\n0,99999999999,2,3\n"),
            "x.csv:2: price: \"99999999999\" is not a whole number of 32 bits");
}

TEST(epoch_parameters, json_takes_a_number_for_all_slots) {
  const EpochParameters parameters =
      read_epoch_parameters("day.json", R"({"slot_seconds":900,"price":[1,-2,3],"cap_w":[7,8,9],"base_w":4,"gamma":65536})");
  EXPECT_EQ(parameters.base_w, (std::vector<std::int32_t>{4, 4, 4}));
  EXPECT_EQ(ethereum::to_hex(Bytes(parameters.encode()).first(20)), "0x0000000000010000000000010000000400000007");
}

TEST(epoch_parameters, json_refusals_name_file_and_field) {
  EXPECT_EQ(refusal("a.json", R"({"slot_seconds":900,"price":[1,2],"cap_w":[7]})"),
            "a.json: cap_w: must have one entry per slot, 2");
  EXPECT_EQ(refusal("a.json", R"({"slot_seconds":7,"price":[1],"cap_w":7})"), "a.json: slot_seconds: must divide 3600");
  EXPECT_EQ(refusal("a.json", R"({"slot_seconds":900,"price":[],"cap_w":7})"), "a.json: price: is empty");
}

}  // namespace
}  // namespace wattproof::tool
