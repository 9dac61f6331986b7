// SPDX-License-Identifier: Apache-2.0
// Devices with ramps and two states, in big integers: docs/SOLVER.md section 8. Wherever the C++ holds a number to a bound, so does
// this: those bounds are part of the answer.
import {abs, add, addRegret, clip, floorDiv, magnitudeSum, roundDiv, scaled} from './trace_numbers.mjs';

const million = 1000000n;
const factorBits = 26n;
const one = 1n << factorBits;
const couplingMax = 8n * one;
const curvatureMax = 32n * one;
const powerMax = 1n << 30n;
const priceMax = 1n << 31n;
const waitingMax = 1n << 34n;
const multiplierMax = 1n << 44n;
const writtenMax = 1n << 27n;
const firm = 3n * one;

const limited = (value, limit) => clip(value, -limit, limit);
const narrow = (value) => limited(value, powerMax);
const times = (factor, value) => (factor * value + one / 2n) >> factorBits;
const width = (value) => (value === 0n ? 0n : BigInt(value.toString(2).length));
const shifted = (value, shift, limit) => limited(shift < 0n ? value >> -shift : value << shift, limit);
const both = [0, 1];

// p: slots, hours (slots per hour), low, high (W), rampUp, rampDown, states of {start, min, max, keep, gain, drift}, target.
class Model {
  constructor(p) {
    this.p = p;
    this.unit = 64000n * p.hours;
    this.watt = p.states.map((state) => state.gain * 64n);
    const peak = [0n, 0n];
    const variation = [0n, 0n];
    const effects = [];
    let before = [0n, 0n];
    let effect = this.watt.map((watt) => watt << 10n);
    for (let t = 0; t < p.slots; ++t) {
      effects.push(effect);
      for (const i of both) {
        if (abs(effect[i]) > peak[i]) peak[i] = abs(effect[i]);
        variation[i] += abs(effect[i] - before[i]);
      }
      before = effect;
      effect = this.decayed(effect);
    }
    this.memory = both.map((i) => (peak[i] === 0n ? 0n : effects.reduce((sum, at) => sum + floorDiv(at[i] << 8n, peak[i]) ** 2n, 0n)));
    this.peakBits = peak.map((value) => width(value) - 10n);
    this.peak = peak.map((value) => (value >> 10n) + (value !== 0n ? 1n : 0n));
    this.variation = variation.map((value, i) => (value >> 10n) + (peak[i] !== 0n ? 1n : 0n));
    this.moved = this.variation.map((value) => value !== 0n);
  }

  decayed(levels) {
    return this.p.states.map(({keep}) => floorDiv(keep[0] * levels[0] + keep[1] * levels[1], million));
  }

  after(levels, t, power) {
    return this.decayed(levels).map((level, i) => level + this.p.states[i].drift[t] * (this.unit / 1000n) + this.watt[i] * power);
  }

  start() {
    return this.p.states.map((state) => state.start * this.unit);
  }

  band(i) {
    return [this.p.states[i].min * this.unit, this.p.states[i].max * this.unit];
  }

  // With the room that a watt in one slot needs.
  wide(i) {
    const [low, high] = this.band(i);
    const missing = this.peak[i] - (high - low);
    const slack = missing > 0n ? (missing + 1n) / 2n : 0n;
    return [low - slack, high + slack];
  }

  keeps(levels) {
    return both.every((i) => levels[i] >= this.wide(i)[0] && levels[i] <= this.wide(i)[1]);
  }

  isCoupledMildly() {
    return both.every((to) => both.every((from) => {
      const shift = this.peakBits[from] - this.peakBits[to];
      return !this.moved[to] || !this.moved[from] || shift <= 0n || abs(this.p.states[to].keep[from]) < (8n * million) >> shift;
    }));
  }

