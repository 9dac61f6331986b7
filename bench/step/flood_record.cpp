// SPDX-License-Identifier: Apache-2.0
// Records a device that follows a schedule while its gateway does nothing but send rubbish: there is always a frame waiting, and
// every want is answered by a header whose first seals are good and whose last one is not. The same life without the
// flood says when each output is due.
//   flood_record FILE      prints one JSON object a line: {"name", "value", "unit", "target"}
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "evidence/piece_writer.hpp"
#include "step/step_replay.hpp"
#include "support/node_bench.hpp"

namespace wattproof::bench {
namespace {

using testing::Buffer;
using testing::FakeChain;
using testing::NodeBench;

constexpr std::uint64_t epoch = 20'000;
constexpr std::uint32_t slots = 96;

// What one step is given: the longest takes 1.4 million instructions, which is 40 ms at 36 million a second.
constexpr std::uint64_t step_ms = 40;
constexpr std::uint64_t flood_ms = 10'000;  // before and after each output
// An honest block at the beginning of each; in the last one the head gets too old and the outputs fall back.
constexpr std::array<std::uint64_t, 3> parts_ms{850'000, 850'000, 1'200'000};

// A device, its chain, and what it did.
struct Life {
  FakeChain chain;
  NodeBench bench{chain};
  PieceWriter writer;
  ActionHash hash;
  std::uint64_t step_ms_passed = 0;  // what each step takes
  std::uint32_t frames = 0;

