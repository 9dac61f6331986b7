// SPDX-License-Identifier: Apache-2.0
// Batteries with losses and stores with a leak, in big integers: docs/SOLVER.md sections 4 and 5. Nothing here has a width;
// where the C++ bounds a number by its type, the trace's problems stay inside.
import {abs, add, addRegret, clip, floorDiv, magnitudeSum, roundDiv, scaled, wishAt} from './trace_numbers.mjs';

const priceBits = 10n;
const oneW = 1n << priceBits;
const far = 1n << 60n;
const low32 = -(1n << 31n);
const high32 = (1n << 31n) - 1n;
const saturate = (value) => clip(value, low32, high32);

// A nondecreasing function as a sorted list of [price, change of slope]. It lies in a window of `capacity` places, and where
// that gets crowded, close neighbours become one: the only thing about memory that an answer can tell.
class Knots {
  constructor(capacity) {
    this.capacity = capacity;
    this.first = capacity >> 1;
    this.list = [];
  }

  crowded() {
    return this.capacity - this.list.length < 8;
  }

  makeRoom() {
    if (this.first >= 4 && this.capacity - this.first - this.list.length >= 4) return false;
    const isFull = this.crowded();
    for (let distance = 1n; this.crowded() && distance < far; distance *= 4n) this.compact(distance);
    this.first = (this.capacity - this.list.length) >> 1;
    return isFull;
  }

  compact(distance) {
    const kept = [];
    for (const [at, rise] of this.list) {
      const last = kept.at(-1);
      if (last && at - last[0] <= distance && rise < 0n === last[1] < 0n) last[1] += rise;
      else kept.push([at, rise]);
    }
    this.list = kept;
  }

  insert(at, rise) {
    if (rise > 0n) {
      --this.first;
      let i = 0;
      while (i < this.list.length && this.list[i][0] <= at) ++i;
      this.list.splice(i, 0, [at, rise]);
    } else {
      let i = this.list.length;
      while (i > 0 && this.list[i - 1][0] > at) --i;
      this.list.splice(i, 0, [at, rise]);
    }
  }

  clipLow(need) {
    let slope = 0n;
    for (let i = 0; ; ++i) {
      slope += this.list[i][1];
      if (slope <= 0n) continue;
      const next = this.list[i + 1];
      if (next && slope * (next[0] - this.list[i][0]) < need) {
        need -= slope * (next[0] - this.list[i][0]);
        continue;
      }
      const at = this.list[i][0] + need / slope;
      const rest = need % slope;
      const ends = [[at, slope - rest]];
      if (rest !== 0n && next && next[0] === at + 1n) next[1] += rest;
      else if (rest !== 0n) ends.push([at + 1n, rest]);
      this.list.splice(0, i + 1, ...ends);
      this.first += i + 1 - ends.length;
      return at;
    }
  }

  clipHigh(need) {
    let slope = 0n;
    for (let i = this.list.length - 1; ; --i) {
      slope -= this.list[i][1];
      if (slope <= 0n) continue;
      const before = this.list[i - 1];
      if (before && slope * (this.list[i][0] - before[0]) < need) {
        need -= slope * (this.list[i][0] - before[0]);
        continue;
      }
      const at = this.list[i][0] - need / slope;
      const rest = need % slope;
      const ends = [[at, rest - slope]];
      if (rest !== 0n && before && before[0] === at - 1n) before[1] -= rest;
      else if (rest !== 0n) ends.unshift([at - 1n, -rest]);
      this.list.splice(i, this.list.length - i, ...ends);
      return at;
    }
  }

  rescale() {
    let slope = 0n;
    let before = 0n;
    for (const knot of this.list) {
      slope += knot[1];
      const rounded = slope >> 2n;
      knot[1] = rounded - before;
      before = rounded;
      knot[0] *= 2n;
    }
  }

