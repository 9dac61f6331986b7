// SPDX-License-Identifier: Apache-2.0
// The arithmetic that the other implementation's parts share: floors, ranges that enclose, and parts of a gap.

export const floorDiv = (a, b) => (a % b !== 0n && (a < 0n) !== (b < 0n) ? a / b - 1n : a / b);
export const roundDiv = (a, b) => floorDiv(a + b / 2n, b);
export const clip = (x, low, high) => (x < low ? low : x > high ? high : x);
export const abs = (x) => (x < 0n ? -x : x);

// Ranges are rounded outwards.
export const scaled = ([low, high], numerator, denominator) => [floorDiv(low * numerator, denominator),
  -floorDiv(-high * numerator, denominator)];
export const add = (a, b) => [a[0] + b[0], a[1] + b[1]];

export function guardBits(slots) {
  let bits = 6;
  while (1 << bits < 2 * slots) ++bits;
  return BigInt(bits);
}

// Best power without limits, on a grid of 2^-bits W, halves up.
export const wishAt = (p, t, bits) => floorDiv(p.numerator[t] * (2n << bits) + p.weight, 2n * p.weight);

// What power x costs above the best one in [low, high], which would be `best` without limits: squares in `square`.
export function addRegret(gap, x, low, high, best, bits) {
  const one = 1n << bits;
  if (best[1] < low * one) gap.linear += abs(x - low) * abs((x + low) * one - 2n * best[0]);
  else if (best[0] > high * one) gap.linear += abs(high - x) * abs(2n * best[1] - (x + high) * one);
  else {
    const over = x * one - best[0];
    const under = best[1] - x * one;
    gap.square += (over > under ? over : under) ** 2n;
  }
}

// All parts together, in the unit of J.
export function magnitudeSum(gap, weight, bits) {
  const up = (a) => (a + (1n << bits) - 1n) >> bits;
  return up((gap.linear + up(gap.square)) * weight);
}
