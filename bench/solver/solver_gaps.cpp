// SPDX-License-Identifier: Apache-2.0
// How far certificates and answers are from the optimum on random problems with tight limits: the tables of docs/SOLVER.md.
// solver_gaps [COUNT] [SEED]: COUNT problems a kind (20,000 by default; fewer of the ramped kind).
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "reference/device_reference.hpp"
#include "solver/solve.hpp"

namespace wattproof {
namespace {

using reference::Problem;
using solver::DeviceKind;

std::vector<std::uint64_t> workspace(16'000);

struct Answer {
  Error error = Error::none;
  solver::Report report;
  std::vector<std::int32_t> profile_w;
};

Answer answer(const Problem& problem) {
  Answer result;
  result.profile_w.resize(problem.grid.slots);
  result.error = solver::solve(problem.device, problem.grid, problem.target_w, problem.cost, workspace, result.profile_w, result.report);
  return result;
}

double curvature_of(const Problem& problem) {
  return double(problem.cost.weight) + problem.cost.wear + problem.cost.discomfort + problem.device.cost_quadratic;
}

// The size of J: its terms without their signs, as a day's bill may well be nothing.
double size_of_cost(const Problem& problem, std::span<const std::int32_t> profile_w) {
  double size = 0;
  for (std::size_t t = 0; t < profile_w.size(); ++t) {
    const double x = profile_w[t];
    const double distance = x - problem.target_w[t];
    size += double(problem.cost.weight) * distance * distance + double(problem.cost.wear) * x * x;
    if (!problem.price.empty()) size += std::abs(2 * double(problem.price[t]) * x);
  }
  return std::max(1.0, size);
}

double share(const std::vector<double>& sorted, double part) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

void print_row(const char* name, const char* measure, std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  if (values.empty()) return;
  std::printf("| %s | %s | %.2g | %.2g | %.2g | %.2g |", name, measure, share(values, 0.5), share(values, 0.9), share(values, 0.99), values.back());
}

void print_gaps(const char* name, DeviceKind kind, bool is_lossy, std::uint64_t count, std::uint64_t seed) {
  constexpr std::uint32_t days[] = {24, 48, 96};
  const bool is_relative = is_lossy || kind == DeviceKind::thermal;
  std::mt19937_64 random(seed);
  std::vector<double> gaps;
  std::uint64_t bounds = 0;
  std::uint64_t refused = 0;
  while (gaps.size() + refused < count) {
    Problem problem;
    reference::draw(random, kind, days[random() % 3], is_lossy, problem);
    const Answer given = answer(problem);
    if (!ok(given.error)) {
      ++refused;
      continue;
    }
    const double unit = is_relative ? size_of_cost(problem, given.profile_w) : curvature_of(problem) * problem.grid.slots;
    gaps.push_back(static_cast<double>(given.report.gap) / unit);
    if (given.report.kind == solver::CertificateKind::bound) ++bounds;
  }
  print_row(name, is_relative ? "gap / size of J" : "gap / (curvature T), W^2", gaps);
  std::printf(" %llu solved, %.1f %% bound\n", static_cast<unsigned long long>(gaps.size()),
              100.0 * static_cast<double>(bounds) / static_cast<double>(std::max<std::size_t>(1, gaps.size())));
  std::fflush(stdout);
}

// The ramped kind against an interior point method.
void print_banded(std::uint64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> excess;
  std::vector<double> gaps;
  for (std::uint64_t i = 0; i < count; ++i) {
    Problem problem;
    reference::draw(random, DeviceKind::banded, 1 + static_cast<std::uint32_t>(random() % 24), false, problem);
    const Answer given = answer(problem);
    if (!ok(given.error)) continue;
    const double unit = curvature_of(problem) * problem.grid.slots;
    gaps.push_back(static_cast<double>(given.report.gap) / unit);
    const reference::Solution best = reference::minimise(reference::program_of(problem.device, problem.grid, problem.target_w, problem.cost));
    if (!best.converged) continue;
    const std::vector<double> powers(given.profile_w.begin(), given.profile_w.end());
    const double cost = reference::cost_of(problem.device, problem.grid, problem.target_w, problem.cost, powers);
    excess.push_back(std::max(0.0, cost - best.objective) / unit);
  }
  print_row("banded", "J(x) - optimum, / (curvature T), W^2", excess);
  std::printf(" %zu compared\n", excess.size());
  print_row("banded", "gap, same unit", gaps);
  std::printf(" %zu solved\n", gaps.size());
  std::fflush(stdout);
}

// How often the ramped kind ends without an answer and without a proof that there is none.
void print_undecided(std::uint32_t slots, std::uint64_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uint64_t undecided = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Problem problem;
    reference::draw(random, DeviceKind::banded, slots, false, problem);
    if (answer(problem).error == Error::not_converged) ++undecided;
  }
  std::printf("banded, %u slots: %llu of %llu not converged\n", slots, static_cast<unsigned long long>(undecided),
              static_cast<unsigned long long>(count));
  std::fflush(stdout);
}

// The largest |x - x*| of the kinds whose program is on a grid, against the same interior point method.
void print_distance(std::uint64_t count, std::uint64_t seed) {
  constexpr DeviceKind kinds[] = {DeviceKind::battery, DeviceKind::shapeable, DeviceKind::curtailable, DeviceKind::generator};
  std::mt19937_64 random(seed);
  double largest = 0;
  std::uint64_t compared = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Problem problem;
    reference::draw(random, kinds[random() % 4], 1 + static_cast<std::uint32_t>(random() % 24), false, problem);
    const Answer given = answer(problem);
    if (!ok(given.error)) continue;
    const reference::Solution best = reference::minimise(reference::program_of(problem.device, problem.grid, problem.target_w, problem.cost));
    const std::vector<double> powers(given.profile_w.begin(), given.profile_w.end());
    const double cost = reference::cost_of(problem.device, problem.grid, problem.target_w, problem.cost, powers);
    // The method knows its powers to about the square root of what it misses of the minimum.
    if (!best.converged || best.objective > cost + 1e-3 * curvature_of(problem)) continue;
    ++compared;
    for (std::size_t t = 0; t < powers.size(); ++t) largest = std::max(largest, std::abs(powers[t] - best.x[t]));
  }
  std::printf("largest |x - x*| of %llu problems without losses, up to 24 slots: %.3f W\n", static_cast<unsigned long long>(compared), largest);
  std::fflush(stdout);
}

void print_all(std::uint64_t count, std::uint64_t seed) {
  std::printf("| kind | measure | median | 90 %% | 99 %% | largest |\n|---|---|---|---|---|---|\n");
  print_gaps("curtailable", DeviceKind::curtailable, false, count, seed);
  print_gaps("shapeable", DeviceKind::shapeable, false, count, seed);
  print_gaps("battery", DeviceKind::battery, false, count, seed);
  print_gaps("generator", DeviceKind::generator, false, count, seed);
  print_gaps("lossy battery", DeviceKind::battery, true, count, seed);
  print_gaps("thermal", DeviceKind::thermal, false, count, seed);
  print_distance(count / 2, seed);
  print_banded(count / 4, seed);
  print_undecided(8, count / 2, seed);
  print_undecided(24, count * 3 / 40, seed);
  print_undecided(96, count / 50, seed);
}

}  // namespace
}  // namespace wattproof

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  if (count < 100) {
    std::fputs("usage: solver_gaps [COUNT] [SEED], COUNT at least 100\n", stderr);
    return 2;
  }
  wattproof::print_all(count, seed);
  return 0;
}
