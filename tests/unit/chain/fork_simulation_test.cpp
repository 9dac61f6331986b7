// SPDX-License-Identifier: Apache-2.0
// Clique and AuRa with signers who sign whatever pays: a public chain that honest nodes extend by the rules, and forks of any
// depth by the dishonest alone, who sign the public chain too. Gateways show devices either, as they like. A device
// goes on from its settled (final) block, never below it, and takes a fork that is heavier (longer). While fewer than half
// are dishonest no two devices may settle different blocks at one height; with more of them it must happen, else the
// simulation would prove nothing.
#include <gtest/gtest.h>

#include <map>

#include "qemu/core_report.hpp"
#include "unit/chain/aura_maker.hpp"
#include "unit/chain/clique_maker.hpp"

namespace wattproof::chain {
namespace {

using core::Random;
using testing::Buffer;
using testing::sorted_keys;
using testing::TestKey;

constexpr std::uint32_t signer_count = 9;
constexpr std::uint32_t fork_depth_max = 16;
constexpr std::uint32_t forks_kept = 4;

template <class Verifier>
Error verify(Bytes encoded, typename Verifier::State& state, const typename Verifier::Config& config) {
  Verifier verifier;
  WATTPROOF_TRY(verifier.begin(encoded, state, config, {}));
  const Result<Progress> progress = verifier.step();
  if (progress) verifier.commit(state);
  return progress.error();
}

// What differs between the two engines.
struct CliqueRules {
  using Verifier = CliqueVerifier;
  using State = CliqueState;
  CliqueConfig config{.epoch_length = 40, .period_s_min = 1};

  State checkpoint(const std::vector<TestKey>& keys) const { return testing::clique_checkpoint(keys); }

  // The child of a state by `key`, or nothing if it may not sign now.
  Buffer child(const State& state, const TestKey& key, std::uint8_t salt) const {
    testing::TestCliqueHeader header = testing::clique_child(state, key, config);
    header.vanity[0] = salt;
    header.seal_with(key);
    State after = state;
    return verify<Verifier>(header.encode(), after, config) == Error::none ? header.encode() : Buffer();
  }
  // Whose turn it is comes first, then the others in their order.
  std::uint32_t turn(const State& state) const { return static_cast<std::uint32_t>((state.number + 1) % signer_count); }
  static bool is_better(const State& state, const State& than) { return state.difficulty_sum > than.difficulty_sum; }
  static bool settled(const State& state, std::uint64_t& number, Hash32& hash) {
    const Result<CliqueBlock> block = settled_block(state);
    if (!block) return false;
    number = block->number;
    hash = block->hash;
    return true;
  }
};

struct AuraRules {
  using Verifier = AuraVerifier;
  using State = AuraState;
  AuraConfig config{.two_thirds_from = UINT64_MAX};

  State checkpoint(const std::vector<TestKey>& keys) const { return testing::aura_checkpoint(keys, 0); }

  Buffer child(const State& state, const TestKey& key, std::uint8_t salt) const {
    std::uint64_t step = state.step + 1;
    while (state.validators.items[static_cast<std::size_t>(step % signer_count)] != key.address) ++step;
    testing::TestAuraHeader header = testing::aura_child(state, step, config.shape);
    header.extra.assign(1, static_cast<std::uint8_t>(0x80 | salt));
    header.seal_with(key);
    return header.encode();
  }
  std::uint32_t turn(const State& state) const { return static_cast<std::uint32_t>((state.step + 1) % signer_count); }
  static bool is_better(const State& state, const State& than) { return state.number > than.number; }
  static bool settled(const State& state, std::uint64_t& number, Hash32& hash) {
    number = state.final_block.number;
    hash = state.final_block.hash;
    return state.has_final;
  }
};

template <class Rules>
class ForkWorld {
 public:
  using State = typename Rules::State;

  ForkWorld(std::uint32_t dishonest_count, std::uint64_t seed) : random_(seed) {
    while (std::count(is_dishonest_.begin(), is_dishonest_.end(), true) < dishonest_count) {
      is_dishonest_[random_.below(signer_count)] = true;
    }
    public_.states.push_back(rules_.checkpoint(keys_));
    for (Device& device : devices_) device.settled = device.tip = public_.states[0];
  }

  void run(std::uint32_t heights) {
    for (std::uint32_t i = 0; i < heights && !::testing::Test::HasFatalFailure(); ++i) {
      extend_public();
      if (random_.below(3) == 0) fork();
      for (std::uint32_t k = 0; k < 2; ++k) show(devices_[random_.below(3)]);
    }
  }

  std::uint32_t conflicts = 0;
  std::uint32_t reorgs = 0;
  std::uint32_t forks = 0;
  std::size_t settled_count() const { return settled_.size(); }

 private:
  // States begin with the checkpoint; block i leads to state i + 1.
  struct Chain {
    std::vector<State> states;
    std::vector<Buffer> blocks;
  };
  struct Device {
    State settled;
    State tip;
  };

