// SPDX-License-Identifier: Apache-2.0
// Homes in big integers: docs/SOLVER.md section 7. The caller gives `solvePart(part, p, slots)`, which solves one device alone and
// gives {error, x, dual}; here is what several devices behind one breaker do to each other.
import {abs, add, addRegret, clip, floorDiv, guardBits, magnitudeSum, scaled} from './trace_numbers.mjs';

const fine = 16n;
const gapBits = 10n;
const one = 1n << gapBits;
const roundMax = 1000;
const polishMax = 100;
const roomMax = 64;
const evenBits = 14n;
const penaltyStep = 4n;
const penaltyRoundMax = 60;

const bitWidth = (value) => BigInt(value === 0n ? 0 : value.toString(2).length);
const bySlot = (slots, of) => Array.from({length: slots}, (_, t) => of(t));

class Home {
  // parts: {kind, low, high, linear, quadratic, ...} as the caller's; J has weight 1 and no price.
  constructor(parts, limit, target, slots, solvePart) {
    Object.assign(this, {parts, limit, target, slots, solvePart, reserve: 0n});
    this.count = BigInt(parts.length);
    this.powerLimit = (1n << (29n - guardBits(slots))) - 1n;
    this.total = Array(slots).fill(0n);
    this.profiles = parts.map(() => Array(slots).fill(0n));
    this.duals = parts.map(() => Array(slots).fill(0n));
    this.z = target.map((power) => floorDiv(power * fine, this.count));
    this.u = Array(slots).fill(0n);
  }

  put(i, x) {
    const changed = x.some((power, t) => power !== this.profiles[i][t]);
    x.forEach((power, t) => (this.total[t] += power - this.profiles[i][t]));
    this.profiles[i] = x;
    return changed;
  }

  // Device i for a wish, at a weight, with its own costs times `own`. True if its profile is another one then.
  solve(i, wish, {weight = 1n, own = 1n, ...limits} = {}) {
    const part = this.parts[i];
    const linear = (part.linear ?? 0n) * own;
    const p = {...part, ...limits, weight: weight + (part.quadratic ?? 0n) * own};
    p.numerator = wish.map((power) => weight * power + linear);
    const answer = this.solvePart(p, this.slots);
    // Multipliers count in the whole curvature; here in the part of it that is the sum's.
    if (this.hasOwnCost(part) && answer.error === 0) answer.dual = answer.dual.map((dual) => floorDiv(dual * p.weight, weight));
    return answer;
  }

  // Of what is no generator.
  hasOwnCost(part) {
    return part.kind !== 'generator' && (part.quadratic ?? 0n) > 0n;
  }

  take(i, answer) {
    if (answer.error !== 0) return false;
    this.duals[i] = answer.dual;
    return this.put(i, answer.x);
  }

  // The penalty is count 2^(penaltyBits - 14). The first is at least every own cost, the last at most an eighth of the root of
  // count times the least one; all of it in powers of two.
  choosePenalties() {
    const owned = this.parts.filter((part) => part.kind === 'generator' || this.hasOwnCost(part));
    const costs = owned.map((part) => (part.quadratic ?? 0n) | abs((part.linear ?? 0n) >> 10n));
    const bits = costs.map((cost) => bitWidth(cost) - bitWidth(this.count) + evenBits);
    const least = bits.reduce((a, b) => (a < b ? a : b), 52n);
    this.penaltyBits = bits.reduce((a, b) => (a > b ? a : b), evenBits - 1n);
    if (this.penaltyBits > 26n) this.penaltyBits = 26n;
    this.lastBits = (least + 8n) >> 1n;
  }

  weaken() {
    if (this.penaltyBits <= this.lastBits || this.penaltyBits < penaltyStep) return false;
    if (this.u.some((u) => abs(u) > this.powerLimit / 2n)) return false;
    this.u = this.u.map((u) => u << penaltyStep);
    this.penaltyBits -= penaltyStep;
    return true;
  }

  // A penalty beside own costs: both x 2^14, or as much less as their ranges need.
  weigh(part) {
    let [weight, own] = [this.count << this.penaltyBits, 1n << evenBits];
    const most = part.kind === 'generator' ? 1n << 30n : 1n << 24n;
    while (weight > 1n << 24n || (part.quadratic ?? 0n) * own > most) [weight, own] = [(weight + 1n) / 2n, own / 2n];
    const cut = (weight + (part.quadratic ?? 0n) * own) * this.powerLimit;
    if (own === 0n || abs((part.linear ?? 0n) * own) > cut) throw new Error('costs that far apart are not in the trace');
    return {weight, own};
  }

