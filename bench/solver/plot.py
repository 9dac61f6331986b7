#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws docs/solver_bench.svg: instructions of a battery's day on a Cortex-M4, beside an embedded generic QP solver.

usage: measure.py | plot.py > docs/solver_bench.svg
"""

import json
import math
import sys

# OSQP's embedded code for the same battery on a Cortex-M4F: single precision, hardware floating point, -O2.
GENERIC = {24: 785_840, 96: 16_125_080}
LEFT, WIDTH, BAR, TOP = 250, 430, 26, 40
LOW, HIGH = 1_000, 100_000_000


def position(value):
    return LEFT + WIDTH * math.log(value / LOW) / math.log(HIGH / LOW)


def main():
    values = {entry["name"]: entry["value"] for entry in map(json.loads, sys.stdin)}
    rows = []
    for slots in (24, 96):
        ours = values[f"solver_battery_t{slots}_cortex_m4"]
        rows.append((f"generic QP, cold, T = {slots}", GENERIC[slots], "#b9b4a8"))
        rows.append((f"wattproof, T = {slots}", ours, "#2f6f4f"))
        rows.append((f"wattproof + certificate, T = {slots}", values[f"solver_battery_certified_t{slots}_cortex_m4"], "#7fae93"))
    height = TOP + len(rows) * (BAR + 8) + 40
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="{height}" font-family="sans-serif" font-size="13">')
    print("<!-- SPDX-License-Identifier: Apache-2.0 -->")
    print(f'<rect width="800" height="{height}" fill="white"/>')
    print('<text x="12" y="22" font-size="15">Instructions of one battery day on a Cortex-M4 (logarithmic)</text>')
    for exponent in range(3, 9):
        x = position(10 ** exponent)
        print(f'<line x1="{x:.0f}" y1="{TOP - 6}" x2="{x:.0f}" y2="{height - 30}" stroke="#dddddd"/>')
        print(f'<text x="{x:.0f}" y="{height - 12}" text-anchor="middle" fill="#666666">10^{exponent}</text>')
    for index, (label, value, colour) in enumerate(rows):
        y = TOP + index * (BAR + 8)
        print(f'<text x="{LEFT - 8}" y="{y + 18}" text-anchor="end">{label}</text>')
        print(f'<rect x="{LEFT}" y="{y}" width="{position(value) - LEFT:.0f}" height="{BAR}" fill="{colour}"/>')
        print(f'<text x="{position(value) + 6:.0f}" y="{y + 18}">{value:,}</text>')
    print("</svg>")


if __name__ == "__main__":
    main()
