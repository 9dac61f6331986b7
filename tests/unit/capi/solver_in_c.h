/* SPDX-License-Identifier: Apache-2.0 */
/* A day of each kind of device, described and solved in C; the test compares with C++. */
#ifndef SOLVER_IN_C_H
#define SOLVER_IN_C_H

#include "wattproof.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { day_slots = 24, day_words_max = 8192 };

typedef struct {
  wattproof_device_config device;
  wattproof_device_config parts[3];
  wattproof_milestone milestones[2];
  wattproof_linear_state states[2];
  int32_t numbers[day_slots];
  int32_t target_w[day_slots];
  int64_t price[day_slots];
  wattproof_cost cost;
  uint64_t memory[day_words_max];
  size_t words;
  int32_t profile_w[day_slots];
  wattproof_report report;
} day;

void day_describe(day *self, wattproof_device_kind kind);
wattproof_status day_solve(day *self);
wattproof_status day_recheck(day *self, uint64_t *gap);

#ifdef __cplusplus
}
#endif

#endif
