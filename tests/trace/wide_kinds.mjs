// SPDX-License-Identifier: Apache-2.0
// Batteries with losses and stores with a leak, in big integers: section 9 of docs/SPEC.md, by its definitions. For each slot the
// price is found by halving, with S worked out from the day's beginning each time. Nothing here has a width; where the C++ bounds
// a number by its type, the trace's problems stay inside.
import {abs, add, addRegret, clip, floorDiv, guardBits, magnitudeSum, roundDiv, scaled, wishAt} from './trace_numbers.mjs';

const unlimited = 1n << 30n;
const permyriad = 10000n;
const million = 1000000n;

// What is left of a number a slot later.
const left = (number, keep) => floorDiv(number * keep + permyriad / 2n, permyriad);

// ---- S and its prices ----

// What the prices need: wishes, powers and limits on the grid of 2^-bits W, and what is lost.
class Path {
  constructor(p, slots, {room = null, roundTrip = million, leak = null}) {
    this.slots = slots;
    this.isLossless = roundTrip === million && leak === null;
    const sizes = p.low.map((low, t) => (-low > p.high[t] ? -low : p.high[t]));
    const power = sizes.reduce((a, b) => (b > a ? b : a));
    const powers = sizes.reduce((a, b) => a + b);
    const reach = room !== null && room < powers ? room : powers;
    this.bits = this.isLossless || guardBits(slots) > 8n ? guardBits(slots) : 8n;
    let width = this.isLossless ? 31n : 29n;
    while ((reach + power + 2n) >> (width - this.bits) !== 0n || power >> (29n - this.bits) !== 0n) {
      --this.bits;
      width = 29n;
    }
    this.farthest = (reach + 1n) << this.bits;
    this.wish = p.target.map((_, t) => clip(wishAt(p, t, this.bits), -(1n << 29n), (1n << 29n) - 1n));
    this.low = p.low.map((w) => w << this.bits);
    this.high = p.high.map((w) => w << this.bits);
    this.roundTrip = roundTrip === million ? 0n : (roundTrip << 32n) / million;
    this.leak = leak ?? 0n;
    this.keep = leak === null || leak === 0n ? 0n : ((permyriad - leak) << 32n) / permyriad;
    this.limits = [];
  }

  // Limits of S from those of the effects, of which a watt is `watt`. By `short` rounding may leave S below what can be reached.
  limitTo(effects, watt) {
    let short = 0n;
    this.limits = effects.map((pair) => {
      const [least, most] = pair.map((effect) => clip(floorDiv(effect << this.bits, watt), -this.farthest, this.farthest));
      if (!this.isLossless) short = left(short, permyriad - this.leak) + 2n;
      return [least - short, most];
    });
  }

  power(t, price) {
    const worth = this.roundTrip === 0n || abs(price) === unlimited ? price : (price * this.roundTrip) >> 32n;
    if (this.roundTrip === 0n) return clip(this.wish[t] + price, this.low[t], this.high[t]);
    const charging = this.wish[t] + worth;
    const discharging = this.wish[t] + price;
    const up = clip(charging, 0n, this.high[t]);
    const down = clip(discharging, this.low[t], 0n);
    if (up === 0n || down === 0n) return up + down;
    const gain = (power, best) => (2n * best - power) * power;
    return gain(up, charging) > gain(down, discharging) ? up : down;
  }

  effect(power) {
    return this.roundTrip !== 0n && power > 0n ? (power * this.roundTrip) >> 32n : power;
  }

  before(price) {
    return this.keep === 0n ? price : (price * this.keep) >> 32n;
  }

  // S before slot t if the price of slot t is `price`, and after it before its limits.
  sumBefore(t, price) {
    const prices = [];
    for (let s = t, l = price; s >= 0; --s, l = this.before(l)) prices[s] = l;
    let sum = 0n;
    for (let s = 0; s < t; ++s) sum = clip(this.kept(sum) + this.effect(this.power(s, prices[s])), ...this.limits[s]);
    return sum;
  }

  kept(sum) {
    return this.keep === 0n ? sum : (sum * this.keep) >> 32n;
  }

