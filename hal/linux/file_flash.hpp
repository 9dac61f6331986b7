// SPDX-License-Identifier: Apache-2.0
// A file that behaves as NOR flash for the energy journal (lib/store): the same format and the same care on Linux as on a
// microcontroller. Every change is on the disk before the call returns.
#pragma once

#include <cstdint>
#include <string>

#include "store/flash.hpp"

namespace wattproof::hal {

class FileFlash {
 public:
  static constexpr std::uint32_t sector_size = 4096;
  static constexpr std::uint32_t sector_count = 4;

  FileFlash() = default;
  FileFlash(const FileFlash&) = delete;
  FileFlash& operator=(const FileFlash&) = delete;
  ~FileFlash();

  // Opens the file, or makes an erased one. A file of another size is filled up with erased cells or cut.
  //   storage_failed  detail() says why
  Error open(const std::string& file);

  [[nodiscard]] store::FlashGeometry geometry() const { return {sector_size, sector_count, 16}; }
  Error erase_sector(std::uint32_t sector);
  Error program(std::uint32_t offset, Bytes bytes);
  Error read(std::uint32_t offset, MutableBytes into);
  [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
  Error fail(const char* what);
  Error write(std::uint32_t offset, Bytes bytes);
  int file_ = -1;
  std::string name_;
  std::string detail_;
};

static_assert(store::Flash<FileFlash>);

}  // namespace wattproof::hal