  span() {
    let slope = 0n;
    let sum = 0n;
    for (let i = 0; i + 1 < this.list.length; ++i) {
      slope += this.list[i][1];
      sum += slope * (this.list[i + 1][0] - this.list[i][0]);
    }
    return sum;
  }
}

// S between base and top; cuts it to [floor, ceiling] and tells the prices of the cuts.
function cut(sum, floor, ceiling, priceOf) {
  let low = low32;
  let high = high32;
  if (floor > sum.top) floor = sum.top;
  if (ceiling < sum.base) ceiling = sum.base;
  if (sum.base < floor) {
    low = priceOf(sum.knots.clipLow(floor - sum.base));
    sum.base = floor;
  }
  if (ceiling < sum.base) ceiling = sum.base;
  if (sum.top > ceiling) {
    high = priceOf(sum.knots.clipHigh(sum.top - ceiling));
    sum.top = ceiling;
  }
  return [low, high];
}

// ---- losses ----

const slopeOne = 1n << 24n;
const valueW = 1n << 34n;

const chargePrice = (p, power) => floorDiv(power * 1000n, p.charge);
const dischargePrice = (p, power) => floorDiv(power * p.discharge, 1000n);
const unitOf = (p) => 1000n * p.discharge;
const effect = (p, power) => power * (power < 0n ? 1000000n : p.charge * p.discharge);

function gain(power, wish, price, numerator, denominator) {
  return 2n * floorDiv(price * numerator, denominator) * power - (power - wish) ** 2n;
}

// The price at which a slot with a positive wish goes from discharging to charging.
function jumpPrice(p, lowW, highW, wish) {
  const both = p.charge * p.discharge;
  const power = floorDiv(wish * (1000000n - both), 1000000n + both);
  if (power <= highW * oneW && power <= -lowW * oneW) return -floorDiv(2000n * p.discharge * wish, both + 1000000n);
  const v = floorDiv(wish, 4n);
  let low = floorDiv((lowW * oneW - wish) * 1000n, p.charge) - oneW;
  let high = 0n;
  while (high - low > 1n) {
    const price = (low + high) >> 1n;
    const charging = clip(v + floorDiv(price * p.charge, 4000n), 0n, highW * 256n);
    const discharging = clip(v + floorDiv(price * 1000n, p.discharge * 4n), lowW * 256n, 0n);
    if (gain(charging, v, price >> 2n, p.charge, 1000n) > gain(discharging, v, price >> 2n, 1000n, p.discharge)) high = price;
    else low = price;
  }
  return low;
}

// The one power, or the two between which the price cannot tell.
function choose(p, lowW, highW, wish, price) {
  const low = lowW * oneW;
  const high = highW * oneW;
  const charging = wish + floorDiv(price * p.charge, 1000n);
  const discharging = wish + floorDiv(price * 1000n, p.discharge);
  const up = clip(charging, 0n, high);
  const down = clip(discharging, low, 0n);
  if (wish <= 0n) return up > 0n ? [up, up] : [down, down];
  const jump = jumpPrice(p, lowW, highW, wish);
  if (price < jump) return [down, down];
  return price > jump + 1n ? [up, up] : [down, up];
}

function lossyLimits(p, t, slots) {
  const last = t + 1 === slots;
  const low = (last ? p.endMin : p.min) * unitOf(p);
  const high = (last ? p.endMax : p.max) * unitOf(p);
  const room = p.charge === 1000n && p.discharge === 1000n ? 0n : 1000000n;
  const missing = room - (high - low);
  if (high < low || missing <= 0n) return [low, high];
  return [low - (missing + 1n) / 2n, high + (missing + 1n) / 2n];
}

export function lossyVerdict(p, slots) {
  let low = p.start * unitOf(p);
  let high = low;
  for (let t = 0; t < slots; ++t) {
    low += effect(p, p.low[t]) - p.loss * unitOf(p);
    high += effect(p, p.high[t]) - p.loss * unitOf(p);
    const [min, max] = lossyLimits(p, t, slots);
    if (high < min) return 201;
    if (low > max || min > max) return 202;
    if (low < min) low = min;
    if (high > max) high = max;
  }
  return 0;
}