  sum(t, price) {
    return this.kept(this.sumBefore(t, price)) + this.effect(this.power(t, price));
  }

  // The smallest price at which S reaches a limit that it is below; one less if it is passed without being reached.
  lowerCut(t, limit) {
    let low = -unlimited;
    let high = unlimited;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (this.sum(t, middle) < limit) low = middle;
      else high = middle;
    }
    return this.sum(t, high) === limit ? high : low;
  }

  // The mirror image.
  upperCut(t, limit) {
    let low = -unlimited;
    let high = unlimited;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (this.sum(t, middle) > limit) high = middle;
      else low = middle;
    }
    return this.sum(t, low) === limit ? low : high;
  }

  prices() {
    const price = [];
    let next = 0n;
    for (let t = this.slots - 1; t >= 0; --t) {
      const sum = this.sum(t, next);
      const [least, most] = this.limits[t];
      price[t] = sum < least ? this.lowerCut(t, least) : sum > most ? this.upperCut(t, most) : next;
      next = this.before(price[t]);
    }
    return price;
  }

  // The grid's powers, last to first: where S is to be `aim` but jumps with the price, slots that jump take one power or the other.
  drafts(price) {
    const power = price.map((l, t) => this.power(t, l));
    if (this.roundTrip === 0n) return power;
    let aim = null;
    for (let t = this.slots - 1; t >= 0; --t) {
      const sum = this.sum(t, price[t]);
      if (t + 1 === this.slots || price[t] !== price[t + 1]) aim = clip(sum, ...this.limits[t]);
      if (sum !== aim) power[t] = this.chosen(t, price[t], sum > aim ? price[t] - 1n : price[t] + 1n, aim);
      aim -= this.effect(power[t]);
    }
    return power;
  }

  // The power at the price `other` if the slots before can do what then remains; else that at `own`, if they can; else one between.
  chosen(t, own, other, aim) {
    const mine = this.power(t, own);
    const theirs = this.power(t, other);
    if (abs(this.effect(theirs) - this.effect(mine)) <= this.bits) return mine;
    const ends = [this.sumBefore(t, own), this.sumBefore(t, other)].map((sum) => aim - sum);
    const [least, most] = ends[0] < ends[1] ? ends : [ends[1], ends[0]];
    const isWithin = (effect) => least <= effect && effect <= most;
    if (isWithin(this.effect(theirs))) return theirs;
    if (isWithin(this.effect(mine))) return mine;
    const nearest = clip(this.effect(mine), least, most);
    return nearest > 0n ? (nearest << 32n) / this.roundTrip : nearest;
  }
}

// ---- whole watts ----

// The watts nearest to the path of the drafts within the safe effects, or null. `store` knows kept, watt(change) and what is safe.
function wholeWatts(p, store, drafts, bits) {
  let draft = 0n;
  let now = 0n;
  const x = [];
  for (const [t, power] of drafts.entries()) {
    const idle = store.kept(now);
    draft = store.kept(draft) + ((power * store.watt(power)) >> bits);
    const change = draft - idle;
    const [least, most] = store.safe[t].map((effect) => effect - idle);
    let watts = clip(roundDiv(change, store.watt(change)), power >> bits, -(-power >> bits));
    const leastW = -floorDiv(-least, store.watt(least));
    const mostW = floorDiv(most, store.watt(most));
    if (leastW > mostW) return null;
    watts = clip(clip(watts, leastW, mostW), p.low[t], p.high[t]);
    now = idle + watts * store.watt(watts);
    if (now < store.safe[t][0] || now > store.safe[t][1]) return null;
    x.push(watts);
  }
  return x;
}

// ---- losses ----

const unitOf = (p) => 1000n * p.discharge;
const wattOf = (p) => (change) => (change < 0n ? million : p.charge * p.discharge);
const effect = (p, power) => power * wattOf(p)(power);

function lossyLimits(p, t, slots) {
  const last = t + 1 === slots;
  const low = (last ? p.endMin : p.min) * unitOf(p);
  const high = (last ? p.endMax : p.max) * unitOf(p);
  const room = p.charge === 1000n && p.discharge === 1000n ? 0n : 1000000n;
  const missing = room - (high - low);
  if (high < low || missing <= 0n) return [low, high];
  return [low - (missing + 1n) / 2n, high + (missing + 1n) / 2n];
}

