// SPDX-License-Identifier: Apache-2.0
#include "community_json.hpp"

#include <gtest/gtest.h>

namespace wattproof::tool {
namespace {

void read(const std::string& device, const std::string& more, DeviceDocument& result) {
  read_device_document(parse_document(R"({"slots":4,"slot_seconds":900,"device":)" + device + more + "}"), "", result);
}

std::string refused_device_field(const std::string& device, const std::string& more) {
  try {
    DeviceDocument result;
    read(device, more, result);
    return "ok";
  } catch (const InputError& error) {
    return error.field;
  }
}

TEST(community_json, derives_limits_from_the_kind) {
  DeviceDocument battery;
  read(R"({"type":"battery","power_min_w":-5,"power_max_w":7,"energy_min_wh":0,"energy_max_wh":9,"energy_start_wh":0,)"
       R"("energy_end_min_wh":0,"energy_end_max_wh":9})", "", battery);
  EXPECT_EQ(ethereum::to_hex(encode_limits(battery)), "0x0001fffffffb00000007");
  EXPECT_EQ(ethereum::to_hex(encode_fallback(battery)), "0x000100000000");
  DeviceDocument car;
  read(R"({"type":"shapeable","power_min_w":0,"power_max_w":9,"energy_wh":1,"start_slot":1,"end_slot":3})", "", car);
  EXPECT_EQ(car.max_w, (std::vector<std::int32_t>{0, 9, 9, 0}));
  EXPECT_EQ(car.min_w.size(), 4u);  // limits are told in pairs
  DeviceDocument load;
  read(R"({"type":"fixed","profile_w":[3,4,5,6]})", "", load);
  EXPECT_EQ(load.fallback_w, (std::vector<std::int32_t>{3, 4, 5, 6}));
}

TEST(community_json, the_document_may_narrow_them) {
  DeviceDocument panel;
  read(R"({"type":"curtailable","min_w":-9,"max_w":0})", R"(,"min_w":[-1,-2,-3,-4],"fallback_w":-1)", panel);
  EXPECT_EQ(panel.min_w, (std::vector<std::int32_t>{-1, -2, -3, -4}));
  EXPECT_EQ(panel.max_w, (std::vector<std::int32_t>{0, 0, 0, 0}));
  EXPECT_EQ(ethereum::to_hex(encode_fallback(panel)), "0x0001ffffffff");
}

TEST(community_json, refuses_a_fallback_outside_the_limits) {
  const std::string panel = R"({"type":"curtailable","min_w":-9,"max_w":0})";
  EXPECT_EQ(refused_device_field(panel, R"(,"fallback_w":1)"), "fallback_w");
  EXPECT_EQ(refused_device_field(panel, R"(,"fallback_w":[0,0,0,-10])"), "fallback_w");
  EXPECT_EQ(refused_device_field(panel, R"(,"min_w":1)"), "min_w");
  EXPECT_EQ(refused_device_field(panel, R"(,"address":"0x12")"), "address");
  EXPECT_EQ(refused_device_field(panel, R"(,"max_w":[0,0])"), "max_w");
}

}  // namespace
}  // namespace wattproof::tool
