/* SPDX-License-Identifier: Apache-2.0 */
/* A whole device written in C against wattproof.h, as a vendor would; the test is its gateway. */
#ifndef DEVICE_IN_C_H
#define DEVICE_IN_C_H

#include "wattproof.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { device_queue_max = 64, device_record_max = 8 };

typedef struct {
  uint8_t bytes[WATTPROOF_FRAME_SIZE_MAX];
  size_t size;
} device_frame;

typedef struct {
  uint64_t memory[WATTPROOF_NODE_SIZE_MAX / 8 + 1];
  wattproof_node *node;
  uint8_t key[32];
  uint64_t now_ms;
  uint64_t wake_ms;
  device_frame sent[device_queue_max]; /* to the gateway, oldest first */
  uint32_t sent_count;
  uint8_t records[device_record_max][WATTPROOF_RECORD_SIZE_MAX];
  size_t record_sizes[device_record_max];
  uint8_t relay_on;
  int32_t setpoint_w;
  int32_t reason;
  uint64_t block_number;
  uint32_t output_changes;
  wattproof_status status; /* the first thing that went wrong */
} device;

wattproof_status device_init(device *self, const wattproof_config *config, const uint8_t key[32]);
void device_boot(device *self, const uint8_t entropy[32]);
void device_feed(device *self, const wattproof_input *input);
void device_run(device *self); /* ticks until the node rests */

#ifdef __cplusplus
}
#endif

#endif
