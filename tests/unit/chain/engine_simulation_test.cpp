// SPDX-License-Identifier: Apache-2.0
// Whole chains with dishonest validators and gateways that hand out what they like. The invariant of every engine: two
// devices never hold different final blocks at one height, and a head never goes back, while fewer than a third of the
// validators (half for Clique and AuRa) are dishonest. Where more are, a planted split must be seen: else the
// simulation would prove nothing.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "qemu/core_report.hpp"
#include "unit/chain/aura_maker.hpp"
#include "unit/chain/clique_maker.hpp"

namespace wattproof::chain {
namespace {

using core::Random;
using testing::BftHeader;
using testing::Buffer;
using testing::sorted_keys;
using testing::TestAuraHeader;
using testing::TestCliqueHeader;
using testing::TestKey;

template <class Verifier>
Error verify(Bytes encoded, typename Verifier::State& state, const typename Verifier::Config& config) {
  Verifier verifier;
  WATTPROOF_TRY(verifier.begin(encoded, state, config, {}));
  for (;;) {
    const Result<Progress> progress = verifier.step();
    if (!progress) return progress.error();
    if (*progress == Progress::accepted) break;
  }
  verifier.commit(state);
  return Error::none;
}

// Final blocks by height, over all devices.
class Finals {
 public:
  // False if another block was final at this height.
  bool add(std::uint64_t number, const Hash32& hash) {
    const auto [at, is_new] = final_.try_emplace(number, hash);
    return is_new || at->second == hash;
  }
  std::size_t count() const { return final_.size(); }

 private:
  std::map<std::uint64_t, Hash32> final_;
};

// --- QBFT and IBFT2 ---

struct BftWorld {
  BftWorld(BftKind engine, std::uint32_t dishonest_count, std::uint64_t seed)
      : kind(engine), dishonest(dishonest_count), random(seed) {}

  BftKind kind;
  std::uint32_t dishonest;  // of `keys`, the first so many
  Random random;
  std::vector<TestKey> pool = [] {
    std::vector<TestKey> keys;
    for (std::uint32_t i = 0; i < 12; ++i) keys.emplace_back(i);
    return keys;
  }();
  std::vector<TestKey> members{pool.begin(), pool.begin() + 7};
  Finals finals;
  std::array<TrustedHead, 3> devices{};
  std::vector<Buffer> published;  // everything a gateway can hand out
  Hash32 parent{};
  std::uint64_t number = 0;
  std::set<Hash32> forged;      // what the dishonest made by themselves
  std::uint32_t conflicts = 0;
  std::uint32_t accepted = 0;

  static std::vector<TestKey> sorted(std::vector<TestKey> keys) {
    std::sort(keys.begin(), keys.end(), [](const TestKey& a, const TestKey& b) { return a.address < b.address; });
    return keys;
  }
  std::vector<TestKey> sorted_members() const { return sorted(members); }

  // The dishonest try alone, some heights ahead: as the present set, each sealing as often as it takes, and as a set of
  // themselves and of strangers that they make.
  void forge() {
    std::vector<TestKey> alone(members.begin(), members.begin() + dishonest);
    std::vector<TestKey> own = alone;
    while (own.size() < members.size()) own.emplace_back(500U + static_cast<std::uint32_t>(own.size()));
    const std::uint64_t at = number + random.below(4);
    const std::size_t quorum = bft_quorum(static_cast<std::uint32_t>(members.size()));
    for (const bool is_own_set : {false, true}) {
      BftHeader header = testing::sealed_bft_header(sorted(is_own_set ? own : members), at, 1000 + 5 * at, kind, parent);
      header.fields.gas_used += 7;
      header.seal_with(is_own_set ? own : alone, quorum);
      forged.insert(header.block_hash());
      published.push_back(header.encode());
    }
  }

  // Two blocks compete at one height. Every honest validator seals one of them, the dishonest ones seal both.
  void propose() {
    ++number;
    const std::vector<TestKey> keys = sorted_members();
    std::array<BftHeader, 2> blocks;
    for (std::uint32_t side = 0; side < 2; ++side) {
      blocks[side] = testing::sealed_bft_header(keys, number, 1000 + 5 * number, kind, parent);
      blocks[side].fields.gas_used += side;
      blocks[side].round = random.below(3);
      blocks[side].seals.clear();
    }
    const std::uint32_t share = random.below(4) == 0 ? random.below(101) : 100;  // percent of honest ones for side 0
    for (std::size_t i = 0; i < members.size(); ++i) {
      const bool both = i < dishonest;
      const std::uint32_t side = random.below(100) < share ? 0 : 1;
      for (std::uint32_t k = 0; k < 2; ++k) {
        if (!both && k != side) continue;
        const crypto::Signature seal = members[i].sign(blocks[k].seal_hash());
        blocks[k].seals.emplace_back(seal.begin(), seal.end());
      }
    }
    bool is_sealed = false;
    for (BftHeader& block : blocks) {
      published.push_back(block.encode());
      if (block.seals.size() < bft_quorum(static_cast<std::uint32_t>(members.size())) || is_sealed) continue;
      parent = block.block_hash();
      is_sealed = true;
    }
    if (!is_sealed) --number;  // nobody got a quorum: the height is tried again
    if (is_sealed && random.below(5) == 0) change_set();
    if (random.below(3) == 0) forge();
  }