class ChangeSum {
  constructor(p, slots) {
    this.p = p;
    this.knots = new Knots(4 * slots + 8);
    this.base = this.top = 0n;
    this.chargeSlope = (p.charge * p.charge * slopeOne + 500000n) / 1000000n;
    this.dischargeSlope = (1000000n * slopeOne) / (p.discharge * p.discharge);
  }

  change(power) {
    return power < 0n ? -(floorDiv(-power * valueW, this.p.discharge) * 1000n) : floorDiv(power * valueW, 1000n) * this.p.charge;
  }

  ramp(from, to, slope) {
    if (from >= to) return;
    this.knots.insert(from, slope);
    this.knots.insert(to, -slope);
    this.top += slope * (to - from);
  }

  add(low, high, v) {
    if (this.knots.makeRoom()) this.top = this.base + this.knots.span();
    this.base += this.change(low);
    this.top += this.change(low);
    if (low >= high) return;
    if (v <= 0n) {
      this.ramp(dischargePrice(this.p, low * oneW - v), dischargePrice(this.p, -v), this.dischargeSlope);
      this.ramp(chargePrice(this.p, -v), chargePrice(this.p, high * oneW - v), this.chargeSlope);
      return;
    }
    const jump = jumpPrice(this.p, low, high, v);
    const from = dischargePrice(this.p, low * oneW - v);
    const to = chargePrice(this.p, high * oneW - v);
    const below = from < jump ? this.dischargeSlope * (jump - from) : 0n;
    const above = to > jump + 1n ? this.chargeSlope * (to - jump - 1n) : 0n;
    const rest = this.change(high) - this.change(low) - below - above;
    const height = rest > 0n ? rest : 0n;
    this.top += below + above + height;
    if (below > 0n) this.knots.insert(from, this.dischargeSlope);
    this.knots.insert(jump, height - (below > 0n ? this.dischargeSlope : 0n));
    this.knots.insert(jump + 1n, (above > 0n ? this.chargeSlope : 0n) - height);
    if (above > 0n) this.knots.insert(to, -this.chargeSlope);
  }
}

function lossyPrices(p, slots) {
  const sum = new ChangeSum(p, slots);
  const limit = 1n << 27n;
  let lost = 0n;
  const cuts = [];
  for (let t = 0; t < slots; ++t) {
    sum.add(p.low[t], p.high[t], wishAt(p, t, priceBits));
    lost += p.loss;
    const last = t + 1 === slots;
    const low = clip((last ? p.endMin : p.min) - p.start + lost, -limit, limit);
    const high = clip((last ? p.endMax : p.max) - p.start + lost, -limit, limit);
    cuts.push(cut(sum, low * valueW, high * valueW, saturate));
  }
  return cuts;
}

// Backwards: the powers of each slot in 2^-8 W, the energies that are safe and those that an optimal day passes through.
function lossyPlan(p, slots, cuts) {
  const plan = [];
  const loss = p.loss * unitOf(p);
  let price = 0n;
  for (let t = slots - 1; t >= 0; --t) {
    const before = price;
    price = clip(price, cuts[t][0], cuts[t][1]);
    const dual = saturate(price - before);
    const [low, high] = choose(p, p.low[t], p.high[t], wishAt(p, t, priceBits), price).map((power) => power >> 2n);
    const [min, max] = lossyLimits(p, t, slots);
    const safe = [min, max];
    let best = [min, max];
    const next = plan[t + 1];
    if (next) {
      const from = [next.safe[0] - effect(p, p.high[t + 1]) + loss, next.safe[1] - effect(p, p.low[t + 1]) + loss];
      if (from[0] > safe[0]) safe[0] = from[0];
      if (from[1] < safe[1]) safe[1] = from[1];
      best = [next.best[0] - (effect(p, next.high) >> 8n) + loss, next.best[1] - (effect(p, next.low) >> 8n) + loss];
    }
    if (price > before) best = [min, min];
    if (price < before) best = [max, max];
    plan[t] = {low, high, dual, safe, best: best.map((energy) => clip(energy, min, max))};
  }
  return plan;
}

