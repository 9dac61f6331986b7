// SPDX-License-Identifier: Apache-2.0
// Devices that choose among patterns, in big integers: the best worth of every state, slots last to first, and of equal
// choices the one that begins earliest. docs/SOLVER.md section 6.

// Parts of `length` slots each, one after another, anywhere in the window.
export function appliance(p, slots) {
  const parts = [];
  for (let run = 0; run < p.runs; ++run) {
    if (p.interruptible) for (const power of p.cycle) parts.push([power]);
    else parts.push(p.cycle);
  }
  const needed = parts.reduce((sum, part) => sum + part.length, 0);
  if (needed > slots) return {error: 200};
  const worth = (part, t) => part.reduce((sum, power, i) => sum + p.numerator[t + i] * power, 0n);
  // after[k][t]: the most that parts k.. are worth if they may begin at t.
  const after = [Array(slots + 1).fill(0n)];
  for (let k = parts.length - 1; k >= 0; --k) {
    const row = Array(slots + 1).fill(null);
    for (let t = slots - parts[k].length; t >= 0; --t) {
      const rest = after[0][t + parts[k].length];
      const now = rest === null ? null : worth(parts[k], t) + rest;
      row[t] = now === null || (row[t + 1] !== null && row[t + 1] > now) ? row[t + 1] : now;
    }
    after.unshift(row);
  }
  const x = Array(slots).fill(0n);
  let t = 0;
  parts.forEach((part, k) => {
    const isBest = (s) => after[k + 1][s + part.length] !== null && worth(part, s) + after[k + 1][s + part.length] === after[k][s];
    while (!isBest(t)) ++t;
    part.forEach((power, i) => (x[t + i] = power));
    t += part.length;
  });
  return {error: 0, x};
}

// States: free to start, or on for `length` slots already (counted up to the minimum), or off for so many.
export function switched(p, slots) {
  if (p.count > 0 && (p.count > slots || p.count < p.minOn)) return {error: 200};
  const memo = new Map();
  // The most that slots t.. are worth with `left` slots to be on, after `length` slots on (> 0) or off (< 0), 0: free to start.
  const best = (t, left, length) => {
    if (t === slots) return left === 0 && (length <= 0 || length >= p.minOn) ? 0n : null;
    if (left > slots - t) return null;
    const key = (t * 512 + left) * 512 + length + 256;
    if (memo.has(key)) return memo.get(key);
    const [on, off] = options(t, left, length);
    const value = on === null || (off !== null && off > on) ? off : on;
    memo.set(key, value);
    return value;
  };
  const afterOn = (length) => Math.min(length > 0 ? length + 1 : 1, p.minOn);
  const afterOff = (length) => {
    if (length === 0) return 0;
    const pause = length > 0 ? 1 : 1 - length;
    return pause >= p.minOff ? 0 : -pause;
  };
  const options = (t, left, length) => {
    const canStart = length >= 0 && left > 0;
    const canStop = length <= 0 || length >= p.minOn;
    const on = canStart ? best(t + 1, left - 1, afterOn(length)) : null;
    return [on === null ? null : on + p.numerator[t] * p.power, canStop ? best(t + 1, left, afterOff(length)) : null];
  };
  const x = Array(slots).fill(0n);
  let left = p.count;
  let length = 0;
  for (let t = 0; t < slots; ++t) {
    const [on, off] = options(t, left, length);
    if (on !== null && (off === null || on >= off)) {
      x[t] = p.power;
      --left;
      length = afterOn(length);
    } else {
      length = afterOff(length);
    }
  }
  return {error: 0, x};
}
