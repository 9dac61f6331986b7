// SPDX-License-Identifier: Apache-2.0
// A chain of four validators with the two contracts' storage, and an honest gateway in front of it, for tests of a node in
// one process. Headers, tries and proofs are real; the contracts' rules are not run: a test writes the words itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "chain/trie.hpp"
#include "message/frame.hpp"
#include "message/typed_data.hpp"
#include "schedule/epoch.hpp"
#include "unit/chain/header_maker.hpp"
#include "unit/chain/trie_maker.hpp"

namespace wattproof::testing {

inline Hash32 number_word(std::uint64_t value) {
  Hash32 word{};
  store_be64(word.data() + 24, value);
  return word;
}

inline Hash32 address_word(const Address& address) {
  Hash32 word{};
  std::copy(address.begin(), address.end(), word.begin() + 12);
  return word;
}

class FakeChain {
 public:
  using Data = std::map<Buffer, Buffer>;  // what and key of a want, and the bytes that answer it

  struct Block {
    BftHeader header;
    TestTrie state;
    std::map<Address, TestTrie> storage;
    Data data;
  };

  static constexpr std::uint64_t chain_id = 4242;

  FakeChain() {
    registry_.fill(0x11);
    scheduler_.fill(0x22);
    set_word(registry_, schedule::contract_slot("Scheduler"), address_word(scheduler_));
    set_word(scheduler_, number_word(1000), number_word(1));  // something that is always there
    mine(1);
  }

  const Address& registry() const { return registry_; }
  const Address& scheduler() const { return scheduler_; }
  const std::vector<TestKey>& keys() const { return keys_; }
  std::uint64_t number() const { return blocks_.size() - 1 + first_number; }
  std::uint64_t time_s() const { return time_s_; }
  Block& block(std::uint64_t number) { return blocks_.at(number - first_number); }
  static constexpr std::uint64_t first_number = 100;

  void set_word(const Address& contract, const Hash32& slot, const Hash32& value) { words_[contract][slot] = value; }
  void set_data(message::What what, Bytes key, Bytes bytes) {
    data_[data_key(what, key)] = Buffer(bytes.begin(), bytes.end());
  }

  // A block `after_s` seconds later that holds everything set so far.
  void mine(std::uint64_t after_s) {
    time_s_ += after_s;
    Block block;
    for (const auto& [contract, words] : words_) {
      TestTrie& trie = block.storage[contract];
      for (const auto& [slot, value] : words) {
        std::size_t zeros = 0;
        while (zeros < 32 && value[zeros] == 0) ++zeros;
        if (zeros == 32) continue;
        trie.put(crypto::keccak256(slot), rlp_string(Bytes(value).subspan(zeros)));
      }
      const Hash32 code_hash = crypto::keccak256(contract);
      block.state.put(crypto::keccak256(contract), rlp_list({rlp_number(1), rlp_number(0), rlp_string(trie.root()),
                                                             rlp_string(code_hash)}));
    }
    block.data = data_;
    const std::uint64_t number = first_number + blocks_.size();
    const Hash32 parent = blocks_.empty() ? Hash32{} : blocks_.back().header.block_hash();
    block.header = sealed_bft_header(keys_, number, time_s_, chain::BftKind::qbft, parent);
    block.header.fields.state_root = block.state.root();
    block.header.seal_with(keys_, 3);
    blocks_.push_back(block);
  }

  chain::TrustedHead checkpoint() { return head_of(blocks_.front().header, keys_); }

  // Puts an epoch on the chain: its head and its vectors (z, u, xb, zp; the counts of movers, which no device reads, are 0).
  void set_epoch(const schedule::EpochHead& head_in, const std::vector<std::int64_t>& vectors) {
    schedule::EpochHead head = head_in;
    Buffer vector_bytes(vectors_slot_size * vectors.size() / 4);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      store_be64(vector_bytes.data() + 8 * i, static_cast<std::uint64_t>(vectors[i]));
    }
    head.vectors_hash = crypto::keccak256(vector_bytes);
    std::array<std::uint8_t, schedule::head_size> head_bytes{};
    schedule::encode_head(head, head_bytes);
    set_word(scheduler_, schedule::epoch_word_slot(head.epoch), crypto::keccak256(head_bytes));
    std::array<std::uint8_t, 8> key{};
    store_be64(key.data(), head.epoch);
    set_data(message::What::epoch_head, key, head_bytes);
    set_data(message::What::vectors, key, vector_bytes);
  }

