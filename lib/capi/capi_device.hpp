// SPDX-License-Identifier: Apache-2.0
// A device as C describes it, read into the solver's form. Milestones, states and parts have a form of their own there;
// they are made in the caller's memory, before the solver's workspace. Internal to capi/.
#pragma once

#include "solver/solve.hpp"
#include "wattproof.h"

namespace wattproof::capi {

struct DeviceView {
  solver::Device device{};
  solver::Grid grid{};
  solver::WorkspaceView workspace{};  // what is left of the memory; empty if there was none
};

//   unknown_version        a wrong `size`
//   unknown_kind           no such kind, or a home's part that is banded or a home
//   slot_count_invalid     more slots than the library was built for
//   too_large              too many states, parts or milestones
//   configuration_invalid  a count above 0 and no array
//   workspace_too_small    no room for what has to be made in `memory`
Error read_device(const wattproof_device_config& from, std::span<std::uint64_t> memory, DeviceView& to);

// Words of memory for what read_device makes and for the solver; 0 for a description that cannot be read.
std::size_t words_for(const wattproof_device_config& from);

}  // namespace wattproof::capi