// The limits of what the day's powers have done: those of the energy less what it would be without power.
function lossyEffects(p, slots) {
  return Array.from({length: slots}, (_, t) => {
    const idle = (p.start - p.loss * BigInt(t + 1)) * unitOf(p);
    return lossyLimits(p, t, slots).map((energy) => energy - idle);
  });
}

export function lossyVerdict(p, slots) {
  let low = 0n;
  let high = 0n;
  for (const [t, [min, max]] of lossyEffects(p, slots).entries()) {
    low += effect(p, p.low[t]);
    high += effect(p, p.high[t]);
    if (high < min) return 201;
    if (low > max || min > max) return 202;
    if (low < min) low = min;
    if (high > max) high = max;
  }
  return 0;
}

function lossyPath(p, slots, limits) {
  const below = p.start - p.min;
  const above = p.max - p.start;
  const room = (below > above ? below : above) + p.loss * BigInt(slots);
  const path = new Path(p, slots, {room, roundTrip: p.charge * p.discharge});
  path.limitTo(limits, million);
  return path;
}

// Backwards: the effects from which later limits can be kept.
function lossySafe(p, slots, limits) {
  const safe = [];
  for (let t = slots - 1; t >= 0; --t) {
    safe[t] = limits[t];
    if (t + 1 === slots) continue;
    const low = safe[t + 1][0] - effect(p, p.high[t + 1]);
    const high = safe[t + 1][1] - effect(p, p.low[t + 1]);
    safe[t] = [low > safe[t][0] ? low : safe[t][0], high < safe[t][1] ? high : safe[t][1]];
  }
  return safe;
}

// Without losses rounding the sums breaks nothing, halves up.
function roundSums(power, bits) {
  let sum = 1n << (bits - 1n);
  let before = 0n;
  return power.map((w) => {
    sum += w;
    const rounded = sum >> bits;
    const x = rounded - before;
    before = rounded;
    return x;
  });
}

// Profile, multipliers and their bits, or null where no whole watts keep the limits.
export function lossyProgram(p, slots) {
  const limits = lossyEffects(p, slots);
  const path = lossyPath(p, slots, limits);
  const price = path.prices();
  const power = path.drafts(price);
  const worth = (l) => floorDiv(l * p.discharge, 1000n);
  const dual = price.map((l, t) => worth(l) - worth(t + 1 < slots ? price[t + 1] : 0n));
  const isExact = path.isLossless && path.bits === guardBits(slots);
  const store = {kept: (effect) => effect, watt: wattOf(p), safe: lossySafe(p, slots, limits)};
  const x = isExact ? roundSums(power, path.bits) : wholeWatts(p, store, power, path.bits);
  return x === null ? null : {x, dual, bits: path.bits};
}

// The least x (x - 2 x0) of one branch, rounded down.
function branchMinimum(best, low, high, priceBits) {
  const oneW = 1n << priceBits;
  if (best[1] <= low * oneW) return low * (low * oneW - 2n * (low > 0n ? best[1] : best[0]));
  if (best[0] >= high * oneW) return high * (high * oneW - 2n * (high > 0n ? best[1] : best[0]));
  const size = abs(best[0]) > abs(best[1]) ? abs(best[0]) : abs(best[1]);
  const whole = size >> priceBits;
  const part = size & (oneW - 1n);
  return -(whole * whole * oneW + 2n * whole * part + ((part * part) >> priceBits) + 1n);
}

