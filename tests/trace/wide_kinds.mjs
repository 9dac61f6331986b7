// SPDX-License-Identifier: Apache-2.0
// Batteries with losses and stores with a leak, in big integers: section 9 of docs/SPEC.md, by its definitions. For each slot the
// price is found by halving, with S worked out from the day's beginning each time. Nothing here has a width; where the C++ bounds
// a number by its type, the trace's problems stay inside.
import {abs, add, addRegret, clip, floorDiv, guardBits, magnitudeSum, roundDiv, scaled, wishAt} from './trace_numbers.mjs';

const unlimited = 1n << 30n;
const permyriad = 10000n;
const million = 1000000n;
const sumBits = 10n;

// ---- S and its prices ----

// What find() needs: wishes, powers and limits on the grid of 2^-bits W, and what is lost.
class Path {
  constructor(p, slots, {reach, roundTrip = million, leak = 0n}) {
    this.slots = slots;
    const isLossless = roundTrip === million && leak === 0n;
    this.bits = isLossless || guardBits(slots) > 8n ? guardBits(slots) : 8n;
    const most = (list) => list.map(abs).reduce((a, b) => (b > a ? b : a));
    const power = most([...p.low, ...p.high]);
    const wish = isLossless ? 0n : most(p.target.map((_, t) => wishAt(p, t, 0n))) + 1n;
    const largest = wish > power ? wish : power;
    const sum = most(reach) + power + 2n;
    while (sum >> (31n - this.bits) !== 0n || largest >> (29n - this.bits) !== 0n) --this.bits;
    this.reach = [(reach[0] - 1n) << this.bits, (reach[1] + 1n) << this.bits];
    this.wish = p.target.map((_, t) => wishAt(p, t, this.bits));
    this.low = p.low.map((w) => w << this.bits);
    this.high = p.high.map((w) => w << this.bits);
    this.roundTrip = roundTrip === million ? 0n : (roundTrip << 32n) / million;
    this.keep = leak === 0n ? 0n : ((permyriad - leak) << 31n) / permyriad;
    this.growth = (leak << 32n) / (permyriad - leak);
    this.near = (unlimited / permyriad) * (permyriad - leak);
    this.limits = [];
  }

  // A limit of S from that of the state in 2^-10 W x slot.
  limit(fine) {
    return clip(fine >> (sumBits - this.bits), this.reach[0], this.reach[1]);
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

  after(price) {
    if (this.keep === 0n) return price;
    if (price >= this.near) return unlimited;
    if (price <= -this.near) return -unlimited;
    return price + ((price * this.growth + (1n << 31n)) >> 32n);
  }

  // The largest price that grows to no more than this one.
  before(price) {
    if (this.keep === 0n) return price;
    if (abs(price) === unlimited) return price < 0n ? -this.near : this.near;
    let low = -unlimited;
    let high = unlimited;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (this.after(middle) <= price) low = middle;
      else high = middle;
    }
    return low;
  }

  // S after slot t before its limits, if the price of slot t is `price`.
  sum(t, price) {
    const prices = [];
    for (let s = t, l = price; s >= 0; --s, l = this.before(l)) prices[s] = l;
    let sum = 0n;
    for (let s = 0; s <= t; ++s) {
      if (s > 0) sum = clip(sum, this.limits[s - 1][0], this.limits[s - 1][1]);
      if (this.keep !== 0n) sum = (sum * this.keep + (1n << 30n)) >> 31n;
      sum += this.effect(this.power(s, prices[s]));
    }
    return sum;
  }

  // The smallest price at which S passes `limit` from below, or reaches it; one less if it is passed without being reached.
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