function aim(slot, down, up) {
  if (slot.low === slot.high) return clip(up, slot.best[0], slot.best[1]);
  if (up <= slot.best[1]) return up > slot.best[0] ? up : slot.best[0];
  if (down >= slot.best[0]) return down < slot.best[1] ? down : slot.best[1];
  return slot.best[1];
}

// Profile and multipliers, or null where no whole watts keep the limits.
export function lossyProgram(p, slots) {
  const plan = lossyPlan(p, slots, lossyPrices(p, slots));
  const watt = (change) => (change < 0n ? 1000000n : p.charge * p.discharge);
  const x = [];
  let energy = p.start * unitOf(p);
  for (let t = 0; t < slots; ++t) {
    const slot = plan[t];
    const idle = energy - p.loss * unitOf(p);
    const change = aim(slot, idle + (effect(p, slot.low) >> 8n), idle + (effect(p, slot.high) >> 8n)) - idle;
    let power = roundDiv(change, watt(change));
    if (slot.low === slot.high) power = clip(power, slot.low >> 8n, -(-slot.low >> 8n));
    const least = slot.safe[0] - idle;
    const most = slot.safe[1] - idle;
    const leastW = -floorDiv(-least, watt(least));
    const mostW = floorDiv(most, watt(most));
    if (leastW > mostW) return null;
    power = clip(clip(power, leastW, mostW), p.low[t], p.high[t]);
    energy = idle + effect(p, power);
    if (energy < slot.safe[0] || energy > slot.safe[1]) return null;
    x.push(power);
  }
  return {x, dual: plan.map((slot) => slot.dual)};
}

// The least x (x - 2 x0) of one branch, rounded down.
function branchMinimum(best, low, high) {
  if (best[1] <= low * oneW) return low * (low * oneW - 2n * (low > 0n ? best[1] : best[0]));
  if (best[0] >= high * oneW) return high * (high * oneW - 2n * (high > 0n ? best[1] : best[0]));
  const size = abs(best[0]) > abs(best[1]) ? abs(best[0]) : abs(best[1]);
  const whole = size >> priceBits;
  const part = size & (oneW - 1n);
  return -(whole * whole * oneW + 2n * whole * part + ((part * part) >> priceBits) + 1n);
}

export function lossyGap(p, x, dual, slots) {
  const gap = {square: 0n, linear: 0n};
  let energy = p.start * unitOf(p);
  for (let t = 0; t < slots; ++t) {
    energy += effect(p, x[t]) - p.loss * unitOf(p);
    const last = t + 1 === slots;
    const slack = dual[t] > 0n ? energy - (last ? p.endMin : p.min) * unitOf(p) : (last ? p.endMax : p.max) * unitOf(p) - energy;
    if (dual[t] !== 0n && slack > 0n) gap.linear += -floorDiv(-2n * abs(dual[t]) * slack, unitOf(p));
  }
  let price = 0n;
  for (let t = slots - 1; t >= 0; --t) {
    price += dual[t];
    const wish = scaled([p.numerator[t], p.numerator[t]], oneW, p.weight);
    const charge = add(wish, scaled([price, price], p.charge, 1000n));
    const discharge = add(wish, scaled([price, price], 1000n, p.discharge));
    const isCharging = x[t] > 0n;
    const own = isCharging ? charge : discharge;
    const here = {square: 0n, linear: 0n};
    addRegret(here, x[t], isCharging ? 0n : p.low[t], isCharging ? p.high[t] : 0n, own, priceBits);
    const value = x[t] * (x[t] * oneW - 2n * (x[t] > 0n ? own[0] : own[1]));
    const other = isCharging ? branchMinimum(discharge, p.low[t], 0n) : branchMinimum(charge, 0n, p.high[t]);
    if (value - other > here.linear + (here.square >> priceBits)) {
      gap.linear += value - other;
    } else {
      gap.linear += here.linear;
      gap.square += here.square;
    }
  }
  return magnitudeSum(gap, p.weight, priceBits);
}

