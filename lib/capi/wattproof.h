/* SPDX-License-Identifier: Apache-2.0
 *
 * wattproof's C face: a device that takes part in energy scheduling and drives its outputs only on what it has itself
 * proved to be on the chain. C99, no allocation, no I/O, no threads, no global state.
 *
 * You give: memory, a clock, randomness, a place for five small records, a way to send and receive frames of at most 1,024
 * bytes, and a signature when asked. You get: what the relay and the setpoint should be, and why.
 *
 *     static uint64_t memory[WATTPROOF_NODE_SIZE_MAX / 8];
 *     wattproof_node *node;
 *     wattproof_node_place(memory, sizeof memory, &node);
 *     wattproof_node_configure(node, &config);
 *     for each record that you have: wattproof_node_restore(node, id, bytes, size);
 *     wattproof_node_start(node, now_ms, entropy);
 *     for (;;) { wait for something or for the wake time; wattproof_node_step(node, now_ms, &input, &actions); do them; }
 *
 * Every function may be called from one thread or interrupt level at a time per node. Spans inside actions are valid until
 * the next step of the same node. Structs that begin with `size` must have it set to their sizeof: fields may be added.
 */
#ifndef WATTPROOF_H
#define WATTPROOF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WATTPROOF_VERSION_MAJOR 0
#define WATTPROOF_VERSION_MINOR 1
#define WATTPROOF_VERSION_PATCH 0

/* The capacities that the library was built with; wattproof_version() says whether header and library agree. */
#ifndef WATTPROOF_SLOT_COUNT_MAX
#define WATTPROOF_SLOT_COUNT_MAX 96
#endif
#ifndef WATTPROOF_VALIDATOR_COUNT_MAX
#define WATTPROOF_VALIDATOR_COUNT_MAX 32
#endif

/* Bytes that are enough for a node, to be aligned like uint64_t. wattproof_node_size() gives the exact number. */
#define WATTPROOF_NODE_SIZE_MAX (14336 + 72 * WATTPROOF_SLOT_COUNT_MAX + 64 * WATTPROOF_VALIDATOR_COUNT_MAX)

#define WATTPROOF_FRAME_SIZE_MAX 1024
#define WATTPROOF_RECORD_SIZE_MAX 1024
#define WATTPROOF_ACTION_COUNT_MAX 8

/* 0, or the negated value of an error in base/error.hpp; wattproof_error_name() gives its name. */
typedef int32_t wattproof_status;

/* major << 16 | minor << 8 | patch of the library. */
uint32_t wattproof_version(void);
const char *wattproof_error_name(wattproof_status status);

/* You may define this: the library calls it when it finds a mistake of its own or of its caller's, never for what comes from
 * outside. Drive the outputs to their safe state, note where, and reset; do not return. Without it the program traps.
 * A C++ program that defines wattproof::check_failed (base/check.hpp) needs no other. */
void wattproof_check_failed(const char *file, int line);

/* ---- keys: the software way. With a secure element you need none of this. ---- */

/* address: 20 bytes. Fails if the key is 0 or not below the group order. */
wattproof_status wattproof_address_of(const uint8_t key[32], uint8_t address[20]);
/* signature: 65 bytes r, s, v. Deterministic, constant time in the key. */
wattproof_status wattproof_sign(const uint8_t key[32], const uint8_t digest[32], uint8_t signature[65]);

/* ---- configuration ---- */

typedef enum { WATTPROOF_QBFT = 0, WATTPROOF_IBFT2 = 1 } wattproof_engine;
typedef enum {
  WATTPROOF_HEADER_FRONTIER = 0,
  WATTPROOF_HEADER_LONDON = 1,
  WATTPROOF_HEADER_SHANGHAI = 2,
  WATTPROOF_HEADER_CANCUN = 3,
  WATTPROOF_HEADER_PRAGUE = 4
} wattproof_header_shape;

typedef struct {
  uint32_t size;
  uint64_t chain_id;
  uint8_t registry[20];            /* DeviceRegistry; every other address is proved from it */
  int32_t engine;                  /* wattproof_engine */
  int32_t header_shape;            /* wattproof_header_shape: the fork that the chain is at */
  uint32_t period_s_min;           /* least seconds between a block and its child */
  uint32_t freshness_s;            /* a head older than this proves nothing about now */
  uint32_t skew_s;                 /* how far the validators' clocks may be ahead of ours */
  uint64_t trusting_period_s;      /* how long removed validators are trusted not to rewrite history */
  uint64_t checkpoint_number;      /* where trust begins */
  const uint8_t *checkpoint_hash;  /* 32 bytes, or NULL if hash and time are not known */
  uint64_t checkpoint_timestamp_s;
  const uint8_t (*validators)[20]; /* ascending */
  uint32_t validator_count;        /* 1 to WATTPROOF_VALIDATOR_COUNT_MAX */
} wattproof_chain_config;

