// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.hpp"
#include "command.hpp"
#include "device_json.hpp"
#include "solver/home.hpp"
#include "solver/solve.hpp"

namespace wattproof::tool {
namespace {

using solver::Limit;

constexpr std::int64_t price_max = std::int64_t{1} << 40;

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
    case Limit::pattern: return "needs " + needed + " slots on; with the minimum times the nearest is " + possible;
    case Limit::whole_watts: return "slot " + slot + ": only fractions of a watt would keep the limits";
    case Limit::breaker: return "slot " + slot + ": needs " + needed + " W, the breaker allows " + possible + " W";
    case Limit::ramp: return "slot " + slot + ": needs " + needed + " W, the ramps allow " + possible + " W";
    case Limit::state_min: return state + "needs " + needed + " by slot " + slot + ", at most " + possible + " possible";
    case Limit::state_max: return state + "at most " + needed + " by slot " + slot + ", at least " + possible + " unavoidable";
    case Limit::none: break;
  }
  return "the limits contradict each other";
}

Outcome infeasible(const std::string& detail) { return {{{"error", "infeasible"}, {"detail", detail}}, exit_refused}; }

struct Problem {
  solver::Grid grid;
  std::list<DeviceDescription> devices;  // one, or those of a home
  std::vector<std::string> paths;        // of each, in the document
  bool is_home = false;
  std::int32_t limit_w = 0;              // of a home
  std::vector<std::int32_t> target_w;
  std::vector<std::int64_t> price;
  solver::Cost cost;
};

constexpr std::size_t home_devices_given_max = 64;

void read_devices(ObjectReader device, Problem& problem) {
  problem.is_home = device.text("type") == "home";
  if (!problem.is_home) {
    problem.paths.push_back("device");
    return read_device(device, problem.grid, problem.devices.emplace_back());
  }
  problem.limit_w = static_cast<std::int32_t>(device.integer("limit_w", 0, power_w_max));
  const Json& list = device.array("devices", home_devices_given_max);
  if (list.empty()) device.fail("devices", "is empty");
  for (std::size_t i = 0; i < list.size(); ++i) {
    problem.paths.push_back(device.path_of("devices[" + std::to_string(i) + "]"));
    ObjectReader one(list[i], problem.paths.back());
    read_device(one, problem.grid, problem.devices.emplace_back());
  }
  device.finish();
}

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
  read_devices(device, problem);
}

// A window without room is refused by the solver as ill-formed; to a user it is one more limit that cannot be met.
std::optional<std::string> window_without_room(const solver::Device& device) {
  const bool has_window = device.kind == solver::DeviceKind::shapeable ||
                          device.kind == solver::DeviceKind::appliance || device.kind == solver::DeviceKind::switched;
  if (!has_window) return std::nullopt;
  const std::uint32_t room = device.end_slot > device.start_slot ? device.end_slot - device.start_slot : 0;
  const std::uint32_t needed = device.kind == solver::DeviceKind::appliance
                                   ? static_cast<std::uint32_t>(device.profile_w.size()) * device.runs
                                   : (device.energy_wh != 0 ? 1 : 0);
  if (needed <= room) return std::nullopt;
  return "needs " + std::to_string(needed) + " slots, the window has " + std::to_string(room);
}

// A window of no slots and no energy: nothing to choose, and no form that the solver takes. It draws nothing.
void replace_empty_window(DeviceDescription& description) {
  solver::Device& device = description.device;
  const bool has_energy = device.kind == solver::DeviceKind::shapeable || device.kind == solver::DeviceKind::switched;
  if (!has_energy || device.end_slot > device.start_slot) return;
  device = solver::Device{};
  device.kind = solver::DeviceKind::curtailable;
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
  if (is_infeasible) return infeasible(describe(report));
  if (error == Error::not_converged) return {{{"error", error_name(error)}, {"detail", describe(report)}}, exit_refused};
  const char* const detail = error == Error::not_a_multiple ? ": its energy is no whole number of slots at its power"
                                                             : ": the solver refuses it";
  return {{{"error", error_name(error)}, {"detail", path + detail}}, exit_usage};
}

Outcome solved(const std::vector<std::int32_t>& profile_w, const solver::Report& report, bool with_certificate) {
  Json output = {{"status", "ok"}, {"profile_w", profile_w}};
  if (with_certificate) output["certificate"] = certificate_of(report);
  return {output, exit_ok};
}

Outcome solve_one(const Problem& problem, bool with_certificate) {
  const solver::Device& device = problem.devices.front().device;
  std::vector<std::int32_t> profile_w(problem.grid.slots);
  std::vector<std::uint64_t> workspace(solver::workspace_words(device, problem.grid));
  solver::Report report;
  const Error error = solver::solve(device, problem.grid, problem.target_w, problem.cost, workspace, profile_w, report);
  return ok(error) ? solved(profile_w, report, with_certificate) : refused(error, report, problem.paths[0]);
}

Outcome solve_home(const Problem& problem, bool with_certificate) {
  std::vector<solver::Device> devices;
  for (const DeviceDescription& description : problem.devices) devices.push_back(description.device);
  const solver::Home home{devices, problem.limit_w};
  const std::size_t slots = problem.grid.slots;
  std::vector<std::int32_t> total_w(slots);
  std::vector<std::int32_t> profiles_w(devices.size() * slots);
  std::vector<std::uint64_t> workspace(solver::home_workspace_words(home, problem.grid));
  solver::Report report;
  std::uint32_t at_fault = 0;
  const Error error = solver::solve_home(home, problem.grid, problem.target_w, problem.cost, workspace, total_w, profiles_w,
                                         report, at_fault);
  if (!ok(error)) return refused(error, report, at_fault < devices.size() ? problem.paths[at_fault] : "device");
  Outcome outcome = solved(total_w, report, with_certificate);
  outcome.output["devices"] = Json::array();
  for (std::size_t i = 0; i < devices.size(); ++i) {
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
  for (DeviceDescription& description : problem.devices) {
    if (const auto detail = window_without_room(description.device)) return infeasible(*detail);
    replace_empty_window(description);
  }
  return problem.is_home ? solve_home(problem, with_certificate) : solve_one(problem, with_certificate);
}

}  // namespace wattproof::tool
