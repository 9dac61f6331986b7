// SPDX-License-Identifier: Apache-2.0
// The record store under power cuts at every erase and every program unit, and the proof that the harness would notice: the
// same runs with bugs planted in the store's way to the flash, and with the classic wrong two-slot stores.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "power/power_cut.hpp"
#include "store/record_store.hpp"
#include "support/effort.hpp"

namespace wattproof::store {
namespace {

// Operations of the second boot at which a second cut is tried; fewer where everything takes ten times as long.
constexpr std::uint64_t second_cuts = testing::is_slow_build ? 2 : 12;

// Two sectors of 256 bytes hold a few records each, so a short script compacts several times.
constexpr FlashGeometry small_words = {.sector_size = 256, .sector_count = 2, .program_size = 4};
constexpr FlashGeometry small_double_words = {.sector_size = 256, .sector_count = 2, .program_size = 8};
constexpr FlashGeometry small_quads = {.sector_size = 256, .sector_count = 2, .program_size = 16};
constexpr FlashGeometry small_bytes = {.sector_size = 256, .sector_count = 2, .program_size = 1};
constexpr FlashGeometry two_sector_banks = {.sector_size = 256, .sector_count = 5, .program_size = 4};

// As a node writes: the boot count first, then messages, heads and schedules of several lengths.
std::vector<ScriptStep> script(int writes) {
  std::vector<ScriptStep> steps;
  for (int i = 0; i < writes; ++i) {
    const std::uint8_t id = static_cast<std::uint8_t>(i % 3 == 0 ? 1 : 2 + i % 3);
    steps.push_back({id, static_cast<std::uint32_t>(i % 7 == 6 ? 0 : 4 + i * 5 % 23)});
  }
  return steps;
}

// Large records beside the small one of each boot: where no large one fits any more and a compaction begins, the boot
// record still fits into the old bank. A compaction that was cut at its seal is then a rival to what that boot acknowledged.
std::vector<ScriptStep> large_script(int writes) {
  std::vector<ScriptStep> steps;
  for (int i = 0; i < writes; ++i) steps.push_back({static_cast<std::uint8_t>(2 + i % 2), 60});
  return steps;
}

auto plain_store(RecordStoreArea area = {}) {
  return [area](SimFlash& flash) { return RecordStore<SimFlash>(flash, area); };
}

TEST(record_store_power, survives_a_cut_at_every_operation_one_and_two_deep) {
  std::uint64_t points = 0;
  for (const FlashGeometry& geometry : {small_words, small_double_words, small_quads}) {
    const PowerReport report = cut_everywhere(geometry, script(24), plain_store(), second_cuts);
    EXPECT_EQ(report.violations, 0U) << report.first_violation;
    points += report.points;
  }
  EXPECT_GT(points, 10'000U);
  RecordProperty("points", std::to_string(points));
}

TEST(record_store_power, survives_cuts_that_leave_a_newer_bank_behind) {
  const PowerReport report = cut_everywhere(small_words, large_script(8), plain_store(), second_cuts);
  EXPECT_EQ(report.violations, 0U) << report.first_violation;
  EXPECT_GT(report.points, 100U * second_cuts);
}

TEST(record_store_power, survives_cuts_in_banks_of_two_sectors_and_units_of_one_byte) {
  const PowerReport wide = cut_everywhere(two_sector_banks, script(20), plain_store({1, 2}), second_cuts / 3 + 1);
  EXPECT_EQ(wide.violations, 0U) << wide.first_violation;
  const PowerReport narrow = cut_everywhere(small_bytes, script(14), plain_store(), 3);
  EXPECT_EQ(narrow.violations, 0U) << narrow.first_violation;
  EXPECT_GT(wide.points + narrow.points, 10'000U);
}

// A point is a run in which a cut struck; a script may have ended before its cut, so more runs are made than points asked for.
TEST(record_store_power, survives_up_to_five_random_cuts) {
  const std::uint64_t count = testing::case_count(20'000);
  std::uint64_t points = 0;
  for (const FlashGeometry& geometry : {small_words, small_double_words, small_quads, small_bytes}) {
    const PowerReport report = cut_at_random(geometry, script(30), plain_store(), count / 4 + count / 16, 5);
    EXPECT_EQ(report.violations, 0U) << report.first_violation;
    points += report.points;
  }
  EXPECT_GE(points, count);
  std::printf("power-cut points: %llu\n", static_cast<unsigned long long>(points));
}

// A flash that keeps part of what the store asks for to itself. Each sabotage takes one thing away that the store's argument
// rests on.
enum class Sabotage {
  none,
  no_pins,       // zeros at the tail of a log never reach the cells
  no_kills,      // zeros on a bank's head never reach the cells
  late_payload,  // payload is programmed after its mark
};

class SabotagedFlash {
 public:
  SabotagedFlash(SimFlash& flash, Sabotage sabotage) : flash_(&flash), sabotage_(sabotage) {}
  FlashGeometry geometry() const { return flash_->geometry(); }
  Error erase_sector(std::uint32_t sector) {
    zeroed_.clear();
    held_.clear();
    return flash_->erase_sector(sector);
  }
  Error program(std::uint32_t offset, Bytes bytes) {
    const bool is_head = offset % geometry().sector_size == 0;
    if (is_zero(bytes) && sabotage_ == (is_head ? Sabotage::no_kills : Sabotage::no_pins)) {
      zeroed_.push_back(offset);
      return Error::none;
    }
    if (sabotage_ == Sabotage::late_payload) {
      // Held back: every unit but heads and marks, until the next mark has been programmed.
      if (!is_mark(bytes) && bytes[0] != 0xe1 && bytes[0] != 'W' && !is_zero(bytes)) {
        held_.emplace_back(offset, Value(bytes.begin(), bytes.end()));
        return Error::none;
      }
      const Error error = flash_->program(offset, bytes);
      if (is_mark(bytes)) {
        for (const auto& [at, unit] : held_) (void)flash_->program(at, unit);
        held_.clear();
      }
      return error;
    }
    return flash_->program(offset, bytes);
  }
  Error read(std::uint32_t offset, MutableBytes into) const {
    WATTPROOF_TRY(flash_->read(offset, into));
    // What was held back or dropped reads as if it were there.
    for (const auto& [at, unit] : held_) overlay(offset, into, at, unit);
    for (const std::uint32_t at : zeroed_) overlay(offset, into, at, Value(geometry().program_size, 0));
    return Error::none;
  }

 private:
  static void overlay(std::uint32_t offset, MutableBytes into, std::uint32_t at, const Value& unit) {
    for (std::size_t i = 0; i < into.size(); ++i) {
      const std::size_t position = offset + i;
      if (position >= at && position - at < unit.size()) into[i] = unit[position - at];
    }
  }

  SimFlash* flash_;
  Sabotage sabotage_;
  std::vector<std::uint32_t> zeroed_;
  std::vector<std::pair<std::uint32_t, Value>> held_;
};

class SabotagedStore {
 public:
  SabotagedStore(SimFlash& flash, Sabotage sabotage) : flash_(flash, sabotage), store_(flash_, {}) {}
  SabotagedStore(const SabotagedStore&) = delete;
  SabotagedStore& operator=(const SabotagedStore&) = delete;
  Error mount() { return store_.mount(); }
  Error write(std::uint8_t id, Bytes value) { return store_.write(id, value); }
  Result<std::uint32_t> read(std::uint8_t id, MutableBytes into) const { return store_.read(id, into); }

 private:
  SabotagedFlash flash_;
  RecordStore<SabotagedFlash> store_;
};

PowerReport sabotaged(Sabotage sabotage) {
  const auto make = [sabotage](SimFlash& flash) { return SabotagedStore(flash, sabotage); };
  PowerReport report;
  // Whether a bug shows depends on how full the banks are when the cut comes, hence several lengths.
  for (const int writes : {14, 24, 30}) {
    const std::vector<ScriptStep> steps = script(writes);
    // Without cuts nobody notices; that is what makes such a bug one for this harness.
    EXPECT_EQ((PowerRun<decltype(make)>(small_words, steps, make, 1).run({})), "");
    report = cut_everywhere(small_words, steps, make, sabotage == Sabotage::none ? second_cuts : 12);
    if (report.violations > 0) break;
  }
  return report;
}

TEST(record_store_power, is_caught_without_its_pins) { EXPECT_GT(sabotaged(Sabotage::no_pins).violations, 0U); }

TEST(record_store_power, is_caught_without_putting_banks_down) {
  EXPECT_GT(sabotaged(Sabotage::no_kills).violations, 0U);
}

TEST(record_store_power, is_caught_with_payload_behind_its_mark) {
  EXPECT_GT(sabotaged(Sabotage::late_payload).violations, 0U);
}

TEST(record_store_power, is_not_caught_when_nothing_is_sabotaged) {
  const PowerReport report = sabotaged(Sabotage::none);
  EXPECT_EQ(report.violations, 0U) << report.first_violation;
}

// The textbook store with one sector per slot, for all four records at once: {seq, four values of up to 28 bytes, crc}. It
// is what a first attempt looks like, with the mistakes that first attempts have.
enum class Mistake {
  one_slot,          // erased and written in place
  erases_the_newer,  // the wrong slot is sacrificed
  no_crc,
  flag_first,        // a flag in the first unit says that the slot is valid, instead of a crc in the last
  half_covered,      // the crc covers the first half
  picks_the_older,
  acknowledges_early,
};

class TwoSlotStore {
 public:
  TwoSlotStore(SimFlash& flash, Mistake mistake) : flash_(flash), mistake_(mistake) {}
  Error mount() {
    std::array<Image, 2> images{};
    std::array<bool, 2> valid{};
    for (std::uint32_t slot = 0; slot < 2; ++slot) {
      if (!ok(flash_.read(slot * 256, images[slot]))) return Error::storage_failed;
      valid[slot] = is_valid(images[slot]);
    }
    const bool second_is_newer = load_be32(images[1].data()) > load_be32(images[0].data());
    slot_ = valid[0] && valid[1] ? (second_is_newer != (mistake_ == Mistake::picks_the_older) ? 1U : 0U) : (valid[1] ? 1U : 0U);
    image_ = Image{};
    if (valid[slot_]) image_ = images[slot_];
    return Error::none;
  }
  Error write(std::uint8_t id, Bytes value) {
    if (mistake_ == Mistake::acknowledges_early && pending_) {
      WATTPROOF_TRY(flush());
    }
    std::uint8_t* entry = image_.data() + 4 + (id - 1) * 32;
    std::fill_n(entry, 32, std::uint8_t{0});
    entry[0] = static_cast<std::uint8_t>(1 + value.size());
    std::copy(value.begin(), value.end(), entry + 1);
    store_be32(image_.data(), load_be32(image_.data()) + 1);
    store_be32(image_.data() + crc_at, crc(image_));
    pending_ = true;
    return mistake_ == Mistake::acknowledges_early ? Error::none : flush();
  }
  Result<std::uint32_t> read(std::uint8_t id, MutableBytes into) const {
    const std::uint8_t* entry = image_.data() + 4 + (id - 1) * 32;
    if (entry[0] == 0) return Error::record_absent;
    const std::uint32_t size = entry[0] - 1U;
    if (size > 28) return Error::record_corrupt;
    std::copy_n(entry + 1, size, into.begin());
    return size;
  }

 private:
  static constexpr std::uint32_t crc_at = 4 + 4 * 32;
  using Image = std::array<std::uint8_t, 136>;

  std::uint32_t crc(const Image& image) const {
    return crc32(Bytes(image).first(mistake_ == Mistake::half_covered ? crc_at / 2 : crc_at));
  }
  bool is_valid(const Image& image) const {
    if (is_blank(image)) return false;
    if (mistake_ == Mistake::flag_first) return image[0] == 0;  // the sequence number is small
    return mistake_ == Mistake::no_crc || load_be32(image.data() + crc_at) == crc(image);
  }
  Error flush() {
    pending_ = false;
    std::uint32_t target = 1 - slot_;
    if (mistake_ == Mistake::one_slot || mistake_ == Mistake::erases_the_newer) target = slot_;
    WATTPROOF_TRY(flash_.erase_sector(target));
    WATTPROOF_TRY(flash_.program(target * 256, image_));
    slot_ = mistake_ == Mistake::erases_the_newer ? 1 - target : target;
    return Error::none;
  }

  SimFlash& flash_;
  Mistake mistake_;
  std::uint32_t slot_ = 0;
  Image image_{};
  bool pending_ = false;
};

TEST(record_store_power, catches_the_mistakes_of_first_attempts) {
  for (int mistake = 0; mistake <= static_cast<int>(Mistake::acknowledges_early); ++mistake) {
    const auto make = [mistake](SimFlash& flash) { return TwoSlotStore(flash, static_cast<Mistake>(mistake)); };
    // Two of them show even without cuts.
    if (mistake != static_cast<int>(Mistake::picks_the_older) && mistake != static_cast<int>(Mistake::acknowledges_early)) {
      const std::vector<ScriptStep> steps = script(8);
      EXPECT_EQ((PowerRun<decltype(make)>(small_double_words, steps, make, 1).run({})), "") << mistake;
    }
    const PowerReport report = cut_everywhere(small_double_words, script(8), make, 3);
    EXPECT_GT(report.violations, 0U) << "mistake " << mistake << " went unseen in " << report.points << " points";
  }
}

}  // namespace
}  // namespace wattproof::store