typedef enum {
  WATTPROOF_FIXED = 0,       /* profile_w */
  WATTPROOF_CURTAILABLE = 1, /* power_min_w, power_max_w */
  WATTPROOF_SHAPEABLE = 2,   /* power_min_w, power_max_w, energy_wh, start_slot, end_slot, milestones */
  WATTPROOF_BATTERY = 3,     /* power_min_w, power_max_w, energy_*, *_efficiency_permille, standing_loss_w */
  WATTPROOF_APPLIANCE = 4,   /* profile_w is the cycle; start_slot earliest start, end_slot latest end; runs, interruptible */
  WATTPROOF_THERMAL = 5,     /* power_min_w, power_max_w, gain_*, leak_*, *_mc, soft */
  WATTPROOF_SWITCHED = 6,    /* power_w, energy_wh, start_slot, end_slot, min_on_slots, min_off_slots */
  WATTPROOF_GENERATOR = 7,   /* power_min_w, power_max_w, cost_linear, cost_quadratic */
  WATTPROOF_BANDED = 8,      /* power_min_w, power_max_w, ramp_*, power_before_w, states */
  WATTPROOF_HOME = 9         /* parts, limit_w */
} wattproof_device_kind;

/* One number for all slots, or one per slot: `per_slot` if it is not NULL. The array stays yours and outlives the node. */
typedef struct {
  const int32_t *per_slot;
  int32_t constant;
} wattproof_series;

/* At least this energy since the window began, before slot `slot` begins. */
typedef struct {
  uint32_t slot;                   /* start_slot + 1 to end_slot */
  int32_t energy_min_wh;           /* to +-100,000,000 */
} wattproof_milestone;

/* A state of a banded device, in units of yours. With e the energy drawn in a slot, in Wh, and first, second the states before it:
 *   next = (keep_ppm[0] first + keep_ppm[1] second) / 10^6 + (gain_milli_per_wh e + drift_milli) / 1000 */
typedef struct {
  int32_t start;                   /* start, min, max: to +-1,000,000 */
  wattproof_series min;            /* after every slot */
  wattproof_series max;
  int32_t keep_ppm[2];             /* at most 10^6 together, signs left out */
  int32_t gain_milli_per_wh;       /* to +-1,000,000 */
  wattproof_series drift_milli;    /* to +-100,000,000 */
} wattproof_linear_state;

#define WATTPROOF_RAMP_UNLIMITED INT32_MAX
#define WATTPROOF_STATE_COUNT_MAX 2
#define WATTPROOF_PART_COUNT_MAX 16

/* What the device can do. Only the fields that its kind names are read; the others stay as wattproof_device_init() left them.
 * Import is positive. Slot ends are exclusive. Powers to +-2,000,000 W, energies to +-100,000,000 Wh; docs/SOLVER.md section 10
 * has what they may come to together. Arrays stay yours and outlive the node. */
