// SPDX-License-Identifier: Apache-2.0
// validate(), workspace_words(), feasible() and optimise() for every kind but the home, whose parts go through these. Two
// layers instead of a recursion, so that the stack has a bound. Internal to solver/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "solver/solve.hpp"

namespace wattproof::solver {

// Where no homes are built in, the functions of this layer are the public ones themselves.
#if WATTPROOF_DEVICE_KINDS >> 9 & 1
#define WATTPROOF_HOMES
#define WATTPROOF_SINGLE(beside_homes, alone) beside_homes
constexpr bool is_home(const Device& device) { return device.kind == DeviceKind::home; }
#else
#define WATTPROOF_SINGLE(beside_homes, alone) alone
#endif

Error WATTPROOF_SINGLE(validate_single, validate)(const Device& device, const Grid& grid);
std::size_t WATTPROOF_SINGLE(single_workspace_words, workspace_words)(const Device& device, const Grid& grid);
Error WATTPROOF_SINGLE(feasible_single, feasible)(const Device& device, const Grid& grid, Report& report);
Error WATTPROOF_SINGLE(optimise_single, optimise)(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w,
                                                  const Cost& cost, WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report);

#ifndef WATTPROOF_HOMES
inline constexpr auto& validate_single = validate;
inline constexpr std::size_t (&single_workspace_words)(const Device&, const Grid&) = workspace_words;
inline constexpr auto& feasible_single = feasible;
inline constexpr auto& optimise_single = optimise;
#endif

// Nothing is certified, and nothing amiss.
inline void clear(Report& report) { std::memset(static_cast<void*>(&report), 0, sizeof report); }

// Kinds that choose among patterns: pattern.hpp; all others but the fixed one and the banded are stores, maybe without limits: store.hpp.
constexpr bool is_pattern(const Device& device) { return device.kind == DeviceKind::appliance || device.kind == DeviceKind::switched; }

// Never true where it is not built in.
constexpr bool is_banded(const Device& device) { return is_built(DeviceKind::banded) && device.kind == DeviceKind::banded; }

}  // namespace wattproof::solver
