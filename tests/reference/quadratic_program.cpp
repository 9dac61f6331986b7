// SPDX-License-Identifier: Apache-2.0
#include "reference/quadratic_program.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace wattproof::reference {

namespace {

using Vector = std::vector<double>;

// One inequality g x <= h: either a whole row or one side of a box.
struct Inequality {
  std::size_t row;    // index of a row, or of a variable if is_box
  bool is_box;
  double sign;        // +1: value <= bound, -1: -value <= -bound
  double bound;
};

class Solver {
 public:
  explicit Solver(const QuadraticProgram& program) : program_(program), size_(program.linear.size()) {
    const double infinity = INFINITY;
    for (std::size_t i = 0; i < size_; ++i) {
      scale_ = std::max({scale_, std::abs(program.low[i] > -infinity ? program.low[i] : 0),
                         std::abs(program.high[i] < infinity ? program.high[i] : 0)});
    }
    for (std::size_t i = 0; i < size_; ++i) {
      fixed_.push_back(program.low[i] == program.high[i]);
      if (fixed_[i]) continue;
      if (program.low[i] > -infinity) inequalities_.push_back({i, true, -1, -program.low[i] / scale_});
      if (program.high[i] < infinity) inequalities_.push_back({i, true, 1, program.high[i] / scale_});
    }
    for (std::size_t r = 0; r < program.rows.size(); ++r) {
      const Row& row = program.rows[r];
      if (row.low == row.high) {
        equations_.push_back(r);
        continue;
      }
      if (row.low > -infinity) inequalities_.push_back({r, false, -1, -row.low / scale_});
      if (row.high < infinity) inequalities_.push_back({r, false, 1, row.high / scale_});
    }
    for (std::size_t i = 0; i < size_; ++i) {
      const double a = std::max(program.low[i], -1e3 * scale_) / scale_;
      const double b = std::min(program.high[i], 1e3 * scale_) / scale_;
      x_.push_back((a + b) / 2);
      cost_scale_ = std::max(cost_scale_, std::abs(program.linear[i]) / scale_ + program.curvature[i]);
    }
  }

  Solution run() {
    const std::size_t count = inequalities_.size();
    s_.assign(count, 1.0);
    z_.assign(count, 1.0);
    y_.assign(equations_.size(), 0.0);
    for (std::size_t k = 0; k < count; ++k) s_[k] = std::max(1e-2, inequalities_[k].bound - value(k, x_));
    Solution best;
    for (int iteration = 0; iteration < 120; ++iteration) {
      const double gap = residuals();
      if (gap < 1e-11 && norm(primal_) < 1e-11 && norm(dual_) < 1e-10 && norm(equation_) < 1e-11) {
        best.converged = true;
        best.iterations = iteration;
        break;
      }
      if (!step(gap)) break;
    }
    if (!best.converged) {
      const double gap = residuals();
      best.converged = gap < 1e-8 && norm(primal_) < 1e-8 && norm(equation_) < 1e-8 && norm(dual_) < 1e-6;
    }
    finish(best);
    return best;
  }

 private:
  static double norm(const Vector& v) {
    double largest = 0;
    for (const double e : v) largest = std::max(largest, std::abs(e));
    return largest;
  }

  double row_value(std::size_t row, const Vector& x) const {
    double sum = 0;
    for (std::size_t i = 0; i < size_; ++i) sum += program_.rows[row].coefficients[i] * x[i];
    return sum;
  }

  double value(std::size_t k, const Vector& x) const {
    const Inequality& q = inequalities_[k];
    return q.sign * (q.is_box ? x[q.row] : row_value(q.row, x));
  }

  void add_transposed(std::size_t k, double factor, Vector& to) const {
    const Inequality& q = inequalities_[k];
    if (q.is_box) {
      to[q.row] += q.sign * factor;
    } else {
      for (std::size_t i = 0; i < size_; ++i) to[i] += q.sign * factor * program_.rows[q.row].coefficients[i];
    }
  }

