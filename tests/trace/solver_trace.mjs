// SPDX-License-Identifier: Apache-2.0
// The lossless kinds of solver_trace.cpp once more, in big integers and by the text of docs/SOLVER.md: plain lists of
// knots, no widths, nothing shared with the C++. Prints the same lines; exit status 1 if the file given holds others.
// usage: node solver_trace.mjs [OUTPUT_OF_SOLVER_TRACE]
import {readFileSync} from 'node:fs';

let state = 1;
function draw(low, high) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return low + ((state >>> 8) % (high - low + 1));
}

const mask = (1n << 64n) - 1n;
class Hash {
  value = 14695981039346656037n;
  add(word) {
    let w = BigInt(word) & mask;
    for (let i = 0; i < 8; ++i, w >>= 8n) this.value = ((this.value ^ (w & 255n)) * 1099511628211n) & mask;
  }
}

const floorDiv = (a, b) => (a % b !== 0n && (a < 0n) !== (b < 0n) ? a / b - 1n : a / b);
const clip = (x, low, high) => (x < low ? low : x > high ? high : x);
const abs = (x) => (x < 0n ? -x : x);

function guardBits(slots) {
  let bits = 6;
  while (1 << bits < 2 * slots) ++bits;
  return BigInt(bits);
}

// Best power without limits, on a grid of 2^-bits W, halves up.
const wishAt = (p, t, bits) => floorDiv(p.numerator[t] * (2n << bits) + p.weight, 2n * p.weight);

// S as a sorted list of [price, change of slope]; clips replace its low or high end.
function clipLow(knots, need) {
  let slope = 0n;
  for (let i = 0; ; ++i) {
    slope += knots[i][1];
    if (slope <= 0n) continue;
    if (i + 1 < knots.length && slope * (knots[i + 1][0] - knots[i][0]) < need) {
      need -= slope * (knots[i + 1][0] - knots[i][0]);
      continue;
    }
    const at = knots[i][0] + need / slope;
    const rest = need % slope;
    knots.splice(0, i + 1, ...(rest === 0n ? [[at, slope]] : [[at, slope - rest], [at + 1n, rest]]));
    return at;
  }
}

function clipHigh(knots, need) {
  const mirrored = knots.map(([at, rise]) => [-at, -rise]).reverse();
  const at = -clipLow(mirrored, need);
  knots.splice(0, knots.length, ...mirrored.map(([a, rise]) => [-a, -rise]).reverse());
  return at;
}

function limits(p, t) {
  const last = t + 1 === p.last;
  let low = last ? p.endMin : p.min;
  const high = last ? p.endMax : p.max;
  for (const m of p.milestones ?? []) if (m.slot === t + 1 && m.energy > low) low = m.energy;
  return [low, high];
}

// 201 below, 202 above, 200 both at once; 0 if it can be met.
function verdict(p) {
  let low = p.start;
  let high = p.start;
  for (let t = p.first; t < p.last; ++t) {
    if (p.low[t] > p.high[t]) return 200;
    low += p.low[t];
    high += p.high[t];
    const [min, max] = limits(p, t);
    if (high < min) return 201;
    if (low > max) return 202;
    if (low < min) low = min;
    if (high > max) high = max;
    if (low > high) return 200;
  }
  return 0;
}

function clipProgram(p, slots) {
  const bits = guardBits(slots);
  const knots = [];
  let base = p.start << bits;
  let top = base;
  const cuts = [];
  for (let t = p.first; t < p.last; ++t) {
    const v = wishAt(p, t, bits);
    base += p.low[t] << bits;
    top += p.high[t] << bits;
    if (p.low[t] < p.high[t]) {
      knots.push([(p.low[t] << bits) - v, 1n], [(p.high[t] << bits) - v, -1n]);
      knots.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    }
    const [min, max] = limits(p, t).map((limit) => limit << bits);
    const cut = [null, null];
    if (base < min) {
      cut[0] = clipLow(knots, min - base);
      base = min;
    }
    if (top > max) {
      cut[1] = clipHigh(knots, top - max);
      top = max;
    }
    cuts[t] = cut;
  }
  const x = Array(slots).fill(0n);
  const dual = Array(slots).fill(0n);
  let price = 0n;
  for (let t = p.last - 1; t >= p.first; --t) {
    const before = price;
    if (cuts[t][0] !== null && price < cuts[t][0]) price = cuts[t][0];
    if (cuts[t][1] !== null && price > cuts[t][1]) price = cuts[t][1];
    dual[t] = price - before;
    x[t] = clip(wishAt(p, t, bits) + price, p.low[t] << bits, p.high[t] << bits);
  }
  let sum = 1n << (bits - 1n);
  let before = 0n;
  for (let t = p.first; t < p.last; ++t) {
    sum += x[t];
    const rounded = sum >> bits;
    x[t] = rounded - before;
    before = rounded;
  }
  return {x, dual};
}

// The level is the largest at which the window holds no more than the energy; the earliest slots take the rest.
function waterFilling(p, slots) {
  const window = Array.from({length: p.last - p.first}, (_, i) => p.first + i);
  const at = (level, t) => clip(p.numerator[t] + level, p.low[t], p.high[t]);
  const total = (level) => window.reduce((sum, t) => sum + at(level, t), 0n);
  let low = -(1n << 40n);
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (total(middle) <= p.endMin) low = middle;
    else high = middle;
  }
  const x = Array(slots).fill(0n);
  let rest = p.endMin - total(low);
  for (const t of window) {
    x[t] = at(low, t);
    if (rest > 0n && x[t] < p.high[t] && p.numerator[t] + low >= p.low[t]) {
      ++x[t];
      --rest;
    }
  }
  const dual = Array(slots).fill(0n);
  dual[p.last - 1] = low << guardBits(slots);
  return {x, dual};
}

