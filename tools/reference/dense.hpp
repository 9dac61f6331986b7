// SPDX-License-Identifier: Apache-2.0
// The little dense linear algebra that the reference needs.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace wattproof::reference {

class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns), values_(rows * columns, 0.0) {}
  double& operator()(std::size_t row, std::size_t column) { return values_[row * columns_ + column]; }
  double operator()(std::size_t row, std::size_t column) const { return values_[row * columns_ + column]; }
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }

 private:
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::vector<double> values_;
};

// Cholesky factor in the lower triangle; false if the matrix is not positive definite.
inline bool factor(Matrix& a) {
  const std::size_t n = a.rows();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a(i, j);
      for (std::size_t k = 0; k < j; ++k) sum -= a(i, k) * a(j, k);
      if (i != j) {
        a(i, j) = sum / a(j, j);
      } else if (sum > 0) {
        a(i, i) = std::sqrt(sum);
      } else {
        return false;
      }
    }
  }
  return true;
}

inline void solve_factored(const Matrix& l, std::vector<double>& b) {
  const std::size_t n = l.rows();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= l(i, k) * b[k];
    b[i] /= l(i, i);
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= l(k, i) * b[k];
    b[i] /= l(i, i);
  }
}

}  // namespace wattproof::reference
