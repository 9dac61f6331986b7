// SPDX-License-Identifier: Apache-2.0
// However the nodes of a good proof are edited, dropped, doubled or swapped, the answer is the one that the trie gives, or
// an error; with a stand-in for the hash (any_hash.cpp), an answer inside the nodes.
#include "chain/account.hpp"
#include "chain/receipt.hpp"
#include "edits.hpp"
#include "oracle.hpp"
#include "unit/chain/trie_maker.hpp"

namespace {

using namespace wattproof;
using testing::Buffer;

struct ProofCase {
  Hash32 root{};
  chain::TrieKey key;
  std::vector<Buffer> nodes;
  bool is_found = false;
  Buffer value;
};

Buffer receipt() {
  const Buffer log = testing::rlp_list({testing::rlp_string(Address{1}), testing::rlp_list({testing::rlp_string(Hash32{2})}),
                                        testing::rlp_string(Buffer(40, 3))});
  return testing::rlp_list({{0x01}, testing::rlp_number(21'000), testing::rlp_string(Buffer(256, 0)),
                            testing::rlp_list({log, log})});
}

std::vector<ProofCase> make_cases() {
  testing::TestTrie receipts;
  testing::TestTrie words;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const chain::TrieKey index = chain::index_key(i);
    receipts.put(Bytes(index.bytes).first(index.size), receipt());
    Hash32 slot{};
    slot[31] = static_cast<std::uint8_t>(i);
    words.put(crypto::keccak256(slot), testing::rlp_number(i + 1));
  }
  std::vector<ProofCase> cases;
  const auto add = [&](const testing::TestTrie& trie, const chain::TrieKey& key) {
    ProofCase made{trie.root(), key, trie.prove(Bytes(key.bytes).first(key.size)), false, {}};
    const std::vector<Bytes> nodes = testing::views_of(made.nodes);
    const Result<chain::TrieAnswer> answer = chain::verify_proof(made.root, key, nodes);
    fuzz::require(static_cast<bool>(answer));
    made.is_found = answer->is_found;
    made.value.assign(answer->value.begin(), answer->value.end());
    cases.push_back(made);
  };
  for (const std::uint64_t index : {0U, 7U, 39U, 40U, 300U}) add(receipts, chain::index_key(index));
  for (const std::uint8_t last : std::to_array<std::uint8_t>({0, 7, 39, 200})) {
    Hash32 slot{};
    slot[31] = last;
    add(words, chain::storage_key(slot));
  }
  return cases;
}

// An edit goes to one node, or to the list of nodes.
void edit(Bytes script, std::vector<Buffer>& nodes) {
  for (std::size_t i = 0; i < fuzz::edits_max && script.size() > fuzz::edit_size && !nodes.empty(); ++i) {
    const std::size_t place = script[0] / 4 % nodes.size();
    const std::uint8_t operation = script[0] % 4;
    script = script.subspan(1);
    const auto at = nodes.begin() + static_cast<std::ptrdiff_t>(place);
    if (operation == 0) {
      nodes.erase(at);
    } else if (operation == 1) {
      nodes.insert(at, Buffer(*at));
    } else if (operation == 2) {
      std::swap(*at, nodes.front());
    } else {
      fuzz::apply_edit(script, *at);
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<ProofCase> cases = make_cases();
  if (size == 0) return 0;
  const ProofCase& proof_case = cases[data[0] % cases.size()];
  const Bytes script(data + 1, size - 1);
  std::vector<Buffer> nodes = proof_case.nodes;
  edit(script, nodes);
  const std::vector<Bytes> views = testing::views_of(nodes);
  const Result<chain::TrieAnswer> answer = chain::verify_proof(proof_case.root, proof_case.key, views);
  if (!answer) return 0;
  const bool is_same = answer->is_found == proof_case.is_found && equal(answer->value, proof_case.value);
  fuzz::require(is_same || fuzz::is_stubbed);
  fuzz::require(answer->is_found ? fuzz::inside(answer->value, nodes.back()) : answer->value.empty());
  return 0;
}
