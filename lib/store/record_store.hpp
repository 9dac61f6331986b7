// SPDX-License-Identifier: Apache-2.0
// Small records that survive a power cut at any moment: after a boot every record has its last acknowledged value or, if
// the cut came within a write, the old or the new value; never a mixed one. FORMAT.md has the bytes, the argument and
// the wear.
//
// Two banks of whole sectors. Records are appended to the newer bank; when it is full, the live ones are copied to the other
// one, which then is sealed and becomes the newer.
//
// What a boot finds is final only after its first write, which a device does before it acts (it counts its boots): up
// to then a cell that a power cut left half programmed may read one way in this boot and another way in the next.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "store/flash.hpp"
#include "store/record_format.hpp"

namespace wattproof::store {

// Where the store lies. Both banks together take 2 * sectors_per_bank sectors from first_sector on.
struct RecordStoreArea {
  std::uint32_t first_sector = 0;
  std::uint32_t sectors_per_bank = 1;
};

template <Flash F>
class RecordStore {
 public:
  RecordStore(F& flash, RecordStoreArea area)
      : flash_(flash), area_(area), geometry_(flash.geometry()), layout_{geometry_.program_size} {}

  // Finds the newest records. Programs nothing.
  //   configuration_invalid  a geometry or area that cannot be
  //   storage_failed         the flash cannot be read
  Error mount();

  // No bank held a sealed log although the flash was not blank: the very first write was cut short, or all was lost.
  bool is_lost() const { return is_lost_; }

  // The newest value of a record into the front of `into`; gives its size.
  //   record_absent   never written
  //   record_corrupt  does not match its checksum any more
  //   capacity        longer than `into`
  //   out_of_range    no such id
  //   not_ready       not mounted
  //   storage_failed  the flash cannot be read
  Result<std::uint32_t> read(std::uint8_t id, MutableBytes into) const;

  // Replaces a record; done when it returns none.
  //   too_large       longer than record_size_max
  //   storage_full    all live records do not fit one bank
  //   out_of_range, not_ready  as above
  //   storage_failed  the flash does not hold what was programmed, in either bank. The old value is still there.
  Error write(std::uint8_t id, Bytes value);

  // Erases everything, for a factory reset. Nothing is mounted afterwards.
  Error erase_all();

 private:
  static constexpr std::uint32_t chunk_size = 64;  // bytes moved at a time; a multiple of every unit size

  struct Bank {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;  // 0: not a bank
    bool is_sealed = false;
    bool has_clean_tail = false;   // everything from `tail` on is blank
    bool ends_in_pin = false;      // the unit before `tail` is a pin
    bool is_closed = false;        // two pins in a row: nothing is appended any more
    std::uint32_t tail = 0;        // behind the last accepted entry
    std::array<std::uint32_t, record_id_max + 1> newest{};  // offset of each record's entry; 0: none
  };

  // A value in RAM, or the one of an entry on flash.
  struct Source {
    Bytes value;
    std::uint32_t offset = 0;  // absolute, if is_on_flash
    std::uint32_t size = 0;
    bool is_on_flash = false;
  };

  std::uint32_t bank_size() const { return area_.sectors_per_bank * geometry_.sector_size; }
  std::uint32_t base(std::uint32_t bank) const { return area_.first_sector * geometry_.sector_size + bank * bank_size(); }

  Error scan(std::uint32_t index, Bank& bank) const;
  Error scan_entry(Bank& bank, bool& accepted) const;
  Result<bool> is_blank_from(std::uint32_t index, std::uint32_t offset) const;
  Result<std::uint32_t> entry_crc(const Bank& bank, std::uint32_t offset, const EntryHead& head) const;

  Error settle();
  Error append(Bank& bank, std::uint8_t id, const Source& source);
  Error program_checked(std::uint32_t offset, Bytes units);
  Error program_zeros(std::uint32_t offset);
  Error program_payload(std::uint32_t to, const Source& source);
  Error load(const Source& source, std::uint32_t at, MutableBytes into) const;
  Error compact(std::uint8_t id, Bytes value);
  Error copy_live(Bank& to, std::uint8_t except);
  Error erase_bank(std::uint32_t index);

