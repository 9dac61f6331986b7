// SPDX-License-Identifier: Apache-2.0
#include "community.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dense.hpp"

namespace wattproof::reference {
namespace {

using Vector = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t iterations_max = 120;
constexpr double gap_relative = 1e-6;
constexpr double residual_relative = 1e-6;
constexpr std::uint64_t solves_max = 400;       // combinations that solve_free solves, and
constexpr std::uint64_t visits_max = 2'000'000;  // prefixes that it looks at, before it gives up completeness

// One inequality row of a block: sum over `weights` of variables <= bound.
struct Inequality {
  Vector weights;
  double bound;
};

// A device as variables v: its profile is fixed + map v. Numbers are scaled to kW so that the system is well conditioned.
struct Block {
  Matrix map;          // slots x variables
  Vector quadratic;    // diagonal of the own cost
  Vector linear;
  std::vector<Inequality> rows;
  bool has_equation = false;
  Vector equation;
  double equation_value = 0;

  Vector v, dv;
  double multiplier = 0, d_multiplier = 0;
  Vector slack, dual, d_slack, d_dual;

  Matrix factored;     // of the Newton block
  Vector solved_equation;
  double equation_norm = 0;
};

constexpr double kilo = 1000.0;

// Rows for how fast power may change, between neighbours among the slots that are free.
void limit_ramps(Block& block, const ConvexDevice& device, const std::vector<std::size_t>& free) {
  for (std::size_t i = 1; i < free.size(); ++i) {
    if (free[i] != free[i - 1] + 1) continue;
    Vector row(free.size(), 0.0);
    row[i] = 1;
    row[i - 1] = -1;
    if (device.rise_w < infinity) block.rows.push_back({row, device.rise_w / kilo});
    row[i] = -1;
    row[i - 1] = 1;
    if (device.fall_w < infinity) block.rows.push_back({row, device.fall_w / kilo});
  }
}

Block block_of(const ConvexDevice& device, std::uint32_t slots, Vector& fixed_kw) {
  std::vector<std::size_t> free;
  for (std::uint32_t t = 0; t < slots; ++t) {
    if (device.high_w[t] > device.low_w[t]) {
      free.push_back(t);
    } else {
      fixed_kw[t] += device.low_w[t] / kilo;
    }
  }
  Block block;
  const std::size_t n = free.size();
  block.map = Matrix(slots, n);
  block.quadratic.assign(n, device.own_quadratic * kilo);
  block.linear.assign(n, device.own_linear);
  for (std::size_t i = 0; i < n; ++i) {
    block.map(free[i], i) = 1;
    Vector row(n, 0.0);
    row[i] = 1;
    block.rows.push_back({row, device.high_w[free[i]] / kilo});
    row[i] = -1;
    block.rows.push_back({row, -device.low_w[free[i]] / kilo});
    block.v.push_back((device.low_w[free[i]] + device.high_w[free[i]]) / 2 / kilo);
  }
  limit_ramps(block, device, free);
  double fixed_sum = 0;
  for (std::uint32_t t = 0; t < slots && !device.sum_low.empty(); ++t) {
    if (device.high_w[t] <= device.low_w[t]) fixed_sum += device.low_w[t] / kilo;
    Vector row(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) row[i] = free[i] <= t ? 1 : 0;
    const double low = device.sum_low[t] / kilo - fixed_sum;
    const double high = device.sum_high[t] / kilo - fixed_sum;
    if (device.sum_low[t] == device.sum_high[t] && t + 1 == slots) {
      block.has_equation = true;
      block.equation = row;
      block.equation_value = low;
      continue;
    }
    if (device.sum_high[t] < infinity) block.rows.push_back({row, high});
    if (device.sum_low[t] > -infinity) {
      for (double& weight : row) weight = -weight;
      block.rows.push_back({row, -low});
    }
  }
  return block;
}

// Any mixture of the profiles: weights >= 0 with sum 1. The own cost of a profile is its weight's linear cost.
Block block_of(const ChoiceDevice& device, std::uint32_t slots) {
  Block block;
  const std::size_t n = device.profiles_w.size();
  block.map = Matrix(slots, n);
  block.quadratic.assign(n, 0);
  block.linear.assign(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::uint32_t t = 0; t < slots; ++t) {
      const double power = device.profiles_w[i][t] / kilo;
      block.map(t, i) = power;
      block.linear[i] += device.own_quadratic * kilo / 2 * power * power;
    }
    Vector row(n, 0.0);
    row[i] = -1;
    block.rows.push_back({row, 0});
  }
  block.v.assign(n, 1.0 / static_cast<double>(n));
  block.has_equation = true;
  block.equation.assign(n, 1.0);
  block.equation_value = 1;
  return block;
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Primal-dual path following over all blocks and the caps. Costs in micro-units per (kWh/kW): price * kW, gamma * 1000 * kW^2.
class InteriorPoint {
 public:
  InteriorPoint(const Community& community, std::vector<Block> blocks, Vector fixed_kw)
      : community_(community), blocks_(std::move(blocks)), fixed_(std::move(fixed_kw)), slots_(community.slots) {
    for (std::uint32_t t = 0; t < slots_; ++t) {
      fixed_[t] += community.base_w[t] / kilo;
      cap_.push_back(community.cap_w[t] / kilo);
    }
    gamma_ = community.gamma * kilo;
    for (Block& block : blocks_) {
      block.slack.assign(block.rows.size(), 1);
      block.dual.assign(block.rows.size(), scale());
      for (std::size_t r = 0; r < block.rows.size(); ++r) {
        block.slack[r] = std::max(0.1, block.rows[r].bound - dot(block.rows[r].weights, block.v));
      }
    }
    const Vector y = sums();
    for (std::uint32_t t = 0; t < slots_; ++t) {
      cap_slack_.push_back(std::max(0.1, cap_[t] - y[t]));
      cap_dual_.push_back(scale());
    }
  }

