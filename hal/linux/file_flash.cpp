// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/file_flash.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace wattproof::hal {
namespace {

constexpr std::uint32_t size = FileFlash::sector_size * FileFlash::sector_count;

}  // namespace

FileFlash::~FileFlash() {
  if (file_ >= 0) ::close(file_);
}

Error FileFlash::fail(const char* what) {
  detail_ = name_ + ": " + what + ": " + std::strerror(errno);
  return Error::storage_failed;
}

Error FileFlash::open(const std::string& file) {
  name_ = file;
  file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ < 0) return fail("open");
  struct stat status {};
  if (::fstat(file_, &status) != 0) return fail("stat");
  const auto held = static_cast<std::uint64_t>(status.st_size);
  if (held > size && ::ftruncate(file_, size) != 0) return fail("truncate");
  std::array<std::uint8_t, 256> erased{};
  erased.fill(0xff);
  for (std::uint64_t at = held; at < size;) {
    const std::uint64_t count = std::min<std::uint64_t>(erased.size(), size - at);
    WATTPROOF_TRY(write(static_cast<std::uint32_t>(at), Bytes(erased).first(count)));
    at += count;
  }
  return Error::none;
}

Error FileFlash::write(std::uint32_t offset, Bytes bytes) {
  const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), offset);
  if (written != static_cast<ssize_t>(bytes.size())) return fail("write");
  return ::fdatasync(file_) == 0 ? Error::none : fail("fdatasync");
}

Error FileFlash::erase_sector(std::uint32_t sector) {
  if (sector >= sector_count) return Error::storage_failed;
  std::array<std::uint8_t, sector_size> erased{};
  erased.fill(0xff);
  return write(sector * sector_size, erased);
}

// As the cells of a flash: bits are only cleared.
Error FileFlash::program(std::uint32_t offset, Bytes bytes) {
  if (offset > size || bytes.size() > size - offset || bytes.size() > sector_size) return Error::storage_failed;
  std::array<std::uint8_t, sector_size> held{};
  const MutableBytes cells = MutableBytes(held).first(bytes.size());
  WATTPROOF_TRY(read(offset, cells));
  for (std::size_t i = 0; i < bytes.size(); ++i) cells[i] = static_cast<std::uint8_t>(cells[i] & bytes[i]);
  return write(offset, cells);
}

Error FileFlash::read(std::uint32_t offset, MutableBytes into) {
  if (offset > size || into.size() > size - offset) return Error::storage_failed;
  const ssize_t got = ::pread(file_, into.data(), into.size(), offset);
  return got == static_cast<ssize_t>(into.size()) ? Error::none : fail("read");
}

}  // namespace wattproof::hal
