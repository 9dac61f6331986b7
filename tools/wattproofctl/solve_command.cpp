// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.hpp"
#include "command.hpp"
#include "device_json.hpp"
#include "solver/home.hpp"
#include "solver/solve.hpp"
#include "solver/wish.hpp"

namespace wattproof::tool {
namespace {

using solver::Limit;

constexpr std::int64_t price_max = std::int64_t{1} << 50;

// What is asked, in one sentence with its numbers.
std::string describe(const solver::Report& report) {
  const std::string needed = std::to_string(report.needed);
  const std::string possible = std::to_string(report.possible);
  const std::string slot = std::to_string(report.slot);
  const std::string state = "state " + std::to_string(report.state) + ": ";
  switch (report.limit) {
    case Limit::power: return "slot " + slot + ": lower limit " + needed + " W is above upper limit " + possible + " W";
    case Limit::energy_min: return "needs " + needed + " Wh by slot " + slot + ", at most " + possible + " possible";
    case Limit::energy_max: return "at most " + needed + " Wh by slot " + slot + ", at least " + possible + " unavoidable";
    case Limit::window: return "needs " + needed + " slots, the window has " + possible;
    case Limit::comfort_min: return "needs " + needed + " mC by slot " + slot + ", at most " + possible + " possible";
    case Limit::comfort_max: return "at most " + needed + " mC by slot " + slot + ", at least " + possible + " unavoidable";
    case Limit::pattern: return "needs " + needed + " slots on; once on, it stays on for at least " + possible;
    case Limit::whole_watts: return "slot " + slot + ": found no whole watts that keep the limits";
    case Limit::breaker: return "slot " + slot + ": needs " + needed + " W, the breaker allows " + possible + " W";
    case Limit::ramp: return "slot " + slot + ": needs " + needed + " W, the ramps allow " + possible + " W";
    case Limit::state_min: return state + "needs " + needed + " by slot " + slot + ", at most " + possible + " possible";
    case Limit::state_max: return state + "at most " + needed + " by slot " + slot + ", at least " + possible + " unavoidable";
    case Limit::none: break;
  }
  return "each limit can be kept, but found no whole watts that keep all of them";
}

Outcome infeasible(const std::string& detail) { return {{{"error", "infeasible"}, {"detail", detail}}, exit_refused}; }

struct Problem {
  solver::Grid grid;
  DeviceDescription description;
  std::vector<std::int32_t> target_w;
  std::vector<std::int64_t> price;
  solver::Cost cost;

