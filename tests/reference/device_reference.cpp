// SPDX-License-Identifier: Apache-2.0
#include "reference/device_reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace wattproof::reference {

using solver::Device;
using solver::DeviceKind;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Quadratic {
  double curvature;
  double numerator;
};

// J of a slot is curvature x^2 - 2 numerator x + constant.
Quadratic quadratic_of(const Device& device, std::span<const std::int32_t> target_w, const solver::Cost& cost, std::size_t t) {
  Quadratic q{double(cost.weight) + double(cost.wear) + double(cost.discomfort), double(cost.weight) * target_w[t]};
  if (!cost.price.empty()) q.numerator -= double(cost.price[t]);
  if (!cost.preferred_w.empty()) q.numerator += double(cost.discomfort) * cost.preferred_w[t];
  q.curvature += device.cost_quadratic;
  if (device.kind == DeviceKind::generator) q.numerator += double(device.cost_linear);
  return q;
}

struct Line {
  std::vector<double> coefficients;
  double constant;
  double low;
  double high;
};

void add_banded_lines(const Device& device, const solver::Grid& grid, std::vector<Line>& lines) {
  const double hour = 3600.0 / grid.slot_seconds;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (t == 0 && !device.is_ramped_from_before) continue;
    std::vector<double> rise(grid.slots, 0.0);
    rise[t] = 1;
    if (t > 0) rise[t - 1] = -1;
    lines.push_back({rise, t == 0 ? -double(device.power_before_w) : 0.0,
                     device.ramp_down_w == solver::ramp_unlimited ? -infinity : -double(device.ramp_down_w),
                     device.ramp_up_w == solver::ramp_unlimited ? infinity : double(device.ramp_up_w)});
  }
  const std::size_t count = device.states.size();
  std::vector<std::vector<double>> weights(count, std::vector<double>(grid.slots, 0.0));
  std::vector<double> constant;
  for (const solver::LinearState& state : device.states) constant.push_back(state.start);
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const auto weights_before = weights;
    const auto constant_before = constant;
    for (std::size_t i = 0; i < count; ++i) {
      const solver::LinearState& state = device.states[i];
      constant[i] = state.drift_milli.at(t) / 1e3;
      std::fill(weights[i].begin(), weights[i].end(), 0.0);
      for (std::size_t j = 0; j < count; ++j) {
        const double keep = state.keep_ppm[j] / 1e6;
        constant[i] += keep * constant_before[j];
        for (std::uint32_t s = 0; s < t; ++s) weights[i][s] += keep * weights_before[j][s];
      }
      weights[i][t] = state.gain_milli_per_wh / 1e3 / hour;
    }
    for (std::size_t i = 0; i < count; ++i) {
      lines.push_back({weights[i], constant[i], double(device.states[i].min.at(t)), double(device.states[i].max.at(t))});
    }
  }
}

