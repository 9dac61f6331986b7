// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/start_count.hpp"

#include <gtest/gtest.h>

#include "unit/hal/scratch_folder.hpp"

namespace wattproof::firmware {
namespace {

using testing::ScratchFolder;

TEST(start_count, sends_the_fifth_bad_start_in_a_row_into_safe_mode) {
  const ScratchFolder folder;
  for (std::uint32_t start = 1; start <= StartCount::starts_max; ++start) EXPECT_FALSE(StartCount(folder.path()).begin()) << start;
  EXPECT_TRUE(StartCount(folder.path()).begin());
  EXPECT_TRUE(StartCount(folder.path()).begin());  // and every one after it, until one lasts
}

TEST(start_count, forgets_after_a_good_start) {
  const ScratchFolder folder;
  for (int i = 0; i < 3; ++i) StartCount(folder.path()).begin();
  StartCount good(folder.path());
  EXPECT_FALSE(good.begin());
  EXPECT_EQ(good.count(), 4u);
  good.end();
  EXPECT_EQ(good.count(), 0u);
  StartCount next(folder.path());
  EXPECT_FALSE(next.begin());
  EXPECT_EQ(next.count(), 1u);
}

TEST(start_count, counts_nothing_where_it_cannot_read_or_write) {
  const ScratchFolder folder;
  folder.write("starts", "rubbish");
  EXPECT_FALSE(StartCount(folder.path()).begin());
  folder.write("starts", "4294967295");
  EXPECT_TRUE(StartCount(folder.path()).begin());
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(StartCount(folder / "absent").begin());
}

}  // namespace
}  // namespace wattproof::firmware