  // Fills the residuals and returns the mean complementarity.
  double residuals() {
    dual_.assign(size_, 0);
    for (std::size_t i = 0; i < size_; ++i) {
      dual_[i] = (program_.curvature[i] * x_[i] + program_.linear[i] / scale_) / cost_scale_;
    }
    primal_.assign(inequalities_.size(), 0);
    double gap = 0;
    for (std::size_t k = 0; k < inequalities_.size(); ++k) {
      primal_[k] = value(k, x_) + s_[k] - inequalities_[k].bound;
      add_transposed(k, z_[k], dual_);
      gap += s_[k] * z_[k];
    }
    equation_.assign(equations_.size(), 0);
    for (std::size_t e = 0; e < equations_.size(); ++e) {
      equation_[e] = row_value(equations_[e], x_) - program_.rows[equations_[e]].low / scale_;
      for (std::size_t i = 0; i < size_; ++i) dual_[i] += y_[e] * program_.rows[equations_[e]].coefficients[i];
    }
    for (std::size_t i = 0; i < size_; ++i) {
      if (fixed_[i]) dual_[i] = 0;
    }
    return inequalities_.empty() ? 0 : gap / static_cast<double>(inequalities_.size());
  }

  bool factor() {
    matrix_.assign(size_ * size_, 0);
    for (std::size_t i = 0; i < size_; ++i) matrix_[i * size_ + i] = program_.curvature[i] / cost_scale_ + 1e-12;
    for (std::size_t k = 0; k < inequalities_.size(); ++k) {
      const Inequality& q = inequalities_[k];
      if (q.is_box) {
        matrix_[q.row * size_ + q.row] += z_[k] / s_[k];
      } else {
        add_square(program_.rows[q.row].coefficients, z_[k] / s_[k]);
      }
    }
    for (const std::size_t e : equations_) add_square(program_.rows[e].coefficients, 1 / equation_softness);
    for (std::size_t i = 0; i < size_; ++i) {
      if (!fixed_[i]) continue;
      for (std::size_t j = 0; j < size_; ++j) matrix_[i * size_ + j] = matrix_[j * size_ + i] = 0;
      matrix_[i * size_ + i] = 1;
    }
    for (std::size_t j = 0; j < size_; ++j) {
      for (std::size_t k = 0; k < j; ++k) {
        const double l = matrix_[j * size_ + k];
        if (l == 0) continue;
        for (std::size_t i = j; i < size_; ++i) matrix_[i * size_ + j] -= matrix_[i * size_ + k] * l;
      }
      const double pivot = matrix_[j * size_ + j];
      if (!(pivot > 0)) return false;
      const double root = std::sqrt(pivot);
      for (std::size_t i = j; i < size_; ++i) matrix_[i * size_ + j] /= root;
    }
    return true;
  }

  void add_square(const Vector& row, double weight) {
    for (std::size_t i = 0; i < size_; ++i) {
      if (row[i] == 0) continue;
      for (std::size_t j = 0; j <= i; ++j) matrix_[i * size_ + j] += weight * row[i] * row[j];
    }
  }

  void back_substitute(Vector& v) const {
    for (std::size_t i = 0; i < size_; ++i) {
      for (std::size_t j = 0; j < i; ++j) v[i] -= matrix_[i * size_ + j] * v[j];
      v[i] /= matrix_[i * size_ + i];
    }
    for (std::size_t i = size_; i-- > 0;) {
      for (std::size_t j = i + 1; j < size_; ++j) v[i] -= matrix_[j * size_ + i] * v[j];
      v[i] /= matrix_[i * size_ + i];
    }
  }

