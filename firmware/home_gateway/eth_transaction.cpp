// SPDX-License-Identifier: Apache-2.0
#include "eth_transaction.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "crypto/keccak.hpp"
#include "crypto/secret.hpp"
#include "rlp_writer.hpp"

namespace wattproof::ethereum {
namespace {

constexpr std::size_t key_file_size_max = 128;

Bytes without_leading_zeros(Bytes number) {
  while (!number.empty() && number[0] == 0) number = number.subspan(1);
  return number;
}

RlpWriter unsigned_fields(const LegacyTransaction& transaction) {
  RlpWriter writer;
  writer.integer(transaction.nonce).integer(transaction.gas_price_wei).integer(transaction.gas_limit);
  writer.string(transaction.to ? Bytes(*transaction.to) : Bytes());
  writer.integer(transaction.value_wei).string(transaction.data);
  return writer;
}

}  // namespace

std::optional<SignedTransaction> sign_transaction(const LegacyTransaction& transaction, std::uint64_t chain_id,
                                                  const crypto::PrivateKey& key) {
  RlpWriter to_sign = unsigned_fields(transaction);
  to_sign.integer(chain_id).integer(0).integer(0);
  crypto::Signature signature{};
  if (!ok(crypto::sign(key, crypto::keccak256(to_sign.list()), signature))) return std::nullopt;

  RlpWriter writer = unsigned_fields(transaction);
  writer.integer(2 * chain_id + 35 + signature[64]);
  writer.string(without_leading_zeros(Bytes(signature).first(32)));
  writer.string(without_leading_zeros(Bytes(signature).subspan(32, 32)));
  SignedTransaction result;
  result.raw = writer.list();
  result.hash = crypto::keccak256(result.raw);
  return result;
}

Address contract_address(const Address& sender, std::uint64_t nonce) {
  const Hash32 hash = crypto::keccak256(RlpWriter().string(sender).integer(nonce).list());
  return to_array<20>(Bytes(hash).subspan(12));
}

crypto::PrivateKey load_key_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("key file " + path + ": " + std::strerror(errno));
  std::string text(key_file_size_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > key_file_size_max) throw std::runtime_error("key file " + path + ": too long for a key");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (!text.starts_with("0x")) text.insert(0, "0x");
  const auto key = parse_hex_array<32>(text);
  crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (!key) throw std::runtime_error("key file " + path + ": must hold 64 hexadecimal digits");
  if (!crypto::address_of(*key)) throw std::runtime_error("key file " + path + ": not a valid secp256k1 key");
  return *key;
}

void write_key_file(const std::string& path, const crypto::PrivateKey& key) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("key file " + path + ": " + std::strerror(errno));
  std::string text = to_hex_digits(key) + "\n";
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int cause = errno;
  ::close(file);
  crypto::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (!written) throw std::runtime_error("key file " + path + ": " + std::strerror(cause));
}

crypto::PrivateKey generate_key() {
  crypto::PrivateKey key{};
  do {
    if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
      throw std::runtime_error(std::string("no entropy from the operating system: ") + std::strerror(errno));
    }
  } while (!crypto::address_of(key));  // 0 and values above the group order: once in 2^128 draws
  return key;
}

}  // namespace wattproof::ethereum
