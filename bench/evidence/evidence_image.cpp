// SPDX-License-Identifier: Apache-2.0
// Verifies the evidence once between the marks of bench/icount, on a microcontroller.
#include "evidence/evidence.hpp"
#include "icount/roi.hpp"

// The file that evidence_host wrote.
asm(".section .rodata\n.global evidence_begin, evidence_end\nevidence_begin:\n.incbin \"" WATTPROOF_EVIDENCE
    "\"\nevidence_end:\n.text\n");
extern "C" const std::uint8_t evidence_begin[];
extern "C" const std::uint8_t evidence_end[];

int main() {
  using namespace wattproof;
  const Result<bench::Evidence> evidence = bench::parse_evidence(Bytes(evidence_begin, evidence_end));
  if (!evidence) return 1;
  wattproof_roi_begin();
  const Error error = bench::verify_evidence(*evidence);
  wattproof_roi_end();
  return error == Error::none ? 0 : 1;
}