export function lossyGap(p, x, dual, slots, priceBits) {
  const oneW = 1n << priceBits;
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
    const other = isCharging ? branchMinimum(discharge, p.low[t], 0n, priceBits) : branchMinimum(charge, 0n, p.high[t], priceBits);
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

// What is left of an effect a slot later, to the nearest unit, halves up.
const kept = (p, effect) => left(effect, p.keep);

// The limits of the effects in each slot, what of them can be reached, and how the first unreachable one is missed: 0, or 201 below,
// 202 above.
function bands(p, slots) {
  const slack = p.unit / 2n;
  let [low, high] = [0n, 0n];
  let idle = p.startMc * p.unit;
  let verdict = 0;
  const found = [];
  for (let t = 0; t < slots; ++t) {
    const ambient = p.ambient[t] * p.unit;
    idle = ambient + kept(p, idle - ambient);
    low = kept(p, low) + p.watt * p.low[t];
    high = kept(p, high) + p.watt * p.high[t];
    let band = [p.minMc[t] * p.unit - idle, p.maxMc[t] * p.unit - idle];
    const missed = high < band[0] - slack ? 201 : low > band[1] + slack ? 202 : 0;
    if (missed !== 0) {
      verdict ||= missed;
      const near = missed === 201 ? high : low;
      band = [near, near];
    }
    low = clip(band[0], low, high);
    high = clip(band[1], low, high);
    found.push({band, reached: [low, high], isWished: missed === 0});
  }
  return {found, verdict};
}

function thermalPath(p, slots, found) {
  const path = new Path(p, slots, {leak: permyriad - p.keep});
  path.limitTo(found.map(({reached}) => reached), p.watt);
  return path;
}

function thermalSafe(p, slots, found, isLax) {
  const farAway = 1n << 46n;
  const safe = [];
  for (let t = slots - 1; t >= 0; --t) {
    const isWide = p.soft && p.watt > p.unit / 2n && (isLax || !found[t].isWished);
    const tolerance = isWide ? p.watt : p.unit / 2n;
    safe[t] = [found[t].band[0] - tolerance, found[t].band[1] + tolerance];
    if (t + 1 === slots) continue;
    const needed = [safe[t + 1][0] - p.watt * p.high[t + 1], safe[t + 1][1] - p.watt * p.low[t + 1]].map((effect) => clip(effect, -farAway, farAway));
    const half = permyriad / 2n;
    const low = -floorDiv(half - needed[0] * permyriad, p.keep);
    const high = floorDiv((needed[1] + 1n) * permyriad - half - 1n, p.keep);
    if (low > safe[t][0]) safe[t][0] = low;
    if (high < safe[t][1]) safe[t][1] = high;
  }
  return safe;
}

// An error, or profile, multipliers and their bits. The trace heats only: a watt never lowers the temperature.
export function thermalProgram(p, slots) {
  const {found, verdict} = bands(p, slots);
  if (verdict !== 0 && !p.soft) return {error: verdict};
  const path = thermalPath(p, slots, found);
  const price = path.prices();
  const power = path.drafts(price);
  const dual = price.map((l, t) => l - (t + 1 < slots ? path.before(price[t + 1]) : 0n));
  for (const isLax of [false, true]) {
    const store = {kept: (effect) => kept(p, effect), watt: () => p.watt, safe: thermalSafe(p, slots, found, isLax)};
    const x = wholeWatts(p, store, power, path.bits);
    if (x !== null) return {error: 0, x, dual, bits: path.bits};
    if (!p.soft) break;
  }
  return {error: 200};
}

export function thermalGap(p, x, dual, slots, priceBits) {
  const gap = {square: 0n, linear: 0n};
  const {found} = bands(p, slots);
  let now = 0n;
  for (let t = 0; t < slots; ++t) {
    now = kept(p, now) + p.watt * x[t];
    const [low, high] = found[t].reached;
    const slack = (dual[t] > 0n ? now - low : high - now) + BigInt(slots);
    if (dual[t] !== 0n && slack > 0n) gap.linear += -floorDiv(-2n * abs(dual[t]) * slack, p.watt);
  }
  let price = [0n, 0n];
  for (let t = slots - 1; t >= 0; --t) {
    price = add(scaled(price, p.keep, permyriad), [dual[t] * 256n, dual[t] * 256n]);
    const best = add(scaled([p.numerator[t], p.numerator[t]], 1n << priceBits, p.weight), scaled(price, 1n, 256n));
    addRegret(gap, x[t], p.low[t], p.high[t], best, priceBits);
  }
  return magnitudeSum(gap, p.weight, priceBits);
}