typedef struct wattproof_device_config {
  uint32_t size;
  int32_t kind;                    /* wattproof_device_kind */
  uint32_t slots;                  /* of the epochs that it takes part in, 1 to WATTPROOF_SLOT_COUNT_MAX */
  uint32_t slot_seconds;           /* divides 3600 */
  const int32_t *profile_w;
  uint32_t profile_count;
  wattproof_series power_min_w;
  wattproof_series power_max_w;
  uint32_t start_slot;
  uint32_t end_slot;               /* 0: the last */
  int32_t energy_wh;               /* over the window; of a switched load a whole number of slots at power_w */
  const wattproof_milestone *milestones; /* slots ascending */
  uint32_t milestone_count;
  int32_t energy_min_wh;           /* of a battery: kept after every slot */
  int32_t energy_max_wh;
  int32_t energy_start_wh;
  int32_t energy_end_min_wh;
  int32_t energy_end_max_wh;
  uint16_t charge_efficiency_permille;    /* 1 to 1000, 1000 by default */
  uint16_t discharge_efficiency_permille;
  int32_t standing_loss_w;         /* 0 or more, lost in every slot */
  int32_t gain_mk_per_wh;          /* to +-1,000,000; a negative one cools */
  int32_t leak_permyriad_per_slot; /* 0 to 9,999 */
  wattproof_series ambient_mc;     /* these to +-1,000,000 milli-degrees */
  int32_t start_mc;
  wattproof_series min_mc;
  wattproof_series max_mc;
  uint8_t soft;                    /* 1: an unreachable band becomes the nearest reachable one instead of an error */
  uint8_t interruptible;           /* 1: pauses of 0 W between the steps of the cycle */
  uint32_t runs;                   /* of the cycle, 1 by default */
  int32_t power_w;                 /* of a switched load that is on */
  uint32_t min_on_slots;           /* 1 by default */
  uint32_t min_off_slots;
  int64_t cost_linear;             /* of a generator: adds cost_quadratic x^2 - 2 cost_linear x to the cost; to +-2^46 */
  int32_t cost_quadratic;          /* 0 or more */
  int32_t ramp_up_w;               /* from slot to slot, 0 or more; WATTPROOF_RAMP_UNLIMITED by default */
  int32_t ramp_down_w;
  int32_t power_before_w;          /* of the slot before the first, if is_ramped_from_before */
  uint8_t is_ramped_from_before;
  const wattproof_linear_state *states;
  uint32_t state_count;            /* 0 to WATTPROOF_STATE_COUNT_MAX */
  const struct wattproof_device_config *parts; /* neither banded nor a home; their slots and fallback are not read */
  uint32_t part_count;             /* 1 to WATTPROOF_PART_COUNT_MAX */
  int32_t limit_w;                 /* of the breaker: |sum of the parts| <= limit_w */
  wattproof_series fallback_w;     /* as enrolled */
  uint64_t own_cost_quadratic;     /* 2^-16 micro-units per kWh and W: wear, gentle charging; below 2^40. Of a part of a home: at
                                      most 2^24, not read of a generator, and in wattproof_solve() in the unit of the weights */
} wattproof_device_config;

/* Fills `size` and the defaults above; everything else is then 0 or NULL. */
void wattproof_device_init(wattproof_device_config *device);

/* Words of memory that a device's problem needs, 0 for a description that cannot be read. A node has enough of its own for fixed,
 * curtailable, generator, lossless battery below 2 MWh, shapeable without milestones and an appliance of one whole run; for others
 * set device_memory in wattproof_config. */
size_t wattproof_device_words(const wattproof_device_config *device);

typedef struct {
  uint32_t size;
  uint8_t has_relay;
  uint8_t has_setpoint;            /* at least one of the two */
  uint8_t relay_fallback_on;
  uint32_t on_ms_min;              /* minimum run and pause of the load */
  uint32_t off_ms_min;
  uint32_t fallback_ms;            /* without a verified instruction for so long: fallback */
  uint32_t start_spread_ms_max;    /* longest extra delay of the first start after a boot */
  int32_t trip_w;                  /* 0: no trip */
  int32_t setpoint_fallback_w;
  int32_t setpoint_override_w;     /* what "on" by a person means */
} wattproof_output_config;

typedef struct {
  uint32_t size;
  uint32_t id;                     /* in the registry */
  uint8_t address[20];             /* of the device's signing key */
  wattproof_chain_config chain;
  wattproof_device_config device;
  wattproof_output_config output;
  uint64_t *device_memory;         /* NULL, or device_words >= wattproof_device_words() of yours, which outlive the node */
  size_t device_words;
  uint32_t answer_ms_max;          /* link times; 0 takes the default of node/config.hpp */
  uint32_t poll_ms;
  uint32_t status_ms;
} wattproof_config;

/* Fills every `size` and every default; what must be set by you is then 0 or NULL. */
void wattproof_config_init(wattproof_config *config);

/* ---- life of a node ---- */

typedef struct wattproof_node wattproof_node;

size_t wattproof_node_size(void);

/* Makes a node in your memory, which is the library's from now on until you stop using the node. There is nothing to free.
 *   capacity       size is below wattproof_node_size()
 *   out_of_range   memory is NULL or not aligned like uint64_t */
wattproof_status wattproof_node_place(void *memory, size_t size, wattproof_node **node);

