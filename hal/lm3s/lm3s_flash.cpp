// SPDX-License-Identifier: Apache-2.0
// The LM3S6965's internal flash: 1 kB pages, programmed by words, bits only to zero. While the controller works the
// processor waits for its next instruction from flash, so polling costs nothing.
#include <cstring>

#include "hal/cortex_m/board.hpp"
#include "hal/lm3s/lm3s_registers.hpp"

namespace wattproof::board {
namespace {

using lm3s::reg;

constexpr std::uint32_t write_word = 1, erase_page = 2;
constexpr std::uint32_t access_refused = 1;       // flash_status: the page is protected
constexpr std::uint32_t tries_max = 10'000'000;   // a page takes 20 ms

Error run(std::uint32_t command) {
  reg(lm3s::flash_status + 8) = 3;  // FCMISC: clears what was refused before
  reg(lm3s::flash_control) = lm3s::flash_key | command;
  std::uint32_t tries = 0;
  while ((reg(lm3s::flash_control) & command) != 0) {
    if (++tries > tries_max) return Error::storage_failed;
  }
  return (reg(lm3s::flash_status) & access_refused) == 0 ? Error::none : Error::storage_failed;
}

}  // namespace

store::FlashGeometry Flash::geometry() const { return {store_sector_size, store_sector_count, 4}; }

Error Flash::erase_sector(std::uint32_t sector) {
  if (sector >= store_sector_count) return Error::storage_failed;
  reg(lm3s::flash_address) = store_base + sector * store_sector_size;
  return run(erase_page);
}

Error Flash::program(std::uint32_t offset, Bytes units) {
  constexpr std::uint32_t size = store_sector_size * store_sector_count;
  if (offset > size || units.size() > size - offset || ((offset | units.size()) & 3) != 0) return Error::storage_failed;
  for (std::size_t at = 0; at < units.size(); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, units.data() + at, sizeof word);
    reg(lm3s::flash_address) = store_base + offset + at;
    reg(lm3s::flash_data) = word;
    WATTPROOF_TRY(run(write_word));
  }
  return Error::none;
}

Error Flash::read(std::uint32_t offset, MutableBytes into) {
  constexpr std::uint32_t size = store_sector_size * store_sector_count;
  if (offset > size || into.size() > size - offset) return Error::storage_failed;
  std::memcpy(into.data(), reinterpret_cast<const void*>(store_base + offset), into.size());
  return Error::none;
}

}  // namespace wattproof::board
