// SPDX-License-Identifier: Apache-2.0
// A device's signing key on Linux: made on the device at its first start, kept in a file that its owner alone may read,
// used here and handed out nowhere. Nothing of it is ever logged; memory that held it is wiped.
#pragma once

#include <filesystem>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::hal {

class DeviceKey {
 public:
  DeviceKey() = default;
  ~DeviceKey();
  DeviceKey(const DeviceKey&) = delete;
  DeviceKey& operator=(const DeviceKey&) = delete;

  // Reads the key, or makes one and stores it durably before it is used.
  //   key_file_refused  readable by others, or not a key file
  //   entropy_failed    a key had to be made and the entropy source is not healthy
  //   storage_failed    the file cannot be read or written
  Error open(const std::filesystem::path& file);

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] bool was_created() const { return was_created_; }
  //   not_ready  no key is open
  Error sign(const Hash32& digest, crypto::Signature& signature) const;

  // What is wrong with the file, in words. Never holds anything of the key.
  [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
  Error create(const std::filesystem::path& file);
  Error load(int file);
  Error fail(Error error, const std::string& what);

  crypto::PrivateKey key_{};
  Address address_{};
  std::filesystem::path file_;
  bool is_open_ = false;
  bool was_created_ = false;
  std::string detail_;
};

}  // namespace wattproof::hal
