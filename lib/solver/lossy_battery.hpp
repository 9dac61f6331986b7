// SPDX-License-Identifier: Apache-2.0
// Storage with a charge and a discharge efficiency and a standing loss, never charging and discharging at once. A slot's
// energy change as a function of the price of energy has up to four knots; where the device would rather burn power than
// store it (wish above zero, price below), it jumps from discharging to charging. Where the final price falls on such
// a jump the relaxation need not be tight: the answer is then feasible, and its certificate says what it may cost.
// Without losses the same code serves energies beyond the 31 bits of clip_dp. Internal to solver/.
#pragma once

#include <cstdint>
#include <span>

#include "solver/clip_dp.hpp"
#include "solver/solve.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

// Stored energy in 1 / (1000 discharge_efficiency_permille) W x slot: every watt is a whole number of these.
class LossyModel {
 public:
  LossyModel(const Device& device, const Grid& grid);

  std::int64_t start() const { return problem_.start * unit_; }
  std::int64_t unit() const { return unit_; }  // of one W x slot
  std::int64_t effect(std::int64_t power_w) const { return power_w * (power_w < 0 ? discharge_ : charge_); }
  std::int64_t charge_watt() const { return charge_; }
  std::int64_t discharge_watt() const { return discharge_; }
  std::int64_t loss() const { return loss_; }
  // The limits after a slot. Where they leave less room than one watt for one slot, they are widened to that.
  EnergyLimits limits(std::uint32_t slot, std::size_t& next) const;
  const StorageProblem& problem() const { return problem_; }
  std::int64_t charge_permille() const { return charge_permille_; }
  std::int64_t discharge_permille() const { return discharge_permille_; }
  std::int64_t standing_loss_w() const { return loss_ / unit_; }

 private:
  StorageProblem problem_;
  std::int64_t charge_permille_;
  std::int64_t discharge_permille_;
  std::int64_t unit_;
  std::int64_t charge_;
  std::int64_t discharge_;
  std::int64_t loss_;
};

// What a slot does at a price: one power, or either of two if the price is that of a jump. In 2^-10 W.
struct SlotChoice {
  std::int64_t low;
  std::int64_t high;
};

// `low_w` <= `high_w` in W, `wish` in 2^-10 W; the price at which the slot jumps, if low_w < 0 < high_w and wish > 0.
std::int64_t jump_price(const LossyModel& model, std::int64_t low_w, std::int64_t high_w, std::int64_t wish);
SlotChoice choose(const LossyModel& model, std::int64_t low_w, std::int64_t high_w, std::int64_t wish, std::int64_t price);

constexpr bool has_losses(const Device& device) {
  return device.kind == DeviceKind::battery && (device.charge_efficiency_permille != 1000 ||
                                                device.discharge_efficiency_permille != 1000 || device.standing_loss_w != 0);
}

// Never true where losses are not built in, so that nothing of them is linked.
constexpr bool is_lossy(const Device& device) { return is_lossy_built() && has_losses(device); }

constexpr std::size_t lossy_workspace_words(std::uint32_t slots) { return 2 * (4 * std::size_t{slots} + 8) + slots; }

//   out_of_range         power sums or energies past wide_energy_limit
//   workspace_too_small  fewer than lossy_workspace_words
//   infeasible           the energy limits cannot be kept, or not by whole watts
Error solve_lossy(const Device& device, const Grid& grid, const Wish& wish, WorkspaceView workspace,
                  std::span<std::int32_t> profile_w, Report& report);

Error feasible_lossy(const Device& device, const Grid& grid, Report& report);
Error check_lossy(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w);

}  // namespace wattproof::solver