// The state after each slot as a linear function of the powers, with its limits.
std::vector<Line> lines_of(const Device& device, const solver::Grid& grid) {
  std::vector<Line> lines;
  const double hour = 3600.0 / grid.slot_seconds;
  std::vector<double> weights(grid.slots, 0.0);
  double constant = 0;
  if (device.kind == DeviceKind::shapeable) {
    const std::uint32_t end = end_slot(device, grid);
    for (std::uint32_t t = device.start_slot; t < end; ++t) {
      weights[t] = 1;
      double low = -infinity;
      for (const solver::Milestone& m : device.milestones) {
        if (m.slot == t + 1) low = m.energy_min_wh * hour;
      }
      if (t + 1 == end) {
        low = std::max(low, device.energy_wh * hour);
        lines.push_back({weights, 0, low, device.energy_wh * hour});
      } else if (low > -infinity) {
        lines.push_back({weights, 0, low, infinity});
      }
    }
  } else if (device.kind == DeviceKind::battery) {
    constant = device.energy_start_wh * hour;
    for (std::uint32_t t = 0; t < grid.slots; ++t) {
      weights[t] = 1;
      const bool is_last = t + 1 == grid.slots;
      lines.push_back({weights, constant,
                       hour * (is_last ? std::max(device.energy_min_wh, device.energy_end_min_wh) : device.energy_min_wh),
                       hour * (is_last ? std::min(device.energy_max_wh, device.energy_end_max_wh) : device.energy_max_wh)});
    }
  } else if (device.kind == DeviceKind::thermal) {
    const double keep = 1 - device.leak_permyriad_per_slot / 1e4;
    constant = device.start_mc;
    for (std::uint32_t t = 0; t < grid.slots; ++t) {
      for (double& w : weights) w *= keep;
      constant = device.ambient_mc.at(t) + keep * (constant - device.ambient_mc.at(t));
      weights[t] = device.gain_mk_per_wh / hour;
      lines.push_back({weights, constant, double(device.min_mc.at(t)), double(device.max_mc.at(t))});
    }
  } else if (device.kind == DeviceKind::banded) {
    add_banded_lines(device, grid, lines);
  }
  return lines;
}

}  // namespace

double cost_of(const Device& device, const solver::Grid&, std::span<const std::int32_t> target_w, const solver::Cost& cost,
               std::span<const double> x) {
  double sum = 0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const Quadratic q = quadratic_of(device, target_w, cost, t);
    sum += q.curvature * x[t] * x[t] - 2 * q.numerator * x[t];
  }
  return sum;
}

QuadraticProgram program_of(const Device& device, const solver::Grid& grid, std::span<const std::int32_t> target_w,
                            const solver::Cost& cost) {
  QuadraticProgram program;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const Quadratic q = quadratic_of(device, target_w, cost, t);
    program.curvature.push_back(2 * q.curvature);
    program.linear.push_back(-2 * q.numerator);
    const bool is_outside = device.kind == DeviceKind::shapeable && (t < device.start_slot || t >= end_slot(device, grid));
    const bool is_fixed = device.kind == DeviceKind::fixed;
    program.low.push_back(is_fixed ? device.profile_w[t] : is_outside ? 0 : device.power_min_w.at(t));
    program.high.push_back(is_fixed ? device.profile_w[t] : is_outside ? 0 : device.power_max_w.at(t));
  }
  for (const Line& line : lines_of(device, grid)) {
    program.rows.push_back({line.coefficients, line.low - line.constant, line.high - line.constant});
  }
  return program;
}

QuadraticProgram tightened(const Device& device, const solver::Grid& grid, std::span<const std::int32_t> target_w,
                           const solver::Cost& cost, double watts) {
  QuadraticProgram program = program_of(device, grid, target_w, cost);
  for (Row& row : program.rows) {
    double most = 0;
    for (const double c : row.coefficients) most = std::max(most, std::abs(c));
    row.low += watts * most;
    row.high -= watts * most;
  }
  return program;
}

bool is_reachable(const Device& device, const solver::Grid& grid, double& margin) {
  // All these states are monotone in what came before, so an interval tells all.
  margin = infinity;
  const QuadraticProgram program = program_of(device, grid, std::vector<std::int32_t>(grid.slots, 0), {});
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (program.low[t] > program.high[t]) return margin = 1, false;
  }
  const std::vector<Line> lines = lines_of(device, grid);
  const bool is_thermal = device.kind == DeviceKind::thermal;
  const long double keep = is_thermal ? 1 - device.leak_permyriad_per_slot / 1e4L : 1;
  long double low = 0;
  long double high = 0;
  std::uint32_t from = device.kind == DeviceKind::shapeable ? device.start_slot : 0;
  for (const Line& line : lines) {
    for (; from < grid.slots && line.coefficients[from] != 0; ++from) {
      const long double gain = line.coefficients[from];
      const long double a = gain * program.low[from];
      const long double b = gain * program.high[from];
      low = keep * low + std::min(a, b);
      high = keep * high + std::max(a, b);
    }
    const long double limit_low = static_cast<long double>(line.low) - static_cast<long double>(line.constant);
    const long double limit_high = static_cast<long double>(line.high) - static_cast<long double>(line.constant);
    margin = std::min({margin, std::abs(double(high - limit_low)), std::abs(double(low - limit_high))});
    if (high < limit_low || low > limit_high || limit_low > limit_high) return false;
    low = std::max(low, limit_low);
    high = std::min(high, limit_high);
  }
  return true;
}