  Optimum run() {
    Optimum optimum;
    for (std::uint32_t i = 0; i < iterations_max; ++i) {
      optimum.iterations = i;
      const double mu = complementarity();
      if (residual() < residual_relative * scale() && mu * static_cast<double>(row_count()) < gap_relative * (1 + std::abs(objective()))) {
        optimum.is_feasible = true;
        break;
      }
      if (!step(mu)) break;
    }
    const double to_micro = static_cast<double>(community_.slot_seconds) / 3600.0;
    optimum.objective = objective() * to_micro;
    optimum.lower_bound = optimum.objective - complementarity() * static_cast<double>(row_count()) * to_micro;
    const Vector y = sums();
    for (std::uint32_t t = 0; t < slots_; ++t) {
      optimum.aggregate_w.push_back(y[t] * kilo);
      optimum.shadow_price.push_back(community_.price[t] + gamma_ * y[t] + cap_dual_[t]);
    }
    return optimum;
  }

 private:
  double scale() const {
    double largest = 1;
    for (const double price : community_.price) largest = std::max(largest, std::abs(price));
    return largest;
  }
  std::size_t row_count() const {
    std::size_t count = slots_;
    for (const Block& block : blocks_) count += block.rows.size();
    return count;
  }
  Vector sums() const {
    Vector y = fixed_;
    for (const Block& block : blocks_) {
      for (std::uint32_t t = 0; t < slots_; ++t) {
        for (std::size_t i = 0; i < block.v.size(); ++i) y[t] += block.map(t, i) * block.v[i];
      }
    }
    return y;
  }
  double objective() const {
    const Vector y = sums();
    double sum = 0;
    for (std::uint32_t t = 0; t < slots_; ++t) sum += community_.price[t] * y[t] + gamma_ / 2 * y[t] * y[t];
    for (const Block& block : blocks_) {
      for (std::size_t i = 0; i < block.v.size(); ++i) {
        sum += block.quadratic[i] / 2 * block.v[i] * block.v[i] + block.linear[i] * block.v[i];
      }
    }
    return sum;
  }
  double complementarity() const {
    double sum = dot(cap_slack_, cap_dual_);
    for (const Block& block : blocks_) sum += dot(block.slack, block.dual);
    return sum / static_cast<double>(row_count());
  }