  verdict() {
    const {p} = this;
    let powers = [p.low, p.high];
    let reach = this.start().map((level) => [level, level]);
    for (let t = 0; t < p.slots; ++t) {
      if (t > 0) powers = [clip(p.low, powers[0] - p.rampDown, p.high), clip(p.high, p.low, powers[1] + p.rampUp)];
      const next = both.map((i) => {
        const sum = [0n, 0n];
        for (const j of both) for (const end of both) sum[end] += p.states[i].keep[j] * reach[j][end];
        const drift = p.states[i].drift[t] * (this.unit / 1000n);
        return sum.map((value, end) => floorDiv(value, million) + drift + this.watt[i] * powers[end]);
      });
      for (const i of both) {
        const [low, high] = this.wide(i);
        if (next[i][1] < low) return 201;
        if (next[i][0] > high) return 202;
        next[i] = [next[i][0] < low ? low : next[i][0], next[i][1] > high ? high : next[i][1]];
      }
      reach = next;
    }
    return 0;
  }
}

const aimOf = (w, limits) => 2n * clip(w, ...limits) - w;

class Admm {
  constructor(model) {
    this.model = model;
    this.p = model.p;
  }

  // An error, or 0.
  prepare(stage) {
    const {p, model} = this;
    this.shift = 0n;
    const sum = (p.high > -p.low ? p.high : -p.low) * BigInt(p.slots);
    const most = p.target.reduce((a, b) => (abs(b) > a ? abs(b) : a), 0n);
    if (sum > 1n << 22n || most >= 1n << 21n) return 7;
    const bits = 28n - width(sum > most ? sum : most);
    this.bits = bits > 14n ? 14n : bits;
    this.fine = 1n << this.bits;
    this.tolerance = this.fine >> 4n;
    this.powers = [p.low * this.fine, p.high * this.fine];
    this.marginOf = (full) => (stage === 2 ? 0n : full >> BigInt(2 * stage));
    this.effect = both.map((i) => (model.moved[i] ? shifted(model.watt[i], factorBits - model.peakBits[i], couplingMax) : 0n));
    this.keep = both.map((i) => both.map((j) => (!model.moved[i] || !model.moved[j] ? 0n
      : shifted(roundDiv(p.states[i].keep[j] * one, million), model.peakBits[j] - model.peakBits[i], couplingMax))));
    this.stiffness = both.map((i) => (model.moved[i] ? (firm << 16n) / model.memory[i] : 0n));
    const room = (p.rampUp + p.rampDown) * this.fine;
    const wanted = this.marginOf(2n * this.fine);
    const margin = room < 4n * wanted ? room >> 2n : wanted;
    this.rises = [margin - narrow(p.rampDown * this.fine), narrow(p.rampUp * this.fine) - margin];
    this.setLimits(stage);
    return this.factor();
  }

  setLimits(stage) {
    const {p, model} = this;
    let idle = model.start();
    this.slots = [];
    for (let t = 0; t < p.slots; ++t) {
      idle = model.after(idle, t, 0n);
      const limits = both.map((i) => {
        if (!model.moved[i]) return [0n, 0n];
        const shift = this.bits - model.peakBits[i];
        const [low, high] = model.band(i).map((level) => shifted(level - idle[i], shift, powerMax));
        const margin = this.marginOf(shifted(model.variation[i], shift - 1n, powerMax)) + (stage === 0 ? this.tolerance : 0n);
        if (high - low >= 2n * margin) return [narrow(low + margin), narrow(high - margin)];
        return [narrow((low + high) >> 1n), narrow((low + high) >> 1n)];
      });
      this.slots.push({limits, level: [0n, 0n], power: 0n, rise: 0n, missing: [0n, 0n, 0n], firmRise: t > 0 ? firm : 0n});
    }
  }

