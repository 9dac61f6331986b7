// SPDX-License-Identifier: Apache-2.0
// Lives a recorded life of a node, each step between the marks of bench/icount.
#include "icount/roi.hpp"
#include "step/step_replay.hpp"

WATTPROOF_EMBED(recording, WATTPROOF_RECORDING);  // what step_record wrote

int main() {
  return wattproof::bench::replay({recording_begin, recording_end}, wattproof_roi_begin, wattproof_roi_end);
}