  // One honest member goes and another comes, as a vote would have it.
  void change_set() {
    const std::size_t leaving = dishonest + random.below(static_cast<std::uint32_t>(members.size()) - dishonest);
    for (const TestKey& key : pool) {
      const bool is_member = std::any_of(members.begin(), members.end(),
                                         [&](const TestKey& member) { return member.address == key.address; });
      if (is_member) continue;
      members[leaving] = key;
      pool.erase(std::find_if(pool.begin(), pool.end(), [&](const TestKey& k) { return k.address == key.address; }));
      pool.push_back(key);
      return;
    }
  }

  // A gateway shows a device something of what was published, old or new, as it likes.
  void deliver() {
    TrustedHead& device = devices[random.below(3)];
    const std::size_t back = random.below(4) == 0 ? random.below(20) : random.below(3);
    if (back >= published.size()) return;
    const std::uint64_t before = device.number;
    BftConfig config;
    config.kind = kind;
    const Error error = verify<BftVerifier>(published[published.size() - 1 - back], device, config);
    ASSERT_GE(device.number, before);
    conflicts += error == Error::conflicting_final_headers ? 1U : 0U;
    if (error != Error::none) return;
    ++accepted;
    if (!finals.add(device.number, device.hash) || forged.contains(device.hash)) ++conflicts;
  }

  void run(std::uint32_t heights) {
    for (TrustedHead& device : devices) {
      device.validators = testing::set_of(sorted_members());
      device.timestamp = {1000};
      device.is_linked = true;
    }
    for (std::uint32_t i = 0; i < heights; ++i) {
      propose();
      for (int k = 0; k < 4; ++k) deliver();
    }
  }
};

void simulate_bft(BftKind kind, const char* name) {
  std::uint32_t accepted = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    BftWorld world(kind, 2, seed);  // 2 of 7
    world.run(80);
    EXPECT_EQ(world.conflicts, 0U) << "seed " << seed;
    EXPECT_GT(world.forged.size(), 20U);
    accepted += world.accepted;
  }
  EXPECT_GT(accepted, 200U);
  std::uint32_t conflicts = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    BftWorld world(kind, 5, seed);  // 5 of 7: whatever they like is sealed
    world.run(40);
    conflicts += world.conflicts;
  }
  EXPECT_GT(conflicts, 0U) << "the simulation cannot see a split";
  std::printf("%s: %u heads accepted without conflict; with 5 of 7 dishonest %u conflicts seen\n", name, accepted, conflicts);
}

TEST(engine_simulation, qbft_heads_never_conflict_below_a_third_and_a_split_is_seen_above) {
  simulate_bft(BftKind::qbft, "QBFT");
}

TEST(engine_simulation, ibft2_heads_never_conflict_below_a_third_and_a_split_is_seen_above) {
  simulate_bft(BftKind::ibft2, "IBFT2");
}

// --- Clique and AuRa: forks of the unsettled end, by rules that all honest nodes follow ---

constexpr std::uint32_t signer_count = validator_count_max;
constexpr std::uint32_t fork_depth_max = 16;  // settling takes 17 signers of 32, finality 22

// Extends a state by `count` blocks by signers in turn, from `first` on; `salt` tells forks apart.
void extend_clique(CliqueState& state, const std::vector<TestKey>& keys, std::uint32_t count, std::uint32_t first,
                   std::uint8_t salt, const CliqueConfig& config, Finals& finals) {
  for (std::uint32_t i = 0; i < count; ++i) {
    TestCliqueHeader header = testing::clique_child(state, keys[(first + i) % keys.size()], config);
    header.vanity[0] = salt;
    header.seal_with(keys[(first + i) % keys.size()]);
    ASSERT_EQ(verify<CliqueVerifier>(header.encode(), state, config), Error::none);
    if (const Result<CliqueBlock> settled = settled_block(state); settled) {
      ASSERT_TRUE(finals.add(settled->number, settled->hash)) << "settled twice at " << settled->number;
    }
  }
}