  factor() {
    const {effect, keep, stiffness} = this;
    let p = [[0n, 0n, 0n], [0n, 0n, 0n], [0n, 0n, 0n]];
    for (let t = this.p.slots - 1; t >= 0; --t) {
      const slot = this.slots[t];
      const rise = slot.firmRise;
      p[0][0] += stiffness[0];
      p[1][1] += stiffness[1];
      const watt = p.map((row) => times(row[0], effect[0]) + times(row[1], effect[1]) + row[2]);
      const kept = p.map((row) => both.map((j) => times(row[0], keep[0][j]) + times(row[1], keep[1][j])));
      const own = one + shifted(one, this.shift, curvatureMax) + rise + times(effect[0], watt[0]) + times(effect[1], watt[1]) + watt[2];
      if (own >= curvatureMax) return 7;
      const cross = [...both.map((j) => times(effect[0], kept[0][j]) + times(effect[1], kept[1][j]) + kept[2][j]), -rise];
      slot.inverse = roundDiv(one * one, own);
      slot.gain = cross.map((value) => roundDiv(value * one, own));
      if (cross.some((value) => abs(value) >= curvatureMax) || slot.gain.some((value) => abs(value) >= powerMax)) return 7;
      p = p.map((_, i) => cross.map((value, j) => {
        const stay = i === 2 || j === 2 ? (i === j ? rise : 0n) : times(keep[0][i], kept[0][j]) + times(keep[1][i], kept[1][j]);
        return stay - times(slot.gain[i], value);
      }));
      if (p.some((row) => row.some((value) => abs(value) >= curvatureMax))) return 7;
    }
    return 0;
  }

  backward() {
    const {effect, keep} = this;
    let toGo = [0n, 0n, 0n];
    for (let t = this.p.slots - 1; t >= 0; --t) {
      const slot = this.slots[t];
      for (const i of both) toGo[i] = limited(toGo[i] - times(this.stiffness[i], aimOf(slot.level[i], slot.limits[i])), priceMax);
      const rise = times(slot.firmRise, aimOf(slot.rise, this.rises));
      const wish = shifted(this.p.target[t] << 10n, this.bits - 10n + this.shift, powerMax);
      const own = limited(times(effect[0], toGo[0]) + times(effect[1], toGo[1]) + toGo[2] - wish - aimOf(slot.power, this.powers) - rise,
        priceMax);
      slot.constant = narrow(times(slot.inverse, own));
      toGo = [...both.map((j) => limited(times(keep[0][j], toGo[0]) + times(keep[1][j], toGo[1]) - times(slot.gain[j], own), priceMax)),
        limited(rise - times(slot.gain[2], own), priceMax)];
    }
  }

  renew(value, w, limits, most) {
    const before = clip(w, ...limits);
    const next = limited(floorDiv(8n * value - 3n * before, 5n) + w - before, most);
    const after = clip(next, ...limits);
    if (abs(value - after) > this.primal) this.primal = abs(value - after);
    if (abs(after - before) > this.change) this.change = abs(after - before);
    return next;
  }

  forward() {
    const {effect, keep} = this;
    let level = [0n, 0n];
    let before = 0n;
    this.primal = this.change = 0n;
    this.x = [];
    for (const slot of this.slots) {
      const power = limited(-times(slot.gain[0], level[0]) - times(slot.gain[1], level[1]) - times(slot.gain[2], before) - slot.constant,
        powerMax / 2n);
      level = both.map((i) => narrow(times(keep[i][0], level[0]) + times(keep[i][1], level[1]) + times(effect[i], power)));
      this.x.push(power);
      slot.power = narrow(this.renew(power, slot.power, this.powers, powerMax));
      if (slot.firmRise !== 0n) {
        slot.rise = narrow(this.renew(power - before, slot.rise, this.rises, powerMax));
        slot.missing[2] = narrow(clip(slot.rise, ...this.rises) - (power - before));
      }
      for (const i of both) {
        if (this.stiffness[i] === 0n) continue;
        slot.level[i] = this.renew(level[i], slot.level[i], slot.limits[i], waitingMax);
        slot.missing[i] = narrow(clip(slot.level[i], ...slot.limits[i]) - level[i]);
      }
      before = power;
    }
  }

  dual() {
    return shifted(this.change, -this.shift, priceMax);
  }

  isSettled() {
    return this.primal <= this.tolerance && this.dual() <= 4n * this.tolerance;
  }

  balance() {
    const isStiffer = this.primal > 4n * this.dual() && this.shift > -16n;
    const isSofter = this.dual() > 4n * this.primal && this.shift < 2n;
    if (!isStiffer && !isSofter) return 0;
    const change = isStiffer ? -2n : 2n;
    this.shift += change;
    const renewed = (w, limits, most) => {
      const inside = clip(w, ...limits);
      return limited(inside + shifted(w - inside, change, most), most);
    };
    for (const slot of this.slots) {
      slot.power = narrow(renewed(slot.power, this.powers, powerMax));
      slot.rise = narrow(renewed(slot.rise, this.rises, powerMax));
      slot.level = slot.level.map((w, i) => renewed(w, slot.limits[i], waitingMax));
    }
    return this.factor();
  }