/* Errors: those of node/config.hpp, unknown_version for a wrong `size`, too_large for too many validators. */
wattproof_status wattproof_node_configure(wattproof_node *node, const wattproof_config *config);

/* Gives back a record that a WATTPROOF_WRITE_RECORD action asked you to keep. An error means that the node starts without
 * it: report it and go on. */
wattproof_status wattproof_node_restore(wattproof_node *node, uint8_t record_id, const uint8_t *bytes, size_t size);

/* entropy: 32 fresh bytes from a healthy source, in every boot. */
wattproof_status wattproof_node_start(wattproof_node *node, uint64_t now_ms, const uint8_t entropy[32]);

typedef enum {
  WATTPROOF_TICK = 0,
  WATTPROOF_FRAME = 1,      /* bytes, bytes_size */
  WATTPROOF_LINK_UP = 2,
  WATTPROOF_LINK_DOWN = 3,
  WATTPROOF_BUTTON = 4,     /* button, button_s */
  WATTPROOF_METER = 5,      /* power_w */
  WATTPROOF_SENSED = 6,     /* relay_on: the contact as read back */
  WATTPROOF_STORED = 7,     /* record_id, ok: the answer to a record */
  WATTPROOF_SIGNATURE = 8,  /* signature, ok: the answer to a sign */
  WATTPROOF_OPENED = 9      /* the relay is open only from now on: a closing failed, or an opening took more than one try */
} wattproof_input_kind;

typedef enum { WATTPROOF_RELEASE = 0, WATTPROOF_FORCE_ON = 1, WATTPROOF_FORCE_OFF = 2 } wattproof_button;

typedef struct {
  int32_t kind;             /* wattproof_input_kind */
  const uint8_t *bytes;
  size_t bytes_size;
  int32_t button;           /* wattproof_button */
  uint32_t button_s;
  int32_t power_w;
  uint8_t relay_on;
  uint8_t record_id;
  uint8_t ok;
  uint8_t signature[65];
} wattproof_input;

typedef enum {
  WATTPROOF_SEND = 0,          /* bytes: hand them to the link; may be lost */
  WATTPROOF_SET_RELAY = 1,     /* on */
  WATTPROOF_SET_POINT = 2,     /* power_w */
  WATTPROOF_WRITE_RECORD = 3,  /* record_id, bytes: keep durably, then answer WATTPROOF_STORED */
  WATTPROOF_SIGN = 4,          /* digest: answer WATTPROOF_SIGNATURE */
  WATTPROOF_WAKE_AT = 5        /* wake_ms: step with a tick then, at the latest */
} wattproof_action_kind;

typedef enum {
  WATTPROOF_REASON_FALLBACK = 0,
  WATTPROOF_REASON_SCHEDULE = 1,
  WATTPROOF_REASON_PERSON = 2,
  WATTPROOF_REASON_TRIP = 3
} wattproof_reason;

typedef struct {
  int32_t kind;             /* wattproof_action_kind */
  const uint8_t *bytes;
  size_t bytes_size;
  uint8_t on;
  uint8_t record_id;
  int32_t power_w;
  uint8_t digest[32];
  uint64_t wake_ms;
  int32_t reason;           /* of an output: wattproof_reason, and for a schedule the header that justifies it */
  uint64_t epoch;
  uint32_t slot;
  uint64_t block_number;
  uint8_t block_hash[32];
} wattproof_action;

typedef struct {
  uint32_t count;
  wattproof_action items[WATTPROOF_ACTION_COUNT_MAX];
} wattproof_actions;

/* Does bounded work: at most one public-key operation and one device problem.
 *   out_of_range  an unknown kind of input, or bytes missing */
wattproof_status wattproof_node_step(wattproof_node *node, uint64_t now_ms, const wattproof_input *input,
                                     const wattproof_actions **actions);

typedef struct {
  uint8_t mode;             /* node::Mode: 0 starting, 1 proving, 2 idle, 3 following, 4 stale, 5 conflict */
  uint8_t relay_on;
  int32_t setpoint_w;
  uint64_t head_number;
  uint64_t followed_epoch;
  wattproof_status last_error;
  uint32_t error_count;
} wattproof_node_state;

void wattproof_node_get_state(const wattproof_node *node, wattproof_node_state *state);

/* ---- the solver alone: the best profile of a day, without a node ---- */

