// SPDX-License-Identifier: Apache-2.0
// Records the life of a node on the host, with real headers, proofs and signatures: a boot, its check-in, three rounds of a
// negotiation, a final schedule followed for hours, rubbish on the link.
//   step_record FILE
#include <gtest/gtest.h>

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
constexpr std::uint32_t rounds = 3;

schedule::EpochHead head_of(const FakeChain& chain, schedule::EpochStatus status, std::uint32_t round) {
  schedule::EpochHead head;
  head.status = status;
  head.slots = slots;
  head.slot_seconds = 900;
  head.round = round;
  head.epoch = epoch;
  head.start = {(chain.time_s() / 3600 + (status == schedule::EpochStatus::open ? 3 : 0)) * 3600};
  head.participants = 50;
  head.rho0 = 25ull << 16;
  return head;
}

// z, u, mean and previous z of a round in which prices move a battery to its limits.
std::vector<std::int64_t> vectors_of(std::uint32_t round) {
  std::vector<std::int64_t> vectors(4 * slots, 0);
  for (std::uint32_t t = 0; t < slots; ++t) {
    const std::int64_t wave = static_cast<std::int64_t>((t * 7919 + round * 104'729) % 4000) - 2000;
    vectors[t] = vectors[3 * slots + t] = 16 * wave;
    vectors[slots + t] = 8 * wave;
    vectors[2 * slots + t] = 16 * (wave / 2);
  }
  return vectors;
}

void live(FakeChain& chain, NodeBench& bench) {
  std::vector<std::int32_t> profile(slots, 0);
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    chain.set_epoch(head_of(chain, schedule::EpochStatus::open, round), vectors_of(round));
    chain.set_record(epoch, 7, round - 1, bench.key().address, profile);
    bench.block(5, epoch, round);
    profile.assign(slots, static_cast<std::int32_t>(100 * round));
  }
  for (std::uint32_t t = 0; t < slots; ++t) profile[t] = t % 4 == 0 ? 1000 : -300;
  chain.set_epoch(head_of(chain, schedule::EpochStatus::final, rounds), vectors_of(rounds));
  chain.set_record(epoch, 7, rounds, bench.key().address, profile);
  bench.block(5, 0, 0, epoch);
  for (int block = 0; block < 24; ++block) bench.block(600);
  bench.give(Buffer(frame_size_max, 0xff));
  bench.give({0x83, 0x01});
}

int record(const char* path) {
  FakeChain chain;
  NodeBench bench(chain);
  bench.config = step_config(chain.registry(), chain.checkpoint(), bench.key().address);
  PieceWriter writer;
  std::array<std::uint8_t, chain::head_record_size> checkpoint{};
  chain::encode_head(chain.checkpoint(), checkpoint);
  writer.piece(checkpoint);
  writer.piece(chain.registry());
  writer.piece(bench.key().address);
  ActionHash hash;
  std::uint32_t updates = 0;
  bench.on_step = [&](const node::Input& input, const node::Actions& actions) {
    std::array<std::uint8_t, step_fixed_size + 2 * frame_size_max> piece{};
    writer.piece(*write_step(bench.now, input, piece));
    hash.mix(actions);
  };
  if (bench.boot() != Error::none) return 1;
  bench.prove_boot();
  live(chain, bench);
  for (const message::UpFrame& frame : bench.sent) updates += frame.kind == message::FrameKind::update ? 1 : 0;
  if (updates < rounds || bench.node().mode() != node::Mode::following || bench.outputs.empty()) {
    std::fprintf(stderr, "the node did not live the life that it was given: %u updates, mode %d\n", updates,
                 static_cast<int>(bench.node().mode()));
    return 1;
  }
  std::array<std::uint8_t, 8> expected{};
  store_be64(expected.data(), hash.value());
  writer.piece(expected);
  return writer.save(path) ? 0 : 1;
}

}  // namespace
}  // namespace wattproof::bench

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: step_record FILE\n");
    return 2;
  }
  const int status = wattproof::bench::record(argv[1]);
  return testing::Test::HasFailure() ? 1 : status;
}
