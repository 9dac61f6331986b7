// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/device_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "crypto/secret.hpp"
#include "hal/linux/kernel_entropy.hpp"

namespace wattproof::hal {
namespace {

// File: "WPK1" and the 32 bytes of the key.
constexpr std::array<std::uint8_t, 4> magic = {'W', 'P', 'K', '1'};
constexpr std::size_t file_size = magic.size() + 32;
constexpr int draws_max = 4;  // all but 2^-128 of all draws are keys

// The folder's entry must be as durable as the file, or a power cut leaves a device that enrolled with a key it lost.
bool sync_folder(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool done = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return done;
}

}  // namespace

DeviceKey::~DeviceKey() { crypto::wipe(key_); }

Error DeviceKey::fail(Error error, const std::string& what) {
  detail_ = file_.string() + ": " + what;
  return error;
}

Error DeviceKey::open(const std::filesystem::path& file) {
  file_ = file;
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0 && errno == ENOENT) {
    WATTPROOF_TRY(create(file));
  } else if (descriptor < 0) {
    return fail(Error::storage_failed, std::strerror(errno));
  } else {
    const Error error = load(descriptor);
    ::close(descriptor);
    WATTPROOF_TRY(error);
  }
  const Result<Address> address = crypto::address_of(key_);
  if (!address) return fail(Error::key_file_refused, "holds no valid key");
  address_ = *address;
  is_open_ = true;
  return Error::none;
}

Error DeviceKey::load(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return fail(Error::storage_failed, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return fail(Error::key_file_refused, "is not a regular file");
  if ((status.st_mode & 077) != 0) return fail(Error::key_file_refused, "may be read by others; chmod 600 it, or better make a new key");
  std::array<std::uint8_t, file_size + 1> image{};
  const crypto::WipedAtExit wiped(image);
  const ssize_t size = ::read(file, image.data(), image.size());
  if (size < 0) return fail(Error::storage_failed, std::strerror(errno));
  if (size != static_cast<ssize_t>(file_size) || std::memcmp(image.data(), magic.data(), magic.size()) != 0) {
    return fail(Error::key_file_refused, "is not a key file");
  }
  std::memcpy(key_.data(), image.data() + magic.size(), key_.size());
  return Error::none;
}

Error DeviceKey::create(const std::filesystem::path& file) {
  bool is_valid = false;
  for (int draws = 0; draws < draws_max && !is_valid; ++draws) {
    if (kernel_entropy(key_) != Error::none) return fail(Error::entropy_failed, "no key made: the entropy source is not healthy");
    is_valid = static_cast<bool>(crypto::address_of(key_));
  }
  if (!is_valid) return fail(Error::entropy_failed, "no key made");
  std::array<std::uint8_t, file_size> image{};
  const crypto::WipedAtExit wiped(image);
  std::memcpy(image.data(), magic.data(), magic.size());
  std::memcpy(image.data() + magic.size(), key_.data(), key_.size());
  // O_EXCL: two first starts at once must not end with two keys, of which one is lost.
  const std::filesystem::path temporary = file.string() + ".new";
  ::unlink(temporary.c_str());
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return fail(Error::storage_failed, std::strerror(errno));
  bool done = ::write(descriptor, image.data(), image.size()) == static_cast<ssize_t>(image.size());
  done = ::fsync(descriptor) == 0 && done;
  done = ::close(descriptor) == 0 && done;
  // link() instead of rename(): it never replaces a key that is there.
  done = done && ::link(temporary.c_str(), file.c_str()) == 0 && sync_folder(file);
  const int code = errno;
  ::unlink(temporary.c_str());
  if (!done) return fail(Error::storage_failed, std::strerror(code));
  was_created_ = true;
  return Error::none;
}

Error DeviceKey::sign(const Hash32& digest, crypto::Signature& signature) const {
  if (!is_open_) return Error::not_ready;
  return crypto::sign(key_, digest, signature);
}

}  // namespace wattproof::hal