  // The mirror image, where what is below the lower limit has been lifted to it.
  upperCut(t, [least, limit]) {
    const sum = (price) => clip(this.sum(t, price), least, unlimited * 4n);
    let low = -unlimited;
    let high = unlimited;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (sum(middle) > limit) high = middle;
      else low = middle;
    }
    return sum(low) === limit ? low : high;
  }

  // Limits out of reach by the grid's rounding become the nearest within.
  limitToReach() {
    let [low, high] = [0n, 0n];
    for (let t = 0; t < this.slots; ++t) {
      const keep = (sum) => (this.keep === 0n ? sum : (sum * this.keep + (1n << 30n)) >> 31n);
      low = keep(low) + this.effect(this.low[t]);
      high = keep(high) + this.effect(this.high[t]);
      const limits = this.limits[t];
      if (limits[0] > high) limits[0] = high;
      if (limits[1] < low) limits[1] = low;
      if (low < limits[0]) low = limits[0];
      if (high > limits[1]) high = limits[1];
    }
  }

  // Prices of all slots, and the slots where a limit holds: 1 the lower one, -1 the upper one.
  prices() {
    this.limitToReach();
    const price = [];
    const side = Array(this.slots).fill(0);
    let next = 0n;
    for (let t = this.slots - 1; t >= 0; --t) {
      price[t] = next;
      const sum = this.sum(t, next);
      if (sum < this.limits[t][0]) {
        side[t] = 1;
        price[t] = this.lowerCut(t, this.limits[t][0]);
      } else if (sum > this.limits[t][1]) {
        side[t] = -1;
        price[t] = this.upperCut(t, this.limits[t]);
      }
      next = this.before(price[t]);
    }
    return {price, side};
  }

  // The grid's powers.
  drafts({price, side}) {
    const power = price.map((l, t) => this.power(t, l));
    let first = 0;
    let from = 0n;
    for (let t = 0; t < this.slots && this.roundTrip !== 0n; ++t) {
      if (side[t] === 0) continue;
      const later = side.findIndex((s, i) => i > t && s !== 0);
      if (later > 0 && side[later] === side[t] && price[later] === price[t]) continue;  // the same stretch
      const to = this.limits[t][side[t] > 0 ? 0 : 1];
      // The lower of the two neighbouring prices between which the day turns.
      const low = side[t] > 0 || this.sum(t, price[t]) < to ? price[t] : price[t] - 1n;
      if (low < 0n) this.share(first, t, low, from, to, power);
      first = t + 1;
      from = to;
    }
    return power;
  }

  // Slots that jump, from their lower powers: the first charge as far as limits let them, the last ones then in part.
  share(first, last, lowPrice, from, to, power) {
    const lower = (t) => this.power(t, lowPrice);
    const upper = (t) => this.power(t, lowPrice + 1n);
    const slots = Array.from({length: last - first + 1}, (_, i) => first + i);
    const jumping = slots.filter((t) => lower(t) < 0n && upper(t) > 0n);
    for (const t of jumping) power[t] = lower(t);
    let rest = to - from - slots.reduce((sum, t) => sum + this.effect(power[t]), 0n);
    let sum = from;
    for (const t of slots) {
      const now = this.effect(power[t]);
      const more = this.effect(upper(t)) - now;
      if (jumping.includes(t) && more <= rest && more <= this.limits[t][1] - sum - now) {
        power[t] = upper(t);
        rest -= more;
      }
      sum += this.effect(power[t]);
    }
    let room = rest;
    for (const t of slots.reverse()) {
      if (this.limits[t][1] - sum < room) room = this.limits[t][1] - sum;
      if (room <= 0n) return;
      const now = this.effect(power[t]);
      sum -= now;
      if (!jumping.includes(t) || power[t] >= 0n) continue;
      const all = this.effect(upper(t)) - now;
      const more = all < room ? all : room;
      const reached = now + more;
      power[t] = more === all ? upper(t) : reached > 0n ? (reached << 32n) / this.roundTrip : reached;
      room -= more;
    }
  }
}

// ---- whole watts ----