  roundFrom(owed, safe) {
    const {model, p} = this;
    let before = 0n;
    let levels = model.start();
    let isKept = true;
    const x = [];
    for (let t = 0; t < p.slots; ++t) {
      owed += this.x[t];
      let [low, high] = safe[t];
      if (t > 0) [low, high] = [clip(before - p.rampDown, low, high), clip(before + p.rampUp, low, high)];
      const nearest = clip((owed + this.fine / 2n) >> this.bits, low, high);
      const mended = [0n, 1n, -1n, 2n, -2n].map((step) => clip(nearest + step, low, high)).find((power) => model.keeps(model.after(levels, t, power)));
      const power = mended ?? nearest;
      owed -= power * this.fine;
      levels = model.after(levels, t, power);
      isKept = isKept && model.keeps(levels) && (t === 0 || (power - before <= p.rampUp && before - power <= p.rampDown));
      x.push(power);
      before = power;
    }
    return isKept ? x : null;
  }

  round() {
    const {p} = this;
    const safe = [];
    let [low, high] = [-powerMax, powerMax];
    for (let t = p.slots - 1; t >= 0; --t) {
      [low, high] = [low < p.low ? p.low : low, high > p.high ? p.high : high];
      safe[t] = [low, high];
      [low, high] = [limited(low - p.rampUp, powerMax), limited(high + p.rampDown, powerMax)];
    }
    for (const part of [0n, 2n, -2n, 3n, -3n, 1n, -1n]) {
      const x = this.roundFrom(part * (this.fine >> 3n), safe);
      if (x !== null) return x;
    }
    return null;
  }

  prices(slot) {
    const w = [...slot.level, slot.rise];
    const limits = [...slot.limits, this.rises];
    const penalty = [...this.stiffness, slot.firmRise];
    return {w, limits, penalty};
  }

  isProvenInfeasible(bySum) {
    const missing = this.slots.map((slot) => {
      const {w, limits, penalty} = this.prices(slot);
      return penalty.map((factor, i) => narrow(times(factor, bySum ? (clip(w[i], ...limits[i]) - w[i]) >> 6n : slot.missing[i])));
    });
    const most = missing.flat().reduce((a, b) => (abs(b) > a ? abs(b) : a), 1n);
    const multipliers = missing.map((row) => row.map((value) => shifted(value, 20n - width(most), powerMax)));
    const x = this.x.map((power) => clip((power + this.fine / 2n) >> this.bits, this.p.low, this.p.high));
    return isRefuted(this.model, x, multipliers);
  }

  multipliers() {
    const all = this.slots.map((slot) => {
      const {w, limits, penalty} = this.prices(slot);
      return penalty.map((factor, i) => shifted(times(factor, clip(w[i], ...limits[i]) - w[i]), -this.shift, multiplierMax));
    });
    const most = all.flat().reduce((a, b) => (abs(b) > a ? abs(b) : a), 0n);
    let drop = 0n;
    while (drop < this.bits && most >> drop >= writtenMax) ++drop;
    return {dual: all.map((row) => row.map((value) => limited(value >> drop, writtenMax))), bits: this.bits - drop};
  }
}

// 2 |multiplier| x distance in 2^-8: added to the gap, or what lies beyond the limit.
function addDistance(gap, multiplier, distance) {
  const product = 2n * abs(multiplier) * abs(distance);
  if (distance < 0n) return product >> 8n;
  gap.linear += (product >> 8n) + 1n;
  return 0n;
}

