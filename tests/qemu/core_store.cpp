// SPDX-License-Identifier: Apache-2.0
// The record store and the energy journal on a flash in RAM, with a boot every few writes. The flash's final content goes
// into the trace: the format is the same on every CPU.
#include <algorithm>

#include "core_report.hpp"
#include "store/energy_journal.hpp"
#include "store/record_store.hpp"

namespace wattproof::core {
namespace {

constexpr std::uint32_t sector_size = 512;
constexpr std::uint32_t sector_count = 4;

// Two sectors of records, two of journal.
class RamFlash {
 public:
  RamFlash() { cells_.fill(0xff); }
  store::FlashGeometry geometry() const {
    return {.sector_size = sector_size, .sector_count = sector_count, .program_size = 8};
  }
  Error erase_sector(std::uint32_t sector) {
    std::fill_n(cells_.begin() + sector * sector_size, sector_size, std::uint8_t{0xff});
    return Error::none;
  }
  Error program(std::uint32_t offset, Bytes bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) cells_[offset + i] = static_cast<std::uint8_t>(cells_[offset + i] & bytes[i]);
    return Error::none;
  }
  Error read(std::uint32_t offset, MutableBytes into) const {
    std::copy_n(cells_.begin() + offset, into.size(), into.begin());
    return Error::none;
  }
  Bytes cells() const { return cells_; }

 private:
  std::array<std::uint8_t, sector_size * sector_count> cells_{};
};

}  // namespace

void test_store(Report& report) {
  RamFlash flash;
  Random random(6);
  std::array<std::array<std::uint8_t, 40>, 4> expected{};
  std::array<std::uint32_t, 4> sizes{};
  std::uint64_t total_mwh = 0;
  bool all_right = true;
  for (std::uint32_t boot = 0; boot < 40; ++boot) {
    store::RecordStore records(flash, {.first_sector = 0, .sectors_per_bank = 1});
    store::EnergyJournal journal(flash, {.first_sector = 2, .sector_count = 2});
    all_right = all_right && ok(records.mount()) && ok(journal.mount({}));
    all_right = all_right && journal.totals().import_mwh == total_mwh;
    for (std::uint8_t id = 1; id < 4 && boot > 0; ++id) {
      std::array<std::uint8_t, 40> value{};
      const Result<std::uint32_t> size = records.read(id, value);
      const bool is_there = size && *size == sizes[id];
      all_right = all_right && is_there && equal(Bytes(value).first(sizes[id]), Bytes(expected[id]).first(sizes[id]));
    }
    for (std::uint32_t i = 0; i < 6; ++i) {
      const std::uint8_t id = static_cast<std::uint8_t>(1 + i % 3);
      sizes[id] = random.below(40);
      for (std::uint8_t& byte : expected[id]) byte = static_cast<std::uint8_t>(random.next());
      all_right = all_right && ok(records.write(id, Bytes(expected[id]).first(sizes[id])));
      total_mwh += random.below(100'000);
      all_right = all_right && ok(journal.append({}, {.import_mwh = total_mwh, .export_mwh = 0, .uptime_s = boot}));
    }
  }
  CORE_CHECK(report, all_right);
  CORE_CHECK(report, total_mwh > 0);
  report.mix(flash.cells());
}

}  // namespace wattproof::core