namespace {

using Random = std::mt19937_64;

std::int32_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return static_cast<std::int32_t>(low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1)));
}

bool chance(Random& random, int percent) { return pick(random, 1, 100) <= percent; }

// Powers: constant, or per slot with equal and empty ranges among them.
void draw_powers(Random& random, std::int32_t low, std::int32_t high, Problem& problem) {
  problem.device.power_min_w = low;
  problem.device.power_max_w = high;
  if (chance(random, 60)) return;
  for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
    const bool is_off = chance(random, 15);
    const std::int32_t a = pick(random, low, high);
    problem.low_w.push_back(is_off ? (low > 0 ? low : 0) : (chance(random, 50) ? low : std::min(a, high)));
    problem.high_w.push_back(is_off ? problem.low_w.back() : (chance(random, 50) ? high : pick(random, problem.low_w.back(), high)));
  }
  problem.device.power_min_w = std::span<const std::int32_t>(problem.low_w);
  problem.device.power_max_w = std::span<const std::int32_t>(problem.high_w);
}

void draw_cost(Random& random, std::int32_t size, Problem& problem) {
  const std::int32_t step = chance(random, 30) ? std::max(1, size / 4) : 1;
  const std::int32_t reach = chance(random, 20) ? 8 * size : 2 * size;
  for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
    problem.target_w.push_back(pick(random, -reach, reach) / step * step);
  }
  problem.cost = {};
  if (chance(random, 50)) return;
  problem.cost.weight = static_cast<std::uint32_t>(chance(random, 50) ? pick(random, 1, 9) : pick(random, 1, 100'000));
  if (chance(random, 30)) problem.cost.wear = static_cast<std::uint32_t>(pick(random, 0, 50));
  for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
    problem.price.push_back(std::int64_t{problem.cost.weight} * pick(random, -size, size) + pick(random, -5, 5));
  }
  problem.cost.price = problem.price;
}

void draw_battery(Random& random, std::int32_t size, bool is_lossy, Problem& problem) {
  Device& device = problem.device;
  draw_powers(random, -size, chance(random, 80) ? size : pick(random, 1, 2 * size), problem);
  const std::int32_t room = pick(random, 1, std::max<std::int64_t>(2, std::int64_t{size} * problem.grid.slots *
                                                                          problem.grid.slot_seconds / 3600 / 2));
  device.energy_min_wh = chance(random, 50) ? 0 : pick(random, 0, room / 2);
  device.energy_max_wh = device.energy_min_wh + (chance(random, 5) ? 0 : room);
  device.energy_start_wh = chance(random, 95) ? pick(random, device.energy_min_wh, device.energy_max_wh)
                                              : pick(random, 0, device.energy_max_wh + room);
  device.energy_end_min_wh = pick(random, device.energy_min_wh, device.energy_max_wh);
  device.energy_end_max_wh = chance(random, 50) ? device.energy_end_min_wh : pick(random, device.energy_end_min_wh, device.energy_max_wh);
  if (!is_lossy) return;
  if (device.energy_end_max_wh == device.energy_end_min_wh) device.energy_end_max_wh += std::max(2, room / 20);
  device.charge_efficiency_permille = static_cast<std::uint16_t>(pick(random, 700, 1000));
  device.discharge_efficiency_permille = static_cast<std::uint16_t>(pick(random, 700, 1000));
  if (chance(random, 30)) device.standing_loss_w = pick(random, 0, 1 + size / 50);
}