// Sums of parts that are each >= 0, each rounded up; units as in docs/SOLVER.md.
function gapOf(p, x, dual, slots) {
  const bits = guardBits(slots);
  const one = 1n << bits;
  let square = 0n;
  let linear = 0n;
  let energy = p.start ?? 0n;
  for (let t = p.first; t < p.last; ++t) {
    energy += x[t];
    if (dual[t] === 0n) continue;
    const [min, max] = limits(p, t);
    const slack = dual[t] > 0n ? energy - min : max - energy;
    if (slack > 0n) linear += 2n * abs(dual[t]) * slack;
  }
  let price = 0n;
  for (let t = p.last - 1; t >= p.first; --t) {
    price += dual[t];
    const below = floorDiv(p.numerator[t] * one, p.weight) + price;
    const above = -floorDiv(-p.numerator[t] * one, p.weight) + price;
    if (above < p.low[t] * one) linear += (x[t] - p.low[t]) * ((x[t] + p.low[t]) * one - 2n * below);
    else if (below > p.high[t] * one) linear += (p.high[t] - x[t]) * (2n * above - (x[t] + p.high[t]) * one);
    else {
      const over = x[t] * one - below;
      const under = above - x[t] * one;
      square += (over > under ? over : under) ** 2n;
    }
  }
  const up = (a) => (a + one - 1n) >> bits;
  return up((linear + up(square)) * p.weight);
}

const constant = (value, slots) => Array(slots).fill(BigInt(value));

function drawBattery(grid) {
  const wh = BigInt(3600 / grid.seconds);
  const powerMin = -draw(1, 5000);
  const powerMax = draw(1, 5000);
  const min = draw(0, 1000);
  const max = min + draw(0, 12000);
  const start = draw(min, max);
  const endMin = draw(min, max);
  const endMax = draw(endMin, max);
  const [a, b, c, d, e] = [min, max, start, endMin, endMax].map((value) => BigInt(value) * wh);
  return {first: 0, last: grid.slots, low: constant(powerMin, grid.slots), high: constant(powerMax, grid.slots), min: a,
    max: b, start: c, endMin: d > a ? d : a, endMax: e < b ? e : b};
}

function drawShapeable(grid) {
  const wh = 3600 / grid.seconds;
  const powerMin = draw(0, 1) === 0 ? 0 : -draw(0, 3000);
  const powerMax = draw(0, 7000);
  const first = draw(0, grid.slots - 4);
  const energy = draw(0, Math.floor((4 * 3600) / wh) * 2);
  const milestones = [];
  if (draw(0, 1) !== 0) {
    for (let i = 0; i < 3; ++i) milestones.push({slot: first + 1 + i, energy: BigInt(draw(-500, energy) * wh)});
  }
  const far = 1n << 60n;
  const end = BigInt(energy * wh);
  return {first, last: first + 4, low: constant(powerMin, grid.slots), high: constant(powerMax, grid.slots), min: -far,
    max: far, start: 0n, endMin: end, endMax: end, milestones};
}

function runOne(hash, kind) {
  const grid = [{slots: 24, seconds: 3600}, {slots: 48, seconds: 1800}, {slots: 96, seconds: 900}][draw(0, 2)];
  const target = Array.from({length: grid.slots}, () => BigInt(draw(-6000, 6000)));
  let weight = 1n;
  let price = constant(0, grid.slots);
  if (kind === 'priced_battery') {
    weight = BigInt(draw(1, 1000));
    price = price.map(() => BigInt(draw(-4000, 4000)) * weight + BigInt(draw(-9, 9)));
  }
  let p;
  if (kind === 'curtailable') {
    const low = Array.from({length: grid.slots}, () => BigInt(draw(-5000, 0)));
    p = {first: 0, last: grid.slots, low, high: constant(draw(0, 3000), grid.slots)};
  } else {
    p = kind === 'shapeable' ? drawShapeable(grid) : drawBattery(grid);
  }
  p.weight = weight;
  p.numerator = target.map((v, t) => weight * v - price[t]);
  const error = kind === 'curtailable' ? 0 : verdict(p);
  hash.add(error);
  if (error !== 0) return;
  let answer;
  if (kind === 'curtailable') {
    answer = {x: target.map((v, t) => clip(v, p.low[t], p.high[t])), dual: constant(0, grid.slots)};
  } else if (kind === 'shapeable' && p.milestones.length === 0) {
    answer = waterFilling(p, grid.slots);
  } else {
    answer = clipProgram(p, grid.slots);
  }
  for (const power of answer.x) hash.add(power);
  hash.add(gapOf(p, answer.x, answer.dual, grid.slots));
}

const expected = process.argv[2] ? readFileSync(process.argv[2], 'utf8').split('\n') : null;
let failed = false;
['curtailable', 'shapeable', 'battery', 'priced_battery'].forEach((kind, index) => {
  const hash = new Hash();
  state = index + 1;
  for (let i = 0; i < 1000; ++i) runOne(hash, kind);
  const line = `${kind} trace ${hash.value.toString(16).padStart(16, '0')}`;
  console.log(line);
  if (expected && !expected.includes(line)) failed = true;
});
if (failed) {
  console.error('the other implementation found something else');
  process.exit(1);
}
