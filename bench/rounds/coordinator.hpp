// SPDX-License-Identifier: Apache-2.0
// The Scheduler's arithmetic (docs/SPEC.md section 5) on a host, to measure how many rounds communities need. The contract
// compares products in 256 bits; where that matters only for how the penalty moves, long double stands in here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "schedule/epoch.hpp"

namespace wattproof::bench {

struct Day {
  std::uint64_t gamma = 0;  // 2^-16 micro-units per kWh and W
  std::vector<std::int32_t> price, base_w, cap_w;
};

class Coordinator {
 public:
  using Profile = std::vector<std::int32_t>;

  // `warm`: the final epoch before, or none.
  Coordinator(const Day& day, std::uint64_t rho0, std::uint32_t tolerance_w, const std::vector<Profile>& fallbacks,
              const Coordinator* warm);

  // What the devices see: the head, and the vectors as they are committed to.
  const schedule::EpochHead& head() const { return head_; }
  std::vector<std::uint8_t> vector_bytes() const;

  void submit(std::span<const std::int32_t> before, std::span<const std::int32_t> after);
  void close();

  bool is_open() const { return head_.status == schedule::EpochStatus::open; }
  bool is_final() const { return head_.status == schedule::EpochStatus::final; }
  std::int64_t excess_w() const;  // of the worst slot

 private:
  __extension__ typedef __int128 Wide;
  struct Residuals {
    Wide gap2 = 0, dual2 = 0, scale2 = 0, u2 = 0;
  };
  Residuals step();
  bool is_small(const Residuals& residuals) const;
  std::int32_t penalty_step(const Residuals& residuals) const;

  Day day_;
  schedule::EpochHead head_;
  std::uint32_t tolerance_w_;
  std::vector<std::int64_t> sums_, z_, u_, mean_, z_before_;
  Wide movement_ = 0, power2_ = 0;
};

}  // namespace wattproof::bench
