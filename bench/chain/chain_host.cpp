// SPDX-License-Identifier: Apache-2.0
// The light client's single calls on this machine, and the same inputs as a file for the images beside this program.
//   chain_host --write FILE   heads and sealed headers, and a proof of nine nodes (format: bench/evidence/pieces.hpp)
//   chain_host                JSON lines: median microseconds
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>

#include "chain/chain_cases.hpp"
#include "crypto/keccak.hpp"
#include "evidence/piece_writer.hpp"
#include "unit/chain/trie_maker.hpp"

namespace wattproof::bench {
namespace {

using testing::Buffer;

constexpr std::size_t proof_node_count = 9;
constexpr std::size_t proof_size_min = 3'400;
constexpr int run_count = 2001;

Buffer leaf_value() { return Buffer(70, 0x5a); }

// A proof of nine nodes of 3.4 kB and more, as an account of a public chain has it: seven branches, full near the root and
// emptier below, an extension, a leaf. Made from the leaf up, so that no trie of millions of accounts is needed.
std::vector<Buffer> nine_nodes(const chain::TrieKey& key, Hash32& root) {
  const testing::TestTrie::Nibbles path = testing::TestTrie::nibbles_of(Bytes(key.bytes).first(32));
  const auto packed = [&](std::size_t from, std::size_t count, std::uint8_t flag) {
    Buffer out;
    testing::TestTrie::Nibbles nibbles{static_cast<std::uint8_t>(flag + count % 2)};
    if (count % 2 == 0) nibbles.push_back(0);
    nibbles.insert(nibbles.end(), path.begin() + static_cast<std::ptrdiff_t>(from),
                   path.begin() + static_cast<std::ptrdiff_t>(from + count));
    for (std::size_t i = 0; i < nibbles.size(); i += 2) {
      out.push_back(static_cast<std::uint8_t>(nibbles[i] << 4 | nibbles[i + 1]));
    }
    return out;
  };
  constexpr std::size_t branch_count = proof_node_count - 2;
  constexpr std::size_t extension_length = 2;
  const std::size_t used = branch_count + extension_length;
  std::vector<Buffer> nodes{
      testing::rlp_list({testing::rlp_string(packed(used, 64 - used, 2)), testing::rlp_string(leaf_value())})};
  const std::array<std::size_t, branch_count> occupied{16, 16, 16, 16, 16, 13, 5};
  for (std::size_t level = branch_count; level-- > 0;) {
    // The extension stands above the last branch.
    const std::size_t at = level == branch_count - 1 ? used - 1 : level;
    std::vector<Buffer> items(17, Buffer{0x80});
    for (std::size_t i = 0; i < occupied[level]; ++i) items[(path[at] + i) % 16] = testing::rlp_string(Hash32{1});
    items[path[at]] = testing::rlp_string(crypto::keccak256(nodes.front()));
    nodes.insert(nodes.begin(), testing::rlp_list(items));
    if (level != branch_count - 1) continue;
    const Buffer extension = testing::rlp_list({testing::rlp_string(packed(branch_count - 1, extension_length, 0)),
                                                testing::rlp_string(crypto::keccak256(nodes.front()))});
    nodes.insert(nodes.begin(), extension);
  }
  root = crypto::keccak256(nodes.front());
  return nodes;
}

PieceWriter make_cases() {
  PieceWriter writer;
  for (const HeaderCase& shape : header_cases) {
    const std::vector<testing::TestKey> keys = testing::sorted_keys(shape.validator_count);
    const testing::BftHeader trusted = testing::sealed_bft_header(keys, 100, 1'700'000'000);
    testing::BftHeader header = testing::sealed_bft_header(keys, 103, 1'700'000'010);
    header.seal_with(keys, shape.seal_count);
    std::array<std::uint8_t, chain::head_record_size> record{};
    chain::encode_head(testing::head_of(trusted, keys), record);
    writer.piece(record);
    writer.piece(header.encode());
  }
  Hash32 root{};
  const std::vector<Buffer> nodes = nine_nodes(chain::account_key(proof_address), root);
  writer.piece(root);
  for (const Buffer& node : nodes) writer.piece(node);
  return writer;
}

double median_us(const std::function<Error()>& call) {
  std::vector<double> times_us;
  for (int i = 0; i < run_count; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const Error error = call();
    const auto end = std::chrono::steady_clock::now();
    if (error != Error::none) {
      std::fprintf(stderr, "refused: %s\n", error_name(error));
      std::exit(1);
    }
    times_us.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
  }
  std::nth_element(times_us.begin(), times_us.begin() + run_count / 2, times_us.end());
  return times_us[run_count / 2];
}

void print(const char* name, double value, const char* unit, const char* target) {
  std::printf("{\"name\":\"%s\",\"value\":%.2f,\"unit\":\"%s\",\"target\":%s}\n", name, value, unit, target);
}

int measure(const Buffer& file) {
  static Cases cases;
  if (parse_cases(file, cases) != Error::none) return 1;
  std::size_t proof_size = 0;
  for (const Bytes node : cases.proof) proof_size += node.size();
  if (proof_size < proof_size_min) {
    std::fprintf(stderr, "the proof has only %zu bytes\n", proof_size);
    return 1;
  }
  print("proof_9_nodes_size", static_cast<double>(proof_size), "bytes", "null");
  print("proof_9_nodes_host", median_us([] { return verify_proof_case(cases); }), "us", "12");
  const double header_us = median_us([] { return verify_header_case(cases, 0); });
  print("qbft_header_3_seals_host", header_us, "us", "null");
  print("seal_check_host", header_us / header_cases[0].seal_count, "us", "60");
  const Buffer message(keccak_size, 7);
  print("keccak_585_bytes_host", median_us([&] {
          return crypto::keccak256(message)[0] == 0 && crypto::keccak256(message)[1] == 0 ? Error::out_of_range : Error::none;
        }), "us", "null");
  return 0;
}

}  // namespace
}  // namespace wattproof::bench

int main(int argc, char** argv) {
  const wattproof::bench::PieceWriter cases = wattproof::bench::make_cases();
  if (argc == 3 && std::strcmp(argv[1], "--write") == 0) return cases.save(argv[2]) ? 0 : 1;
  return argc == 1 ? wattproof::bench::measure(cases.file()) : 2;
}