  round() {
    const mean = (t) => floorDiv(this.total[t] * fine, this.count);
    const before = bySlot(this.slots, (t) => this.z[t] - this.u[t] - mean(t));
    this.parts.forEach((part, i) => {
      const wish = bySlot(this.slots, (t) => {
        const power = this.profiles[i][t] * fine + before[t];
        return clip((power + fine / 2n) >> 4n, -this.powerLimit, this.powerLimit);
      });
      this.take(i, this.solve(i, wish, part.kind === 'generator' || this.hasOwnCost(part) ? this.weigh(part) : {}));
    });
    let distance = 0n;
    const limit = floorDiv(this.limit * fine, this.count);
    for (let t = 0; t < this.slots; ++t) {
      const relaxed = floorDiv(8n * mean(t) - 3n * this.z[t], 5n);
      const [share, penalty] = [1n << evenBits, 1n << this.penaltyBits];
      const wish = floorDiv(this.target[t] * fine * share, this.count);
      const z = clip(floorDiv(wish + (relaxed + this.u[t]) * penalty, share + penalty), -limit, limit);
      this.u[t] += relaxed - z;
      for (const way of [abs(z - this.z[t]), abs(mean(t) - z)]) if (way > distance) distance = way;
      this.z[t] = z;
    }
    return distance;
  }

  polish() {
    for (let pass = 0; pass < polishMax; ++pass) {
      let changed = false;
      this.parts.forEach((part, i) => {
        const others = bySlot(this.slots, (t) => this.total[t] - this.profiles[i][t]);
        const wish = bySlot(this.slots, (t) => clip(this.target[t] - others[t], -this.powerLimit, this.powerLimit));
        const low = bySlot(this.slots, (t) => clip(-this.limit - others[t], part.low[t], part.high[t]));
        const high = bySlot(this.slots, (t) => clip(this.limit - others[t], part.low[t], part.high[t]));
        changed = this.take(i, this.solve(i, wish, {low, high})) || changed;
      });
      if (!changed) return;
    }
  }

  isOver() {
    return this.total.some((power) => abs(power) > this.limit);
  }

  overload(i, x) {
    const limit = this.limit - this.reserve;
    return x.reduce((sum, power, t) => {
      const size = abs(this.total[t] - this.profiles[i][t] + power) - limit;
      return size > 0n ? sum + size * size : sum;
    }, 0n);
  }

  makeRoom() {
    let moved = false;
    for (let i = 0; i < this.parts.length; ++i) {
      const before = this.overload(i, this.profiles[i]);
      if (before === 0n) return moved;
      const limit = this.limit - this.reserve;
      const wish = bySlot(this.slots, (t) => {
        const others = this.total[t] - this.profiles[i][t];
        return clip(this.profiles[i][t], -limit - others, limit - others);
      });
      const {x} = this.solve(i, wish, {own: 0n});
      if (this.overload(i, x) >= before) continue;
      this.put(i, x);
      moved = true;
    }
    return moved;
  }

  findRoom() {
    if (!this.isOver()) return;
    for (const reserve of [0n, this.count, 4n * this.count]) {
      this.reserve = reserve < this.limit ? reserve : this.limit;
      for (let pass = 0; pass < roomMax; ++pass) {
        const moved = this.makeRoom();
        if (!this.isOver()) return this.polish();
        if (!moved) break;
      }
    }
    return this.polish();
  }

  // ---- certificate ----

  multipliers(i) {
    return this.duals[i].map((dual) => dual << (gapBits - guardBits(this.slots)));
  }

  setPrices() {
    this.prices = bySlot(this.slots, (t) => (this.total[t] - this.target[t]) * one);
    const isSet = Array(this.slots).fill(false);
    const order = [...this.parts.keys()].sort((i, j) => this.hasOwnCost(this.parts[i]) - this.hasOwnCost(this.parts[j]));
    order.forEach((i) => {
      const part = this.parts[i];
      const multipliers = this.multipliers(i);
      let state = 0n;
      for (let t = this.slots - 1; t >= 0; --t) {
        state += multipliers[t];
        const power = this.profiles[i][t];
        const value = part.kind === 'generator' ? (part.linear - part.quadratic * power) * one : state - this.ownPrice(i, t);
        if (power <= part.low[t] || power >= part.high[t] || isSet[t]) continue;
        this.prices[t] = value;
        isSet[t] = true;
      }
    });
  }