TEST(engine_simulation, clique_settles_one_block_a_height_under_reorgs_of_1_to_16) {
  const std::vector<TestKey> keys = sorted_keys(signer_count);
  const CliqueConfig config{.epoch_length = 1'000'000, .period_s_min = 1};
  CliqueState state = testing::clique_checkpoint(keys);
  Finals finals;
  extend_clique(state, keys, 20, 1, 0, config, finals);
  for (std::uint32_t depth = 1; depth <= fork_depth_max; ++depth) {
    // Both ends are built from one block; the device sees the lighter first, then the heavier, which has one more block.
    const std::uint32_t first = static_cast<std::uint32_t>(state.number) + 1;
    CliqueState lighter = state;
    extend_clique(lighter, keys, depth, first + 3, static_cast<std::uint8_t>(depth), config, finals);
    CliqueState heavier = state;
    extend_clique(heavier, keys, depth + 1, first, 0, config, finals);
    ASSERT_GT(heavier.difficulty_sum, lighter.difficulty_sum);
    state = heavier;
  }
  EXPECT_GT(finals.count(), 100U);
  std::printf("Clique: %zu heights settled once under 16 reorgs\n", finals.count());
}

TEST(engine_simulation, a_colluding_minority_of_clique_settles_nothing_by_itself) {
  const std::vector<TestKey> keys = sorted_keys(9);
  const std::vector<TestKey> minority(keys.begin(), keys.begin() + 4);
  const CliqueConfig config{.epoch_length = 1'000'000, .period_s_min = 1};
  CliqueState state = testing::clique_checkpoint(keys);
  std::uint32_t blocks = 0;
  Error error = Error::none;
  while (error == Error::none && blocks < 100) {
    const TestKey& key = minority[blocks++ % minority.size()];
    TestCliqueHeader header = testing::clique_child(state, key, config);
    header.seal_with(key);
    error = verify<CliqueVerifier>(header.encode(), state, config);
  }
  EXPECT_EQ(error, Error::signed_recently) << "four of nine run out of signers";
  EXPECT_EQ(blocks, 5U);
  EXPECT_EQ(settled_block(state).error(), Error::not_final);
}

void extend_aura(AuraState& state, const std::vector<TestKey>& keys, std::uint32_t count, std::uint8_t salt,
                 const AuraConfig& config, Finals& finals) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t step = state.step + 1;
    TestAuraHeader header = testing::aura_child(state, step, config.shape);
    header.extra.assign(1, static_cast<std::uint8_t>(0x80 | salt));
    header.seal_with(keys[static_cast<std::size_t>(step % keys.size())]);
    ASSERT_EQ(verify<AuraVerifier>(header.encode(), state, config), Error::none);
    if (!state.has_final) continue;
    ASSERT_TRUE(finals.add(state.final_block.number, state.final_block.hash)) << state.final_block.number;
  }
}

TEST(engine_simulation, aura_finalises_one_block_a_height_under_reorgs_of_1_to_16) {
  const std::vector<TestKey> keys = sorted_keys(signer_count);
  const AuraConfig config;
  AuraState state = testing::aura_checkpoint(keys);
  Finals finals;
  extend_aura(state, keys, 30, 0, config, finals);
  for (std::uint32_t depth = 1; depth <= fork_depth_max; ++depth) {
    AuraState lighter = state;
    extend_aura(lighter, keys, depth, static_cast<std::uint8_t>(depth), config, finals);
    AuraState heavier = state;
    extend_aura(heavier, keys, depth + 1, 0, config, finals);
    ASSERT_GT(heavier.number, lighter.number);
    state = heavier;
  }
  EXPECT_GT(finals.count(), 100U);
  std::printf("AuRa: %zu heights final once under 16 reorgs\n", finals.count());
}

TEST(engine_simulation, a_minority_of_aura_makes_nothing_final_by_itself) {
  const std::vector<TestKey> keys = sorted_keys(9);
  const AuraConfig config;
  AuraState state = testing::aura_checkpoint(keys);
  Finals finals;
  for (std::uint32_t round = 0; round < 30; ++round) {
    // Four of nine sign at their own steps, on and on; the steps of the others stay empty.
    while (state.step % 9 >= 4) ++state.step;
    extend_aura(state, keys, 1, 0, config, finals);
    ASSERT_FALSE(state.has_final);
  }
}

}  // namespace
}  // namespace wattproof::chain