  // Gradient of the Lagrangian with respect to a block's variables.
  Vector gradient(const Block& block, const Vector& slot_price) const {
    Vector g(block.v.size());
    for (std::size_t i = 0; i < g.size(); ++i) {
      g[i] = block.quadratic[i] * block.v[i] + block.linear[i];
      for (std::uint32_t t = 0; t < slots_; ++t) g[i] += block.map(t, i) * slot_price[t];
      if (block.has_equation) g[i] += block.equation[i] * block.multiplier;
      for (std::size_t r = 0; r < block.rows.size(); ++r) g[i] += block.rows[r].weights[i] * block.dual[r];
    }
    return g;
  }
  Vector slot_prices(const Vector& y) const {
    Vector price(slots_);
    for (std::uint32_t t = 0; t < slots_; ++t) price[t] = community_.price[t] + gamma_ * y[t] + cap_dual_[t];
    return price;
  }
  double residual() const {
    const Vector y = sums();
    const Vector price = slot_prices(y);
    double worst = 0;
    for (std::uint32_t t = 0; t < slots_; ++t) worst = std::max(worst, std::abs(y[t] + cap_slack_[t] - cap_[t]) * scale());
    for (const Block& block : blocks_) {
      for (const double g : gradient(block, price)) worst = std::max(worst, std::abs(g));
      for (std::size_t r = 0; r < block.rows.size(); ++r) {
        worst = std::max(worst, std::abs(dot(block.rows[r].weights, block.v) + block.slack[r] - block.rows[r].bound) * scale());
      }
      if (block.has_equation) worst = std::max(worst, std::abs(dot(block.equation, block.v) - block.equation_value) * scale());
    }
    return worst;
  }

  bool factor_blocks() {
    for (Block& block : blocks_) {
      const std::size_t n = block.v.size();
      block.factored = Matrix(n, n);
      for (std::size_t i = 0; i < n; ++i) block.factored(i, i) = block.quadratic[i] + 1e-9;
      for (std::size_t r = 0; r < block.rows.size(); ++r) {
        const double weight = block.dual[r] / block.slack[r];
        const Vector& row = block.rows[r].weights;
        for (std::size_t i = 0; i < n; ++i) {
          if (row[i] == 0) continue;
          for (std::size_t j = 0; j <= i; ++j) block.factored(i, j) += weight * row[i] * row[j];
        }
      }
      if (n > 0 && !factor(block.factored)) return false;
      if (block.has_equation) {
        block.solved_equation = block.equation;
        solve_factored(block.factored, block.solved_equation);
        block.equation_norm = dot(block.equation, block.solved_equation);
      }
    }
    return true;
  }

  // Solves the block's own Newton system [B a; a' 0] (dv, dm) = (r, e).
  static Vector solve_block(const Block& block, Vector r, double e, double& dm) {
    if (r.empty()) return r;
    solve_factored(block.factored, r);
    dm = 0;
    if (block.has_equation && block.equation_norm > 0) {
      dm = (dot(block.equation, r) - e) / block.equation_norm;
      for (std::size_t i = 0; i < r.size(); ++i) r[i] -= dm * block.solved_equation[i];
    }
    return r;
  }

  // The coupling of the blocks by their sums: K = D^-1 + sum of map B^-1 map', factored.
  bool factor_coupling(const Vector& d) {
    coupling_ = Matrix(slots_, slots_);
    for (std::uint32_t t = 0; t < slots_; ++t) coupling_(t, t) = 1 / d[t];
    for (const Block& block : blocks_) {
      const std::size_t n = block.v.size();
      for (std::uint32_t s = 0; s < slots_ && n > 0; ++s) {
        Vector column(n);
        bool is_zero = true;
        for (std::size_t i = 0; i < n; ++i) {
          column[i] = block.map(s, i);
          is_zero = is_zero && column[i] == 0;
        }
        if (is_zero) continue;
        double dm = 0;
        column = solve_block(block, column, 0, dm);
        for (std::uint32_t t = s; t < slots_; ++t) {
          double sum = 0;
          for (std::size_t i = 0; i < n; ++i) sum += block.map(t, i) * column[i];
          coupling_(t, s) += sum;
        }
      }
    }
    return factor(coupling_);
  }

