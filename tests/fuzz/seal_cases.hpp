// SPDX-License-Identifier: Apache-2.0
// Sealed headers of each engine, edited by the fuzzer and then verified.
#pragma once

#include <functional>

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
  for (std::size_t i = 1; i < made.size(); ++i) require(made[i - 1].address != made[i].address);
  return made;
}

// The suffix of one header, which settles a set of one signer, in the shape of an engine.
class SuffixOfOne {
 public:
  using Config = chain::CliqueConfig;
  using State = chain::CliqueState;

  Error begin(Bytes encoded, const State& trusted, const Config& config, chain::TimeBounds time) {
    suffix_.start(trusted, config);
    return suffix_.begin(encoded, time);
  }
  Result<chain::Progress> step() { return suffix_.step(); }
  void commit(State& state) const { suffix_.commit(state); }

 private:
  chain::CliqueSuffix suffix_;
};

inline SealCase<chain::BftVerifier> bft_case(chain::BftKind kind, chain::HeaderShape shape) {
  SealCase<chain::BftVerifier> made;
  made.config.kind = kind;
  made.config.shape = shape;
  made.trusted = testing::head_of(testing::sealed_bft_header(keys(), number, time_s, kind), keys());
  testing::BftHeader header = testing::sealed_bft_header(keys(), number + 2, time_s + 10, kind);
  header.shape = shape;
  header.round = 1;
  header.seal_with(keys(), 3);
  made.header = header.encode();
  return made;
}

// Validators from the configuration: list and vote are empty.
inline SealCase<chain::BftVerifier> contract_case() {
  SealCase<chain::BftVerifier> made = bft_case(chain::BftKind::qbft, chain::HeaderShape::london);
  made.config.source = chain::ValidatorSource::configuration;
  testing::BftHeader header = testing::sealed_bft_header(keys(), number + 2, time_s + 10);
  header.validators.clear();
  header.seal_with(keys(), 3);
  made.header = header.encode();
  return made;
}

template <class Verifier>
SealCase<Verifier> clique_case(std::uint64_t epoch_length, chain::HeaderShape shape) {
  constexpr bool is_alone = std::is_same_v<Verifier, SuffixOfOne>;
  SealCase<Verifier> made;
  made.config.epoch_length = epoch_length;
  made.config.shape = shape;
  const std::vector<testing::TestKey> signers = is_alone ? std::vector{keys()[1]} : keys();
  made.trusted = testing::clique_checkpoint(signers, number);
  testing::TestCliqueHeader header = testing::clique_child(made.trusted, keys()[1], made.config);
  header.seal_with(keys()[1]);
  made.header = header.encode();
  return made;
}

inline SealCase<chain::AuraVerifier> aura_case(chain::HeaderShape shape) {
  SealCase<chain::AuraVerifier> made;
  made.config.shape = shape;
  made.trusted = testing::aura_checkpoint(keys(), number);
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

// A case of some engine: whether a header, or the case's own as the script edits it, leads to another block than the
// one that was sealed.
class AnyCase {
 public:
  template <class Verifier>
  explicit AnyCase(const SealCase<Verifier>& seal_case)
      : accepts_another_([seal_case, original = verify(seal_case, seal_case.header)](Bytes input, bool is_script) {
          require(static_cast<bool>(original));
          if (!is_script) {
            const Result<Hash32> hash = verify(seal_case, input);
            return hash && *hash != *original;
          }
          testing::Buffer edited = seal_case.header;
          apply_edits(input, edited);
          const Result<Hash32> hash = verify(seal_case, edited);
          return hash && *hash != *original;
        }) {}

  bool accepts_another(Bytes input, bool is_script) const { return accepts_another_(input, is_script); }

 private:
  std::function<bool(Bytes, bool)> accepts_another_;
};

enum class FuzzEngine : std::uint8_t { qbft, ibft2, clique, aura };

inline std::vector<AnyCase> cases_of(FuzzEngine engine) {
  using chain::HeaderShape;
  std::vector<AnyCase> cases;
  switch (engine) {
    case FuzzEngine::qbft:
      for (const HeaderShape shape : {HeaderShape::frontier, HeaderShape::london, HeaderShape::prague}) {
        cases.emplace_back(bft_case(chain::BftKind::qbft, shape));
      }
      cases.emplace_back(contract_case());
      break;
    case FuzzEngine::ibft2:
      for (const HeaderShape shape : {HeaderShape::london, HeaderShape::shanghai, HeaderShape::cancun}) {
        cases.emplace_back(bft_case(chain::BftKind::ibft2, shape));
      }
      break;
    case FuzzEngine::clique:
      for (const HeaderShape shape : {HeaderShape::frontier, HeaderShape::london}) {
        cases.emplace_back(clique_case<chain::CliqueVerifier>(30'000, shape));
        cases.emplace_back(clique_case<chain::CliqueVerifier>(number + 1, shape));
        cases.emplace_back(clique_case<SuffixOfOne>(number + 1, shape));
      }
      break;
    case FuzzEngine::aura:
      for (const HeaderShape shape : {HeaderShape::aura, HeaderShape::aura_london, HeaderShape::aura_empty_steps,
                                      HeaderShape::aura_empty_steps_london}) {
        cases.emplace_back(aura_case(shape));
      }
      break;
  }
  return cases;
}

}  // namespace wattproof::fuzz