  void set_record(std::uint64_t epoch, std::uint32_t id, std::uint32_t round, const Address& signer,
                  const std::vector<std::int32_t>& profile, bool is_frozen = false) {
    Buffer record(schedule::record_fixed_size + 4 * profile.size());
    store_be64(record.data(), epoch);
    store_be32(record.data() + 8, id);
    store_be32(record.data() + 12, round);
    record[16] = is_frozen ? 1 : 0;
    std::copy(signer.begin(), signer.end(), record.begin() + 17);
    for (std::size_t t = 0; t < profile.size(); ++t) {
      store_be32(record.data() + schedule::record_fixed_size + 4 * t, static_cast<std::uint32_t>(profile[t]));
    }
    set_word(scheduler_, schedule::record_slot(epoch, id), crypto::keccak256(record));
    std::array<std::uint8_t, 12> key{};
    store_be64(key.data(), epoch);
    store_be32(key.data() + 8, id);
    set_data(message::What::record, key, record);
  }

  // What an honest gateway answers.
  Buffer answer(const message::Want& want) {
    const std::uint64_t number = want.block == 0 ? this->number() : want.block;
    if (number < first_number || number > this->number()) return none(want.sequence);
    Block& at = block(number);
    switch (want.what) {
      case message::What::header: return part(want, number, at.header.encode(), true);
      case message::What::account_proof: return nodes(want, at.state.prove(crypto::keccak256(want.subject)));
      case message::What::storage_proof: {
        const auto storage = at.storage.find(to_array<20>(want.subject));
        if (storage == at.storage.end()) return none(want.sequence);
        return nodes(want, storage->second.prove(crypto::keccak256(want.key)));
      }
      default: break;
    }
    const auto data = at.data.find(data_key(want.what, want.key));
    return data == at.data.end() ? none(want.sequence) : part(want, number, data->second, false);
  }

  static Buffer none(std::uint32_t sequence) {
    Buffer out(frame_size_max);
    const Result<Bytes> bytes = message::encode(message::None{sequence, message::NoneReason::not_yet}, out);
    return Buffer(bytes->begin(), bytes->end());
  }

  Buffer notice(std::uint64_t negotiated, std::uint32_t round, std::uint64_t followed) const {
    Buffer out(frame_size_max);
    const Result<Bytes> bytes = message::encode(message::Notice{number(), negotiated, round, followed}, out);
    return Buffer(bytes->begin(), bytes->end());
  }

  static Buffer part(const message::Want& want, std::uint64_t number, const Buffer& all, bool is_header) {
    if (want.offset >= all.size()) return none(want.sequence);
    const std::size_t size = std::min<std::size_t>(message::part_size_max, all.size() - want.offset);
    message::Part part{want.sequence, number, static_cast<std::uint32_t>(all.size()), want.offset,
                       Bytes(all).subspan(want.offset, size)};
    Buffer out(frame_size_max);
    const Result<Bytes> bytes = is_header ? message::encode_header(part, out) : message::encode_data(part, out);
    return Buffer(bytes->begin(), bytes->end());
  }

  // As many whole nodes from the offset on as one frame holds.
  static Buffer nodes(const message::Want& want, const std::vector<Buffer>& proof) {
    message::Nodes frame{want.sequence, want.offset, static_cast<std::uint32_t>(proof.size()), 0, {}};
    Buffer out(frame_size_max);
    Buffer best = none(want.sequence);
    for (std::size_t i = want.offset; i < proof.size() && frame.count < message::nodes_per_frame_max; ++i) {
      frame.items[frame.count++] = proof[i];
      const Result<Bytes> bytes = message::encode(frame, out);
      if (!bytes) break;
      best.assign(bytes->begin(), bytes->end());
    }
    return best;
  }

 private:
  static Buffer data_key(message::What what, Bytes key) {
    Buffer out{static_cast<std::uint8_t>(what)};
    out.insert(out.end(), key.begin(), key.end());
    return out;
  }

  std::vector<TestKey> keys_ = sorted_keys(4);
  Address registry_{};
  Address scheduler_{};
  std::uint64_t time_s_ = 1'795'000'000;
  std::map<Address, std::map<Hash32, Hash32>> words_;
  Data data_;
  std::vector<Block> blocks_;
};

}  // namespace wattproof::testing
