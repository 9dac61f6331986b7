// SPDX-License-Identifier: Apache-2.0
// Evidence as a gateway sends it, frame by frame, into the fetcher of a node: each answer is the honest one, rubbish, or the
// honest one with its bytes or its content edited. The head moves to the block that was sealed or not at all, a word or
// data that is proved is the one on the chain.
#include "edits.hpp"
#include "node/fetch.hpp"
#include "oracle.hpp"
#include "support/fake_chain.hpp"

namespace {

using namespace wattproof;
using message::What;
using testing::Buffer;

constexpr std::uint32_t turns_max = 48;

struct World {
  testing::FakeChain chain;
  node::Config config;
  chain::TrustedHead checkpoint = chain.checkpoint();
  chain::TrustedHead newest;
  Hash32 slot = testing::number_word(1001);  // absent at the checkpoint
  Hash32 absent_slot = testing::number_word(1002);
  Buffer data = Buffer(1500, 0x33);
  Hash32 data_hash = crypto::keccak256(data);

  World() {
    chain.set_word(chain.scheduler(), slot, data_hash);
    chain.set_data(What::epoch_head, testing::Buffer(8, 0), data);
    for (std::uint64_t i = 0; i < 30; ++i) chain.set_word(chain.scheduler(), testing::number_word(i), testing::number_word(i));
    chain.mine(5);
    newest = testing::head_of(chain.block(chain.number()).header, chain.keys());
  }
};

// Re-encodes a frame of parts or nodes whose content the script edits, so that the edit gets past the frame's own decoder.
Buffer with_edited_content(const Buffer& frame_bytes, Bytes script) {
  static message::DownFrame frame;
  static std::array<std::uint8_t, frame_size_max> room;
  if (message::decode(frame_bytes, frame) != Error::none) return frame_bytes;
  Buffer content;
  Result<Bytes> encoded = Error::unknown_kind;
  if (frame.kind == message::FrameKind::nodes) {
    Bytes& node = frame.nodes.items[script[0] % frame.nodes.count];
    content.assign(node.begin(), node.end());
    fuzz::apply_edits(script.subspan(1), content);
    node = content;
    encoded = message::encode(frame.nodes, room);
  } else if (frame.kind == message::FrameKind::header || frame.kind == message::FrameKind::data) {
    content.assign(frame.part.bytes.begin(), frame.part.bytes.end());
    fuzz::apply_edits(script, content);
    frame.part.bytes = content;
    const bool is_header = frame.kind == message::FrameKind::header;
    encoded = is_header ? message::encode_header(frame.part, room) : message::encode_data(frame.part, room);
  }
  return encoded ? Buffer(encoded->begin(), encoded->end()) : frame_bytes;
}

// The answer to a want, by the next bytes of the script: how, how many bytes of script, those bytes.
Buffer answer_of(const World& world, const message::Want& want, Bytes& script) {
  // Proofs and headers are made anew for every answer otherwise, which is most of the time.
  static std::map<std::tuple<std::uint32_t, What, std::uint64_t, std::uint32_t, Buffer>, Buffer> answers;
  Buffer& honest = answers[{want.sequence, want.what, want.block, want.offset, Buffer(want.key.begin(), want.key.end())}];
  if (honest.empty()) honest = const_cast<World&>(world).chain.answer(want);
  if (script.size() < 2) return honest;
  const std::uint8_t how = script[0] % 8;
  const Bytes part = script.subspan(2, std::min<std::size_t>(script[1] % 32, script.size() - 2));
  script = script.subspan(2 + part.size());
  if (how < 4 || part.empty()) return honest;
  if (how == 4) return Buffer(part.begin(), part.end());
  if (how == 5) {
    Buffer edited = honest;
    fuzz::apply_edits(part, edited);
    return edited;
  }
  return with_edited_content(honest, part);
}

// Feeds answers until the fetcher has an outcome or the turns are over.
void run(node::Fetch& fetch, node::FetchContext context, const World& world, Bytes& script) {
  static message::DownFrame frame;
  for (std::uint32_t turn = 0; turn < turns_max && fetch.outcome() == node::Fetch::Outcome::pending; ++turn) {
    message::Want want;
    if (fetch.next_want(context, want)) {
      const Buffer answer = answer_of(world, want, script);
      frame = {};
      if (message::decode(answer, frame) == Error::none) fetch.take(frame, context);
    } else {
      context.now = context.now.plus(context.config.link.answer_ms_max);
    }
    for (std::uint32_t i = 0; i < validator_count_max && fetch.has_work(); ++i) fetch.work(context);
    fuzz::require(!fetch.has_work());
  }
}

// True if everything was proved.
bool follow(const World& world, Bytes script) {
  using Outcome = node::Fetch::Outcome;
  static chain::TrustedHead head;
  static node::Fetch fetch;
  static std::array<std::uint8_t, 2048> room;
  head = world.checkpoint;
  fetch = node::Fetch();
  chain::Freshness freshness;
  const node::FetchContext context{world.config, head, freshness, BootMs{1000}};
  const std::array<Hash32, 2> slots{world.slot, world.absent_slot};
  fetch.begin_words(world.chain.scheduler(), slots);
  run(fetch, context, world, script);
  fuzz::require(head == world.checkpoint || head == world.newest || fuzz::is_stubbed);
  if (fetch.outcome() != Outcome::words_proved) return false;
  // A gateway may say that there is no newer block; then the word is that of the checkpoint.
  const Hash32 word = head == world.checkpoint ? Hash32{} : world.data_hash;
  fuzz::require(fuzz::is_stubbed || (fetch.word(0) == word && is_zero(fetch.word(1))));
  const auto size = static_cast<std::uint32_t>(world.data.size());
  fuzz::require(fetch.begin_data(What::epoch_head, Buffer(8, 0), size, fetch.word(0), room) == Error::none);
  run(fetch, context, world, script);
  if (fetch.outcome() != Outcome::data_proved) return false;
  fuzz::require(fuzz::is_stubbed || equal(Bytes(room).first(size), world.data));
  return true;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  static const bool is_honest_proved = follow(world, {});
  fuzz::require(is_honest_proved);
  (void)follow(world, Bytes(data, size));
  return 0;
}