function addSlacks(gap, model, x, multipliers, isWidened) {
  const {p} = model;
  let beyond = 0n;
  let levels = model.start();
  x.forEach((power, t) => {
    levels = model.after(levels, t, power);
    for (const i of both) {
      const multiplier = multipliers[t][i];
      if (multiplier === 0n || !model.moved[i]) continue;
      const [low, high] = isWidened ? model.wide(i) : model.band(i);
      const units = (multiplier > 0n ? levels[i] - low : high - levels[i]) + BigInt(p.slots);
      const shift = 8n - model.peakBits[i];
      const distance = shift < 0n ? -(-units >> -shift) : limited(units, (1n << 40n) >> shift) << shift;
      beyond += addDistance(gap, multiplier, distance);
    }
    if (t === 0 || multipliers[t][2] === 0n) return;
    const rise = power - x[t - 1];
    beyond += addDistance(gap, multipliers[t][2], (multipliers[t][2] > 0n ? rise + p.rampDown : p.rampUp - rise) << 8n);
  });
  return beyond;
}

// The price of power in each slot, in 1/256.
function pricesOf(model, multipliers) {
  const turned = (range, factor) => (factor < 0n ? [-range[1], -range[0]] : range);
  const found = [];
  let levels = [[0n, 0n], [0n, 0n]];
  let riseAfter = 0n;
  for (let t = model.p.slots - 1; t >= 0; --t) {
    let price = [0n, 0n];
    const now = both.map((i) => {
      if (!model.moved[i]) return [0n, 0n];
      let sum = [multipliers[t][i] * 256n, multipliers[t][i] * 256n];
      for (const j of both) {
        if (!model.moved[j]) continue;
        const keep = model.p.states[j].keep[i];
        const shift = model.peakBits[i] - model.peakBits[j];
        const size = shift > 0n ? abs(keep) << shift : abs(keep);
        sum = add(sum, turned(scaled(levels[j], size, shift < 0n ? million << -shift : million), keep));
      }
      if (model.watt[i] !== 0n) {
        price = add(price, turned(scaled(sum, abs(model.watt[i]), 1n << model.peakBits[i]), model.watt[i]));
      }
      return sum;
    });
    levels = now;
    const rise = t > 0 ? multipliers[t][2] * 256n : 0n;
    found[t] = add(price, [rise - riseAfter, rise - riseAfter]);
    riseAfter = rise;
  }
  return found;
}

function isRefuted(model, x, multipliers) {
  const gap = {linear: 0n};
  const beyond = addSlacks(gap, model, x, multipliers, true);
  pricesOf(model, multipliers).forEach((price, t) => {
    const fall = price[0] < 0n ? -price[0] * (x[t] - model.p.low) : 0n;
    const rise = price[1] > 0n ? price[1] * (model.p.high - x[t]) : 0n;
    gap.linear += ((fall > rise ? fall : rise) >> 7n) + 1n;
  });
  return beyond > gap.linear;
}

function gapOf(model, x, {dual, bits}) {
  const gap = {square: 0n, linear: 0n};
  addSlacks(gap, model, x, dual, false);
  pricesOf(model, dual).forEach((price, t) => {
    const wish = [model.p.target[t] << bits, model.p.target[t] << bits];
    addRegret(gap, x[t], model.p.low, model.p.high, add(wish, scaled(price, 1n, 256n)), bits);
  });
  return magnitudeSum(gap, 1n, bits);
}

function runStage(admm, iterations) {
  for (let iteration = 1; iteration <= iterations; ++iteration) {
    admm.backward();
    admm.forward();
    if ((admm.isSettled() && iteration % 16 === 0) || iteration % 1000 === 0) {
      const x = admm.round();
      if (x === null) continue;
      return {error: 0, x, gap: gapOf(admm.model, x, admm.multipliers())};
    }
    if (iteration % (iteration < 4000 ? 32 : 2048) === 0) {
      const error = admm.balance();
      if (error !== 0) return {error};
    }
    if (iteration % 128 === 0 && admm.isProvenInfeasible(iteration % 256 === 0)) return {error: 200};
  }
  return {error: 206};
}

export function banded(p) {
  const model = new Model(p);
  if (!model.isCoupledMildly()) return {error: 7};
  const verdict = model.verdict();
  if (verdict !== 0) return {error: verdict};
  const admm = new Admm(model);
  let answer = {error: 206};
  for (let stage = 0; stage < 3 && answer.error === 206; ++stage) {
    const error = admm.prepare(stage);
    answer = error !== 0 ? {error} : runStage(admm, stage === 0 ? 40000 : 10000);
  }
  return answer;
}
