// SPDX-License-Identifier: Apache-2.0
// The solver alone, in C.
#include "capi/capi_device.hpp"
#include "solver/home.hpp"

using namespace wattproof;

static_assert(WATTPROOF_CERTIFICATE_BOUND == static_cast<int>(solver::CertificateKind::bound));
static_assert(WATTPROOF_LIMIT_COMFORT_MAX == static_cast<int>(solver::Limit::comfort_max));
static_assert(WATTPROOF_LIMIT_WHOLE_WATTS == static_cast<int>(solver::Limit::whole_watts));
static_assert(WATTPROOF_LIMIT_STATE_MAX == static_cast<int>(solver::Limit::state_max));

namespace {

wattproof_status status_of(Error error) { return -static_cast<wattproof_status>(error); }

Error read_cost(const wattproof_cost& from, std::uint32_t slots, solver::Cost& to) {
  if (from.size != sizeof from) return Error::unknown_version;
  if (from.target_w == nullptr) return Error::configuration_invalid;
  to.weight = from.weight;
  if (from.price != nullptr) to.price = {from.price, slots};
  to.wear = from.wear;
  to.discomfort = from.discomfort;
  if (from.preferred_w != nullptr) to.preferred_w = {from.preferred_w, slots};
  return Error::none;
}

// A device and what it is asked for, as two entry points take them.
Error read_problem(const wattproof_device_config& device, const wattproof_cost& cost, std::span<std::uint64_t> memory,
                   capi::DeviceView& view, solver::Cost& read) {
  WATTPROOF_TRY(capi::read_device(device, memory, view));
  return read_cost(cost, view.grid.slots, read);
}

void write_report(const solver::Report& from, std::uint32_t part, wattproof_report& to) {
  to.certificate = static_cast<std::int32_t>(from.kind);
  to.gap = from.gap;
  to.dual = from.dual.empty() ? nullptr : from.dual.data();
  to.dual_count = static_cast<std::uint32_t>(from.dual.size());
  to.guard_bits = from.guard_bits;
  to.limit = static_cast<std::int32_t>(from.limit);
  to.slot = from.slot;
  to.state = from.state;
  to.part = part;
  to.needed = from.needed;
  to.possible = from.possible;
}

// Which part cannot be met alone; if each can, the breaker is what forbids.
std::uint32_t part_at_fault(const solver::Device& home, const solver::Grid& grid) {
  solver::Report report;
  std::uint32_t part = 0;
  while (part < home.part_count && ok(solver::feasible(home.parts[part], grid, report))) ++part;
  return part;
}

}  // namespace

extern "C" {

void wattproof_device_init(wattproof_device_config* device) {
  const solver::Device defaults;
  *device = {};
  device->size = sizeof *device;
  device->charge_efficiency_permille = static_cast<std::uint16_t>(defaults.charge_efficiency_permille);
  device->discharge_efficiency_permille = static_cast<std::uint16_t>(defaults.discharge_efficiency_permille);
  device->runs = defaults.runs;
  device->min_on_slots = defaults.min_on_slots;
  device->min_off_slots = defaults.min_off_slots;
  device->ramp_up_w = defaults.ramp_up_w;
  device->ramp_down_w = defaults.ramp_down_w;
}

size_t wattproof_device_words(const wattproof_device_config* device) { return capi::words_for(*device); }

void wattproof_cost_init(wattproof_cost* cost) {
  *cost = {};
  cost->size = sizeof *cost;
  cost->weight = 1;
}

wattproof_status wattproof_solve(const wattproof_device_config* device, const wattproof_cost* cost, uint64_t* memory, size_t words,
                                 int32_t* profile_w, wattproof_report* report) {
  if (report->size != sizeof *report) return status_of(Error::unknown_version);
  capi::DeviceView view;
  solver::Cost read;
  Error error = read_problem(*device, *cost, {memory, words}, view, read);
  if (!ok(error)) return status_of(error);
  solver::Report found;
  error = solver::solve(view.device, view.grid, {cost->target_w, view.grid.slots}, read, view.workspace,
                        {profile_w, view.grid.slots}, found);
  const bool has_fault = view.device.kind == solver::DeviceKind::home && !ok(error);
  write_report(found, has_fault ? part_at_fault(view.device, view.grid) : 0, *report);
  return status_of(error);
}

const int32_t* wattproof_part_profile(const wattproof_device_config* home, uint64_t* memory, size_t words, uint32_t part) {
  capi::DeviceView view;
  // Makes the parts again where they lie already, and touches nothing behind them.
  if (home->kind != WATTPROOF_HOME || !ok(capi::read_device(*home, {memory, words}, view))) return nullptr;
  if (part >= view.device.part_count || view.workspace.size() < solver::home_device_words(view.device, view.grid)) return nullptr;
  return solver::part_profile(view.device, view.grid, view.workspace, part).data();
}

wattproof_status wattproof_recheck(const wattproof_device_config* device, const wattproof_cost* cost, uint64_t* memory, size_t words,
                                   const int32_t* profile_w, const int32_t* dual, uint32_t dual_count, uint32_t guard_bits,
                                   uint64_t* gap) {
  capi::DeviceView view;
  solver::Cost read;
  const Error error = read_problem(*device, *cost, {memory, words}, view, read);
  if (!ok(error)) return status_of(error);
  return status_of(solver::recheck(view.device, view.grid, {cost->target_w, view.grid.slots}, read,
                                   {profile_w, view.grid.slots}, {dual, dual_count}, guard_bits, *gap));
}

}  // extern "C"
