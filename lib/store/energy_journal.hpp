// SPDX-License-Identifier: Apache-2.0
// Meter totals that survive power cuts: they may fall behind by what was not yet written, and never jump up. FORMAT.md has
// the bytes and the wear.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "store/flash.hpp"
#include "store/record_format.hpp"

namespace wattproof::store {

constexpr std::uint32_t journal_slot_size = 32;
constexpr std::uint32_t journal_sector_count_max = 64;

struct EnergyTotals {
  std::uint64_t import_mwh = 0;
  std::uint64_t export_mwh = 0;
  std::uint32_t uptime_s = 0;  // that the meter has run, over all boots
};

// When a record is due.
struct JournalRules {
  std::uint64_t step_mwh = 10'000;         // change in either total
  std::uint32_t period_ms = 900'000;       // any change, and so long since the last record
  std::uint32_t confirm_ms = 60'000;       // the first record of a boot, change or not
};

struct JournalRecord {
  std::uint32_t sequence = 0;  // 0: none
  EnergyTotals totals;
};

using JournalBytes = std::array<std::uint8_t, journal_slot_size>;
JournalBytes encode_journal_record(const JournalRecord& record);
//   record_corrupt  not a record, or its checksum is wrong
Result<JournalRecord> decode_journal_record(const JournalBytes& bytes);

struct JournalArea {
  std::uint32_t first_sector = 0;
  std::uint32_t sector_count = 2;  // 2 to journal_sector_count_max
};

template <Flash F>
class EnergyJournal {
 public:
  EnergyJournal(F& flash, JournalArea area) : flash_(flash), area_(area), geometry_(flash.geometry()) {}

  // Finds the newest totals; zero if there are none. Programs nothing.
  //   configuration_invalid  a geometry or area that cannot be
  //   storage_failed         the flash cannot be read
  Error mount(BootMs now);

  const EnergyTotals& totals() const { return newest_.totals; }
  // Time since the last record of this boot; the boot's age if there is none. To be published beside the totals.
  std::uint64_t age_ms(BootMs now) const { return now.since(written_); }

  // Whether `totals` should be written now. The relay going off and failing power call append without asking.
  bool is_due(BootMs now, const EnergyTotals& totals, const JournalRules& rules) const;

  //   not_ready       not mounted
  //   out_of_range    a total below the one before: a meter does not run backwards
  //   storage_failed  the flash does not hold it; the old totals stand
  Error append(BootMs now, const EnergyTotals& totals);

 private:
  std::uint32_t slots_per_sector() const { return geometry_.sector_size / journal_slot_size; }
  std::uint32_t slot_count() const { return area_.sector_count * slots_per_sector(); }
  std::uint32_t offset_of(std::uint32_t slot) const {
    return (area_.first_sector + slot / slots_per_sector()) * geometry_.sector_size +
           slot % slots_per_sector() * journal_slot_size;
  }
  std::uint32_t after(std::uint32_t slot) const { return slot + 1 == slot_count() ? 0 : slot + 1; }
  Error settle();
  Error write_slot(std::uint32_t slot, const JournalBytes& bytes, bool& done);