  F& flash_;
  RecordStoreArea area_;
  FlashGeometry geometry_;
  EntryLayout layout_;
  bool is_mounted_ = false;
  bool is_settled_ = false;  // this boot has made final what it found
  bool is_lost_ = false;
  std::uint32_t rival_generation_ = 0;  // of the other bank, as mount found it
  Bank bank_;                           // the newer one; generation 0: none yet
};

template <Flash F>
Error RecordStore<F>::mount() {
  is_mounted_ = is_settled_ = is_lost_ = false;
  const std::uint32_t sectors = 2 * area_.sectors_per_bank;
  if (!is_valid(geometry_) || area_.sectors_per_bank == 0 || area_.sectors_per_bank > 1U << 12 ||
      sectors > geometry_.sector_count || area_.first_sector > geometry_.sector_count - sectors ||
      std::uint64_t{geometry_.sector_count} * geometry_.sector_size > 0xffffffff) {
    return Error::configuration_invalid;
  }
  Bank other;
  WATTPROOF_TRY(scan(0, bank_));
  WATTPROOF_TRY(scan(1, other));
  const auto is_newer = [](const Bank& a, const Bank& b) {
    return a.is_sealed && (!b.is_sealed || a.generation > b.generation);
  };
  if (is_newer(other, bank_)) std::swap(bank_, other);
  rival_generation_ = other.generation;
  if (!bank_.is_sealed) {
    for (std::uint32_t i = 0; i < 2; ++i) {
      const Result<bool> blank = is_blank_from(i, 0);
      if (!blank) return blank.error();
      is_lost_ = is_lost_ || !*blank;
    }
    bank_ = Bank{};
    // Whatever lies there is erased before it is used, so there is nothing to settle.
    rival_generation_ = 0;
    is_settled_ = true;
  }
  is_mounted_ = true;
  return Error::none;
}

template <Flash F>
Error RecordStore<F>::scan(std::uint32_t index, Bank& bank) const {
  bank = Bank{};
  bank.index = index;
  BankHeadBytes head{};
  WATTPROOF_TRY(flash_.read(base(index), head));
  const Result<std::uint32_t> generation = decode_bank_head(head);
  if (!generation) return Error::none;
  bank.generation = *generation;
  bank.tail = layout_.first_entry();
  bool accepted = true;
  // Each round takes at least one unit, so the loop ends with the bank.
  while (accepted && bank.tail + layout_.entry_size(0) <= bank_size()) WATTPROOF_TRY(scan_entry(bank, accepted));
  const Result<bool> blank = is_blank_from(index, bank.tail);
  if (!blank) return blank.error();
  bank.has_clean_tail = *blank && !bank.is_closed;
  return Error::none;
}

// Takes the entry or the pin at the tail if there is a valid one.
template <Flash F>
Error RecordStore<F>::scan_entry(Bank& bank, bool& accepted) const {
  accepted = false;
  const std::uint32_t at = base(bank.index) + bank.tail;
  EntryHeadBytes head_bytes{};
  WATTPROOF_TRY(flash_.read(at, head_bytes));
  if (is_zero(Bytes(head_bytes).first(std::min(layout_.program_size, entry_head_size)))) {
    // A pin: an earlier boot made final what stands before it.
    bank.tail += layout_.program_size;
    bank.is_closed = bank.is_closed || bank.ends_in_pin;
    bank.ends_in_pin = accepted = true;
    return Error::none;
  }
  const Result<EntryHead> head = decode_entry_head(head_bytes);
  if (!head || layout_.entry_size(head->size) > bank_size() - bank.tail) return Error::none;
  const Result<std::uint32_t> crc = entry_crc(bank, bank.tail, *head);
  if (!crc) return crc.error();
  if (*crc != head->crc) return Error::none;

  std::array<std::uint8_t, program_size_max> mark{};
  const MutableBytes mark_bytes = MutableBytes(mark).first(layout_.program_size);
  WATTPROOF_TRY(flash_.read(at + layout_.mark_offset(head->size), mark_bytes));
  const std::uint32_t next = bank.tail + layout_.entry_size(head->size);
  if (!is_mark(mark_bytes)) {
    // A mark that cannot be read counts if something follows: somebody read it once, and went on.
    const Result<bool> blank = is_blank_from(bank.index, next);
    if (!blank) return blank.error();
    if (*blank) return Error::none;
  }
  if (head->id == seal_id) {
    bank.is_sealed = true;
  } else {
    bank.newest[head->id] = bank.tail;
  }
  bank.tail = next;
  bank.ends_in_pin = false;
  accepted = true;
  return Error::none;
}

template <Flash F>
Result<bool> RecordStore<F>::is_blank_from(std::uint32_t index, std::uint32_t offset) const {
  std::array<std::uint8_t, chunk_size> chunk{};
  for (std::uint32_t at = offset; at < bank_size();) {
    const std::uint32_t size = std::min(chunk_size, bank_size() - at);
    WATTPROOF_TRY(flash_.read(base(index) + at, MutableBytes(chunk).first(size)));
    if (!is_blank(Bytes(chunk).first(size))) return false;
    at += size;
  }
  return true;
}

template <Flash F>
Result<std::uint32_t> RecordStore<F>::entry_crc(const Bank& bank, std::uint32_t offset, const EntryHead& head) const {
  Crc32 crc = begin_entry_crc(bank.generation, offset, head.id, head.size);
  std::array<std::uint8_t, chunk_size> chunk{};
  const std::uint32_t payload = base(bank.index) + offset + layout_.head_size();
  for (std::uint32_t done = 0; done < head.size;) {
    const std::uint32_t size = std::min<std::uint32_t>(chunk_size, head.size - done);
    WATTPROOF_TRY(flash_.read(payload + done, MutableBytes(chunk).first(size)));
    crc.update(Bytes(chunk).first(size));
    done += size;
  }
  return crc.value();
}

template <Flash F>
Result<std::uint32_t> RecordStore<F>::read(std::uint8_t id, MutableBytes into) const {
  if (!is_mounted_) return Error::not_ready;
  if (id == seal_id || id > record_id_max) return Error::out_of_range;
  const std::uint32_t offset = bank_.newest[id];
  if (offset == 0) return Error::record_absent;
  EntryHeadBytes head_bytes{};
  WATTPROOF_TRY(flash_.read(base(bank_.index) + offset, head_bytes));
  const Result<EntryHead> head = decode_entry_head(head_bytes);
  if (!head || head->id != id || layout_.entry_size(head->size) > bank_size() - offset) return Error::record_corrupt;
  if (head->size > into.size()) return Error::capacity;
  const MutableBytes value = into.first(head->size);
  WATTPROOF_TRY(flash_.read(base(bank_.index) + offset + layout_.head_size(), value));
  Crc32 crc = begin_entry_crc(bank_.generation, offset, id, head->size);
  crc.update(value);
  if (crc.value() != head->crc) return Error::record_corrupt;
  return std::uint32_t{head->size};
}

template <Flash F>
Error RecordStore<F>::write(std::uint8_t id, Bytes value) {
  if (!is_mounted_) return Error::not_ready;
  if (id == seal_id || id > record_id_max) return Error::out_of_range;
  if (value.size() > record_size_max) return Error::too_large;
  WATTPROOF_TRY(settle());
  const std::uint32_t size = static_cast<std::uint32_t>(value.size());
  // One unit stays free behind the last entry for the pin of the next boot.
  const std::uint32_t wanted = layout_.entry_size(size) + layout_.program_size;
  if (bank_.generation != 0 && bank_.has_clean_tail && wanted <= bank_size() - bank_.tail) {
    if (ok(append(bank_, id, {.value = value, .size = size}))) return Error::none;
    // Cells that do not hold: nothing is appended behind them.
    bank_.has_clean_tail = false;
  }
  return compact(id, value);
}

// Makes final what this boot found, before it changes anything. A cut may have left one unit that reads differently from
// boot to boot: the last mark of the newer bank, or the head of the entry behind it. Zeros at the tail decide for both: they
// follow the last entry, which thereby counts for ever, and they destroy the head of an entry that did not count. Likewise a
// bank that looked unsealed but is newer than ours must never come back.
template <Flash F>
Error RecordStore<F>::settle() {
  if (is_settled_) return Error::none;
  if (rival_generation_ > bank_.generation) {
    WATTPROOF_TRY(program_zeros(base(1 - bank_.index)));
    rival_generation_ = 0;
  }
  // A pin of the boot before may be the undecided unit itself. That boot did not finish an entry behind it, so more than
  // one unit there may only seem blank: the log is closed.
  if (bank_.ends_in_pin) {
    WATTPROOF_TRY(program_zeros(base(bank_.index) + bank_.tail - layout_.program_size));
    bank_.has_clean_tail = false;
  }
  // Every entry leaves room for one pin, so a bank without room for another ends in a pin.
  if (bank_.tail < bank_size()) {
    WATTPROOF_TRY(program_zeros(base(bank_.index) + bank_.tail));
    bank_.tail += layout_.program_size;
    bank_.ends_in_pin = true;
  }
  is_settled_ = true;
  return Error::none;
}

template <Flash F>
Error RecordStore<F>::program_zeros(std::uint32_t offset) {
  const std::array<std::uint8_t, program_size_max> zeros{};
  return program_checked(offset, Bytes(zeros).first(layout_.program_size));
}

// Programs whole units (at most chunk_size bytes) and reads them back.
template <Flash F>
Error RecordStore<F>::program_checked(std::uint32_t offset, Bytes units) {
  WATTPROOF_TRY(flash_.program(offset, units));
  std::array<std::uint8_t, chunk_size> back{};
  const MutableBytes read_back = MutableBytes(back).first(units.size());
  WATTPROOF_TRY(flash_.read(offset, read_back));
  return equal(read_back, units) ? Error::none : Error::storage_failed;
}

template <Flash F>
Error RecordStore<F>::load(const Source& source, std::uint32_t at, MutableBytes into) const {
  if (source.is_on_flash) return flash_.read(source.offset + at, into);
  const Bytes part = source.value.subspan(at, into.size());
  std::copy(part.begin(), part.end(), into.begin());
  return Error::none;
}

template <Flash F>
Error RecordStore<F>::program_payload(std::uint32_t to, const Source& source) {
  std::array<std::uint8_t, chunk_size> chunk{};
  for (std::uint32_t done = 0; done < source.size;) {
    const std::uint32_t size = std::min(chunk_size, source.size - done);
    chunk.fill(blank_byte);
    WATTPROOF_TRY(load(source, done, MutableBytes(chunk).first(size)));
    WATTPROOF_TRY(program_checked(to + done, Bytes(chunk).first(layout_.aligned(size))));
    done += size;
  }
  return Error::none;
}

// Head, payload, and last of all the mark: without it the entry does not count.
template <Flash F>
Error RecordStore<F>::append(Bank& bank, std::uint8_t id, const Source& source) {
  Crc32 crc = begin_entry_crc(bank.generation, bank.tail, id, static_cast<std::uint16_t>(source.size));
  std::array<std::uint8_t, chunk_size> chunk{};
  for (std::uint32_t done = 0; done < source.size;) {
    const MutableBytes part = MutableBytes(chunk).first(std::min(chunk_size, source.size - done));
    WATTPROOF_TRY(load(source, done, part));
    crc.update(part);
    done += static_cast<std::uint32_t>(part.size());
  }
  const std::uint32_t at = base(bank.index) + bank.tail;
  const EntryHeadBytes head =
      encode_entry_head({.id = id, .size = static_cast<std::uint16_t>(source.size), .crc = crc.value()});
  std::array<std::uint8_t, program_size_max> padded;
  padded.fill(blank_byte);
  std::copy(head.begin(), head.end(), padded.begin());
  WATTPROOF_TRY(program_checked(at, Bytes(padded).first(layout_.head_size())));
  WATTPROOF_TRY(program_payload(at + layout_.head_size(), source));
  std::array<std::uint8_t, program_size_max> mark;
  mark.fill(mark_byte);
  WATTPROOF_TRY(program_checked(at + layout_.mark_offset(source.size), Bytes(mark).first(layout_.program_size)));
  if (id != seal_id) bank.newest[id] = bank.tail;
  bank.tail += layout_.entry_size(source.size);
  bank.ends_in_pin = false;
  return Error::none;
}

// A new bank with the new value and all other live ones. Until its seal is programmed the old bank is the newer one.
template <Flash F>
Error RecordStore<F>::compact(std::uint8_t id, Bytes value) {
  const std::uint32_t size = static_cast<std::uint32_t>(value.size());
  Bank to;
  to.index = bank_.generation == 0 ? 0 : 1 - bank_.index;
  to.generation = bank_.generation + 1;
  to.tail = layout_.first_entry();
  if (bank_.generation == 0) WATTPROOF_TRY(erase_bank(1));
  // If this fails half way, the unfinished bank must be put down before anything else is acknowledged.
  rival_generation_ = to.generation;
  is_settled_ = bank_.generation == 0;
  WATTPROOF_TRY(erase_bank(to.index));
  BankHeadBytes head = encode_bank_head(to.generation);
  WATTPROOF_TRY(program_checked(base(to.index), head));
  WATTPROOF_TRY(copy_live(to, id));
  // The new value, the seal, and the unit for the next boot's pin.
  const std::uint32_t wanted = layout_.entry_size(size) + layout_.entry_size(0) + layout_.program_size;
  if (to.tail > bank_size() || wanted > bank_size() - to.tail) return Error::storage_full;
  WATTPROOF_TRY(append(to, id, {.value = value, .size = size}));
  WATTPROOF_TRY(append(to, seal_id, {}));
  to.is_sealed = to.has_clean_tail = true;
  bank_ = to;
  rival_generation_ = 0;
  is_settled_ = true;
  is_lost_ = false;
  return Error::none;
}

template <Flash F>
Error RecordStore<F>::copy_live(Bank& to, std::uint8_t except) {
  for (std::uint8_t id = 1; id <= record_id_max; ++id) {
    const std::uint32_t offset = bank_.newest[id];
    if (offset == 0 || id == except) continue;
    EntryHeadBytes head_bytes{};
    WATTPROOF_TRY(flash_.read(base(bank_.index) + offset, head_bytes));
    const Result<EntryHead> head = decode_entry_head(head_bytes);
    const Result<std::uint32_t> crc =
        head ? entry_crc(bank_, offset, *head) : Result<std::uint32_t>(Error::record_corrupt);
    if (crc.error() == Error::storage_failed) return crc.error();
    // A record that has rotted is not made valid again by a fresh checksum: it is dropped, and reads as absent.
    if (!crc || *crc != head->crc || head->id != id) continue;
    if (to.tail + layout_.entry_size(head->size) > bank_size()) return Error::storage_full;
    const std::uint32_t payload = base(bank_.index) + offset + layout_.head_size();
    WATTPROOF_TRY(append(to, id, {.value = {}, .offset = payload, .size = head->size, .is_on_flash = true}));
  }
  return Error::none;
}

// Puts the bank down first: an erase that is cut short could leave it looking whole in one boot and gone in the next.
template <Flash F>
Error RecordStore<F>::erase_bank(std::uint32_t index) {
  WATTPROOF_TRY(program_zeros(base(index)));
  const std::uint32_t first = area_.first_sector + index * area_.sectors_per_bank;
  for (std::uint32_t i = 0; i < area_.sectors_per_bank; ++i) WATTPROOF_TRY(flash_.erase_sector(first + i));
  const Result<bool> blank = is_blank_from(index, 0);
  if (!blank) return blank.error();
  return *blank ? Error::none : Error::storage_failed;
}

template <Flash F>
Error RecordStore<F>::erase_all() {
  is_mounted_ = false;
  // The older bank first: a cut in between leaves the newer state, not an old one.
  const std::uint32_t newer = bank_.generation == 0 ? 0 : bank_.index;
  WATTPROOF_TRY(erase_bank(1 - newer));
  return erase_bank(newer);
}

}  // namespace wattproof::store
