// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/kernel_entropy.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "crypto/secret.hpp"

namespace wattproof::hal {
namespace {

constexpr std::uint32_t repetition_cutoff = 5;
constexpr std::uint32_t proportion_cutoff = 16;
constexpr std::size_t window = entropy_size_max;

Error draw(MutableBytes into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t got = getrandom(into.data() + filled, into.size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Error::entropy_failed;
    filled += static_cast<std::size_t>(got);
  }
  return Error::none;
}

}  // namespace

Error check_entropy(Bytes drawn) {
  if (drawn.empty() || drawn.size() > window) return Error::entropy_failed;
  std::array<std::uint32_t, 256> count{};
  std::uint32_t run = 0;
  std::uint8_t last = 0;
  for (const std::uint8_t byte : drawn) {
    run = run != 0 && byte == last ? run + 1 : 1;
    last = byte;
    if (run >= repetition_cutoff) return Error::entropy_failed;
    if (++count[byte] > proportion_cutoff) return Error::entropy_failed;
  }
  return Error::none;
}

Error kernel_entropy(MutableBytes into) {
  if (into.empty() || into.size() > window) return Error::entropy_failed;
  // The window is drawn twice: once to look at, once to use. What was looked at is thrown away.
  std::array<std::uint8_t, window> sample{}, used{};
  const crypto::WipedAtExit wiped_sample(sample);
  const crypto::WipedAtExit wiped_used(used);
  WATTPROOF_TRY(draw(sample));
  WATTPROOF_TRY(draw(used));
  WATTPROOF_TRY(check_entropy(sample));
  WATTPROOF_TRY(check_entropy(used));
  if (sample == used) return Error::entropy_failed;
  std::copy_n(used.begin(), into.size(), into.begin());
  return Error::none;
}

}  // namespace wattproof::hal
