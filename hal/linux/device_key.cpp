// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/device_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "crypto/drbg.hpp"
#include "crypto/key_file.hpp"
#include "crypto/secret.hpp"
#include "hal/linux/kernel_entropy.hpp"

namespace wattproof::hal {
namespace {

constexpr std::array<std::uint8_t, 4> plain_magic = {'W', 'P', 'K', 'P'};
constexpr std::size_t plain_size = plain_magic.size() + 32;
constexpr std::size_t wrapping_key_size_max = 1024;

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

DeviceKey::~DeviceKey() {
  crypto::wipe(key_);
  crypto::wipe(wrapping_key_);
}

Error DeviceKey::fail(Error error, const std::string& what) {
  detail_ = file_.string() + ": " + what;
  return error;
}

Error DeviceKey::open(const std::filesystem::path& file, const std::filesystem::path& wrapping_key_file) {
  if (!wrapping_key_file.empty()) WATTPROOF_TRY(read_wrapping_key(wrapping_key_file));
  file_ = file;
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0 && errno == ENOENT) {
    WATTPROOF_TRY(create());
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

Error DeviceKey::read_wrapping_key(const std::filesystem::path& file) {
  file_ = file;
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(Error::storage_failed, std::strerror(errno));
  wrapping_key_.resize(wrapping_key_size_max + 1);
  const ssize_t size = ::read(descriptor, wrapping_key_.data(), wrapping_key_.size());
  ::close(descriptor);
  if (size < static_cast<ssize_t>(crypto::wrapping_key_size_min) || size > static_cast<ssize_t>(wrapping_key_size_max)) {
    return fail(Error::key_file_refused, "a wrapping key has 16 to 1024 bytes");
  }
  wrapping_key_.resize(static_cast<std::size_t>(size));
  return Error::none;
}

Error DeviceKey::load(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return fail(Error::storage_failed, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return fail(Error::key_file_refused, "is not a regular file");
  if ((status.st_mode & 077) != 0) return fail(Error::key_file_refused, "may be read by others; chmod 600 it, or better make a new key");
  std::array<std::uint8_t, crypto::key_file_size + 1> image{};
  const crypto::WipedAtExit wiped(image);
  const ssize_t size = ::read(file, image.data(), image.size());
  if (size < 0) return fail(Error::storage_failed, std::strerror(errno));
  return decode(Bytes(image).first(static_cast<std::size_t>(size)));
}

Error DeviceKey::decode(Bytes image) {
  if (image.size() == plain_size && std::memcmp(image.data(), plain_magic.data(), plain_magic.size()) == 0) {
    if (!wrapping_key_.empty()) return fail(Error::key_file_refused, "is not wrapped, though there is a wrapping key");
    std::memcpy(key_.data(), image.data() + plain_magic.size(), key_.size());
    return Error::none;
  }
  if (!crypto::inspect_key_file(image)) return fail(Error::key_file_refused, "is not a key file");
  if (wrapping_key_.empty()) return fail(Error::key_file_refused, "is wrapped; name its wrapping key");
  if (crypto::open_key_file(image, wrapping_key_, key_) != Error::none) return fail(Error::key_file_refused, "was changed, or this is not its wrapping key");
  return Error::none;
}

Error DeviceKey::encode(MutableBytes image, std::size_t& size) {
  std::array<std::uint8_t, crypto::raw_entropy_size> noise{};
  const crypto::WipedAtExit wiped(noise);
  for (std::size_t at = 0; at < noise.size(); at += entropy_size_max) {
    WATTPROOF_TRY(kernel_entropy(MutableBytes(noise).subspan(at, entropy_size_max)));
  }
  crypto::Drbg drbg;
  WATTPROOF_TRY(drbg.seed(noise, {}));
  WATTPROOF_TRY(crypto::generate_key(drbg, key_));
  if (wrapping_key_.empty()) {
    std::memcpy(image.data(), plain_magic.data(), plain_magic.size());
    std::memcpy(image.data() + plain_magic.size(), key_.data(), key_.size());
    size = plain_size;
    return Error::none;
  }
  crypto::KeyFile wrapped{};
  WATTPROOF_TRY(crypto::wrap_key_file(key_, wrapping_key_, drbg, wrapped));
  std::memcpy(image.data(), wrapped.data(), wrapped.size());
  size = wrapped.size();
  return Error::none;
}

Error DeviceKey::create() {
  std::array<std::uint8_t, crypto::key_file_size> image{};
  const crypto::WipedAtExit wiped(image);
  std::size_t size = 0;
  if (const Error error = encode(image, size); error != Error::none) {
    return fail(error, std::string("no key was made: ") + error_name(error));
  }
  if (!write_new(Bytes(image).first(size))) return fail(Error::storage_failed, std::strerror(errno));
  was_created_ = true;
  return Error::none;
}

// O_EXCL, and link() in place of rename(): two first starts at once must not end with two keys of which one is lost.
bool DeviceKey::write_new(Bytes image) {
  const std::filesystem::path temporary = file_.string() + ".new";
  ::unlink(temporary.c_str());
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return false;
  bool done = ::write(descriptor, image.data(), image.size()) == static_cast<ssize_t>(image.size());
  done = ::fsync(descriptor) == 0 && done;
  done = ::close(descriptor) == 0 && done;
  done = done && ::link(temporary.c_str(), file_.c_str()) == 0 && sync_folder(file_);
  const int code = errno;
  ::unlink(temporary.c_str());
  errno = code;
  return done;
}

Error DeviceKey::sign(const Hash32& digest, crypto::Signature& signature) const {
  if (!is_open_) return Error::not_ready;
  return crypto::sign(key_, digest, signature);
}

}  // namespace wattproof::hal
