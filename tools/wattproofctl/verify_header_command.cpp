// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.hpp"
#include "chain/aura.hpp"
#include "chain/bft.hpp"
#include "chain/clique.hpp"
#include "codec/rlp.hpp"
#include "command.hpp"
#include "header_json.hpp"

namespace wattproof::tool {
namespace {

using ethereum::Engine;

constexpr std::size_t header_count_max = 4096;
constexpr std::size_t validators_given_max = 1024;
constexpr std::uint32_t field_count_max = 32;
constexpr std::uint32_t empty_steps_field = 16;  // counted from 1
constexpr std::size_t header_text_size_max = 16384;  // longer than any header, so that the library's own limit is met

// What is trusted, as the document states it.
struct Trusted {
  std::uint64_t number = 0;
  std::optional<Hash32> hash;
  std::uint64_t timestamp_s = 0;  // 0: not known
  std::vector<Address> validators;
  std::uint64_t epoch_length = 30'000;  // Clique
  std::uint32_t period_s = 0;           // Clique; 0: not demanded
  std::optional<std::uint32_t> step_s;  // AuRa; 0: steps are not held against timestamps; not given: step_of
};

struct Input {
  Engine engine = Engine::qbft;
  Trusted trusted;
  std::vector<ByteVector> headers;
};

Trusted read_trusted(ObjectReader& object, Engine engine) {
  Trusted trusted;
  trusted.number = object.uint64("number");
  if (object.has("hash")) trusted.hash = object.hex_array<32>("hash");
  if (object.has("timestamp")) trusted.timestamp_s = object.uint64("timestamp");
  if (engine == Engine::clique) {
    trusted.epoch_length = static_cast<std::uint64_t>(object.integer_or("epoch", 30'000, 1, UINT32_MAX));
    trusted.period_s = static_cast<std::uint32_t>(object.integer_or("period_s", 0, 0, UINT32_MAX));
  }
  if (engine == Engine::aura) {
    if (object.has("step_s")) trusted.step_s = static_cast<std::uint32_t>(object.integer("step_s", 0, UINT32_MAX));
  }
  const Json& list = object.array("validators", validators_given_max);
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
  input.trusted = read_trusted(trusted, input.engine);
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
Result<chain::HeaderShape> shape_of(Bytes encoded, Engine engine) {
  using chain::HeaderShape;
  codec::RlpReader reader = codec::open_rlp_list(encoded);
  std::uint32_t count = 0;
  bool has_empty_steps = false;
  while (!reader.at_end() && ok(reader.error()) && count < field_count_max) {
    const codec::RlpItem field = reader.any();
    if (++count == empty_steps_field) has_empty_steps = field.is_list;
  }
  if (!ok(reader.finish())) return reader.finish();
  if (engine == Engine::aura) {
    if (count == 15) return HeaderShape::aura;
    if (count == 16) return has_empty_steps ? HeaderShape::aura_empty_steps : HeaderShape::aura_london;
    if (count == 17) return HeaderShape::aura_empty_steps_london;
    return Error::header_field_count;
  }
  for (const auto shape : {HeaderShape::frontier, HeaderShape::london, HeaderShape::shanghai, HeaderShape::cancun,
                           HeaderShape::prague}) {
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

Json block_of(std::uint64_t number, const Hash32& hash) {
  return {{"number", number}, {"hash", ethereum::to_hex(hash)}};
}

// `final` is null where no block is final or settled yet.
Outcome accepted(const Input& input, std::uint64_t number, const Hash32& hash, Bytes state_root, Json signers, Json final) {
  Json head = block_of(number, hash);
  head["state_root"] = ethereum::to_hex(state_root);
  head["signers"] = std::move(signers);
  return {{{"accepted", input.headers.size()}, {"head", head}, {"final", std::move(final)}}, exit_ok};
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

// Validators whose order has no meaning.
Error take_ascending(std::vector<Address> given, chain::ValidatorSet& set) {
  std::sort(given.begin(), given.end());
  if (std::adjacent_find(given.begin(), given.end()) != given.end()) return Error::validators_not_ascending;
  return take_validators(given, set);
}

// Where a contract keeps the validators, extraData lists none. No chain that lists them has a header with an empty list.
bool is_list_empty(Bytes encoded, chain::HeaderShape shape) {
  chain::Header header;
  if (!ok(chain::decode_header(encoded, shape, header))) return false;
  codec::RlpReader extra = codec::open_rlp_list(header.extra_data);
  (void)extra.string();  // vanity
  return extra.list().empty() && ok(extra.error());
}

Outcome verify_bft(const Input& input, chain::HeaderShape shape) {
  chain::BftConfig config;
  const bool is_contract = input.engine == Engine::qbft && is_list_empty(input.headers[0], shape);
  config.source = is_contract ? chain::ValidatorSource::configuration : chain::ValidatorSource::header;
  config.kind = input.engine == Engine::qbft ? chain::BftKind::qbft : chain::BftKind::ibft2;
  config.shape = shape;
  config.trusting_period_s = UINT64_MAX;  // no freshness rule here
  chain::TrustedHead head;
  head.number = input.trusted.number;
  head.is_linked = input.trusted.hash.has_value();
  head.hash = input.trusted.hash.value_or(Hash32{});
  head.timestamp.s = input.trusted.timestamp_s;
  if (const Error error = take_ascending(input.trusted.validators, head.validators); !ok(error)) return refused(error, 0);

  Json signers;
  for (std::size_t i = 0; i < input.headers.size(); ++i) {
    chain::BftVerifier verifier;
    if (const Error error = verify_one(verifier, input.headers[i], head, config); !ok(error)) return refused(error, i);
    verifier.commit(head);
    signers = signers_of(verifier);
  }
  return accepted(input, head.number, head.hash, head.state_root, signers, block_of(head.number, head.hash));
}

Outcome verify_clique(const Input& input, chain::HeaderShape shape) {
  chain::CliqueConfig config;
  config.shape = shape;
  config.epoch_length = input.trusted.epoch_length;
  config.period_s_min = input.trusted.period_s;
  config.trusting_period_s = UINT64_MAX;
  chain::CliqueState state;
  state.number = input.trusted.number;
  state.is_linked = input.trusted.hash.has_value();
  state.hash = input.trusted.hash.value_or(Hash32{});
  state.timestamp.s = input.trusted.timestamp_s;
  if (const Error error = take_ascending(input.trusted.validators, state.signers); !ok(error)) return refused(error, 0);

  chain::CliqueVerifier verifier;
  for (std::size_t i = 0; i < input.headers.size(); ++i) {
    if (const Error error = verify_one(verifier, input.headers[i], state, config); !ok(error)) return refused(error, i);
    verifier.commit(state);
  }
  const Result<chain::CliqueBlock> settled = chain::settled_block(state);
  return accepted(input, state.number, state.hash, verifier.header().header.state_root,
                  Json::array({ethereum::to_hex(verifier.signer())}),
                  settled ? block_of(settled->number, settled->hash) : Json());
}

// A time without a hash is no block for the library to link to; it is held against the first header here. Clique alone
// allows for a period of zero.
Error check_first_time(const Input& input, chain::HeaderShape shape) {
  const Trusted& trusted = input.trusted;
  chain::Header header;
  WATTPROOF_TRY(chain::decode_header(input.headers[0], shape, header));
  if (header.number <= trusted.number || trusted.timestamp_s == 0 || header.timestamp_s > trusted.timestamp_s) return Error::none;
  const bool is_same = header.timestamp_s == trusted.timestamp_s;
  return is_same && input.engine == Engine::clique ? Error::none : Error::timestamp_too_early;
}

// A checkpoint of this form has no step, so that the library cannot hold the first header against it as a child. What
// needs no step is compared here.
Error check_first_link(const Trusted& trusted, Bytes encoded, chain::HeaderShape shape) {
  if (!trusted.hash) return Error::none;
  chain::Header header;
  WATTPROOF_TRY(chain::decode_header(encoded, shape, header));
  if (header.number <= trusted.number) return Error::number_not_newer;
  if (header.number != trusted.number + 1) return Error::number_not_contiguous;
  return equal(header.parent_hash, *trusted.hash) ? Error::none : Error::parent_hash_mismatch;
}

// The step is not under the seal, and the first header's parent's is not known: the timestamp alone binds it. A step is
// its time divided by the duration of steps, so where that was not given it is what the header itself says, rounded to
// seconds; a changed step then disagrees with its timestamp, since it counts hundreds of millions.
std::uint32_t step_of(Bytes encoded, chain::HeaderShape shape) {
  chain::Header header;
  if (!ok(chain::decode_header(encoded, shape, header)) || header.step == 0) return 1;
  const std::uint64_t duration_s = header.timestamp_s / header.step;
  const std::uint64_t rest = header.timestamp_s % header.step;
  const std::uint64_t rounded = rest > header.step / 2 ? duration_s + 1 : duration_s;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(rounded, 1, UINT32_MAX));
}

Outcome verify_aura(const Input& input, chain::HeaderShape shape) {
  chain::AuraConfig config;
  config.shape = shape;
  config.step_s = input.trusted.step_s ? *input.trusted.step_s : step_of(input.headers[0], shape);
  chain::AuraState state;
  state.number = input.trusted.number;
  if (const Error error = take_validators(input.trusted.validators, state.validators); !ok(error)) return refused(error, 0);
  if (const Error error = check_first_link(input.trusted, input.headers[0], shape); !ok(error)) return refused(error, 0);

  chain::AuraVerifier verifier;
  for (std::size_t i = 0; i < input.headers.size(); ++i) {
    if (const Error error = verify_one(verifier, input.headers[i], state, config); !ok(error)) return refused(error, i);
    verifier.commit(state);
  }
  const Address& author = state.validators.items[state.step % state.validators.count];
  return accepted(input, state.number, state.hash, verifier.header().state_root, Json::array({ethereum::to_hex(author)}),
                  state.has_final ? block_of(state.final_block.number, state.final_block.hash) : Json());
}

}  // namespace

Outcome verify_header_command(const Json& document) {
  const Input input = read_input(document);
  const Result<chain::HeaderShape> shape = shape_of(input.headers[0], input.engine);
  if (!shape) return refused(shape.error(), 0);
  if (const Error error = check_first_time(input, *shape); !ok(error)) return refused(error, 0);
  switch (input.engine) {
    case Engine::qbft:
    case Engine::ibft2: return verify_bft(input, *shape);
    case Engine::clique: return verify_clique(input, *shape);
    case Engine::aura: break;
  }
  return verify_aura(input, *shape);
}

}  // namespace wattproof::tool
