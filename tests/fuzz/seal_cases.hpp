// SPDX-License-Identifier: Apache-2.0
// A sealed header for each engine, edited by the fuzzer and then verified. Used with the real curve and with one on which
// everybody can sign (any_key.cpp).
#pragma once

#include "chain/clique_suffix.hpp"
#include "edits.hpp"
#include "oracle.hpp"
#include "unit/chain/aura_maker.hpp"
#include "unit/chain/clique_maker.hpp"

namespace wattproof::fuzz {

constexpr std::uint64_t number = 100;
constexpr std::uint64_t time_s = 1'700'000'000;

template <class Verifier>
struct SealCase {
  typename Verifier::State trusted;
  typename Verifier::Config config;
  testing::Buffer header;
};

inline const std::vector<testing::TestKey>& keys() {
  static const std::vector<testing::TestKey> made = testing::sorted_keys(4);
  return made;
}

inline SealCase<chain::BftVerifier> bft_case(chain::BftKind kind) {
  SealCase<chain::BftVerifier> made;
  made.config.kind = kind;
  made.trusted = testing::head_of(testing::sealed_bft_header(keys(), number, time_s, kind), keys());
  made.header = testing::sealed_bft_header(keys(), number + 2, time_s + 10, kind).encode();
  return made;
}

inline SealCase<chain::CliqueVerifier> clique_case(std::uint64_t epoch_length) {
  SealCase<chain::CliqueVerifier> made;
  made.config.epoch_length = epoch_length;
  made.trusted = testing::clique_checkpoint(keys(), number);
  testing::TestCliqueHeader header = testing::clique_child(made.trusted, keys()[1], made.config);
  header.seal_with(keys()[1]);
  made.header = header.encode();
  return made;
}

inline SealCase<chain::AuraVerifier> aura_case(chain::HeaderShape shape) {
  SealCase<chain::AuraVerifier> made;
  made.config.shape = shape;
  made.trusted = testing::aura_checkpoint(keys());
  const std::uint64_t step = made.trusted.step + 3;
  testing::TestAuraHeader header = testing::aura_child(made.trusted, step, shape);
  if (testing::has_empty_steps(shape)) {
    header.add_empty_step(keys()[(step - 1) % 4], step - 1);
    header.difficulty = testing::aura_difficulty(made.trusted.step, step, 1);
  }
  header.seal_with(keys()[step % 4]);
  made.header = header.encode();
  return made;
}

// The block hash that the edited header leads to, or the error; the state must not move before commit.
template <class Verifier>
Result<Hash32> verify(const SealCase<Verifier>& seal_case, Bytes encoded) {
  static typename Verifier::State state;
  static Verifier verifier;
  state = seal_case.trusted;
  Error error = verifier.begin(encoded, state, seal_case.config, {});
  while (error == Error::none) {
    const Result<chain::Progress> progress = verifier.step();
    error = progress.error();
    if (progress && *progress == chain::Progress::accepted) {
      require(state == seal_case.trusted);
      verifier.commit(state);
      require(state.number == number + 2 || state.number > seal_case.trusted.number);
      return state.hash;
    }
  }
  require(state == seal_case.trusted);
  return error;
}

// Edits the case's header by the script. Returns whether the result means anything else than the original did.
template <class Verifier>
bool accepts_another(const SealCase<Verifier>& seal_case, Bytes script) {
  const Result<Hash32> original = verify(seal_case, seal_case.header);
  require(static_cast<bool>(original));
  testing::Buffer edited = seal_case.header;
  apply_edits(script, edited);
  const Result<Hash32> hash = verify(seal_case, edited);
  return hash && *hash != *original;
}

// One case chosen by the first byte, edited by the others.
inline bool accepts_another(Bytes input) {
  static const auto qbft = bft_case(chain::BftKind::qbft);
  static const auto ibft2 = bft_case(chain::BftKind::ibft2);
  static const auto clique = clique_case(30'000);
  static const auto epoch_block = clique_case(number + 1);
  static const auto aura = aura_case(chain::HeaderShape::aura_london);
  static const auto empty_steps = aura_case(chain::HeaderShape::aura_empty_steps);
  const Bytes script = input.subspan(1);
  switch (input[0] % 6) {
    case 0: return accepts_another(qbft, script);
    case 1: return accepts_another(ibft2, script);
    case 2: return accepts_another(clique, script);
    case 3: return accepts_another(epoch_block, script);
    case 4: return accepts_another(aura, script);
    default: return accepts_another(empty_steps, script);
  }
}

}  // namespace wattproof::fuzz
