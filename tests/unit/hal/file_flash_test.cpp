// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/file_flash.hpp"

#include <gtest/gtest.h>

#include "store/energy_journal.hpp"
#include "unit/hal/scratch_folder.hpp"

namespace wattproof::hal {
namespace {

using testing::ScratchFolder;

TEST(file_flash, clears_bits_and_sets_them_by_the_sector) {
  const ScratchFolder folder;
  FileFlash flash;
  ASSERT_EQ(flash.open(folder / "journal"), Error::none);
  std::array<std::uint8_t, 16> cells{};
  ASSERT_EQ(flash.read(FileFlash::sector_size, cells), Error::none);
  EXPECT_EQ(cells[3], 0xff);
  cells.fill(0x0f);
  EXPECT_EQ(flash.program(FileFlash::sector_size, cells), Error::none);
  cells.fill(0x3c);
  EXPECT_EQ(flash.program(FileFlash::sector_size, cells), Error::none);
  EXPECT_EQ(flash.read(FileFlash::sector_size, cells), Error::none);
  EXPECT_EQ(cells[3], 0x0c);
  EXPECT_EQ(flash.erase_sector(1), Error::none);
  EXPECT_EQ(flash.read(FileFlash::sector_size, cells), Error::none);
  EXPECT_EQ(cells[3], 0xff);
  EXPECT_EQ(flash.erase_sector(FileFlash::sector_count), Error::storage_failed);
  EXPECT_EQ(flash.program(FileFlash::sector_size * FileFlash::sector_count - 8, cells), Error::storage_failed);
  EXPECT_EQ(flash.read(FileFlash::sector_size * FileFlash::sector_count, cells), Error::storage_failed);
}

TEST(file_flash, keeps_a_journal_over_a_start) {
  const ScratchFolder folder;
  for (std::uint64_t start = 0; start < 5; ++start) {
    FileFlash flash;
    ASSERT_EQ(flash.open(folder / "journal"), Error::none);
    store::EnergyJournal journal(flash, {.first_sector = 0, .sector_count = FileFlash::sector_count});
    ASSERT_EQ(journal.mount({0}), Error::none);
    EXPECT_EQ(journal.totals().import_mwh, start * 1000);
    EXPECT_EQ(journal.append({0}, {.import_mwh = start * 1000 + 1000}), Error::none);
  }
}

TEST(file_flash, fills_up_a_file_that_was_cut_and_names_one_that_cannot_be) {
  const ScratchFolder folder;
  folder.write("short", "abc");
  FileFlash flash;
  ASSERT_EQ(flash.open(folder / "short"), Error::none);
  EXPECT_EQ(std::filesystem::file_size(folder / "short"), FileFlash::sector_size * FileFlash::sector_count);
  FileFlash absent;
  EXPECT_EQ(absent.open(folder / "no" / "journal"), Error::storage_failed);
  EXPECT_NE(absent.detail().find("open"), std::string::npos);
}

}  // namespace
}  // namespace wattproof::hal