  // Proves its boot and a final schedule.
  bool begin() {
    bench.config = step_config(chain.registry(), chain.checkpoint(), bench.key().address);
    std::array<std::uint8_t, chain::head_record_size> checkpoint{};
    chain::encode_head(chain.checkpoint(), checkpoint);
    writer.piece(checkpoint);
    writer.piece(chain.registry());
    writer.piece(bench.key().address);
    bench.on_step = [this](const node::Input& input, const node::Actions& actions) {
      std::array<std::uint8_t, step_fixed_size + 2 * frame_size_max> piece{};
      writer.piece(*write_step(bench.now, input, piece));
      hash.mix(actions);
      bench.now = bench.now.plus(step_ms_passed);
    };
    if (bench.boot() != Error::none) return false;
    bench.prove_boot();
    schedule::EpochHead head;
    head.status = schedule::EpochStatus::final;
    head.slots = slots;
    head.slot_seconds = 900;
    head.round = 1;
    head.epoch = epoch;
    head.start = {chain.time_s() / 3600 * 3600};
    head.participants = 50;
    head.rho0 = 25ull << 16;
    std::vector<std::int32_t> profile(slots);
    for (std::uint32_t t = 0; t < slots; ++t) profile[t] = t % 2 == 0 ? 1000 : 0;
    chain.set_epoch(head, std::vector<std::int64_t>(4 * slots, 0));
    chain.set_record(epoch, 7, 1, bench.key().address, profile);
    bench.block(5, 0, 0, epoch);
    return bench.node().mode() == node::Mode::following;
  }
};

// A newer header by two validators who lie and a stranger: two recoveries are spent before it is refused.
Buffer bad_header(Life& life) {
  std::vector<testing::TestKey> sealers(life.chain.keys().begin(), life.chain.keys().begin() + 2);
  sealers.emplace_back(99);
  testing::BftHeader header = testing::sealed_bft_header(life.chain.keys(), life.chain.number() + 5, life.chain.time_s() + 60);
  header.seal_with(sealers, 3);
  return header.encode();
}

// Frames that nobody asked for, as large as they may be.
std::vector<Buffer> rubbish() {
  std::vector<Buffer> frames{Buffer(frame_size_max, 0xff), Buffer(frame_size_max, 0x82), FakeChain::none(1)};
  const Buffer part(message::part_size_max, 0x55);
  message::Want want{.sequence = 3, .what = message::What::header, .block = 0, .subject = {}, .key = {}, .offset = 0};
  for (; want.sequence < 12; ++want.sequence) {
    frames.push_back(FakeChain::part(want, 200, part, true));
    frames.push_back(FakeChain::part(want, 200, part, false));
    frames.push_back(FakeChain::nodes(want, {Buffer(480, 0xf8), Buffer(480, 0xf9)}));
  }
  return frames;
}

// Rubbish until `end`, a frame waiting at every step.
void flood(Life& life, std::uint64_t end_ms) {
  static const std::vector<Buffer> frames = rubbish();
  const Buffer header = bad_header(life);
  life.bench.answer = [header, &life](const message::Want& want) {
    std::vector<Buffer> answers{frames[life.frames % frames.size()], FakeChain::none(want.sequence)};
    if (want.what == message::What::header) answers[1] = FakeChain::part(want, life.chain.number() + 5, header, true);
    return answers;
  };
  life.step_ms_passed = step_ms;
  while (life.bench.now.ms < end_ms) life.bench.give(frames[life.frames++ % frames.size()]);
  life.step_ms_passed = 0;
}

// Boot times of the outputs since `from`.
std::vector<std::uint64_t> outputs_since(const Life& life, std::uint64_t from_ms) {
  std::vector<std::uint64_t> times;
  for (const testing::OutputChange& change : life.bench.outputs) {
    if (change.at.ms >= from_ms) times.push_back(change.at.ms);
  }
  return times;
}

void take_block(Life& life, BootMs now, std::uint64_t seconds) {
  life.bench.answer = [&life](const message::Want& want) { return std::vector<Buffer>{life.chain.answer(want)}; };
  life.bench.now = now;
  life.chain.mine(seconds);
  life.bench.link_up();  // the pause that rubbish has earned is over by now
  life.bench.give(life.chain.notice(0, 0, epoch));
}

// Nothing comes; every millisecond counts.
void wait(Life& life, std::uint64_t end_ms) {
  life.bench.answer = [](const message::Want&) { return std::vector<Buffer>{}; };
  while (life.bench.now.ms < end_ms) {
    life.bench.now = life.bench.now.plus(1);
    life.bench.feed({});
  }
}

// The parts of both lives side by side.
bool live(Life& calm, Life& flooded) {
  std::uint64_t seconds = 5;
  for (const std::uint64_t part_ms : parts_ms) {
    const BootMs begin{std::max(calm.bench.now.ms, flooded.bench.now.ms) / 1000 * 1000 + 1000};
    take_block(calm, begin, seconds);
    take_block(flooded, begin, seconds);
    if (calm.bench.node().head().number != flooded.bench.node().head().number) return false;
    wait(calm, begin.ms + part_ms);
    for (const std::uint64_t time_ms : outputs_since(calm, begin.ms + 1)) {
      if (flooded.bench.now.ms + flood_ms < time_ms) flooded.bench.now = {time_ms - flood_ms};
      flood(flooded, time_ms + flood_ms);
    }
    flooded.bench.now = calm.bench.now;
    seconds = part_ms / 1000;
  }
  return true;
}

int record(const char* path) {
  Life calm;
  Life flooded;
  if (!calm.begin() || !flooded.begin()) return 1;
  const std::uint64_t begin_ms = calm.bench.now.ms + 1;
  if (!live(calm, flooded)) return 1;
  const std::vector<std::uint64_t> due = outputs_since(calm, begin_ms);
  const std::vector<std::uint64_t> done = outputs_since(flooded, begin_ms);
  if (due.size() < 4 || due.size() != done.size() || flooded.frames < 500) {
    std::fprintf(stderr, "%zu outputs were due, %zu came, %u frames\n", due.size(), done.size(), flooded.frames);
    return 1;
  }
  std::uint64_t late_ms = 0;
  for (std::size_t i = 0; i < due.size(); ++i) late_ms = std::max(late_ms, done[i] > due[i] ? done[i] - due[i] : 0);
  std::array<std::uint8_t, 8> expected{};
  store_be64(expected.data(), flooded.hash.value());
  flooded.writer.piece(expected);
  std::printf("{\"name\": \"flood_frames\", \"value\": %u, \"unit\": \"frames\", \"target\": null}\n", flooded.frames);
  std::printf("{\"name\": \"flood_outputs\", \"value\": %zu, \"unit\": \"outputs\", \"target\": null}\n", done.size());
  std::printf("{\"name\": \"flood_output_late\", \"value\": %llu, \"unit\": \"ms\", \"target\": %llu}\n",
              static_cast<unsigned long long>(late_ms), static_cast<unsigned long long>(step_ms));
  return flooded.writer.save(path) ? 0 : 1;
}

}  // namespace
}  // namespace wattproof::bench

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: flood_record FILE\n");
    return 2;
  }
  const int status = wattproof::bench::record(argv[1]);
  return testing::Test::HasFailure() ? 1 : status;
}