  // One direction for given complementarity targets; second order terms come from the affine direction.
  void direction(const Vector& y, double target, bool is_corrector) {
    const Vector price = slot_prices(y);
    std::vector<Vector> rhs(blocks_.size());
    Vector cap_right(slots_);  // of the eliminated cap rows
    for (std::uint32_t t = 0; t < slots_; ++t) {
      const double second = is_corrector ? d_cap_slack_[t] * d_cap_dual_[t] : 0;
      const double complement = target - cap_slack_[t] * cap_dual_[t] - second;
      const double primal = cap_[t] - y[t] - cap_slack_[t];
      cap_right[t] = (complement - cap_dual_[t] * primal) / cap_slack_[t];
    }
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const Block& block = blocks_[b];
      Vector g = gradient(block, price);
      for (std::size_t i = 0; i < g.size(); ++i) {
        g[i] = -g[i];
        for (std::uint32_t t = 0; t < slots_; ++t) g[i] -= block.map(t, i) * cap_right[t];
      }
      for (std::size_t r = 0; r < block.rows.size(); ++r) {
        const double right = row_right(block, r, target, is_corrector);
        for (std::size_t i = 0; i < g.size(); ++i) g[i] -= block.rows[r].weights[i] * right;
      }
      rhs[b] = g;
    }
    solve_all(rhs);
    finish_direction(y, target, is_corrector);
  }

  double row_right(const Block& block, std::size_t r, double target, bool is_corrector) const {
    const double second = is_corrector ? block.d_slack[r] * block.d_dual[r] : 0;
    const double complement = target - block.slack[r] * block.dual[r] - second;
    const double primal = block.rows[r].bound - dot(block.rows[r].weights, block.v) - block.slack[r];
    return (complement - block.dual[r] * primal) / block.slack[r];
  }