  // True if the block was made.
  bool extend(Chain& chain, const TestKey& key, std::uint8_t salt) {
    const Buffer block = rules_.child(chain.states.back(), key, salt);
    if (block.empty()) return false;
    State after = chain.states.back();
    EXPECT_EQ(verify<typename Rules::Verifier>(block, after, rules_.config), Error::none);
    chain.states.push_back(after);
    chain.blocks.push_back(block);
    return true;
  }

  // Honest nodes take the first whose turn it is and who is awake; the dishonest are so half of the time.
  void extend_public() {
    const std::uint32_t turn = rules_.turn(public_.states.back());
    for (std::uint32_t i = 0; i < signer_count; ++i) {
      const std::uint32_t signer = (turn + i) % signer_count;
      if (is_dishonest_[signer] && random_.below(2) == 0) continue;
      if (extend(public_, keys_[signer], 0)) return;
    }
  }

  // A fork by the dishonest alone, as long as it gets, which honest nodes go over to if it is better.
  void fork() {
    const std::size_t depth = 1 + random_.below(fork_depth_max);
    if (depth > public_.blocks.size()) return;
    Chain made;
    made.states.assign(public_.states.begin(), public_.states.end() - static_cast<std::ptrdiff_t>(depth));
    made.blocks.assign(public_.blocks.begin(), public_.blocks.end() - static_cast<std::ptrdiff_t>(depth));
    const std::uint8_t salt = static_cast<std::uint8_t>(1 + random_.below(100));
    // The same time as the honest had: a signer has one step in each round of them, whatever it claims.
    const std::size_t length_max = made.blocks.size() + depth + 1;
    const std::uint32_t turn = rules_.turn(made.states.back());
    for (std::uint32_t step = 0; step <= depth && made.blocks.size() < length_max; ++step) {
      const std::uint32_t signer = (turn + step) % signer_count;
      if (is_dishonest_[signer]) (void)extend(made, keys_[signer], salt);
    }
    ++forks;
    if (Rules::is_better(made.states.back(), public_.states.back())) {
      ++reorgs;
      std::swap(made, public_);
    }
    forks_.push_back(made);
    if (forks_.size() > forks_kept) forks_.erase(forks_.begin());
  }

  // Shows a device the public chain or a fork. It goes on from its settled block, if that is in it.
  void show(Device& device) {
    const std::size_t which = random_.below(forks_kept + 2);
    const Chain& chain = which < forks_.size() ? forks_[which] : public_;
    const std::size_t first = static_cast<std::size_t>(device.settled.number - chain.states[0].number);
    if (first >= chain.states.size() || chain.states[first].hash != device.settled.hash) return;
    State tip = device.settled;
    for (std::size_t i = first; i < chain.blocks.size(); ++i) {
      ASSERT_EQ(verify<typename Rules::Verifier>(chain.blocks[i], tip, rules_.config), Error::none);
    }
    if (!Rules::is_better(tip, device.tip)) return;
    device.tip = tip;
    std::uint64_t number = 0;
    Hash32 hash{};
    if (!Rules::settled(tip, number, hash)) return;
    const auto [at, is_new] = settled_.try_emplace(number, hash);
    if (!is_new && at->second != hash) ++conflicts;
    const std::size_t place = static_cast<std::size_t>(number - chain.states[0].number);
    if (number > device.settled.number) device.settled = chain.states[place];
  }

  Rules rules_;
  Random random_;
  std::vector<TestKey> keys_ = sorted_keys(signer_count);
  std::array<bool, signer_count> is_dishonest_{};
  Chain public_;
  std::vector<Chain> forks_;
  std::array<Device, 3> devices_{};
  std::map<std::uint64_t, Hash32> settled_;
};

template <class Rules>
void simulate(const char* name) {
  std::size_t settled = 0;
  std::uint32_t forks = 0;
  std::uint32_t reorgs = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    ForkWorld<Rules> world(4, seed);
    world.run(100);
    EXPECT_EQ(world.conflicts, 0U) << "seed " << seed;
    settled += world.settled_count();
    forks += world.forks;
    reorgs += world.reorgs;
  }
  EXPECT_GT(settled, 200U);
  EXPECT_GT(forks, 100U);
  std::uint32_t conflicts = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    ForkWorld<Rules> world(7, seed);
    world.run(60);
    conflicts += world.conflicts;
  }
  EXPECT_GT(conflicts, 0U) << "the simulation cannot see a split";
  std::printf("%s: %zu heights settled once under %u forks and %u reorgs; with 7 of 9 dishonest %u conflicts seen\n", name,
              settled, forks, reorgs, conflicts);
}

TEST(fork_simulation, clique_settles_one_block_a_height_while_fewer_than_half_are_dishonest) { simulate<CliqueRules>("Clique"); }

TEST(fork_simulation, aura_finalises_one_block_a_height_while_fewer_than_half_are_dishonest) { simulate<AuraRules>("AuRa"); }

}  // namespace
}  // namespace wattproof::chain