void draw_shapeable(Random& random, std::int32_t size, Problem& problem) {
  Device& device = problem.device;
  draw_powers(random, chance(random, 50) ? 0 : -size, size, problem);
  device.start_slot = static_cast<std::uint32_t>(pick(random, 0, problem.grid.slots - 1));
  device.end_slot = static_cast<std::uint32_t>(pick(random, device.start_slot + 1, problem.grid.slots));
  const double hours = double(device.end_slot - device.start_slot) * problem.grid.slot_seconds / 3600;
  device.energy_wh = pick(random, -size / 10, static_cast<std::int64_t>(size * hours));
  if (chance(random, 50)) return;
  for (std::uint32_t slot = device.start_slot + 1; slot <= device.end_slot; ++slot) {
    if (!chance(random, 20)) continue;
    const double share = double(slot - device.start_slot) / (device.end_slot - device.start_slot);
    problem.milestones.push_back({slot, static_cast<std::int32_t>(device.energy_wh * share * pick(random, 0, 130) / 100)});
  }
  device.milestones = problem.milestones;
}

void draw_thermal(Random& random, std::int32_t size, Problem& problem) {
  Device& device = problem.device;
  draw_powers(random, 0, size, problem);
  const bool is_cooling = chance(random, 30);
  const std::int32_t ambient = is_cooling ? pick(random, 15'000, 35'000) : pick(random, -10'000, 20'000);
  device.leak_permyriad_per_slot = chance(random, 10) ? pick(random, 0, 9'999) : pick(random, 0, 600);
  // A day of full power moves the store by some tens of degrees.
  const double energy = double(size) * problem.grid.slot_seconds / 3600;
  const double settle = std::min<double>(problem.grid.slots, 1e4 / (device.leak_permyriad_per_slot + 1));
  const double gain = pick(random, 5'000, 60'000) / (energy * settle);
  device.gain_mk_per_wh = std::max(1, static_cast<std::int32_t>(gain)) * (is_cooling ? -1 : 1);
  for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
    problem.ambient_mc.push_back(ambient + pick(random, -3'000, 3'000));
    const std::int32_t centre = is_cooling ? 5'000 : 21'000;
    const std::int32_t half = pick(random, 500, 6'000);
    problem.min_mc.push_back(centre - half);
    problem.max_mc.push_back(centre + (chance(random, 50) ? half : 6'000));
  }
  device.start_mc = (is_cooling ? 5'000 : 21'000) + pick(random, -1'000, 1'000);
  device.ambient_mc = std::span<const std::int32_t>(problem.ambient_mc);
  device.min_mc = std::span<const std::int32_t>(problem.min_mc);
  device.max_mc = std::span<const std::int32_t>(problem.max_mc);
}

// A store with ramps, or a room and its walls: the bands lie around what some random powers lead to, or do not.
void draw_banded(Random& random, std::int32_t size, Problem& problem) {
  Device& device = problem.device;
  const std::uint32_t slots = problem.grid.slots;
  const std::int32_t wh = 3600 / static_cast<std::int32_t>(problem.grid.slot_seconds);
  draw_powers(random, chance(random, 50) ? 0 : -size, size, problem);
  if (chance(random, 70)) device.ramp_up_w = pick(random, size / 20, size);
  if (chance(random, 70)) device.ramp_down_w = pick(random, size / 20, size);
  device.is_ramped_from_before = chance(random, 30);
  device.power_before_w = pick(random, device.power_min_w.at(0), device.power_max_w.at(0));
  problem.states.resize(static_cast<std::size_t>(pick(random, 0, 2)));
  const std::size_t count = problem.states.size();
  const std::int32_t middle = pick(random, -20'000, 20'000);
  std::array<double, 2> level{};
  for (std::size_t i = 0; i < count; ++i) {
    solver::LinearState& state = problem.states[i];
    const std::int32_t leak = chance(random, 30) ? 0 : pick(random, 0, 300'000) / wh;
    const std::int32_t other = count == 2 ? pick(random, -20'000, 200'000) / wh : 0;
    state.keep_ppm[i] = 1'000'000 - leak - std::abs(other);
    state.keep_ppm[1 - i] = other;
    state.gain_milli_per_wh = i == 0 ? pick(random, 20, 2'000) * (chance(random, 20) ? -1 : 1) : pick(random, 0, 50);
    state.start = middle + pick(random, -1'000, 1'000);
    level[i] = state.start;
  }
  double power = pick(random, device.power_min_w.at(0), device.power_max_w.at(0));
  const double slack = pick(random, 0, 100) / 100.0;
  for (std::uint32_t t = 0; t < slots; ++t) {
    const double aim = pick(random, device.power_min_w.at(t), std::max(device.power_min_w.at(t), device.power_max_w.at(t)));
    power = std::clamp(aim, power - std::min(1e6, double(device.ramp_down_w)), power + std::min(1e6, double(device.ramp_up_w)));
    power = std::clamp(power, double(device.power_min_w.at(t)), std::max<double>(device.power_min_w.at(t), device.power_max_w.at(t)));
    const std::array<double, 2> before = level;
    for (std::size_t i = 0; i < count; ++i) {
      const solver::LinearState& state = problem.states[i];
      const std::int32_t drift = static_cast<std::int32_t>((1e6 - state.keep_ppm[0] - state.keep_ppm[1]) / 1e3 * middle) + pick(random, -100, 100);
      level[i] = (state.keep_ppm[0] * before[0] + state.keep_ppm[1] * before[1]) / 1e6 + drift / 1e3 +
                 state.gain_milli_per_wh / 1e3 * power / wh;
      const double room = std::abs(state.gain_milli_per_wh) / 1e3 * size / wh * slack + 3;
      problem.state_series[3 * i].push_back(static_cast<std::int32_t>(std::clamp(level[i] - room * pick(random, 0, 200) / 100, -1e6, 1e6)));
      problem.state_series[3 * i + 1].push_back(static_cast<std::int32_t>(std::clamp(level[i] + room * pick(random, 0, 200) / 100 + 1, -1e6, 1e6)));
      if (chance(random, 2)) problem.state_series[3 * i].back() += pick(random, 0, static_cast<std::int32_t>(room));
      problem.state_series[3 * i + 2].push_back(drift);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    problem.states[i].min = std::span<const std::int32_t>(problem.state_series[3 * i]);
    problem.states[i].max = std::span<const std::int32_t>(problem.state_series[3 * i + 1]);
    problem.states[i].drift_milli = std::span<const std::int32_t>(problem.state_series[3 * i + 2]);
  }
  device.states = problem.states;
}

}  // namespace

void draw(Random& random, DeviceKind kind, std::uint32_t slots, bool is_lossy, Problem& problem) {
  problem = {};
  constexpr std::uint32_t seconds[] = {3600, 1800, 900, 300};
  problem.grid = {slots, seconds[random() % 4]};
  const std::int32_t size = chance(random, 20) ? pick(random, 1, 20) : pick(random, 100, 20'000);
  problem.device.kind = kind;
  switch (kind) {
    case DeviceKind::battery: draw_battery(random, size, is_lossy, problem); break;
    case DeviceKind::shapeable: draw_shapeable(random, size, problem); break;
    case DeviceKind::thermal: draw_thermal(random, std::max(size, 50), problem); break;
    case DeviceKind::generator:
      problem.device.cost_quadratic = pick(random, 0, 20);
      problem.device.cost_linear = pick(random, -size, size);
      draw_powers(random, -size, 0, problem);
      break;
    case DeviceKind::banded: draw_banded(random, std::max(size, 10), problem); break;
    default: draw_powers(random, -size, size, problem); break;
  }
  draw_cost(random, size, problem);
}

}  // namespace wattproof::reference
