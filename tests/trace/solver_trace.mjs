// SPDX-License-Identifier: Apache-2.0
// The kinds of solver_trace.cpp once more, in big integers and by the text of docs/SOLVER.md: plain lists of
// knots, no widths, nothing shared with the C++. Prints the same lines; exit status 1 if the file given holds others.
// usage: node solver_trace.mjs [OUTPUT_OF_SOLVER_TRACE]
import {readFileSync} from 'node:fs';
import {banded} from './banded_kind.mjs';
import {appliance, switched} from './choice_kinds.mjs';
import {solveHome} from './home_kind.mjs';
import {abs, clip, floorDiv, guardBits, wishAt} from './trace_numbers.mjs';
import {lossyGap, lossyProgram, lossyVerdict, thermalGap, thermalProgram} from './wide_kinds.mjs';

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

function insert(knots, at, rise) {
  let i = knots.length;
  while (i > 0 && knots[i - 1][0] > at) --i;
  knots.splice(i, 0, [at, rise]);
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
      insert(knots, (p.low[t] << bits) - v, 1n);
      insert(knots, (p.high[t] << bits) - v, -1n);
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
  dual[p.last - 1] = (total(low) < p.endMin ? low + 1n : low) << guardBits(slots);
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

const fill = (slots, low, high) => Array.from({length: slots}, () => BigInt(draw(low, high)));

function drawLossy(grid) {
  const p = drawBattery(grid);
  const wh = BigInt(3600 / grid.seconds);
  p.endMax = p.max;
  p.charge = BigInt(draw(800, 1000));
  p.discharge = BigInt(draw(800, 1000));
  p.loss = BigInt(draw(0, 20));
  return p;
}

function drawThermal(grid) {
  const p = {low: constant(0, grid.slots), high: constant(draw(1000, 5000), grid.slots)};
  p.unit = BigInt(3600 / grid.seconds) << 10n;
  p.watt = BigInt(draw(1, 5)) << 10n;
  p.keep = 10000n - BigInt(draw(0, 400));
  p.ambient = fill(grid.slots, -5000, 15000);
  p.startMc = BigInt(draw(18000, 24000));
  p.minMc = fill(grid.slots, 15000, 19000);
  p.maxMc = fill(grid.slots, 23000, 30000);
  p.soft = draw(0, 1) !== 0;
  return p;
}

function drawAppliance() {
  const length = draw(1, 6);
  return {cycle: fill(length, 0, 2500), runs: draw(1, 3), interruptible: draw(0, 1) !== 0};
}

function drawSwitched(grid) {
  const power = 60 * draw(1, 50);
  return {power: BigInt(power), count: draw(0, 12), minOn: draw(1, 4), minOff: draw(1, 4)};
}

function drawGenerator(grid) {
  const p = {low: constant(-draw(0, 8000), grid.slots), high: constant(0, grid.slots)};
  p.linear = BigInt(draw(-3000, 3000));
  p.quadratic = BigInt(draw(0, 9));
  return p;
}

const drawCurtailable = (grid) => ({low: fill(grid.slots, -5000, 0), high: constant(draw(0, 3000), grid.slots)});

const draws = {curtailable: drawCurtailable, shapeable: drawShapeable, battery: drawBattery, priced_battery: drawBattery,
  lossy: drawLossy, thermal: drawThermal, appliance: drawAppliance, switched: drawSwitched, generator: drawGenerator, home: null, banded: drawBanded};

// Rounded to whole watts, halves up, then clipped; the gap is that of rounding.
function clipEach(p, slots) {
  const x = p.numerator.map((_, t) => clip(wishAt(p, t, 0n), p.low[t], p.high[t]));
  return {error: 0, x, gap: gapOf({...p, first: 0, last: slots}, x, constant(0, slots), slots)};
}

function solveLossless(p, slots, program) {
  const error = verdict(p);
  if (error !== 0) return {error};
  const {x, dual} = program(p, slots);
  return {error: 0, x, gap: gapOf(p, x, dual, slots)};
}

function solveLossy(p, slots) {
  if (p.charge === 1000n && p.discharge === 1000n && p.loss === 0n) return solveLossless(p, slots, clipProgram);
  const error = lossyVerdict(p, slots);
  if (error !== 0) return {error};
  const answer = lossyProgram(p, slots);
  return answer === null ? {error: 200} : {error: 0, x: answer.x, gap: lossyGap(p, answer.x, answer.dual, slots, answer.bits)};
}

function solveThermal(p, slots) {
  const answer = thermalProgram(p, slots);
  return answer.error !== 0 ? answer : {...answer, gap: thermalGap(p, answer.x, answer.dual, slots, answer.bits)};
}

function solve(kind, p, slots) {
  switch (kind) {
    case 'curtailable':
    case 'generator': return clipEach(p, slots);
    case 'shapeable': return solveLossless(p, slots, p.milestones.length === 0 ? waterFilling : clipProgram);
    case 'battery':
    case 'priced_battery': return solveLossless(p, slots, clipProgram);
    case 'lossy': return solveLossy(p, slots);
    case 'thermal': return solveThermal(p, slots);
    case 'banded': return banded(p);
    case 'appliance': return {...appliance(p, slots), gap: 0n};
    default: return {...switched(p, slots), gap: 0n};
  }
}

// One part of a home.
function solvePart(p, slots) {
  if (p.kind !== 'battery') return {error: 0, x: p.numerator.map((_, t) => clip(wishAt(p, t, 0n), p.low[t], p.high[t])), dual: constant(0, slots)};
  const error = verdict(p);
  return error !== 0 ? {error} : {error: 0, ...clipProgram(p, slots)};
}

function runHome(hash, grid, target) {
  const parts = [{kind: 'battery', ...drawBattery(grid)}, {kind: 'generator', ...drawGenerator(grid)},
    {kind: 'curtailable', ...drawCurtailable(grid)}];
  for (const part of [parts[0], parts[2]]) part.quadratic = draw(0, 1) !== 0 ? BigInt(draw(1, 30)) : 0n;
  const limit = BigInt(draw(2000, 9000));
  const error = verdict(parts[0]);
  const answer = error !== 0 ? {error} : solveHome(parts, limit, target, grid.slots, solvePart);
  hash.add(answer.error);
  if (answer.error !== 0) return;
  for (const profile of answer.profiles) for (const power of profile) hash.add(power);
  hash.add(answer.gap);
}

// A room and its walls, or a store; with ramps.
function drawBanded(grid) {
  const hours = 3600 / grid.seconds;
  const p = {slots: grid.slots, hours: BigInt(hours), low: 0n, high: BigInt(draw(1000, 6000)), rampUp: BigInt(draw(100, 3000))};
  p.rampDown = draw(0, 1) !== 0 ? BigInt(draw(100, 3000)) : (1n << 31n) - 1n;
  const leak = Math.floor(draw(5000, 20000) / hours);
  const exchange = BigInt(Math.floor(draw(0, 150000) / hours));
  p.states = [0, 1].map(() => ({start: BigInt(draw(20000, 21000)), min: BigInt(draw(15000, 19500)), max: BigInt(draw(22000, 26000))}));
  Object.assign(p.states[0], {keep: [1000000n - BigInt(leak) - exchange, exchange], gain: BigInt(draw(100, 500))});
  p.states[0].drift = Array.from({length: grid.slots}, () => BigInt(leak * draw(0, 12)));
  const warmed = BigInt(draw(0, 30000));
  Object.assign(p.states[1], {keep: [warmed, 1000000n - warmed], gain: 0n, drift: constant(0, grid.slots)});
  return p;
}

function runOne(hash, kind) {
  const grid = [{slots: 24, seconds: 3600}, {slots: 48, seconds: 1800}, {slots: 96, seconds: 900}][draw(0, 2)];
  const target = Array.from({length: grid.slots}, () => BigInt(draw(-6000, 6000)));
  if (kind === 'home') return runHome(hash, grid, target);
  let weight = 1n;
  let price = constant(0, grid.slots);
  if (kind === 'priced_battery') {
    weight = BigInt(draw(1, 1000));
    price = price.map(() => BigInt(draw(-4000, 4000)) * weight + BigInt(draw(-9, 9)));
  }
  const p = draws[kind](grid);
  p.target = target;
  p.weight = weight + (p.quadratic ?? 0n);
  p.numerator = target.map((v, t) => weight * v - price[t] + (p.linear ?? 0n));
  const answer = solve(kind, p, grid.slots);
  hash.add(answer.error);
  if (answer.error !== 0) return;
  for (const power of answer.x) hash.add(power);
  hash.add(answer.gap);
}

const expected = process.argv[2] ? readFileSync(process.argv[2], 'utf8') : null;
const lines = [];
const all = new Hash();
const report = (name, hash) => {
  lines.push(`${name} trace ${hash.value.toString(16).padStart(16, '0')}`);
  console.log(lines.at(-1));
};
Object.keys(draws).forEach((kind, index) => {
  const hash = new Hash();
  state = index + 1;
  const count = kind === 'home' || kind === 'banded' ? 110 : 1100;
  for (let i = 0; i < count; ++i) runOne(hash, kind);
  report(kind, hash);
  all.add(hash.value);
});
report('solver', all);
if (expected !== null && expected !== `${lines.join('\n')}\n`) {
  console.error('the other implementation found something else');
  process.exit(1);
}
