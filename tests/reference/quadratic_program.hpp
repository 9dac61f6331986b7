// SPDX-License-Identifier: Apache-2.0
// A textbook primal-dual interior point method in double precision, dense, for checking: minimise
// sum of curvature x^2 / 2 + linear x, with boxes and any linear rows. It shares no idea and no line with lib/solver.
#pragma once

#include <vector>

namespace wattproof::reference {

struct Row {
  std::vector<double> coefficients;
  double low;   // -infinity if there is none
  double high;  // equal to low for an equation
};

struct QuadraticProgram {
  std::vector<double> curvature;  // >= 0
  std::vector<double> linear;
  std::vector<double> low;
  std::vector<double> high;
  std::vector<Row> rows;
};

struct Solution {
  bool converged = false;
  double objective = 0;
  double worst_violation = 0;
  int iterations = 0;
  std::vector<double> x;
};

// Converges on a feasible program, to about 1e-9 of its scale; `converged` is false on an infeasible one.
Solution minimise(const QuadraticProgram& program);

}  // namespace wattproof::reference
