// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/file_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "node/io.hpp"
#include "store/crc32.hpp"

namespace wattproof::hal {
namespace {

constexpr std::array<std::uint8_t, 4> magic = {'W', 'P', 'R', '1'};
constexpr std::size_t header_size = 8;
constexpr std::size_t checksum_size = 4;
constexpr std::size_t file_size_max = header_size + node::record_size_max + checksum_size;

std::string record_name(std::uint8_t id) { return "record-" + std::to_string(id); }

}  // namespace

FileStore::~FileStore() {
  if (folder_file_ >= 0) ::close(folder_file_);
}

Error FileStore::fail(const char* what) {
  const int code = errno;
  detail_ = folder_ + ": " + what + ": " + std::strerror(code);
  return code == ENOSPC || code == EDQUOT ? Error::storage_full : Error::storage_failed;
}

Error FileStore::open(const std::string& folder) {
  folder_ = folder;
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail("mkdir");
  folder_file_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_file_ < 0) return fail("open");
  if (::faccessat(folder_file_, ".", W_OK | X_OK, 0) != 0) return fail("not writable");
  if (::flock(folder_file_, LOCK_EX | LOCK_NB) == 0) return Error::none;
  const Error error = errno == EWOULDBLOCK ? Error::not_ready : Error::storage_failed;
  static_cast<void>(fail("lock"));
  return error;
}

Error FileStore::write_all(int file, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (::fdatasync(file) != 0) return fail("fdatasync");
  return Error::none;
}

Error FileStore::write(std::uint8_t id, Bytes record) {
  if (record.size() > node::record_size_max) return Error::too_large;
  std::array<std::uint8_t, file_size_max> image{};
  const MutableBytes file_bytes = MutableBytes(image).first(header_size + record.size() + checksum_size);
  std::memcpy(file_bytes.data(), magic.data(), magic.size());
  store_be32(file_bytes.data() + 4, static_cast<std::uint32_t>(record.size()));
  if (!record.empty()) std::memcpy(file_bytes.data() + header_size, record.data(), record.size());
  store_be32(file_bytes.data() + header_size + record.size(), store::crc32(file_bytes.first(header_size + record.size())));

  const std::string name = record_name(id);
  const std::string temporary = name + ".tmp";
  const int file = ::openat(folder_file_, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return fail("create");
  Error error = write_all(file, file_bytes);
  if (::close(file) != 0 && error == Error::none) error = fail("close");
  if (error == Error::none && ::renameat(folder_file_, temporary.c_str(), folder_file_, name.c_str()) != 0) error = fail("rename");
  if (error != Error::none) {
    const std::string why = detail_;
    ::unlinkat(folder_file_, temporary.c_str(), 0);
    detail_ = why;
    return error;
  }
  if (::fsync(folder_file_) != 0) return fail("fsync of the folder");
  return Error::none;
}

Result<std::uint32_t> FileStore::read(std::uint8_t id, MutableBytes into) {
  const std::string name = record_name(id);
  const int file = ::openat(folder_file_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) {
    if (errno == ENOENT) return Error::record_absent;
    static_cast<void>(fail("open"));
    return Error::storage_failed;
  }
  // One byte more than the largest record: what fills it is too long.
  std::array<std::uint8_t, file_size_max + 1> image{};
  std::size_t size = 0;
  while (size < image.size()) {
    const ssize_t got = ::read(file, image.data() + size, image.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      static_cast<void>(fail("read"));
      ::close(file);
      return Error::storage_failed;
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  ::close(file);
  const auto corrupt = [&](const char* what) {
    detail_ = folder_ + "/" + name + ": " + what;
    return Error::record_corrupt;
  };
  if (size < header_size + checksum_size || size > file_size_max) return corrupt("wrong length");
  if (std::memcmp(image.data(), magic.data(), magic.size()) != 0) return corrupt("not a record");
  const std::uint32_t record_size = load_be32(image.data() + 4);
  if (record_size != size - header_size - checksum_size) return corrupt("wrong length");
  if (store::crc32(Bytes(image).first(size - checksum_size)) != load_be32(image.data() + size - checksum_size)) return corrupt("wrong checksum");
  if (record_size > into.size()) return Error::capacity;
  std::memcpy(into.data(), image.data() + header_size, record_size);
  return record_size;
}

}  // namespace wattproof::hal