  bool is_home() const { return description.device.kind == solver::DeviceKind::home; }
};

void read_problem(const Json& document, Problem& problem) {
  ObjectReader object(document, "");
  problem.grid.slots = static_cast<std::uint32_t>(object.integer("slots", 1, slot_count_max));
  problem.grid.slot_seconds = static_cast<std::uint32_t>(object.integer("slot_seconds", 1, 3600));
  if (3600 % problem.grid.slot_seconds != 0) object.fail("slot_seconds", "must divide 3600");
  for (const std::int64_t watt : object.integers("target_w", problem.grid.slots, INT32_MIN, INT32_MAX)) {
    problem.target_w.push_back(static_cast<std::int32_t>(watt));
  }
  if (problem.target_w.size() != problem.grid.slots) object.fail("target_w", "must have one entry per slot");
  if (object.has("price")) {
    problem.price = object.integers("price", problem.grid.slots, -price_max, price_max);
    if (problem.price.size() != problem.grid.slots) object.fail("price", "must have one entry per slot");
    problem.cost.price = problem.price;
  }
  problem.cost.weight = static_cast<std::uint32_t>(object.integer_or("weight", 1, 1, solver::weight_max));
  ObjectReader device = object.object("device");
  object.finish();
  read_device(device, problem.grid, problem.description);
  if (problem.is_home()) problem.cost.wear = static_cast<std::uint32_t>(problem.description.device.cost_quadratic);
}

// What the solver refuses as out of range, said of the number that is. What is left for it is a matter of several numbers at once.
void check_wishes(const Problem& problem) {
  const solver::Device& device = problem.description.device;
  const std::int64_t limit_w = solver::power_limit_w(problem.grid.slots);
  const bool is_generator = device.kind == solver::DeviceKind::generator;
  const std::int64_t curvature = std::int64_t{problem.cost.weight} + device.cost_quadratic;  // a home's is that of its sum
  const auto is_within = [](std::int64_t value, std::int64_t limit) { return value >= -limit && value <= limit; };
  const std::string range = std::to_string(-limit_w) + " to " + std::to_string(limit_w);
  for (std::size_t t = 0; t < problem.target_w.size(); ++t) {
    const std::string index = "[" + std::to_string(t) + "]";
    if (!is_within(problem.target_w[t], limit_w)) {
      throw InputError("target_w" + index, "must be from " + range + " for a day of " + std::to_string(problem.grid.slots) + " slots");
    }
    std::int64_t numerator = std::int64_t{problem.cost.weight} * problem.target_w[t] + (is_generator ? device.cost_linear : 0);
    if (!problem.price.empty()) numerator -= problem.price[t];
    if (is_within(numerator, curvature * limit_w)) continue;
    throw InputError((problem.price.empty() ? "target_w" : "price") + index,
                     "with the other costs the power wished for in this slot must be from " + range + " W");
  }
}

// A window without room is refused by the solver as ill-formed; to a user it is one more limit that cannot be met.
std::optional<std::string> window_without_room(const solver::Device& device, const solver::Grid& grid) {
  using solver::DeviceKind;
  const std::int64_t room = device.end_slot > device.start_slot ? device.end_slot - device.start_slot : 0;
  std::int64_t needed = 0;
  if (device.kind == DeviceKind::appliance) {
    needed = static_cast<std::int64_t>(device.profile_w.size()) * device.runs;
  } else if (device.kind == DeviceKind::switched && device.power_w != 0) {
    const std::int64_t energy = std::int64_t{device.energy_wh} * solver::slots_per_hour(grid);
    needed = energy % device.power_w == 0 ? energy / device.power_w : 0;
  } else if (device.kind == DeviceKind::shapeable && room == 0 && device.energy_wh != 0) {
    const std::string by = std::to_string(device.energy_wh) + " Wh by slot " + std::to_string(device.end_slot);
    return device.energy_wh > 0 ? "needs " + by + ", at most 0 possible" : "at most " + by + ", at least 0 unavoidable";
  }
  if (needed <= room) return std::nullopt;
  return "needs " + std::to_string(needed) + " slots, the window has " + std::to_string(room);
}

// A window of no slots and no energy: nothing to choose, and no form that the solver takes. It draws nothing.
void replace_empty_window(DeviceDescription& description) {
  solver::Device& device = description.device;
  const bool has_energy = device.kind == solver::DeviceKind::shapeable || device.kind == solver::DeviceKind::switched;
  if (!has_energy || device.end_slot > device.start_slot) return;
  if (device.kind == solver::DeviceKind::switched) {
    device.start_slot = device.end_slot = 0;  // no slot on, or no whole number of them: any window says the same
    return;
  }
  const std::int32_t own_cost = device.cost_quadratic;  // which allows larger wishes
  device = solver::Device{};
  device.kind = solver::DeviceKind::curtailable;
  device.cost_quadratic = own_cost;
}

Json certificate_of(const solver::Report& report) {
  switch (report.kind) {
    case solver::CertificateKind::dual: return {{"kind", "dual"}, {"gap", report.gap}};
    case solver::CertificateKind::enumerated: return {{"kind", "enumerated"}};
    case solver::CertificateKind::bound: return {{"kind", "bound"}, {"gap", report.gap}};
    case solver::CertificateKind::none: break;
  }
  return nullptr;
}

Outcome refused(Error error, const solver::Report& report, const std::string& path) {
  const bool is_infeasible =
      error == Error::infeasible || error == Error::infeasible_below || error == Error::infeasible_above;
  if (is_infeasible) return infeasible(path == "device" ? describe(report) : path + ": " + describe(report));
  if (error == Error::not_converged) {
    const std::string detail = report.limit == Limit::none ? "found neither an answer nor a proof that there is none" : describe(report);
    return {{{"error", error_name(error)}, {"detail", detail}}, exit_refused};
  }
  if (error == Error::not_a_multiple) {
    const std::string field = path + ".energy_wh";
    return {{{"error", error_name(error)}, {"detail", field + ": is no whole number of slots at power_w"}, {"field", field}}, exit_usage};
  }
  const std::string detail = error == Error::out_of_range ? ": its numbers together are beyond the solver's range (docs/SOLVER.md, section 10)"
                                                           : ": the solver refuses it";
  return {{{"error", error_name(error)}, {"detail", path + detail}}, exit_usage};
}

Outcome solved(const std::vector<std::int32_t>& profile_w, const solver::Report& report, bool with_certificate) {
  Json output = {{"status", "ok"}, {"profile_w", profile_w}};
  if (with_certificate) output["certificate"] = certificate_of(report);
  return {output, exit_ok};
}

Outcome solve_one(const Problem& problem, bool with_certificate) {
  const solver::Device& device = problem.description.device;
  std::vector<std::int32_t> profile_w(problem.grid.slots);
  std::vector<std::uint64_t> workspace(solver::workspace_words(device, problem.grid));
  solver::Report report;
  const Error error = solver::solve(device, problem.grid, problem.target_w, problem.cost, workspace, profile_w, report);
  return ok(error) ? solved(profile_w, report, with_certificate) : refused(error, report, "device");
}

Outcome solve_home(const Problem& problem, bool with_certificate) {
  const solver::Home home = solver::home_of(problem.description.device);
  const std::size_t slots = problem.grid.slots;
  std::vector<std::int32_t> total_w(slots);
  std::vector<std::int32_t> profiles_w(home.devices.size() * slots);
  std::vector<std::uint64_t> workspace(solver::home_workspace_words(home, problem.grid));
  solver::Report report;
  std::uint32_t at_fault = 0;
  const Error error = solver::solve_home(home, problem.grid, problem.target_w, problem.cost, workspace, total_w, profiles_w,
                                         report, at_fault);
  const bool is_of_part = at_fault < home.devices.size() && report.limit != solver::Limit::breaker;
  if (!ok(error)) return refused(error, report, is_of_part ? "device.devices[" + std::to_string(at_fault) + "]" : "device");
  Outcome outcome = solved(total_w, report, with_certificate);
  outcome.output["devices"] = Json::array();
  for (std::size_t i = 0; i < home.devices.size(); ++i) {
    const auto first = profiles_w.begin() + static_cast<std::ptrdiff_t>(i * slots);
    const std::vector<std::int32_t> profile_w(first, first + static_cast<std::ptrdiff_t>(slots));
    outcome.output["devices"].push_back({{"profile_w", profile_w}});
  }
  return outcome;
}

}  // namespace

Outcome solve_command(const Json& document, bool with_certificate) {
  Problem problem;
  read_problem(document, problem);
  check_wishes(problem);
  if (!problem.is_home()) {
    if (const auto detail = window_without_room(problem.description.device, problem.grid)) return infeasible(*detail);
    replace_empty_window(problem.description);
    return solve_one(problem, with_certificate);
  }
  std::size_t index = 0;
  for (DeviceDescription& part : problem.description.parts) {
    const std::string path = "device.devices[" + std::to_string(index++) + "]: ";
    if (const auto detail = window_without_room(part.device, problem.grid)) return infeasible(path + *detail);
    replace_empty_window(part);
  }
  gather_parts(problem.description);
  return solve_home(problem, with_certificate);
}

}  // namespace wattproof::tool
