// SPDX-License-Identifier: Apache-2.0
// A device's signing key on Linux: made on the device at its first start, kept in a file that its owner alone may read,
// used here and handed out nowhere. Nothing of it is ever logged; memory that held it is wiped.
//
// With a wrapping key (a file that the machine keeps apart from the store: a systemd credential, a TPM's, another disk)
// the key file is crypto/key_file.hpp's and worthless without it. Without one it is "WPKP" and the 32 bytes of the key,
// and nothing but the file's mode protects it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

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

  // Reads the key, or makes one and stores it durably before it is used. `wrapping_key_file` may be empty: none.
  //   key_file_refused  readable by others, not a key file, the wrong wrapping key, or wrapped where no wrapping key is
  //                     given and the other way round; never replaced by a new key
  //   entropy_failed    a key had to be made and the entropy source is not healthy
  //   storage_failed    the file cannot be read or written
  Error open(const std::filesystem::path& file, const std::filesystem::path& wrapping_key_file = {});

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] bool was_created() const { return was_created_; }
  //   not_ready  no key is open
  Error sign(const Hash32& digest, crypto::Signature& signature) const;

  // What is wrong with the file, in words. Never holds anything of the key.
  [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
  Error create();
  Error load(int file);
  Error encode(MutableBytes image, std::size_t& size);
  Error decode(Bytes image);
  Error read_wrapping_key(const std::filesystem::path& file);
  bool write_new(Bytes image);
  Error fail(Error error, const std::string& what);

  crypto::PrivateKey key_{};
  Address address_{};
  std::vector<std::uint8_t> wrapping_key_;  // empty: none
  std::filesystem::path file_;
  bool is_open_ = false;
  bool was_created_ = false;
  std::string detail_;
};

}  // namespace wattproof::hal
