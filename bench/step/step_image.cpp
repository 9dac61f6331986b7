// SPDX-License-Identifier: Apache-2.0
// Lives a recorded life of a node, each step between the marks of bench/icount.
#include "icount/roi.hpp"
#include "step/step_replay.hpp"

WATTPROOF_EMBED(recording, WATTPROOF_RECORDING);  // what step_record wrote

namespace wattproof::bench {
namespace {

// 0 if every action was as recorded.
int replay(Bytes recording) {
  static node::Node device;
  static node::Config config;
  static chain::TrustedHead checkpoint;
  PieceReader reader(recording);
  if (chain::decode_head(reader.next(), checkpoint) != Error::none) return 1;
  const Address registry = to_array<20>(reader.next());
  config = step_config(registry, checkpoint, to_array<20>(reader.next()));
  if (device.configure(config) != Error::none || device.start(step_start, step_entropy) != Error::none) return 1;
  ActionHash hash;
  for (;;) {
    const Bytes piece = reader.next();
    if (reader.at_end()) return piece.size() == 8 && load_be64(piece.data()) == hash.value() ? 0 : 1;
    const Result<Step> step = read_step(piece);
    if (!step) return 1;
    wattproof_roi_begin();
    const node::Actions& actions = device.step(step->now, step->input);
    wattproof_roi_end();
    hash.mix(actions);
  }
}

}  // namespace
}  // namespace wattproof::bench

int main() { return wattproof::bench::replay(wattproof::Bytes(recording_begin, recording_end)); }
