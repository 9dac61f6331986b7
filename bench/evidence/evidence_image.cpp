// SPDX-License-Identifier: Apache-2.0
// Verifies the evidence once between the marks of bench/icount, on a microcontroller.
#include "evidence/evidence.hpp"
#include "evidence/pieces.hpp"
#include "icount/roi.hpp"

WATTPROOF_EMBED(evidence, WATTPROOF_EVIDENCE);  // what evidence_host wrote

int main() {
  using namespace wattproof;
  const Result<bench::Evidence> evidence = bench::parse_evidence(Bytes(evidence_begin, evidence_end));
  if (!evidence) return 1;
  wattproof_roi_begin();
  const Error error = bench::verify_evidence(*evidence);
  wattproof_roi_end();
  return error == Error::none ? 0 : 1;
}
