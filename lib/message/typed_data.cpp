// SPDX-License-Identifier: Apache-2.0
#include "message/typed_data.hpp"

#include "base/limits.hpp"
#include "crypto/keccak.hpp"

namespace wattproof::message {
namespace {

template <std::size_t size>
Bytes text(const char (&literal)[size]) {
  return {reinterpret_cast<const std::uint8_t*>(literal), size - 1};
}

Hash32 number_word(std::uint64_t value) {
  Hash32 word{};
  store_be64(word.data() + 24, value);
  return word;
}

Hash32 address_word(const Address& address) {
  Hash32 word{};
  std::memcpy(word.data() + 12, address.data(), address.size());
  return word;
}

Hash32 domain(Bytes name, std::uint64_t chain_id, const Address& contract) {
  crypto::Keccak256 hash;
  hash.update(crypto::keccak256(
      text("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")));
  hash.update(crypto::keccak256(name));
  hash.update(crypto::keccak256(text("1")));
  hash.update(number_word(chain_id));
  hash.update(address_word(contract));
  return hash.finish();
}

Hash32 digest(const Hash32& domain_separator, const Hash32& struct_hash) {
  constexpr std::array<std::uint8_t, 2> prefix{0x19, 0x01};
  crypto::Keccak256 hash;
  hash.update(prefix);
  hash.update(domain_separator);
  hash.update(struct_hash);
  return hash.finish();
}

}  // namespace

Hash32 scheduler_domain(std::uint64_t chain_id, const Address& scheduler) {
  return domain(text("wattproof Scheduler"), chain_id, scheduler);
}

Hash32 registry_domain(std::uint64_t chain_id, const Address& registry) {
  return domain(text("wattproof DeviceRegistry"), chain_id, registry);
}

Hash32 update_digest(const Hash32& scheduler_domain, std::uint64_t epoch, std::uint32_t round,
                     std::span<const std::int32_t> profile_w) {
  crypto::Keccak256 profile;
  for (const std::int32_t power_w : profile_w) {
    std::array<std::uint8_t, 4> word{};
    store_be32(word.data(), static_cast<std::uint32_t>(power_w));
    profile.update(word);
  }
  crypto::Keccak256 hash;
  hash.update(crypto::keccak256(text("Update(uint64 epoch,uint32 round,bytes profile)")));
  hash.update(number_word(epoch));
  hash.update(number_word(round));
  hash.update(profile.finish());
  return digest(scheduler_domain, hash.finish());
}

Hash32 check_in_digest(const Hash32& registry_domain, std::uint64_t nonce) {
  crypto::Keccak256 hash;
  hash.update(crypto::keccak256(text("CheckIn(uint64 nonce)")));
  hash.update(number_word(nonce));
  return digest(registry_domain, hash.finish());
}

Result<Bytes> encode_profile(std::span<const std::int32_t> profile_w, MutableBytes into) {
  if (into.size() / 4 < profile_w.size()) return Error::capacity;
  for (std::size_t slot = 0; slot < profile_w.size(); ++slot) {
    store_be32(into.data() + 4 * slot, static_cast<std::uint32_t>(profile_w[slot]));
  }
  return Bytes(into.first(4 * profile_w.size()));
}

Error decode_profile(Bytes bytes, std::span<std::int32_t> profile_w) {
  if (bytes.size() % 4 != 0 || bytes.size() / 4 != profile_w.size()) return Error::wrong_length;
  for (std::size_t slot = 0; slot < profile_w.size(); ++slot) {
    const auto power_w = static_cast<std::int32_t>(load_be32(bytes.data() + 4 * slot));
    if (power_w < -power_w_max || power_w > power_w_max) return Error::out_of_range;
    profile_w[slot] = power_w;
  }
  return Error::none;
}

}  // namespace wattproof::message