  F& flash_;
  JournalArea area_;
  FlashGeometry geometry_;
  bool is_mounted_ = false;
  bool has_written_ = false;  // in this boot
  JournalRecord newest_;
  std::uint32_t next_slot_ = 0;
  BootMs written_{};
};

template <Flash F>
Error EnergyJournal<F>::mount(BootMs now) {
  is_mounted_ = has_written_ = false;
  if (!is_valid(geometry_) || geometry_.sector_size % journal_slot_size != 0 || area_.sector_count < 2 ||
      area_.sector_count > journal_sector_count_max || area_.sector_count > geometry_.sector_count ||
      area_.first_sector > geometry_.sector_count - area_.sector_count ||
      std::uint64_t{geometry_.sector_count} * geometry_.sector_size > 0xffffffff) {
    return Error::configuration_invalid;
  }
  newest_ = JournalRecord{};
  next_slot_ = 0;
  for (std::uint32_t slot = 0; slot < slot_count(); ++slot) {
    JournalBytes bytes{};
    WATTPROOF_TRY(flash_.read(offset_of(slot), bytes));
    const Result<JournalRecord> record = decode_journal_record(bytes);
    if (!record || record->sequence <= newest_.sequence) continue;
    newest_ = *record;
    next_slot_ = after(slot);
  }
  written_ = now;
  is_mounted_ = true;
  return Error::none;
}

template <Flash F>
bool EnergyJournal<F>::is_due(BootMs now, const EnergyTotals& totals, const JournalRules& rules) const {
  const std::uint64_t passed = now.since(written_);
  if (!has_written_ && passed >= rules.confirm_ms) return true;
  const std::uint64_t imported = totals.import_mwh - newest_.totals.import_mwh;
  const std::uint64_t exported = totals.export_mwh - newest_.totals.export_mwh;
  if (imported >= rules.step_mwh || exported >= rules.step_mwh) return true;
  return passed >= rules.period_ms && (imported != 0 || exported != 0);
}

template <Flash F>
Error EnergyJournal<F>::append(BootMs now, const EnergyTotals& totals) {
  if (!is_mounted_) return Error::not_ready;
  if (totals.import_mwh < newest_.totals.import_mwh || totals.export_mwh < newest_.totals.export_mwh) {
    return Error::out_of_range;
  }
  if (!has_written_) WATTPROOF_TRY(settle());
  const JournalRecord record = {.sequence = newest_.sequence + 1, .totals = totals};
  const JournalBytes bytes = encode_journal_record(record);
  // A slot that does not hold is passed over, but never as far as the sector with the newest record.
  const std::uint32_t attempts_max = (area_.sector_count - 1) * slots_per_sector();
  for (std::uint32_t attempt = 0; attempt < attempts_max; ++attempt) {
    const std::uint32_t slot = next_slot_;
    bool done = false;
    WATTPROOF_TRY(write_slot(slot, bytes, done));
    next_slot_ = after(slot);
    if (!done) continue;
    newest_ = record;
    written_ = now;
    has_written_ = true;
    return Error::none;
  }
  return Error::storage_failed;
}

// A cut may have left behind the newest record one that did not count in this boot and would in the next, or a unit that only
// seems blank. Zeros in the first unit of each slot up to the first blank one put an end to both.
template <Flash F>
Error EnergyJournal<F>::settle() {
  const std::array<std::uint8_t, program_size_max> zeros{};
  bool was_blank = false;
  // A sector is erased before its first slot is used, so there is nothing to settle beyond this one.
  while (!was_blank && next_slot_ % slots_per_sector() != 0) {
    JournalBytes held{};
    WATTPROOF_TRY(flash_.read(offset_of(next_slot_), held));
    was_blank = is_blank(held);
    WATTPROOF_TRY(flash_.program(offset_of(next_slot_), Bytes(zeros).first(geometry_.program_size)));
    next_slot_ = after(next_slot_);
  }
  return Error::none;
}

template <Flash F>
Error EnergyJournal<F>::write_slot(std::uint32_t slot, const JournalBytes& bytes, bool& done) {
  JournalBytes held{};
  if (slot % slots_per_sector() == 0) {
    WATTPROOF_TRY(flash_.erase_sector(area_.first_sector + slot / slots_per_sector()));
  } else {
    WATTPROOF_TRY(flash_.read(offset_of(slot), held));
    if (!is_blank(held)) return Error::none;  // worn: erased, and yet not blank
  }
  WATTPROOF_TRY(flash_.program(offset_of(slot), bytes));
  WATTPROOF_TRY(flash_.read(offset_of(slot), held));
  done = held == bytes;
  return Error::none;
}

}  // namespace wattproof::store
