# SPDX-License-Identifier: Apache-2.0
"""The demonstration's picture: the feeder before and after, its cap, and the price, as an SVG of its own."""

WIDTH, HEIGHT = 960, 520
LEFT, RIGHT, TOP, PRICE_TOP, BOTTOM = 86, 34, 66, 372, 470
BEFORE, AFTER, CAP, PRICE, INK, SOFT = "#b8bcc6", "#1f6f8b", "#c0392b", "#8a6d1d", "#22262e", "#6b7280"


def steps(values, x, y):
    """A step line through slot means, as an SVG path."""
    parts = [f"M{x(0):.1f},{y(values[0]):.1f}"]
    for slot, value in enumerate(values):
        parts.append(f"V{y(value):.1f}H{x(slot + 1):.1f}")
    return "".join(parts)


def ticks(low, high, count):
    """Round numbers between low and high."""
    span = max(high - low, 1)
    step = 10 ** len(str(int(span / count))) / 10
    while span / step > count:
        step *= 2 if str(step)[0] in "15" else 2.5
    first = int(low // step) * step
    return [first + i * step for i in range(int((high - first) / step) + 2) if low <= first + i * step <= high]


def draw(path, before, after, cap, price, title, note, is_final=True):
    slots = len(before)
    low = min(0, *before, *after)
    high = max(*before, *after, *cap) * 1.06
    price_low, price_high = min(0, *price), max(*price, 1)

    def x(slot):
        return LEFT + (WIDTH - LEFT - RIGHT) * slot / slots

    def y(power):
        return PRICE_TOP - 36 - (PRICE_TOP - 36 - TOP) * (power - low) / (high - low)

    def y_price(value):
        return BOTTOM - (BOTTOM - PRICE_TOP) * (value - price_low) / (price_high - price_low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
           f'<title>{title}</title>', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="26" font-size="17" font-weight="bold" fill="{INK}">{title}</text>',
           f'<text x="{LEFT}" y="{HEIGHT - 10}" font-size="11" fill="{SOFT}">{note}</text>']
    legend = [(BEFORE, "before, uncoordinated"), (AFTER, "after, as agreed" if is_final else "after: no schedule, fallback"),
              (CAP, "feeder cap"), (PRICE, "price")]
    for i, (colour, text) in enumerate(legend):
        at = LEFT + i * 190
        out.append(f'<rect x="{at}" y="40" width="18" height="4" y2="42" fill="{colour}"/>'.replace(' y2="42"', ""))
        out.append(f'<text x="{at + 24}" y="46" fill="{INK}">{text}</text>')
    for power in ticks(low, high, 6):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(power):.1f}" y2="{y(power):.1f}" stroke="#e5e7eb"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(power) + 4:.1f}" text-anchor="end" fill="{SOFT}">{power / 1000:g} kW</text>')
    area = steps(before, x, y) + f"V{y(0):.1f}H{x(0):.1f}Z"
    out.append(f'<path d="{area}" fill="{BEFORE}" fill-opacity="0.35" stroke="none"/>')
    out.append(f'<path d="{steps(before, x, y)}" fill="none" stroke="{BEFORE}" stroke-width="2"/>')
    out.append(f'<path d="{steps(after, x, y)}" fill="none" stroke="{AFTER}" stroke-width="2.5"/>')
    out.append(f'<path d="{steps(cap, x, y)}" fill="none" stroke="{CAP}" stroke-width="1.8" stroke-dasharray="7 4"/>')
    for value in ticks(price_low, price_high, 3):
        out.append(f'<text x="{LEFT - 8}" y="{y_price(value) + 4:.1f}" text-anchor="end" fill="{SOFT}">{value / 1e6:.2f}/kWh</text>')
    out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y_price(0):.1f}" y2="{y_price(0):.1f}" stroke="#d1d5db"/>')
    out.append(f'<path d="{steps(price, x, y_price)}" fill="none" stroke="{PRICE}" stroke-width="2"/>')
    for slot in range(0, slots + 1, max(1, slots // 8)):
        out.append(f'<text x="{x(slot):.1f}" y="{BOTTOM + 18}" text-anchor="middle" fill="{SOFT}">slot {slot}</text>')
    out.append("</svg>\n")
    path.write_text("\n".join(out), encoding="utf-8")