// The watts nearest to the path of the drafts within the safe states, or null. `store` knows drift, watt(change) and what is safe.
function wholeWatts(p, store, drafts, bits) {
  let draft = store.start;
  let now = store.start;
  const x = [];
  for (const [t, power] of drafts.entries()) {
    const idle = store.drift(now, t);
    draft = store.drift(draft, t) + ((power * store.watt(power)) >> bits);
    const change = draft - idle;
    const [least, most] = store.safe[t].map((state) => state - idle);
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

function lossyPath(p, slots) {
  const powers = {low: 0n, high: 0n, least: 0n, most: 0n};
  for (let t = 0; t < slots; ++t) {
    powers.low += p.low[t];
    powers.high += p.high[t];
    if (powers.low < powers.least) powers.least = powers.low;
    if (powers.high > powers.most) powers.most = powers.high;
  }
  const lost = p.loss * BigInt(slots);
  const reach = [clip(p.min - p.start, powers.least, 0n), clip(p.max - p.start + lost, 0n, powers.most)];
  const path = new Path(p, slots, {reach, roundTrip: p.charge * p.discharge});
  let idle = p.start * unitOf(p);
  for (let t = 0; t < slots; ++t) {
    idle -= p.loss * unitOf(p);
    path.limits.push(lossyLimits(p, t, slots).map((energy) => path.limit(floorDiv((energy - idle) << sumBits, million))));
  }
  return path;
}

// Backwards: the energies from which later limits can be kept.
function lossySafe(p, slots) {
  const loss = p.loss * unitOf(p);
  const safe = [];
  for (let t = slots - 1; t >= 0; --t) {
    safe[t] = lossyLimits(p, t, slots);
    if (t + 1 === slots) continue;
    const low = safe[t + 1][0] - effect(p, p.high[t + 1]) + loss;
    const high = safe[t + 1][1] - effect(p, p.low[t + 1]) + loss;
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
  const path = lossyPath(p, slots);
  const found = path.prices();
  const power = path.drafts(found);
  const worth = (price) => floorDiv(price * p.discharge, 1000n);
  const dual = found.price.map((price, t) => worth(price) - worth(t + 1 < slots ? found.price[t + 1] : 0n));
  const isExact = p.charge * p.discharge === million && path.bits === guardBits(slots);
  const store = {start: p.start * unitOf(p), drift: (before) => before - p.loss * unitOf(p), watt: wattOf(p), safe: lossySafe(p, slots)};
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

function thermalPath(p, slots, found) {
  const most = p.high.reduce((a, b) => (b > a ? b : a));
  const leak = permyriad - p.keep;
  const count = leak * BigInt(slots) > permyriad ? permyriad / leak + 1n : BigInt(slots);
  const reach = most * (count + 1n);
  const path = new Path(p, slots, {reach: [-reach, reach], leak});
  let idle = p.startMc * p.unit;
  for (let t = 0; t < slots; ++t) {
    idle = drift(p, idle, t);
    path.limits.push(found[t].band.map((level) => path.limit(floorDiv(level - idle, p.watt >> sumBits))));
  }
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
    const ambient = p.ambient[t + 1] * p.unit;
    const needed = [safe[t + 1][0] - p.watt * p.high[t + 1], safe[t + 1][1] - p.watt * p.low[t + 1]].map((level) =>
      clip(level - ambient, -farAway, farAway));
    const low = ambient - floorDiv(-needed[0] * permyriad, p.keep);
    const high = ambient + floorDiv((needed[1] + 1n) * permyriad - 1n, p.keep);
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
  const prices = path.prices();
  const power = path.drafts(prices);
  const dual = prices.price.map((price, t) => price - (t + 1 < slots ? path.before(prices.price[t + 1]) : 0n));
  for (const isLax of [false, true]) {
    const store = {start: p.startMc * p.unit, drift: (before, t) => drift(p, before, t), watt: () => p.watt, safe: thermalSafe(p, slots, found, isLax)};
    const x = wholeWatts(p, store, power, path.bits);
    if (x !== null) return {error: 0, x, dual, bits: path.bits};
    if (!p.soft) break;
  }
  return {error: 200};
}

export function thermalGap(p, x, dual, slots, priceBits) {
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
    const best = add(scaled([p.numerator[t], p.numerator[t]], 1n << priceBits, p.weight), scaled(price, 1n, 256n));
    addRegret(gap, x[t], p.low[t], p.high[t], best, priceBits);
  }
  return magnitudeSum(gap, p.weight, priceBits);
}
