// SPDX-License-Identifier: Apache-2.0
#include "chain/account.hpp"

#include "codec/rlp.hpp"

namespace wattproof::chain {
namespace {

using codec::RlpReader;

Hash32 word_from(Bytes integer) {
  Hash32 word{};
  for (std::size_t i = 0; i < integer.size(); ++i) word[word.size() - integer.size() + i] = integer[i];
  return word;
}

}  // namespace

const Hash32 empty_code_hash = {0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                                0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                                0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70};

Result<Account> account_of(const TrieVerifier& verifier) {
  if (verifier.progress() == TrieProgress::more) return Error::not_ready;
  Account account;
  account.storage_root = empty_trie_root;
  account.code_hash = empty_code_hash;
  if (verifier.progress() == TrieProgress::absent) return account;

  RlpReader reader = codec::open_rlp_list(verifier.value());
  account.nonce = reader.integer();
  account.balance = word_from(reader.integer_bytes(32));
  const Bytes storage_root = reader.fixed(32);
  const Bytes code_hash = reader.fixed(32);
  if (reader.finish() != Error::none) return Error::account_malformed;
  account.storage_root = to_array<32>(storage_root);
  account.code_hash = to_array<32>(code_hash);
  return account;
}

Result<Account> contract_of(const TrieVerifier& verifier) {
  const Result<Account> account = account_of(verifier);
  if (account && account->code_hash == empty_code_hash) return Error::value_absent;
  return account;
}

Result<Hash32> word_of(const TrieVerifier& verifier) {
  if (verifier.progress() == TrieProgress::more) return Error::not_ready;
  if (verifier.progress() == TrieProgress::absent) return Hash32{};
  RlpReader reader(verifier.value());
  const Bytes integer = reader.integer_bytes(32);
  if (reader.finish() != Error::none || integer.empty()) return Error::storage_malformed;
  return word_from(integer);
}

}  // namespace wattproof::chain
