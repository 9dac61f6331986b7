// SPDX-License-Identifier: Apache-2.0
#include "community.hpp"

namespace wattproof::reference {

double objective_of(const Community& community, const std::vector<std::vector<double>>& profiles_w) {
  double sum = 0;
  for (std::uint32_t t = 0; t < community.slots; ++t) {
    double y_w = community.base_w[t];
    for (std::size_t i = 0; i < profiles_w.size(); ++i) {
      const bool is_convex = i < community.convex.size();
      const double own = is_convex ? community.convex[i].own_quadratic
                                   : community.choices[i - community.convex.size()].own_quadratic;
      const double linear = is_convex ? community.convex[i].own_linear : 0;
      y_w += profiles_w[i][t];
      sum += (own / 2 * profiles_w[i][t] + linear) * profiles_w[i][t] / 1000;
    }
    sum += (community.price[t] * y_w + community.gamma / 2 * y_w * y_w) / 1000;
  }
  return sum * community.slot_seconds / 3600.0;
}

}  // namespace wattproof::reference
