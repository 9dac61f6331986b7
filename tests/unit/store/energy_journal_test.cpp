// SPDX-License-Identifier: Apache-2.0
#include "store/energy_journal.hpp"

#include <gtest/gtest.h>

#include "power/sim_flash.hpp"
#include "support/vectors.hpp"

namespace wattproof::store {
namespace {

using Journal = EnergyJournal<SimFlash>;

constexpr FlashGeometry geometry = {.sector_size = 256, .sector_count = 3, .program_size = 8};
constexpr JournalArea whole = {.first_sector = 0, .sector_count = 3};

BootMs at(std::uint64_t ms) { return {ms}; }

TEST(energy_journal, starts_at_zero_and_keeps_totals_over_a_boot) {
  SimFlash flash(geometry);
  {
    Journal journal(flash, whole);
    ASSERT_EQ(journal.mount(at(0)), Error::none);
    EXPECT_EQ(journal.totals().import_mwh, 0U);
    ASSERT_EQ(journal.append(at(1), {.import_mwh = 5, .export_mwh = 6, .uptime_s = 7}), Error::none);
  }
  Journal journal(flash, whole);
  ASSERT_EQ(journal.mount(at(0)), Error::none);
  EXPECT_EQ(journal.totals().import_mwh, 5U);
  EXPECT_EQ(journal.totals().export_mwh, 6U);
  EXPECT_EQ(journal.totals().uptime_s, 7U);
}

TEST(energy_journal, goes_round_its_ring_many_times) {
  SimFlash flash(geometry);
  std::uint64_t total = 0;
  for (int boot = 0; boot < 50; ++boot) {
    Journal journal(flash, whole);
    ASSERT_EQ(journal.mount(at(0)), Error::none);
    ASSERT_EQ(journal.totals().import_mwh, total);
    for (int i = 0; i < boot; ++i) ASSERT_EQ(journal.append(at(1), {.import_mwh = ++total}), Error::none);
  }
  EXPECT_EQ(flash.rule_violations, 0U);
  EXPECT_GT(flash.erases(0), 40U);
}

TEST(energy_journal, refuses_totals_that_fall) {
  SimFlash flash(geometry);
  Journal journal(flash, whole);
  EXPECT_EQ(journal.append(at(0), {}), Error::not_ready);
  ASSERT_EQ(journal.mount(at(0)), Error::none);
  ASSERT_EQ(journal.append(at(0), {.import_mwh = 10, .export_mwh = 10}), Error::none);
  EXPECT_EQ(journal.append(at(0), {.import_mwh = 9, .export_mwh = 10}), Error::out_of_range);
  EXPECT_EQ(journal.append(at(0), {.import_mwh = 10, .export_mwh = 9}), Error::out_of_range);
  EXPECT_EQ(journal.append(at(0), {.import_mwh = 10, .export_mwh = 10}), Error::none);
}

TEST(energy_journal, is_due_by_energy_by_time_and_once_after_a_boot) {
  SimFlash flash(geometry);
  Journal journal(flash, whole);
  ASSERT_EQ(journal.mount(at(1000)), Error::none);
  const JournalRules rules;
  EXPECT_FALSE(journal.is_due(at(60'999), {}, rules));
  EXPECT_TRUE(journal.is_due(at(61'000), {}, rules));
  ASSERT_EQ(journal.append(at(61'000), {}), Error::none);
  EXPECT_EQ(journal.age_ms(at(62'000)), 1000U);
  EXPECT_FALSE(journal.is_due(at(10'000'000), {}, rules));
  EXPECT_FALSE(journal.is_due(at(61'000), {.import_mwh = 9'999}, rules));
  EXPECT_TRUE(journal.is_due(at(61'000), {.import_mwh = 10'000}, rules));
  EXPECT_TRUE(journal.is_due(at(61'000), {.export_mwh = 10'000}, rules));
  EXPECT_FALSE(journal.is_due(at(960'999), {.import_mwh = 1}, rules));
  EXPECT_TRUE(journal.is_due(at(961'000), {.import_mwh = 1}, rules));
}

TEST(energy_journal, passes_over_slots_that_do_not_hold) {
  SimFlash flash(geometry);
  Journal journal(flash, whole);
  ASSERT_EQ(journal.mount(at(0)), Error::none);
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_EQ(journal.append(at(0), {.import_mwh = i}), Error::none);
  flash.fails_to_program = true;
  EXPECT_EQ(journal.append(at(0), {.import_mwh = 4}), Error::storage_failed);
  EXPECT_EQ(journal.totals().import_mwh, 3U);
  flash.fails_to_program = false;
  Journal again(flash, whole);
  ASSERT_EQ(again.mount(at(0)), Error::none);
  EXPECT_EQ(again.totals().import_mwh, 3U);
  ASSERT_EQ(again.append(at(0), {.import_mwh = 4}), Error::none);
}

TEST(energy_journal, refuses_areas_that_cannot_be) {
  const auto mount = [](FlashGeometry g, JournalArea a) {
    SimFlash flash(g);
    return Journal(flash, a).mount(at(0));
  };
  EXPECT_EQ(mount(geometry, whole), Error::none);
  EXPECT_EQ(mount(geometry, {0, 1}), Error::configuration_invalid);
  EXPECT_EQ(mount(geometry, {2, 2}), Error::configuration_invalid);
  EXPECT_EQ(mount(geometry, {0xffffffff, 2}), Error::configuration_invalid);
  EXPECT_EQ(mount(geometry, {0, journal_sector_count_max + 1}), Error::configuration_invalid);
  EXPECT_EQ(mount({.sector_size = 272, .sector_count = 3, .program_size = 16}, whole), Error::configuration_invalid);
}

TEST(energy_journal, writes_the_bytes_of_the_document) {
  const JournalBytes bytes = encode_journal_record({.sequence = 1, .totals = {0x0203, 0x0405, 6}});
  EXPECT_EQ(testing::to_hex(Bytes(bytes).first(28)),
            "57504531" "00000001" "0000000000000203" "0000000000000405" "00000006");
  const auto record = decode_journal_record(bytes);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->sequence, 1U);
  EXPECT_EQ(record->totals.export_mwh, 0x0405U);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    JournalBytes changed = bytes;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    EXPECT_EQ(decode_journal_record(changed).error(), Error::record_corrupt) << bit;
  }
  EXPECT_EQ(decode_journal_record(encode_journal_record({})).error(), Error::record_corrupt);  // sequence 0
}

// Appends rising totals, cuts at the given operations, boots again. After every boot the total is at least the last
// acknowledged one and at most the last one tried; what a boot wrote after its first record never falls back.
bool holds_after_cuts(FlashGeometry g, const std::vector<std::pair<std::uint64_t, Tear>>& cuts, std::uint64_t seed,
                      std::uint64_t& operations) {
  SimFlash flash(g, seed);
  std::uint64_t acknowledged = 0;
  std::uint64_t tried = 0;
  for (std::size_t boot = 0; boot <= cuts.size() + 1; ++boot) {
    const bool is_free = boot >= cuts.size();
    flash.power_up(is_free ? ~std::uint64_t{0} : cuts[boot].first, is_free ? Tear::clean : cuts[boot].second);
    try {
      Journal journal(flash, {.first_sector = 0, .sector_count = g.sector_count});
      if (!ok(journal.mount(at(0)))) return false;
      const std::uint64_t seen = journal.totals().import_mwh;
      if (seen < acknowledged || seen > tried) return false;
      for (int i = 0; i < 20; ++i) {
        ++tried;
        if (!ok(journal.append(at(0), {.import_mwh = tried}))) return false;
        acknowledged = tried;
      }
    } catch (const PowerCut&) {
    }
  }
  operations = flash.operations();
  return flash.rule_violations == 0;
}

TEST(energy_journal, survives_cuts_at_every_operation_one_and_two_deep) {
  std::uint64_t points = 0;
  for (const std::uint32_t unit : {4U, 8U, 16U}) {
    const FlashGeometry g = {.sector_size = 256, .sector_count = 2, .program_size = unit};
    std::uint64_t operations = 0;
    ASSERT_TRUE(holds_after_cuts(g, {}, 1, operations));
    for (std::uint64_t first = 0; first < operations; ++first) {
      for (int tear = 0; tear < tear_count; ++tear) {
        std::uint64_t ignored = 0;
        ASSERT_TRUE(holds_after_cuts(g, {{first, static_cast<Tear>(tear)}}, first, ignored)) << unit << " " << first;
        ++points;
        for (std::uint64_t second = 0; second < 12; ++second) {
          ASSERT_TRUE(holds_after_cuts(g, {{first, static_cast<Tear>(tear)}, {second, Tear::weak}}, second, ignored))
              << unit << " " << first << "/" << tear << " " << second;
          ++points;
        }
      }
    }
  }
  EXPECT_GT(points, 10'000U);
}

// The wear that FORMAT.md states: 4 sectors of 4 KiB, 128 slots each.
TEST(energy_journal, wears_as_documented) {
  SimFlash flash({.sector_size = 4096, .sector_count = 4, .program_size = 8});
  Journal journal(flash, {.first_sector = 0, .sector_count = 4});
  ASSERT_EQ(journal.mount(at(0)), Error::none);
  std::uint64_t total = 0;
  constexpr int days = 20;
  for (int i = 0; i < 4800 * days; ++i) ASSERT_EQ(journal.append(at(0), {.import_mwh = total += 10'000}), Error::none);
  EXPECT_EQ(flash.erases(1) * 10 / days, 94U);  // 9.4 a day at 2 kW without pause
}

}  // namespace
}  // namespace wattproof::store