/* J = sum of weight (x - target)^2 + wear x^2 + discomfort (x - preferred)^2 + 2 price x. Arrays have one entry per slot. */
typedef struct {
  uint32_t size;
  const int32_t *target_w;     /* to be set by you */
  const int64_t *price;        /* NULL: 0; to +-2^50 */
  uint32_t weight;             /* 1 to 2^24 */
  uint32_t wear;               /* 0 to 2^24 */
  uint32_t discomfort;         /* 0 to 2^24 */
  const int32_t *preferred_w;  /* NULL: 0 W */
} wattproof_cost;

typedef enum {
  WATTPROOF_CERTIFICATE_NONE = 0,
  WATTPROOF_CERTIFICATE_DUAL = 1,       /* J - its continuous minimum <= gap, which is rounding */
  WATTPROOF_CERTIFICATE_ENUMERATED = 2, /* every choice was compared */
  WATTPROOF_CERTIFICATE_BOUND = 3       /* J - its minimum <= gap */
} wattproof_certificate;

typedef enum {
  WATTPROOF_LIMIT_NONE = 0,
  WATTPROOF_LIMIT_POWER = 1,       /* needed and possible: the crossed limits of `slot`, W */
  WATTPROOF_LIMIT_ENERGY_MIN = 2,  /* at least `needed` Wh before `slot` begins, at most `possible` can be */
  WATTPROOF_LIMIT_ENERGY_MAX = 3,  /* at most `needed` Wh, at least `possible` will be */
  WATTPROOF_LIMIT_WINDOW = 4,      /* cycles or on-slots need `needed` slots, the window has `possible` */
  WATTPROOF_LIMIT_COMFORT_MIN = 5, /* as the energies, in milli-degrees */
  WATTPROOF_LIMIT_COMFORT_MAX = 6,
  WATTPROOF_LIMIT_PATTERN = 7,     /* of `needed` slots on there is no pattern: once on, it is on for at least `possible` */
  WATTPROOF_LIMIT_WHOLE_WATTS = 8, /* found no whole watts that keep the limits, fractions would: in `slot` */
  WATTPROOF_LIMIT_BREAKER = 9,     /* a home would draw or feed `needed` W in `slot`, `possible` are allowed */
  WATTPROOF_LIMIT_RAMP = 10,       /* power would have to be `needed` W in `slot`, the ramps allow `possible` */
  WATTPROOF_LIMIT_STATE_MIN = 11,  /* as the energies, of state `state` in its own unit */
  WATTPROOF_LIMIT_STATE_MAX = 12
} wattproof_limit;

typedef struct {
  uint32_t size;
  int32_t certificate;         /* wattproof_certificate */
  uint64_t gap;
  const int32_t *dual;         /* in the memory: what wattproof_recheck() takes; NULL if none */
  uint32_t dual_count;
  uint32_t guard_bits;
  int32_t limit;               /* of an infeasible problem: wattproof_limit */
  uint32_t slot;
  uint32_t state;              /* of a banded device */
  uint32_t part;               /* of a home: the part that cannot be met, part_count if it is the breaker */
  int64_t needed;
  int64_t possible;
} wattproof_report;

void wattproof_cost_init(wattproof_cost *cost);     /* weight 1, no price */

/* Fills profile_w with one power per slot and *report (its `size` is set by you). memory: at least wattproof_device_words(device)
 * words; nothing in it need be kept between calls. Takes the instructions that docs/SOLVER.md section 11 states.
 *   workspace_too_small, unknown_version, and every error of solver/solve.hpp, infeasible* among them */
wattproof_status wattproof_solve(const wattproof_device_config *device, const wattproof_cost *cost, uint64_t *memory,
                                 size_t words, int32_t *profile_w, wattproof_report *report);

/* After wattproof_solve() of a home, with its memory untouched: the profile of one part, or NULL. */
const int32_t *wattproof_part_profile(const wattproof_device_config *home, uint64_t *memory, size_t words, uint32_t part);

/* Recomputes the gap of a profile from the device, the cost and the duals alone. The duals must not lie in `memory`.
 *   infeasible    the profile breaks a limit
 *   unknown_kind  a home: each of its parts is rechecked alone */
wattproof_status wattproof_recheck(const wattproof_device_config *device, const wattproof_cost *cost, uint64_t *memory, size_t words,
                                   const int32_t *profile_w, const int32_t *dual, uint32_t dual_count, uint32_t guard_bits,
                                   uint64_t *gap);

#ifdef __cplusplus
}
#endif

#endif
