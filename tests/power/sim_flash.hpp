// SPDX-License-Identifier: Apache-2.0
// A NOR flash whose power can be cut at any erase and any program unit. Fault model: exactly the rules of
// lib/store/flash.hpp. The unit or sector in work when power goes away is left in one of three states:
//   clean  nothing happened yet
//   half   every second byte is done (of a one-byte unit, every second bit)
//   weak   every bit that was to change is undecided: it reads one way in this boot and maybe the other way in the next.
//          In a third of the boots all undecided bits read 0, in a third they read 1, in a third each reads as it likes
// The flash also watches the driver's rules: programming a unit that is not blank, or that has undecided bits, to anything
// but zeros is counted, because a real chip would then hold something else than it was told.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "store/flash.hpp"

namespace wattproof::store {

enum class Tear : std::uint8_t { clean, half, weak };
constexpr int tear_count = 3;

struct PowerCut {};

class SimFlash {
 public:
  explicit SimFlash(FlashGeometry geometry, std::uint64_t seed = 1)
      : geometry_(geometry),
        cells_(std::size_t{geometry.sector_size} * geometry.sector_count, 0xff),
        undecided_(cells_.size(), 0),
        erases_(geometry.sector_count, 0),
        random_(seed) {}

  FlashGeometry geometry() const { return geometry_; }

  // The next boot: power goes away in operation number `budget` (from 0), or never.
  void power_up(std::uint64_t budget = ~std::uint64_t{0}, Tear tear = Tear::clean) {
    budget_ = budget;
    tear_ = tear;
    const std::uint64_t mood = next() % 3;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (undecided_[i] == 0) continue;
      const std::uint64_t bits = mood == 0 ? 0 : mood == 1 ? 0xff : next();
      cells_[i] = static_cast<std::uint8_t>((cells_[i] & ~undecided_[i]) | (bits & undecided_[i]));
    }
  }

  Error erase_sector(std::uint32_t sector) {
    if (sector >= geometry_.sector_count) return Error::storage_failed;
    const std::size_t begin = std::size_t{sector} * geometry_.sector_size;
    const bool is_cut = cuts();
    for (std::size_t i = begin; i < begin + geometry_.sector_size; ++i) change(i, 0xff, is_cut, i % 2 == 0);
    if (is_cut) throw PowerCut{};
    ++erases_[sector];
    return Error::none;
  }

  Error program(std::uint32_t offset, Bytes bytes) {
    if (offset % geometry_.program_size != 0 || bytes.size() % geometry_.program_size != 0 ||
        offset > cells_.size() || bytes.size() > cells_.size() - offset) {
      ++rule_violations;
      return Error::storage_failed;
    }
    for (std::size_t at = 0; at < bytes.size(); at += geometry_.program_size) {
      program_unit(offset + at, bytes.subspan(at, geometry_.program_size));
    }
    return Error::none;
  }

  Error read(std::uint32_t offset, MutableBytes into) const {
    if (offset > cells_.size() || into.size() > cells_.size() - offset) return Error::storage_failed;
    std::copy_n(cells_.begin() + offset, into.size(), into.begin());
    return Error::none;
  }

  std::uint64_t operations() const { return operations_; }
  std::uint64_t erases(std::uint32_t sector) const { return erases_[sector]; }
  std::uint8_t& cell(std::size_t offset) { return cells_[offset]; }
  std::size_t size() const { return cells_.size(); }

  std::uint64_t rule_violations = 0;
  bool fails_to_program = false;             // a worn chip: programming does nothing and does not say so
  std::uint32_t worn_from = ~std::uint32_t{0};  // cells from here on keep reading blank

 private:
  void program_unit(std::size_t offset, Bytes unit) {
    const bool is_cut = cuts();
    bool is_suspect = false;
    for (std::size_t i = 0; i < unit.size(); ++i) {
      is_suspect = is_suspect || cells_[offset + i] != 0xff || undecided_[offset + i] != 0;
    }
    if (is_suspect && !is_zero(unit)) ++rule_violations;
    if (!fails_to_program && offset < worn_from) {
      for (std::size_t i = 0; i < unit.size(); ++i) {
        const std::uint8_t target = static_cast<std::uint8_t>(cells_[offset + i] & unit[i]);
        // What is undecided is not made decided by leaving it alone, but programming to zero does.
        change(offset + i, target, is_cut, i % 2 == 0, unit[i]);
      }
    }
    if (is_cut) throw PowerCut{};
  }

  // Drives cell i to `target`; if power is cut, as far as the tear says.
  void change(std::size_t i, std::uint8_t target, bool is_cut, bool is_done, std::uint8_t kept = 0) {
    if (!is_cut) {
      cells_[i] = target;
      undecided_[i] = static_cast<std::uint8_t>(undecided_[i] & kept);
      return;
    }
    if (tear_ == Tear::clean) return;
    if (tear_ == Tear::weak) {
      undecided_[i] = static_cast<std::uint8_t>((cells_[i] ^ target) | undecided_[i]);
      return;
    }
    if (geometry_.program_size == 1) {
      cells_[i] = static_cast<std::uint8_t>((cells_[i] & 0xaa) | (target & 0x55));
    } else if (is_done) {
      cells_[i] = target;
      undecided_[i] = 0;
    }
  }

  bool cuts() {
    ++operations_;
    return budget_-- == 0;
  }

  std::uint64_t next() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return random_ * 0x2545f4914f6cdd1d >> 32;
  }

  FlashGeometry geometry_;
  std::vector<std::uint8_t> cells_;
  std::vector<std::uint8_t> undecided_;
  std::vector<std::uint64_t> erases_;
  std::uint64_t random_;
  std::uint64_t budget_ = ~std::uint64_t{0};
  std::uint64_t operations_ = 0;
  Tear tear_ = Tear::clean;
};

static_assert(Flash<SimFlash>);

}  // namespace wattproof::store
