// SPDX-License-Identifier: Apache-2.0
// Legacy transactions with replay protection (EIP-155): the one form that every chain which we meet accepts at gas price 0.
#pragma once

#include <optional>

#include "crypto/secp256k1.hpp"
#include "hex_text.hpp"

namespace wattproof::ethereum {

struct LegacyTransaction {
  std::uint64_t nonce = 0;
  std::uint64_t gas_price_wei = 0;
  std::uint64_t gas_limit = 0;
  std::optional<Address> to;  // none: creates a contract
  std::uint64_t value_wei = 0;
  ByteVector data;
};

struct SignedTransaction {
  ByteVector raw;  // what eth_sendRawTransaction takes
  Hash32 hash{};
};

// Nothing if the key is not a key.
std::optional<SignedTransaction> sign_transaction(const LegacyTransaction& transaction, std::uint64_t chain_id,
                                                  const crypto::PrivateKey& key);

// Where a creation by `sender` with this nonce puts its contract: last 20 bytes of keccak(rlp([sender, nonce])).
Address contract_address(const Address& sender, std::uint64_t nonce);

// A private key from a file of 64 hexadecimal digits ("0x" allowed, one line end allowed). Throws std::runtime_error
// that names the file and what is wrong with it, never what stands in it.
crypto::PrivateKey load_key_file(const std::string& path);

// Writes a new file that its owner alone may read; refuses to overwrite.
void write_key_file(const std::string& path, const crypto::PrivateKey& key);

// A fresh key from the operating system's entropy.
crypto::PrivateKey generate_key();

}  // namespace wattproof::ethereum