  void solve_all(std::vector<Vector>& rhs) {
    Vector coupled(slots_, 0.0);
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      Block& block = blocks_[b];
      const double e = block.has_equation ? block.equation_value - dot(block.equation, block.v) : 0;
      block.dv = solve_block(block, rhs[b], e, block.d_multiplier);
      for (std::uint32_t t = 0; t < slots_; ++t) {
        for (std::size_t i = 0; i < block.dv.size(); ++i) coupled[t] += block.map(t, i) * block.dv[i];
      }
    }
    solve_factored(coupling_, coupled);
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      Block& block = blocks_[b];
      for (std::size_t i = 0; i < rhs[b].size(); ++i) {
        for (std::uint32_t t = 0; t < slots_; ++t) rhs[b][i] -= block.map(t, i) * coupled[t];
      }
      const double e = block.has_equation ? block.equation_value - dot(block.equation, block.v) : 0;
      block.dv = solve_block(block, rhs[b], e, block.d_multiplier);
    }
  }

  void finish_direction(const Vector& y, double target, bool is_corrector) {
    Vector dy(slots_, 0.0);
    for (Block& block : blocks_) {
      for (std::uint32_t t = 0; t < slots_; ++t) {
        for (std::size_t i = 0; i < block.dv.size(); ++i) dy[t] += block.map(t, i) * block.dv[i];
      }
      const Vector slack_before = block.d_slack, dual_before = block.d_dual;
      Vector d_slack(block.rows.size()), d_dual(block.rows.size());
      for (std::size_t r = 0; r < block.rows.size(); ++r) {
        const Vector& row = block.rows[r].weights;
        d_slack[r] = block.rows[r].bound - dot(row, block.v) - block.slack[r] - dot(row, block.dv);
        const double second = is_corrector ? slack_before[r] * dual_before[r] : 0;
        d_dual[r] = (target - block.slack[r] * block.dual[r] - second - block.dual[r] * d_slack[r]) / block.slack[r];
      }
      block.d_slack = d_slack;
      block.d_dual = d_dual;
    }
    const Vector slack_before = d_cap_slack_, dual_before = d_cap_dual_;
    d_cap_slack_.assign(slots_, 0);
    d_cap_dual_.assign(slots_, 0);
    for (std::uint32_t t = 0; t < slots_; ++t) {
      d_cap_slack_[t] = cap_[t] - y[t] - cap_slack_[t] - dy[t];
      const double second = is_corrector ? slack_before[t] * dual_before[t] : 0;
      d_cap_dual_[t] = (target - cap_slack_[t] * cap_dual_[t] - second - cap_dual_[t] * d_cap_slack_[t]) / cap_slack_[t];
    }
  }

  static void shorten(double value, double change, double& length) {
    if (change < 0) length = std::min(length, -value / change);
  }
  double longest() const {
    double length = 1;
    for (std::uint32_t t = 0; t < slots_; ++t) {
      shorten(cap_slack_[t], d_cap_slack_[t], length);
      shorten(cap_dual_[t], d_cap_dual_[t], length);
    }
    for (const Block& block : blocks_) {
      for (std::size_t r = 0; r < block.rows.size(); ++r) {
        shorten(block.slack[r], block.d_slack[r], length);
        shorten(block.dual[r], block.d_dual[r], length);
      }
    }
    return length;
  }
  double complementarity_after(double length) const {
    double sum = 0;
    for (std::uint32_t t = 0; t < slots_; ++t) {
      sum += (cap_slack_[t] + length * d_cap_slack_[t]) * (cap_dual_[t] + length * d_cap_dual_[t]);
    }
    for (const Block& block : blocks_) {
      for (std::size_t r = 0; r < block.rows.size(); ++r) {
        sum += (block.slack[r] + length * block.d_slack[r]) * (block.dual[r] + length * block.d_dual[r]);
      }
    }
    return sum / static_cast<double>(row_count());
  }
  void move(double length) {
    for (Block& block : blocks_) {
      for (std::size_t i = 0; i < block.v.size(); ++i) block.v[i] += length * block.dv[i];
      // The block's systems give the new multiplier's change with the gradient already holding the old one.
      block.multiplier += length * block.d_multiplier;
      for (std::size_t r = 0; r < block.rows.size(); ++r) {
        block.slack[r] += length * block.d_slack[r];
        block.dual[r] += length * block.d_dual[r];
      }
    }
    for (std::uint32_t t = 0; t < slots_; ++t) {
      cap_slack_[t] += length * d_cap_slack_[t];
      cap_dual_[t] += length * d_cap_dual_[t];
    }
  }

  bool step(double mu) {
    const Vector y = sums();
    Vector d(slots_);
    for (std::uint32_t t = 0; t < slots_; ++t) d[t] = gamma_ + cap_dual_[t] / cap_slack_[t];
    if (!factor_blocks() || !factor_coupling(d)) return false;
    direction(y, 0, false);
    const double affine = complementarity_after(longest());
    const double sigma = std::pow(affine / mu, 3);
    direction(y, sigma * mu, true);
    const double length = 0.995 * longest();
    if (length < 1e-10 || !std::isfinite(length)) return false;
    move(std::min(1.0, length));
    return true;
  }

  const Community& community_;
  std::vector<Block> blocks_;
  Vector fixed_;
  std::uint32_t slots_;
  Vector cap_;
  double gamma_ = 0;
  Vector cap_slack_, cap_dual_, d_cap_slack_, d_cap_dual_;
  Matrix coupling_;
};

std::vector<Block> convex_blocks(const Community& community, Vector& fixed_kw) {
  std::vector<Block> blocks;
  for (const ConvexDevice& device : community.convex) {
    Block block = block_of(device, community.slots, fixed_kw);
    if (!block.v.empty()) blocks.push_back(std::move(block));
  }
  return blocks;
}

// What the fixed slots of devices cost beyond the community's price; the blocks do not see it.
double own_cost_of_fixed(const Community& community) {
  double sum = 0;
  for (const ConvexDevice& device : community.convex) {
    for (std::uint32_t t = 0; t < community.slots; ++t) {
      if (device.high_w[t] <= device.low_w[t]) sum += device.own_quadratic * kilo / 2 * std::pow(device.low_w[t] / kilo, 2);
    }
  }
  return sum * community.slot_seconds / 3600.0;
}

double own_cost_of_choice(const ChoiceDevice& device, std::size_t index, std::uint32_t slot_seconds) {
  double sum = 0;
  for (const double power_w : device.profiles_w[index]) sum += device.own_quadratic * kilo / 2 * std::pow(power_w / kilo, 2);
  return sum * slot_seconds / 3600.0;
}

}  // namespace