  // What a watt more costs a part that is no generator, at its power.
  ownPrice(i, t) {
    return (this.parts[i].quadratic ?? 0n) * this.profiles[i][t] * one;
  }

  reprice() {
    for (let t = 0; t < this.slots; ++t) {
      const paid = ((this.u[t] * this.count * (one / fine)) << this.penaltyBits) >> evenBits;
      this.prices[t] = (this.total[t] - this.target[t]) * one;
      if (this.total[t] >= this.limit && paid > this.prices[t]) this.prices[t] = paid;
      if (this.total[t] <= -this.limit && paid < this.prices[t]) this.prices[t] = paid;
    }
    this.parts.forEach((part, i) => {
      if (part.kind !== 'battery') return;
      const numerator = this.profiles[i].map((power, t) => one * power - this.prices[t] - this.ownPrice(i, t));
      if (numerator.some((value) => abs(value) > one * this.powerLimit)) return;
      const answer = this.solvePart({...part, weight: one, numerator}, this.slots);
      if (answer.error === 0) this.duals[i] = answer.dual;
    });
  }

  addPart(gap, part, i) {
    const multipliers = this.multipliers(i);
    const profile = this.profiles[i];
    let energy = part.start ?? 0n;
    for (let t = 0; t < this.slots; ++t) {
      energy += profile[t];
      if (part.kind !== 'battery' || multipliers[t] === 0n) continue;
      const last = t + 1 === this.slots;
      const slack = multipliers[t] > 0n ? energy - (last ? part.endMin : part.min) : (last ? part.endMax : part.max) - energy;
      if (slack > 0n) gap.linear += 2n * abs(multipliers[t]) * slack;
    }
    let state = 0n;
    for (let t = this.slots - 1; t >= 0; --t) {
      state += multipliers[t];
      if (part.quadratic > 0n) {
        this.addCurved(gap, part, profile[t], t, part.kind === 'generator' ? part.linear * one : state);
        continue;
      }
      const reduced = this.prices[t] - state - (part.kind === 'generator' ? part.linear * one : 0n);
      const down = reduced > 0n ? reduced * (profile[t] - part.low[t]) : 0n;
      const up = reduced < 0n ? -reduced * (part.high[t] - profile[t]) : 0n;
      gap.linear += 2n * (down > up ? down : up);
    }
  }

  addCurved(gap, part, power, t, worth) {
    const best = add(scaled([worth, worth], 1n, part.quadratic), scaled([-this.prices[t], -this.prices[t]], 1n, part.quadratic));
    const own = {square: 0n, linear: 0n};
    addRegret(own, power, part.low[t], part.high[t], best, gapBits);
    gap.linear += magnitudeSum(own, part.quadratic, gapBits) * one + 1n;
  }

  bound() {
    const gap = {square: 0n, linear: 0n};
    for (let t = 0; t < this.slots; ++t) {
      const best = this.target[t] * one + this.prices[t];
      addRegret(gap, this.total[t], -this.limit, this.limit, [best - 1n, best + 1n], gapBits);
    }
    this.parts.forEach((part, i) => this.addPart(gap, part, i));
    return magnitudeSum(gap, 1n, gapBits);
  }

  gap() {
    this.setPrices();
    const first = this.bound();
    if (first <= 2n * BigInt(this.slots) * this.count) return first;
    this.reprice();
    const other = this.bound();
    return other < first ? other : first;
  }
}

export function solveHome(parts, limit, target, slots, solvePart) {
  const home = new Home(parts, limit, target, slots, solvePart);
  home.choosePenalties();
  let end = penaltyRoundMax;
  for (let number = 0; number < roundMax; ++number) {
    const isSettled = home.round() <= fine / 4n;
    if (!isSettled && number + 1 !== end) continue;
    if (home.weaken()) end = number + 1 + penaltyRoundMax;
    else if (isSettled) break;
  }
  home.polish();
  home.findRoom();
  if (home.isOver()) return {error: 200};
  return {error: 0, profiles: home.profiles, gap: home.gap()};
}
