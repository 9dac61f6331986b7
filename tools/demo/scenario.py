# SPDX-License-Identifier: Apache-2.0
"""The demonstration's community: which devices there are, what each may do, and the day that they plan for.

Everything is deterministic: the same options give the same community. Powers in W, energy in Wh, prices in micro-units of
money per kWh (1 EUR/MWh = 1000), as in docs/SPEC.md.
"""
import csv
import math
import random
from pathlib import Path

# Day-ahead prices of bidding zone DK2 on 2024-02-07 in EUR/MWh. Source: Energinet (www.energidataservice.dk), CC BY 4.0.
PRICES_EUR_PER_MWH = [
    53.23, 52.37, 43.26, 46.59, 54.47, 60.12, 74.35, 86.67, 87, 85.53, 81.17, 78.01,
    75.82, 78.29, 77.32, 86.74, 97.3, 120.05, 136.22, 109.7, 99.91, 87.65, 83.63, 79.21]

PATTERN = ["fixed", "curtailable", "shapeable", "battery", "appliance", "shapeable",
           "fixed", "battery", "shapeable", "appliance", "curtailable", "shapeable"]
NAMES = {"fixed": "load", "curtailable": "pv", "shapeable": "ev", "battery": "battery", "appliance": "washer"}

# Own cost of one more kW at each kW, beside the community's price: a battery's wear, a car's wish to charge gently.
# In 2^-16 micro-units per kWh and W; 10 << 16 is one hundredth of the currency per kWh and kW.
OWN_QUADRATIC_Q16 = {"battery": 12 << 16, "shapeable": 6 << 16}


class BadData(Exception):
    """A data file that cannot be used; the message names file and line."""


def hour_of(slot, slots):
    return slot * 24.0 / slots


def built_in_prices(slots):
    return [round(PRICES_EUR_PER_MWH[int(hour_of(t, slots))] * 1000) for t in range(slots)]


def built_in_load(slots, homes):
    """The feeder's uncontrolled load: a night valley, a small morning and a high evening peak, for so many homes."""
    def home_w(hour):
        evening = math.exp(-((hour - 19.0) / 2.6) ** 2)
        morning = math.exp(-((hour - 7.5) / 1.6) ** 2)
        return 180 + 520 * evening + 260 * morning
    return [round(homes * home_w(hour_of(t, slots) + 0.5)) for t in range(slots)]


def read_csv_days(path, key_columns, slot_column, value_column):
    """Days of a CSV file as {key: [value per slot]}, every slot from 0 on present exactly once."""
    days, lines = {}, {}
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = set(reader.fieldnames or [])
        for column in [*key_columns, slot_column, value_column]:
            if column not in columns:
                raise BadData(f"{path}: line 1: no column {column}")
        for number, row in enumerate(reader, start=2):
            key = tuple(row[column] for column in key_columns)
            try:
                slot, value = int(row[slot_column]), float(row[value_column])
            except (TypeError, ValueError):
                raise BadData(f"{path}: line {number}: {slot_column} or {value_column} is not a number") from None
            values = days.setdefault(key, [])
            if slot != len(values):
                raise BadData(f"{path}: line {number}: slot {slot} of {' '.join(key)} where slot {len(values)} is due")
            values.append(value)
            lines[key] = number
    if not days:
        raise BadData(f"{path}: has no rows")
    for key, values in days.items():
        if len(values) not in (24, 48, 96):
            raise BadData(f"{path}: line {lines[key]}: {' '.join(key)} ends after {len(values)} slots, not 24, 48 or 96")
    return days