Optimum solve_fixed(const Community& community, const std::vector<std::size_t>& chosen) {
  Vector fixed_kw(community.slots, 0.0);
  std::vector<Block> blocks = convex_blocks(community, fixed_kw);
  double own = own_cost_of_fixed(community);
  for (std::size_t i = 0; i < community.choices.size(); ++i) {
    for (std::uint32_t t = 0; t < community.slots; ++t) fixed_kw[t] += community.choices[i].profiles_w[chosen[i]][t] / kilo;
    own += own_cost_of_choice(community.choices[i], chosen[i], community.slot_seconds);
  }
  Optimum optimum = InteriorPoint(community, std::move(blocks), fixed_kw).run();
  optimum.objective += own;
  optimum.lower_bound += own;
  optimum.chosen = chosen;
  return optimum;
}

Optimum solve_relaxed(const Community& community) {
  Vector fixed_kw(community.slots, 0.0);
  std::vector<Block> blocks = convex_blocks(community, fixed_kw);
  for (const ChoiceDevice& device : community.choices) blocks.push_back(block_of(device, community.slots));
  Optimum optimum = InteriorPoint(community, std::move(blocks), fixed_kw).run();
  optimum.objective += own_cost_of_fixed(community);
  optimum.lower_bound += own_cost_of_fixed(community);
  return optimum;
}

namespace {

using Excesses = std::vector<std::vector<std::pair<double, std::size_t>>>;

// At the shadow prices every profile of a device costs so much more than its cheapest one; the sum of these excesses on top
// of the relaxed optimum bounds a combination from below (weak duality of the coupled problem). Ascending for each device.
Excesses excesses(const Community& community, const Optimum& relaxed) {
  Excesses excess(community.choices.size());
  const double to_micro = community.slot_seconds / 3600.0;
  for (std::size_t i = 0; i < community.choices.size(); ++i) {
    const ChoiceDevice& device = community.choices[i];
    double least = infinity;
    for (std::size_t p = 0; p < device.profiles_w.size(); ++p) {
      double cost = own_cost_of_choice(device, p, community.slot_seconds);
      for (std::uint32_t t = 0; t < community.slots; ++t) {
        cost += relaxed.shadow_price[t] * device.profiles_w[p][t] / kilo * to_micro;
      }
      excess[i].emplace_back(cost, p);
      least = std::min(least, cost);
    }
    for (auto& [cost, p] : excess[i]) cost -= least;
    std::sort(excess[i].begin(), excess[i].end());
  }
  return excess;
}

}  // namespace

Optimum solve_free(const Community& community, std::uint64_t& combinations, std::uint64_t& solved) {
  const Optimum relaxed = solve_relaxed(community);
  combinations = 1;
  solved = 0;
  if (!relaxed.is_feasible) return relaxed;
  for (const ChoiceDevice& device : community.choices) combinations *= device.profiles_w.size();
  const Excesses excess = excesses(community, relaxed);
  Optimum best;
  best.objective = infinity;
  best.is_complete = true;
  // Depth first over the sorted excesses: what a prefix already costs on top of the relaxed optimum can only grow.
  std::vector<std::size_t> place;
  double so_far = 0;
  std::size_t next = 0;
  std::uint64_t visited = 0;
  for (;;) {
    const std::size_t depth = place.size();
    if (++visited > visits_max || solved >= solves_max) {
      best.is_complete = false;
      break;
    }
    const bool is_leaf = depth == excess.size();
    if (is_leaf) {
      std::vector<std::size_t> chosen;
      for (std::size_t i = 0; i < depth; ++i) chosen.push_back(excess[i][place[i]].second);
      const Optimum optimum = solve_fixed(community, chosen);
      ++solved;
      if (optimum.is_feasible && optimum.objective < best.objective) {
        const bool is_complete = best.is_complete;
        best = optimum;
        best.is_complete = is_complete;
      }
    }
    const bool may_descend = !is_leaf && next < excess[depth].size() &&
                             relaxed.lower_bound + so_far + excess[depth][next].first < best.objective;
    if (may_descend) {
      so_far += excess[depth][next].first;
      place.push_back(next);
      next = 0;
      continue;
    }
    if (place.empty()) break;
    next = place.back() + 1;
    so_far -= excess[depth - 1][place.back()].first;
    place.pop_back();
  }
  best.lower_bound = relaxed.lower_bound;
  return best;
}

}  // namespace wattproof::reference
