// SPDX-License-Identifier: Apache-2.0
// Makes the evidence of a round of a chain in use: 4 validators, 3 seals, 1,000 accounts, 2,000 storage words. Then measures
// its verification on this machine.
//   evidence_host --write FILE   the evidence, for the image of a microcontroller
//   evidence_host                one JSON line: median microseconds of 500 verifications
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "codec/rlp.hpp"
#include "evidence/evidence.hpp"
#include "evidence/piece_writer.hpp"
#include "unit/chain/trie_maker.hpp"

namespace wattproof::bench {
namespace {

using testing::Buffer;
using testing::rlp_list;
using testing::rlp_number;
using testing::rlp_string;
using testing::TestTrie;

constexpr std::uint32_t validator_count = 4;
constexpr std::uint32_t account_count = 1000;
constexpr std::uint32_t word_count = 2000;
constexpr int run_count = 500;
constexpr double target_us = 250;

Hash32 numbered(const char* what, std::uint32_t number) {
  return crypto::keccak256(testing::text_bytes(what + std::to_string(number)));
}

void write_proof(PieceWriter& writer, const std::vector<Buffer>& nodes) {
  writer.piece(std::array{static_cast<std::uint8_t>(nodes.size())});
  for (const Buffer& node : nodes) writer.piece(node);
}

PieceWriter make_evidence() {
  TestTrie storage;
  for (std::uint32_t i = 0; i < word_count; ++i) {
    storage.put(crypto::keccak256(numbered("slot", i)), rlp_string(numbered("word", i)));
  }
  const Address contract = to_array<20>(Bytes(numbered("contract", 0)).first(20));
  TestTrie state;
  for (std::uint32_t i = 0; i < account_count; ++i) {
    const Buffer account = rlp_list({rlp_number(i), rlp_number(1), rlp_string(numbered("root", i)), rlp_string(numbered("code", i))});
    state.put(crypto::keccak256(numbered("address", i)), account);
  }
  state.put(crypto::keccak256(contract),
            rlp_list({rlp_number(1), rlp_number(0), rlp_string(storage.root()), rlp_string(numbered("code", 0))}));

  const std::vector<testing::TestKey> keys = testing::sorted_keys(validator_count);
  const testing::BftHeader trusted = testing::sealed_bft_header(keys, 100, 1'700'000'000);
  testing::BftHeader header = testing::sealed_bft_header(keys, 103, 1'700'000'010);
  header.fields.state_root = state.root();
  header.seal_with(keys, chain::bft_quorum(validator_count));

  std::array<std::uint8_t, chain::head_record_size> record{};
  chain::encode_head(testing::head_of(trusted, keys), record);
  PieceWriter writer;
  writer.piece(record);
  writer.piece(header.encode());
  writer.piece(contract);
  write_proof(writer, state.prove(crypto::keccak256(contract)));
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    const Hash32 slot = numbered("slot", 7 * i);
    writer.piece(slot);
    write_proof(writer, storage.prove(crypto::keccak256(slot)));
  }
  return writer;
}

int measure(const Buffer& file) {
  const Result<Evidence> evidence = parse_evidence(file);
  if (!evidence) return 1;
  std::vector<double> times_us;
  for (int i = 0; i < run_count; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const Error error = verify_evidence(*evidence);
    const auto end = std::chrono::steady_clock::now();
    if (error != Error::none) {
      std::fprintf(stderr, "the evidence was refused: %s\n", error_name(error));
      return 1;
    }
    times_us.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
  }
  std::nth_element(times_us.begin(), times_us.begin() + run_count / 2, times_us.end());
  std::printf("{\"name\":\"evidence_verify_host\",\"value\":%.1f,\"unit\":\"us\",\"target\":%.0f}\n",
              times_us[run_count / 2], target_us);
  std::printf("{\"name\":\"evidence_size\",\"value\":%zu,\"unit\":\"bytes\",\"target\":null}\n",
              file.size() - chain::head_record_size);
  return 0;
}

}  // namespace
}  // namespace wattproof::bench

int main(int argc, char** argv) {
  const wattproof::bench::PieceWriter evidence = wattproof::bench::make_evidence();
  if (argc == 3 && std::strcmp(argv[1], "--write") == 0) return evidence.save(argv[2]) ? 0 : 1;
  return argc == 1 ? wattproof::bench::measure(evidence.file()) : 2;
}
