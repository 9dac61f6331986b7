/* SPDX-License-Identifier: Apache-2.0 */
#include "solver_in_c.h"

#include <string.h>

static void describe_store(wattproof_device_config *device) {
  device->power_min_w.constant = -3000;
  device->power_max_w.constant = 3000;
  device->energy_max_wh = 9000;
  device->energy_start_wh = 4000;
  device->energy_end_min_wh = 4000;
  device->energy_end_max_wh = 9000;
}

static void describe_heat(day *self, wattproof_device_config *device) {
  device->power_max_w.constant = 4000;
  device->gain_mk_per_wh = 2;
  device->leak_permyriad_per_slot = 150;
  device->ambient_mc.per_slot = self->numbers;
  device->start_mc = 20500;
  device->min_mc.constant = 19000;
  device->max_mc.constant = 23000;
}

static void describe_walls(day *self, wattproof_device_config *device) {
  const wattproof_linear_state room = {20500, {NULL, 19500}, {NULL, 23000}, {830000, 150000}, 400, {NULL, 100000}};
  const wattproof_linear_state walls = {20500, {NULL, 18000}, {NULL, 25000}, {30000, 970000}, 0, {NULL, 0}};
  self->states[0] = room;
  self->states[1] = walls;
  device->power_max_w.constant = 4000;
  device->ramp_up_w = 1000;
  device->states = self->states;
  device->state_count = 2;
}

static void describe_car(day *self, wattproof_device_config *device) {
  device->power_max_w.constant = 7000;
  device->start_slot = 2;
  device->end_slot = 20;
  device->energy_wh = 30000;
  self->milestones[0].slot = 6;
  self->milestones[0].energy_min_wh = 10000;
  self->milestones[1].slot = 12;
  self->milestones[1].energy_min_wh = 21000;
  device->milestones = self->milestones;
  device->milestone_count = 2;
}

static void describe_home(day *self, wattproof_device_config *device) {
  int i;
  for (i = 0; i < 3; ++i) wattproof_device_init(&self->parts[i]);
  self->parts[0].kind = WATTPROOF_BATTERY;
  describe_store(&self->parts[0]);
  self->parts[1].kind = WATTPROOF_SHAPEABLE;
  describe_car(self, &self->parts[1]);
  self->parts[2].kind = WATTPROOF_APPLIANCE;
  self->parts[2].profile_w = self->numbers;
  self->parts[2].profile_count = 3;
  device->parts = self->parts;
  device->part_count = 3;
  device->limit_w = 6000;
}

static void describe_switched(wattproof_device_config *device) {
  device->power_w = 1500;
  device->energy_wh = 9000;
  device->min_on_slots = 2;
  device->min_off_slots = 3;
}

void day_describe(day *self, wattproof_device_kind kind) {
  int t;
  wattproof_device_config *device = &self->device;
  memset(self, 0, sizeof *self);
  wattproof_device_init(device);
  wattproof_cost_init(&self->cost);
  self->report.size = sizeof self->report;
  device->kind = kind;
  device->slots = day_slots;
  device->slot_seconds = 3600;
  for (t = 0; t < day_slots; ++t) {
    self->numbers[t] = 2000 + 100 * (t % 5);
    self->target_w[t] = 4000 - 977 * (t % 7);
    self->price[t] = 300 * (t % 11) - 1200;
  }
  self->cost.target_w = self->target_w;
  self->cost.price = self->price;
  self->cost.weight = 3;
  switch (kind) {
    case WATTPROOF_FIXED: device->profile_w = self->numbers; device->profile_count = day_slots; break;
    case WATTPROOF_CURTAILABLE: device->power_min_w.constant = -2500; break;
    case WATTPROOF_SHAPEABLE: describe_car(self, device); break;
    case WATTPROOF_BATTERY:
      describe_store(device);
      device->charge_efficiency_permille = 950;
      device->discharge_efficiency_permille = 940;
      device->standing_loss_w = 8;
      break;
    case WATTPROOF_APPLIANCE:
      device->profile_w = self->numbers;
      device->profile_count = 3;
      device->runs = 2;
      device->interruptible = 1;
      break;
    case WATTPROOF_THERMAL: describe_heat(self, device); break;
    case WATTPROOF_SWITCHED: describe_switched(device); break;
    case WATTPROOF_GENERATOR:
      device->power_min_w.constant = -3500;
      device->cost_linear = -900;
      device->cost_quadratic = 4;
      break;
    case WATTPROOF_BANDED: describe_walls(self, device); break;
    case WATTPROOF_HOME: describe_home(self, device); break;
  }
  self->words = wattproof_device_words(device);
}

wattproof_status day_solve(day *self) {
  return wattproof_solve(&self->device, &self->cost, self->memory, self->words, self->profile_w, &self->report);
}

wattproof_status day_recheck(day *self, uint64_t *gap) {
  static int32_t dual[3 * day_slots];
  static uint64_t memory[64]; /* for what is made of the description */
  memcpy(dual, self->report.dual != NULL ? self->report.dual : dual, self->report.dual_count * sizeof dual[0]);
  return wattproof_recheck(&self->device, &self->cost, memory, 64, self->profile_w, dual, self->report.dual_count,
                           self->report.guard_bits, gap);
}