// ---- leak ----

const permyriad = 10000n;
const weightBits = 30n;

function drift(p, before, t) {
  const ambient = p.ambient[t] * p.unit;
  return ambient + floorDiv((before - ambient) * p.keep, permyriad);
}

// The band of each slot, and how the first unreachable one is missed: 0, or 201 below, 202 above.
function bands(p, slots) {
  let low = p.startMc * p.unit;
  let high = low;
  let verdict = 0;
  const found = [];
  for (let t = 0; t < slots; ++t) {
    low = drift(p, low, t) + p.watt * p.low[t];
    high = drift(p, high, t) + p.watt * p.high[t];
    let band = [p.minMc[t] * p.unit, p.maxMc[t] * p.unit];
    const missed = high < band[0] - p.unit / 2n ? 201 : low > band[1] + p.unit / 2n ? 202 : 0;
    if (missed !== 0) {
      verdict ||= missed;
      const near = missed === 201 ? high : low;
      low = high = near;
      band = [near, near];
    } else {
      if (low < band[0]) low = high < band[0] ? high : band[0];
      if (high > band[1]) high = low > band[1] ? low : band[1];
    }
    found.push({band, isWished: missed === 0});
  }
  return {found, verdict};
}

function thermalPrices(p, slots, found) {
  const most = p.high.reduce((a, b) => (b > a ? b : a));
  const leak = permyriad - p.keep;
  const count = leak * BigInt(slots) > permyriad ? permyriad / leak + 1n : BigInt(slots);
  const reach = most * (count + 1n);
  const slopeBits = 50n - BigInt(reach === 0n ? 0 : reach.toString(2).length);
  const limit = 1n << (60n - slopeBits);
  const sum = {knots: new Knots(2 * slots + 8), base: 0n, top: 0n};
  let weight = 1n << weightBits;
  let idle = p.startMc * p.unit;
  const cuts = [];
  for (let t = 0; t < slots; ++t) {
    idle = drift(p, idle, t);
    if (t > 0) {
      weight = floorDiv(weight * permyriad + p.keep / 2n, p.keep);
      while (weight >= 2n << weightBits) {
        weight = (weight + 1n) >> 1n;
        sum.knots.rescale();
        sum.base >>= 1n;
        sum.top = sum.base + sum.knots.span();
      }
    }
    if (sum.knots.makeRoom()) sum.top = sum.base + sum.knots.span();
    const v = wishAt(p, t, priceBits);
    const inverse = (1n << (weightBits + 27n)) / weight;
    const slope = (weight * weight) >> (2n * weightBits - slopeBits);
    const [from, to] = [p.low[t], p.high[t]].map((power) => ((power * oneW - v) * inverse) >> 27n);
    const least = p.low[t] * weight * (1n << (priceBits + slopeBits - weightBits));
    sum.base += least;
    sum.top += least;
    if (from < to) {
      sum.knots.insert(from, slope);
      sum.knots.insert(to, -slope);
      sum.top += slope * (to - from);
    }
    const scale = slopeBits < weightBits ? weight >> (weightBits - slopeBits) : weight * (1n << (slopeBits - weightBits));
    const [low, high] = found[t].band.map((level) => clip(floorDiv(level - idle, p.watt >> priceBits), -limit, limit) * scale);
    cuts.push(cut(sum, low, high, (price) => saturate((clip(price, -(1n << 32n), 1n << 32n) * weight) >> weightBits)));
  }
  return cuts;
}

