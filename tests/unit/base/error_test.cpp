// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace wattproof {
namespace {

TEST(error, every_value_has_a_name_of_its_own) {
  std::set<std::string> names;
  for (std::uint16_t value = 0; value < 512; ++value) {
    const std::string name = error_name(static_cast<Error>(value));
    if (name == "unknown_error") continue;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_GE(names.size(), 89u);
  EXPECT_EQ(std::string(error_name(Error::seal_below_quorum)), "seal_below_quorum");
}

}  // namespace
}  // namespace wattproof
