/* SPDX-License-Identifier: Apache-2.0 */
#include "device_in_c.h"

#include <string.h>

enum { turns_max = 1000 };

static void fail(device *self, wattproof_status status) {
  if (self->status == 0) self->status = status;
}

static void answer(device *self, const wattproof_input *input);

static void perform(device *self, const wattproof_action *action) {
  wattproof_input input;
  memset(&input, 0, sizeof input);
  switch (action->kind) {
    case WATTPROOF_SEND:
      if (self->sent_count < device_queue_max && action->bytes_size <= WATTPROOF_FRAME_SIZE_MAX) {
        device_frame *frame = &self->sent[self->sent_count++];
        memcpy(frame->bytes, action->bytes, action->bytes_size);
        frame->size = action->bytes_size;
      }
      break;
    case WATTPROOF_SET_RELAY:
      self->relay_on = action->on;
      self->reason = action->reason;
      self->block_number = action->block_number;
      self->output_changes++;
      break;
    case WATTPROOF_SET_POINT:
      self->setpoint_w = action->power_w;
      self->reason = action->reason;
      self->block_number = action->block_number;
      self->output_changes++;
      break;
    case WATTPROOF_WRITE_RECORD:
      input.kind = WATTPROOF_STORED;
      input.record_id = action->record_id;
      input.ok = action->record_id < device_record_max && action->bytes_size <= WATTPROOF_RECORD_SIZE_MAX;
      if (input.ok) {
        memcpy(self->records[action->record_id], action->bytes, action->bytes_size);
        self->record_sizes[action->record_id] = action->bytes_size;
      }
      answer(self, &input);
      break;
    case WATTPROOF_SIGN:
      input.kind = WATTPROOF_SIGNATURE;
      input.ok = wattproof_sign(self->key, action->digest, input.signature) == 0;
      answer(self, &input);
      break;
    case WATTPROOF_WAKE_AT:
      self->wake_ms = action->wake_ms;
      break;
    default:
      fail(self, -1);
  }
}

/* Actions die with the next step, so answers wait until all of them are done. */
static wattproof_input waiting[WATTPROOF_ACTION_COUNT_MAX];
static uint32_t waiting_count;

static void answer(device *self, const wattproof_input *input) {
  if (waiting_count == WATTPROOF_ACTION_COUNT_MAX) {
    fail(self, -1);
    return;
  }
  waiting[waiting_count++] = *input;
}

static void step(device *self, const wattproof_input *input) {
  const wattproof_actions *actions;
  uint32_t i;
  const wattproof_status status = wattproof_node_step(self->node, self->now_ms, input, &actions);
  if (status != 0) fail(self, status);
  for (i = 0; i < actions->count; i++) perform(self, &actions->items[i]);
}

wattproof_status device_init(device *self, const wattproof_config *config, const uint8_t key[32]) {
  wattproof_status status;
  memset(self, 0, sizeof *self);
  memcpy(self->key, key, 32);
  self->now_ms = 1000;
  status = wattproof_node_place(self->memory, sizeof self->memory, &self->node);
  if (status != 0) return status;
  return wattproof_node_configure(self->node, config);
}

void device_boot(device *self, const uint8_t entropy[32]) {
  uint8_t id;
  wattproof_status status;
  for (id = 0; id < device_record_max; id++) {
    if (self->record_sizes[id] == 0) continue;
    status = wattproof_node_restore(self->node, id, self->records[id], self->record_sizes[id]);
    if (status != 0) fail(self, status);
  }
  status = wattproof_node_start(self->node, self->now_ms, entropy);
  if (status != 0) fail(self, status);
  device_run(self);
}

void device_feed(device *self, const wattproof_input *input) {
  uint32_t turn;
  step(self, input);
  for (turn = 0; waiting_count != 0 && turn < turns_max; turn++) {
    const wattproof_input next = waiting[0];
    waiting_count--;
    memmove(waiting, waiting + 1, waiting_count * sizeof waiting[0]);
    step(self, &next);
  }
}

void device_run(device *self) {
  wattproof_input tick;
  uint32_t turn;
  memset(&tick, 0, sizeof tick);
  device_feed(self, &tick);
  for (turn = 0; self->wake_ms <= self->now_ms && turn < turns_max; turn++) device_feed(self, &tick);
  if (turn == turns_max) fail(self, -1);
}