function thermalPlan(p, slots, found, cuts, isLax) {
  const plan = [];
  const farAway = 1n << 46n;
  let price = 0n;
  let side = 0n;
  for (let t = slots - 1; t >= 0; --t) {
    const before = price;
    price = clip(price, cuts[t][0], cuts[t][1]);
    if (price !== before) side = price > before ? 1n : -1n;
    const draft = clip((wishAt(p, t, priceBits) + price) >> 2n, p.low[t] * 256n, p.high[t] * 256n);
    const wide = p.soft && p.watt > p.unit / 2n && (isLax || !found[t].isWished);
    const tolerance = wide ? p.watt : p.unit / 2n;
    const safe = [found[t].band[0] - tolerance, found[t].band[1] + tolerance];
    const next = plan[t + 1];
    if (next) {
      const ambient = p.ambient[t + 1] * p.unit;
      const needed = [next.safe[0] - p.watt * p.high[t + 1], next.safe[1] - p.watt * p.low[t + 1]].map((level) =>
        clip(level - ambient, -farAway, farAway));
      const low = ambient - floorDiv(-needed[0] * permyriad, p.keep);
      const high = ambient + floorDiv((needed[1] + 1n) * permyriad - 1n, p.keep);
      if (low > safe[0]) safe[0] = low;
      if (high < safe[1]) safe[1] = high;
    }
    plan[t] = {draft, dual: saturate(price - before), side, safe};
    price = floorDiv(price * p.keep + permyriad / 2n, permyriad);
  }
  return plan;
}

// The trace heats only: a watt never lowers the temperature.
function thermalWatts(p, plan) {
  const lean = p.watt > p.unit ? (p.watt - p.unit) >> 1n : 0n;
  let draft = p.startMc * p.unit;
  let now = draft;
  const x = [];
  for (const [t, slot] of plan.entries()) {
    draft = drift(p, draft, t) + (p.watt >> 8n) * slot.draft;
    const idle = drift(p, now, t);
    const nearest = roundDiv(draft - idle + lean * slot.side, p.watt);
    const least = -floorDiv(idle - slot.safe[0], p.watt);
    const most = floorDiv(slot.safe[1] - idle, p.watt);
    if (least > most) return null;
    const power = clip(clip(clip(nearest, slot.draft >> 8n, -(-slot.draft >> 8n)), least, most), p.low[t], p.high[t]);
    now = idle + p.watt * power;
    if (now < slot.safe[0] || now > slot.safe[1]) return null;
    x.push(power);
  }
  return x;
}

// An error, or profile and multipliers.
export function thermalProgram(p, slots) {
  const {found, verdict} = bands(p, slots);
  if (verdict !== 0 && !p.soft) return {error: verdict};
  const cuts = thermalPrices(p, slots, found);
  for (const isLax of [false, true]) {
    const plan = thermalPlan(p, slots, found, cuts, isLax);
    const x = thermalWatts(p, plan);
    if (x !== null) return {error: 0, x, dual: plan.map((slot) => slot.dual)};
    if (!p.soft) break;
  }
  return {error: 200};
}

export function thermalGap(p, x, dual, slots) {
  const gap = {square: 0n, linear: 0n};
  const {found} = bands(p, slots);
  let now = p.startMc * p.unit;
  for (let t = 0; t < slots; ++t) {
    now = drift(p, now, t) + p.watt * x[t];
    const slack = dual[t] > 0n ? now + BigInt(slots) - found[t].band[0] : found[t].band[1] - now;
    if (dual[t] !== 0n && slack > 0n) gap.linear += -floorDiv(-2n * abs(dual[t]) * slack, p.watt);
  }
  let price = [0n, 0n];
  for (let t = slots - 1; t >= 0; --t) {
    price = add(scaled(price, p.keep, permyriad), [dual[t] * 256n, dual[t] * 256n]);
    const best = add(scaled([p.numerator[t], p.numerator[t]], oneW, p.weight), scaled(price, 1n, 256n));
    addRegret(gap, x[t], p.low[t], p.high[t], best, priceBits);
  }
  return magnitudeSum(gap, p.weight, priceBits);
}
