// SPDX-License-Identifier: Apache-2.0
// Entropy from the kernel, with a look at what came: a source that repeats itself must not make a key.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::hal {

constexpr std::size_t entropy_size_max = 256;  // of one call

// Fills `into` (1 to entropy_size_max bytes) by getrandom(2), which waits until the kernel's pool was seeded once.
//   entropy_failed  the kernel refused, or the health check did
Error kernel_entropy(MutableBytes into);

// Health of drawn bytes, after NIST SP 800-90B section 4.4 with byte samples and a false alarm rate below 2^-30 a sample:
// repetition count (no byte 5 times in a row) and adaptive proportion (none more than 16 times in 256 bytes). The
// cut-offs assume full entropy, which the kernel promises. Beyond that, two draws in a row must differ.
//   entropy_failed  a test failed
Error check_entropy(Bytes drawn);

}  // namespace wattproof::hal
