/* SPDX-License-Identifier: Apache-2.0
 *
 * A device in C99, with everything that a port has to give, on a board that is made up: the clock is a counter, the store an
 * array, the link a function that prints. Nobody answers on that link, so nothing is ever proved: the relay stays open for a
 * whole hour, and only the person at the button closes it, for the stated time.
 *
 *     cc -std=c99 relay_in_c.c $(pkg-config --cflags --libs --static wattproof) -o relay_in_c
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wattproof.h>

enum { record_ids = 8, answers_max = 2 * WATTPROOF_ACTION_COUNT_MAX };

static uint64_t memory[WATTPROOF_NODE_SIZE_MAX / sizeof(uint64_t)];
static wattproof_node *node;

/* ---- the board: seven things that a port gives ---- */

static uint64_t now_ms;                                            /* 1. a clock that never goes back in a boot */
static uint8_t records[record_ids][WATTPROOF_RECORD_SIZE_MAX];     /* 2. a store that survives a power cut */
static size_t record_sizes[record_ids];
static uint8_t key[32];                                            /* 3. a key that never leaves the board */
static int relay_on;                                               /* 4. an output */
static unsigned frames_sent;                                       /* 5. a link that may lose frames */

/* 6. entropy. A real board reads a healthy source and refuses to start without one. */
static void read_entropy(uint8_t into[32]) {
  unsigned i;
  for (i = 0; i < 32; i++) into[i] = (uint8_t)(i * 7 + 1);
}

/* 7. what happens when the library finds a mistake of its own: the outputs to their safe state, then a reset. */
void wattproof_check_failed(const char *file, int line) {
  relay_on = 0;
  fprintf(stderr, "check failed at %s:%d\n", file, line);
  for (;;) {
  }
}

/* ---- actions and the answers to them ---- */

static wattproof_input answers[answers_max];
static unsigned answer_count;
static uint64_t wake_ms;

static void perform(const wattproof_action *action) {
  wattproof_input answer;
  memset(&answer, 0, sizeof answer);
  switch (action->kind) {
    case WATTPROOF_SEND: frames_sent++; return;
    case WATTPROOF_SET_RELAY:
      if (relay_on != action->on) printf("%5lu s  relay %s\n", (unsigned long)(now_ms / 1000), action->on ? "closed" : "open");
      relay_on = action->on;
      return;
    case WATTPROOF_WRITE_RECORD:
      answer.kind = WATTPROOF_STORED;
      answer.record_id = action->record_id;
      answer.ok = action->record_id < record_ids && action->bytes_size <= WATTPROOF_RECORD_SIZE_MAX;
      if (answer.ok) {
        memcpy(records[action->record_id], action->bytes, action->bytes_size);
        record_sizes[action->record_id] = action->bytes_size;
      }
      break;
    case WATTPROOF_SIGN:
      answer.kind = WATTPROOF_SIGNATURE;
      answer.ok = wattproof_sign(key, action->digest, answer.signature) == 0;
      break;
    case WATTPROOF_WAKE_AT:
      if (action->wake_ms < wake_ms) wake_ms = action->wake_ms;
      return;
    default: return;
  }
  if (answer_count < answers_max) answers[answer_count++] = answer;
}

/* Actions are valid until the next step, so answers wait until all of them are done. */
static int feed(wattproof_input input) {
  for (;;) {
    const wattproof_actions *actions;
    uint32_t i;
    if (wattproof_node_step(node, now_ms, &input, &actions) != 0) return 0;
    for (i = 0; i < actions->count; i++) perform(&actions->items[i]);
    if (answer_count == 0) return 1;
    input = answers[0];
    memmove(answers, answers + 1, --answer_count * sizeof answers[0]);
  }
}

static int feed_kind(int32_t kind) {
  wattproof_input input;
  memset(&input, 0, sizeof input);
  input.kind = kind;
  return feed(input);
}

static int live_until(uint64_t end_ms) {
  while (now_ms < end_ms) {
    wake_ms = now_ms + 1000;
    if (!feed_kind(WATTPROOF_TICK)) return 0;
    now_ms = wake_ms > now_ms ? wake_ms : now_ms + 1;
  }
  return 1;
}

static wattproof_status configure(void) {
  static const uint8_t validators[4][20] = {{1}, {2}, {3}, {4}};  /* of your chain, ascending */
  static const int32_t cycle_w[3] = {1800, 1800, 1800};
  wattproof_config config;
  wattproof_config_init(&config);
  config.id = 7;
  if (wattproof_address_of(key, config.address) != 0) return -1;
  config.chain.chain_id = 1337;
  memset(config.chain.registry, 0x5f, sizeof config.chain.registry);
  config.chain.validators = validators;
  config.chain.validator_count = 4;
  config.device.kind = WATTPROOF_APPLIANCE;
  config.device.slots = 24;
  config.device.slot_seconds = 3600;
  config.device.profile_w = cycle_w;
  config.device.profile_count = 3;
  config.device.end_slot = 12;
  config.output.has_relay = 1;
  config.output.on_ms_min = 60000;
  config.output.off_ms_min = 60000;
  return wattproof_node_configure(node, &config);
}

int main(void) {
  uint8_t entropy[32], id;
  wattproof_input button;
  wattproof_node_state state;
  const uint32_t version = WATTPROOF_VERSION_MAJOR << 16 | WATTPROOF_VERSION_MINOR << 8 | WATTPROOF_VERSION_PATCH;
  if (wattproof_version() != version) return 1;  /* header and library are of one release */
  key[31] = 1;                                   /* a real device makes its own, from its entropy */
  if (wattproof_node_place(memory, sizeof memory, &node) != 0 || configure() != 0) return 1;
  for (id = 0; id < record_ids; id++) {
    if (record_sizes[id] != 0) (void)wattproof_node_restore(node, id, records[id], record_sizes[id]);
  }
  read_entropy(entropy);
  if (wattproof_node_start(node, now_ms, entropy) != 0 || !feed_kind(WATTPROOF_TICK) || !feed_kind(WATTPROOF_LINK_UP)) return 1;

  if (!live_until(3600 * 1000)) return 1;
  wattproof_node_get_state(node, &state);
  printf("%5lu s  %u frames sent, mode %u, relay %s\n", (unsigned long)(now_ms / 1000), frames_sent, state.mode, relay_on ? "closed" : "open");
  if (relay_on || frames_sent == 0 || record_sizes[1] == 0) return 1;

  memset(&button, 0, sizeof button);
  button.kind = WATTPROOF_BUTTON;
  button.button = WATTPROOF_FORCE_ON;
  button.button_s = 300;
  if (!feed(button) || !relay_on) return 1;
  if (!live_until((3600 + 299) * 1000) || !relay_on) return 1;
  if (!live_until((3600 + 302) * 1000) || relay_on) return 1;
  puts("relay_in_c: ok");
  return 0;
}
