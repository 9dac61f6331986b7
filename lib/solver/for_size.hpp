// SPDX-License-Identifier: Apache-2.0
// Whether the solver is compiled for size (-Os) or for speed. Internal to solver/.
#pragma once

namespace wattproof::solver {

// Compiled for size, one loop serves what has loops of its own for the common cases where speed counts. The answers are the
// same.
#ifdef __OPTIMIZE_SIZE__
constexpr bool is_for_size = true;
#define WATTPROOF_INLINE_FOR_SPEED [[gnu::noinline]]
#define WATTPROOF_ONCE_FOR_SIZE [[gnu::noinline]]
#define WATTPROOF_INLINE_FOR_SIZE [[gnu::always_inline]] inline
#else
constexpr bool is_for_size = false;
#define WATTPROOF_INLINE_FOR_SPEED [[gnu::always_inline]] inline
#define WATTPROOF_ONCE_FOR_SIZE
#define WATTPROOF_INLINE_FOR_SIZE inline
#endif

}  // namespace wattproof::solver
