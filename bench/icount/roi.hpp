// SPDX-License-Identifier: Apache-2.0
// Marks a region whose instructions bench/icount/run.py counts. Each passage from begin to end makes one number; the two
// calls themselves add two instructions.
#pragma once

extern "C" {
inline void __attribute__((noinline, used)) wattproof_roi_begin() { asm volatile("" ::: "memory"); }
inline void __attribute__((noinline, used)) wattproof_roi_end() { asm volatile("" ::: "memory"); }
}
