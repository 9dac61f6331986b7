// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.hpp"
#include "chain/bft.hpp"
#include "codec/rlp.hpp"
#include "command.hpp"
#include "header_json.hpp"

namespace wattproof::tool {
namespace {

using ethereum::Engine;

constexpr std::size_t header_count_max = 4096;
constexpr std::size_t header_text_size_max = 16384;  // longer than any header, so that the library's own limit is met

struct Trusted {
  chain::TrustedHead head;
  std::vector<Address> validators;  // as given
};

struct Input {
  Engine engine = Engine::qbft;
  Trusted trusted;
  std::vector<ByteVector> headers;
};

Trusted read_trusted(ObjectReader& object) {
  Trusted trusted;
  trusted.head.number = object.uint64("number");
  trusted.head.is_linked = object.has("hash");
  if (trusted.head.is_linked) trusted.head.hash = object.hex_array<32>("hash");
  if (object.has("timestamp")) trusted.head.timestamp.s = object.uint64("timestamp");
  const Json& list = object.array("validators", 65536);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string path = object.path_of("validators[" + std::to_string(i) + "]");
    const ByteVector bytes = hex_of(list[i], path, sizeof(Address));
    if (bytes.size() != sizeof(Address)) throw InputError(path, "must have 20 bytes");
    trusted.validators.push_back(to_array<20>(bytes));
  }
  object.finish();
  return trusted;
}

Input read_input(const Json& document) {
  ObjectReader object(document, "");
  Input input;
  const std::optional<Engine> engine = ethereum::engine_of_name(object.text("engine"));
  if (!engine) object.fail("engine", "must be qbft, ibft2, clique or aura");
  input.engine = *engine;
  ObjectReader trusted = object.object("trusted");
  input.trusted = read_trusted(trusted);
  const Json& list = object.array("headers", header_count_max);
  if (list.empty()) object.fail("headers", "must hold at least one header");
  for (std::size_t i = 0; i < list.size(); ++i) {
    input.headers.push_back(hex_of(list[i], "headers[" + std::to_string(i) + "]", header_text_size_max));
  }
  object.finish();
  return input;
}

Outcome refused(Error error, std::size_t index) {
  return {{{"error", error_name(error)}, {"index", index}}, exit_refused};
}

// A chain's shape is configuration. The tool has none, so it goes by the first header; all others must have the same.
Result<chain::HeaderShape> shape_of(Bytes encoded) {
  codec::RlpReader reader = codec::open_rlp_list(encoded);
  std::uint32_t count = 0;
  while (!reader.at_end() && ok(reader.error()) && count < 32) {
    reader.any();
    ++count;
  }
  if (!ok(reader.finish())) return reader.finish();
  for (const auto shape : {chain::HeaderShape::frontier, chain::HeaderShape::london, chain::HeaderShape::shanghai,
                           chain::HeaderShape::cancun, chain::HeaderShape::prague}) {
    if (chain::header_field_count(shape) == count) return shape;
  }
  return Error::header_field_count;
}

Error take_validators(const std::vector<Address>& given, chain::ValidatorSet& set) {
  if (given.empty()) return Error::validators_empty;
  if (given.size() > validator_count_max) return Error::validators_too_many;
  std::copy(given.begin(), given.end(), set.items.begin());
  set.count = static_cast<std::uint32_t>(given.size());
  return Error::none;
}

Json head_of(const chain::TrustedHead& head, Json signers) {
  return {{"number", head.number},
          {"hash", ethereum::to_hex(head.hash)},
          {"state_root", ethereum::to_hex(head.state_root)},
          {"signers", std::move(signers)}};
}

template <class Verifier>
Error verify_one(Verifier& verifier, Bytes header, const typename Verifier::State& state,
                 const typename Verifier::Config& config) {
  WATTPROOF_TRY(verifier.begin(header, state, config, chain::TimeBounds{}));
  for (;;) {  // ends: every step recovers one of a bounded number of seals
    const Result<chain::Progress> progress = verifier.step();
    if (!progress) return progress.error();
    if (*progress == chain::Progress::accepted) return Error::none;
  }
}

Json signers_of(const chain::BftVerifier& verifier) {
  Json signers = Json::array();
  for (std::uint32_t i = 0; i < verifier.validator_count(); ++i) {
    if ((verifier.signers() >> i & 1) != 0) signers.push_back(ethereum::to_hex(verifier.validator(i)));
  }
  return signers;
}

Outcome verify_bft(Input& input) {
  const Result<chain::HeaderShape> shape = shape_of(input.headers[0]);
  if (!shape) return refused(shape.error(), 0);
  chain::BftConfig config;
  config.kind = input.engine == Engine::qbft ? chain::BftKind::qbft : chain::BftKind::ibft2;
  config.shape = *shape;
  config.trusting_period_s = UINT64_MAX;  // no freshness rule here
  chain::TrustedHead head = input.trusted.head;
  std::sort(input.trusted.validators.begin(), input.trusted.validators.end());
  if (const Error error = take_validators(input.trusted.validators, head.validators); !ok(error)) return refused(error, 0);

  Json signers;
  for (std::size_t i = 0; i < input.headers.size(); ++i) {
    chain::BftVerifier verifier;
    if (const Error error = verify_one(verifier, input.headers[i], head, config); !ok(error)) return refused(error, i);
    verifier.commit(head);
    signers = signers_of(verifier);
  }
  Json output = {{"accepted", input.headers.size()}, {"head", head_of(head, signers)}};
  output["final"] = {{"number", head.number}, {"hash", ethereum::to_hex(head.hash)}};
  return {output, exit_ok};
}

}  // namespace

Outcome verify_header_command(const Json& document) {
  Input input = read_input(document);
  if (input.engine == Engine::qbft || input.engine == Engine::ibft2) return verify_bft(input);
  throw InputError("engine", "is not built in");
}

}  // namespace wattproof::tool