def to_slots(values, slots):
    """Values per hour or quarter hour as values of another grid: the mean, or the same repeated."""
    if len(values) >= slots:
        step = len(values) // slots
        return [sum(values[t * step:(t + 1) * step]) / step for t in range(slots)]
    return [values[t * len(values) // slots] for t in range(slots)]


def files_of(folder, words):
    if not Path(folder).is_dir():
        raise BadData(f"{folder}: no such folder")
    found = sorted(path for path in Path(folder).glob("*.csv") if all(word in path.name for word in words))
    return [path for path in found if "clock_change" not in path.name and "devices" not in path.name]


def header_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return next(csv.reader(file), [])


def load_prices(folder, slots):
    paths = files_of(folder, ["price", "15min" if slots == 96 else "60min"]) or files_of(folder, ["price"])
    if not paths:
        raise BadData(f"{folder}: no CSV file with 'price' in its name")
    header = header_of(paths[0])
    slot_column = next((name for name in header if name.startswith("slot")), "slot")
    value_column = next((name for name in header if "eur_per_mwh" in name), "price_eur_per_mwh")
    keys = [name for name in ("zone", "date_local") if name in header]
    days = read_csv_days(paths[0], keys, slot_column, value_column)
    # An ordinary day: extremes of both kinds are left to those who ask for them.
    ranked = sorted(days.items(), key=lambda item: max(item[1]) - min(item[1]))
    key, values = ranked[len(ranked) // 3]
    return [round(value * 1000) for value in to_slots(values, slots)], f"{paths[0].name}, {' '.join(key)}"


def load_homes(folder, slots, homes):
    paths = files_of(folder, ["home", "15min" if slots == 96 else "60min"]) or files_of(folder, ["home"])
    if not paths:
        raise BadData(f"{folder}: no CSV file with 'home' in its name")
    header = header_of(paths[0])
    slot_column = next((name for name in header if name.startswith("slot")), "slot")
    days = read_csv_days(paths[0], ["home", "date_local"], slot_column, "load_kwh")
    profiles = []
    for values in days.values():
        kw_of_kwh = len(values) / 24.0
        profiles.append([1000 * kw_of_kwh * value for value in to_slots(values, slots)])
    mean = [sum(profile[t] for profile in profiles) / len(profiles) for t in range(slots)]
    return [round(homes * value) for value in mean], f"{paths[0].name}, mean of {len(profiles)} days"


class Device:
    """One device: its private description (as for `wattproofctl solve`), and what it does if nobody asks it anything."""

    def __init__(self, index, kind, slots, rng):
        self.index, self.kind, self.name = index, kind, f"{NAMES[kind]}-{index + 1:02d}"
        self.own_quadratic_q16 = OWN_QUADRATIC_Q16.get(kind, 0)
        self.address, self.id, self.process, self.events = None, None, None, []
        self.is_relay_only = kind == "appliance"
        getattr(self, f"_{kind}")(slots, rng)

    def quicken(self, slot_seconds, slots):
        """The same device on a day whose slots are shorter than those of 24 hours: powers stay, energies shrink with the
        slots, to whole Wh. A battery keeps room both ways, else it would be another problem."""
        def shrink(energy_wh):
            return round(energy_wh * slot_seconds * slots / 86400)
        shrunk = {name: shrink(value) for name, value in self.device.items() if name.startswith("energy")}
        if self.kind == "battery":
            start_wh = max(1, shrunk["energy_start_wh"])
            room_wh = max(1, shrink(self.device["energy_max_wh"] - self.device["energy_start_wh"]))
            shrunk |= {"energy_start_wh": start_wh, "energy_max_wh": start_wh + room_wh, "energy_end_min_wh": start_wh,
                       "energy_end_max_wh": start_wh}
        if self.kind == "shapeable":
            shrunk["energy_wh"] = max(1, shrunk["energy_wh"])
            left, power = shrunk["energy_wh"] * 3600 // slot_seconds, self.device["power_max_w"]
            for t in range(self.device["start_slot"], self.device["end_slot"]):
                self.before[t] = min(power, left)
                left -= self.before[t]
        self.device |= shrunk

    def _fixed(self, slots, rng):
        level, peak = rng.randint(150, 350), rng.randint(400, 900)
        self.before = [round(level + peak * math.exp(-((hour_of(t, slots) + 0.5 - 18.5) / 3) ** 2)) for t in range(slots)]
        self.device = {"type": "fixed", "profile_w": self.before}
        self.min_w = self.max_w = self.fallback_w = self.before

    def _curtailable(self, slots, rng):
        peak = rng.randint(2500, 4500)
        self.before = [-round(max(0.0, peak * math.sin(math.pi * (hour_of(t, slots) + 12.0 / slots - 7.5) / 9.5)))
                       if 7.5 < hour_of(t, slots) < 17 else 0 for t in range(slots)]
        self.device = {"type": "curtailable", "min_w": self.before, "max_w": 0}
        self.min_w, self.max_w, self.fallback_w = self.before, 0, 0

    def _shapeable(self, slots, rng):
        per_hour = slots / 24
        power = rng.choice([3700, 7400])
        start = round(rng.choice([0, 1, 12, 13]) * per_hour)
        end = min(slots, start + round(rng.choice([7, 8, 9]) * per_hour))
        hours = (end - start) / per_hour
        energy = round(min(power * hours * rng.uniform(0.35, 0.6), 24000) / 100) * 100
        self.device = {"type": "shapeable", "power_min_w": 0, "power_max_w": power, "energy_wh": energy,
                       "start_slot": start, "end_slot": end}
        self.before, left = [0] * slots, round(energy * per_hour)
        for t in range(start, end):
            self.before[t] = min(power, left)
            left -= self.before[t]
        self.min_w, self.max_w, self.fallback_w = 0, power, 0

    def _battery(self, slots, rng):
        capacity = rng.choice([5000, 10000])
        power = capacity // 2
        self.device = {"type": "battery", "power_min_w": -power, "power_max_w": power, "energy_min_wh": capacity // 10,
                       "energy_max_wh": capacity, "energy_start_wh": capacity // 2,
                       "energy_end_min_wh": capacity // 2, "energy_end_max_wh": capacity // 2}
        self.before = [0] * slots
        self.min_w, self.max_w, self.fallback_w = -power, power, 0

    def _appliance(self, slots, rng):
        if slots < 12:
            run = [1500]
        else:
            quarter = [2000, 2000, 600, 300, 300, 900, 300, 200]  # a washing cycle of two hours, by quarter hours
            step = 96 // slots
            run = [round(sum(quarter[i:i + step]) / step) for i in range(0, len(quarter), step)]
        per_hour = slots / 24
        earliest = round(rng.choice([8, 9, 16]) * per_hour)
        latest = min(slots, earliest + max(len(run) + 1, round(8 * per_hour)))
        self.device = {"type": "appliance", "run_w": run, "earliest_slot": earliest, "latest_end_slot": latest}
        self.before = [0] * slots
        self.before[earliest:earliest + len(run)] = run
        self.min_w, self.max_w, self.fallback_w = 0, max(run), 0


class Community:
    def __init__(self, count, slots, data_folder=None, slot_seconds=None):
        rng = random.Random(20240207 + count)
        self.slots, self.slot_seconds = slots, 86400 // slots if slots >= 24 else 3600
        self.devices = [Device(i, PATTERN[i % len(PATTERN)] if count >= 5 else ["fixed", "curtailable", "curtailable"][i % 3],
                               slots, rng) for i in range(count)]
        if slot_seconds:
            self.slot_seconds = slot_seconds
            for device in self.devices:
                device.quicken(slot_seconds, slots)
        homes = max(2, count)
        if data_folder:
            self.price, price_source = load_prices(data_folder, slots)
            self.base_w, load_source = load_homes(data_folder, slots, homes)
            self.source = f"prices: {price_source}; load: {load_source}"
        else:
            self.price, self.base_w = built_in_prices(slots), built_in_load(slots, homes)
            self.source = "prices: DK2, 2024-02-07 (Energinet, CC BY 4.0); load: built in"
        self.gamma_q16 = round(0.8 * 65536 * 12 / max(count, 1))
        self.cap_w = [2_000_000] * slots

    def aggregate(self, profiles):
        return [self.base_w[t] + sum(profile[t] for profile in profiles) for t in range(self.slots)]

    def before(self):
        return self.aggregate([device.before for device in self.devices])

    def problem(self, profiles):
        """The document that wattproof-reference reads: the whole community with what it agreed on."""
        return {"slots": self.slots, "slot_seconds": self.slot_seconds, "gamma_q16": self.gamma_q16,
                "price": self.price, "base_w": self.base_w, "cap_w": self.cap_w,
                "devices": [{"device": device.device, "own_quadratic_q16": device.own_quadratic_q16, "profile_w": profile}
                            for device, profile in zip(self.devices, profiles)]}

    def cost(self, device, profile):
        """What this device's own profile costs at the day's prices, in micro-units (without the community's quadratic)."""
        return sum(price * power for price, power in zip(self.price, profile)) * self.slot_seconds / 3600 / 1000