  // The Newton direction towards complementarity `centre`; `bend` is the second-order correction ds dz.
  void direction(double centre, const Vector& bend, Vector& dx, Vector& ds, Vector& dz, Vector& dy) const {
    dx.assign(size_, 0);
    for (std::size_t i = 0; i < size_; ++i) dx[i] = -dual_[i];
    const std::size_t count = inequalities_.size();
    for (std::size_t k = 0; k < count; ++k) {
      add_transposed(k, -(z_[k] / s_[k] * primal_[k] - z_[k] + (centre - bend[k]) / s_[k]), dx);
    }
    for (std::size_t e = 0; e < equations_.size(); ++e) {
      for (std::size_t i = 0; i < size_; ++i) {
        dx[i] -= program_.rows[equations_[e]].coefficients[i] * equation_[e] / equation_softness;
      }
    }
    for (std::size_t i = 0; i < size_; ++i) {
      if (fixed_[i]) dx[i] = 0;
    }
    back_substitute(dx);
    ds.assign(count, 0);
    dz.assign(count, 0);
    for (std::size_t k = 0; k < count; ++k) {
      const double g = value(k, dx);
      ds[k] = -primal_[k] - g;
      dz[k] = z_[k] / s_[k] * (g + primal_[k]) - z_[k] + (centre - bend[k]) / s_[k];
    }
    dy.assign(equations_.size(), 0);
    for (std::size_t e = 0; e < equations_.size(); ++e) {
      dy[e] = (row_value(equations_[e], dx) + equation_[e]) / equation_softness;
    }
  }

  static double longest(const Vector& v, const Vector& dv) {
    double length = 1;
    for (std::size_t k = 0; k < v.size(); ++k) {
      if (dv[k] < 0) length = std::min(length, -v[k] / dv[k]);
    }
    return length;
  }

  bool step(double gap) {
    if (!factor()) return false;
    Vector dx, ds, dz, dy;
    const Vector straight(inequalities_.size(), 0.0);
    direction(0, straight, dx, ds, dz, dy);
    const double reach = std::min(longest(s_, ds), longest(z_, dz));
    double after = 0;
    Vector bend(inequalities_.size(), 0.0);
    for (std::size_t k = 0; k < s_.size(); ++k) {
      after += (s_[k] + reach * ds[k]) * (z_[k] + reach * dz[k]);
      bend[k] = ds[k] * dz[k];
    }
    if (!s_.empty()) after /= static_cast<double>(s_.size());
    const double ratio = gap > 0 ? after / gap : 0;
    direction(gap * ratio * ratio * ratio, bend, dx, ds, dz, dy);
    const double length = std::min(1.0, 0.99 * std::min(longest(s_, ds), longest(z_, dz)));
    if (!(length > 1e-13)) return false;
    for (std::size_t i = 0; i < size_; ++i) x_[i] += length * dx[i];
    for (std::size_t k = 0; k < s_.size(); ++k) {
      s_[k] += length * ds[k];
      z_[k] += length * dz[k];
    }
    for (std::size_t e = 0; e < y_.size(); ++e) y_[e] += length * dy[e];
    return true;
  }

  void finish(Solution& solution) const {
    solution.x.resize(size_);
    for (std::size_t i = 0; i < size_; ++i) {
      solution.x[i] = x_[i] * scale_;
      solution.objective += program_.curvature[i] / 2 * solution.x[i] * solution.x[i] + program_.linear[i] * solution.x[i];
    }
    for (std::size_t i = 0; i < size_; ++i) {
      solution.worst_violation =
          std::max({solution.worst_violation, program_.low[i] - solution.x[i], solution.x[i] - program_.high[i]});
    }
    for (std::size_t r = 0; r < program_.rows.size(); ++r) {
      const double v = row_value(r, solution.x);
      solution.worst_violation = std::max({solution.worst_violation, program_.rows[r].low - v, v - program_.rows[r].high});
    }
  }

  static constexpr double equation_softness = 1e-8;
  const QuadraticProgram& program_;
  std::size_t size_;
  double scale_ = 1;
  double cost_scale_ = 1e-30;
  std::vector<bool> fixed_;
  std::vector<Inequality> inequalities_;
  std::vector<std::size_t> equations_;
  Vector x_, s_, z_, y_, dual_, primal_, equation_, matrix_;
};

}  // namespace

Solution minimise(const QuadraticProgram& program) { return Solver(program).run(); }

}  // namespace wattproof::reference
