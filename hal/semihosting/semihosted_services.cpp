// SPDX-License-Identifier: Apache-2.0
// What QEMU's boards lack, from the machine that runs QEMU: the flash controller (QEMU has none for the LM3S6965, its flash is
// plain read-only memory) and noise. Arm semihosting, files in QEMU's working directory:
//   flash.bin   the store's sectors; made when absent. Kept to the rules of NOR flash here: programming clears bits only
//   noise       random bytes, read from the front at each boot; a link to /dev/urandom
// Images for hardware do not hold this file.
#include <algorithm>

#include "hal/cortex_m/board.hpp"

namespace wattproof::board {
namespace {

constexpr std::uint32_t sector_size = 1024, sector_count = 16, unit_size = 4;
constexpr std::uint32_t size_all = sector_size * sector_count;
constexpr int sys_open = 0x01, sys_close = 0x02, sys_write = 0x05, sys_read = 0x06, sys_seek = 0x0a, sys_length = 0x0c;
constexpr std::uint32_t mode_read = 1, mode_update = 3, mode_create = 7;  // "rb", "r+b", "w+b"

int call(int operation, const void* argument) {
  register int r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

template <std::size_t size>
int open(const char (&file)[size], std::uint32_t mode) {
  const std::uint32_t block[3] = {reinterpret_cast<std::uint32_t>(file), mode, size - 1};
  return call(sys_open, block);
}

// Both give what was left undone; 0 is success.
int transfer(int operation, int file, const void* bytes, std::size_t size) {
  const std::uint32_t block[3] = {static_cast<std::uint32_t>(file), reinterpret_cast<std::uint32_t>(bytes), size};
  return call(operation, block);
}

bool seek(int file, std::uint32_t offset) {
  const std::uint32_t block[2] = {static_cast<std::uint32_t>(file), offset};
  return call(sys_seek, block) == 0;
}

int flash_file = -1;

bool fill(std::uint32_t offset, std::uint32_t size) {
  std::array<std::uint8_t, 64> blank;
  blank.fill(0xff);
  if (!seek(flash_file, offset)) return false;
  for (std::uint32_t done = 0; done < size; done += blank.size()) {
    if (transfer(sys_write, flash_file, blank.data(), blank.size()) != 0) return false;
  }
  return true;
}

bool open_flash() {
  if (flash_file >= 0) return true;
  flash_file = open("flash.bin", mode_update);
  if (flash_file < 0) flash_file = open("flash.bin", mode_create);
  if (flash_file < 0) return false;
  const std::uint32_t block[1] = {static_cast<std::uint32_t>(flash_file)};
  return call(sys_length, block) >= static_cast<int>(size_all) || fill(0, size_all);
}

}  // namespace

bool draw_noise(MutableBytes into) {
  const int file = open("noise", mode_read);
  if (file < 0) return false;
  const bool done = transfer(sys_read, file, into.data(), into.size()) == 0;
  const std::uint32_t block[1] = {static_cast<std::uint32_t>(file)};
  call(sys_close, block);
  return done;
}

store::FlashGeometry Flash::geometry() const { return {sector_size, sector_count, unit_size}; }

Error Flash::erase_sector(std::uint32_t sector) {
  const bool done = sector < sector_count && open_flash() && fill(sector * sector_size, sector_size);
  return done ? Error::none : Error::storage_failed;
}

// Unit by unit, so that a power cut (the end of QEMU) falls between two of them.
Error Flash::program(std::uint32_t offset, Bytes units) {
  if (offset > size_all || units.size() > size_all - offset || ((offset | units.size()) & (unit_size - 1)) != 0) return Error::storage_failed;
  if (!open_flash()) return Error::storage_failed;
  std::array<std::uint8_t, unit_size> cells{};
  for (std::size_t at = 0; at < units.size(); at += unit_size) {
    WATTPROOF_TRY(read(offset + at, cells));
    for (std::uint32_t i = 0; i < unit_size; ++i) cells[i] &= units[at + i];
    if (!seek(flash_file, offset + at) || transfer(sys_write, flash_file, cells.data(), unit_size) != 0) return Error::storage_failed;
  }
  return Error::none;
}

Error Flash::read(std::uint32_t offset, MutableBytes into) {
  if (offset > size_all || into.size() > size_all - offset || !open_flash() || !seek(flash_file, offset)) return Error::storage_failed;
  return transfer(sys_read, flash_file, into.data(), into.size()) == 0 ? Error::none : Error::storage_failed;
}

}  // namespace wattproof::board
