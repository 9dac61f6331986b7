// SPDX-License-Identifier: Apache-2.0
// What lib/ must never hold. The heap check has to find it here, or it could not fail at all.
#include <functional>

std::function<int(int)> adder(int amount, int scale, int offset, int bias, int shift) {
  return [=](int value) { return value * scale + amount + offset + bias + shift; };
}
