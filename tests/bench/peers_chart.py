# SPDX-License-Identifier: BSD-2-Clause
"""Ratios as horizontal bars on a logarithmic axis, with the bar each has to reach: an SVG by hand."""

import math
from html import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 1000, 430, 70, 22, 46
REACHED, MISSED, PLAIN = "#2a7f62", "#c0392b", "#6c7a89"


def draw(rows):
    """`rows` as tests/bench/peers has them: (what, than, bar, least, median, most, ours, theirs)."""
    most = max((row[5] for row in rows), default=10)
    least = min((row[3] for row in rows), default=0.1)
    low, high = math.log10(min(least, 0.5)), math.log10(max(most, 2))

    def x(ratio):
        return LEFT + (math.log10(ratio) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    height = TOP + ROW * len(rows) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
           f'font-size="12">', f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           f'<text x="{LEFT}" y="18">time of the other over ours (log scale): right of 1 we are faster; the black tick is '
           f'the bar</text>']
    for power in range(math.floor(low), math.ceil(high) + 1):
        for step in (1, 2, 5):
            ratio = step * 10.0 ** power
            if low <= math.log10(ratio) <= high:
                colour = "#444" if ratio == 1 else "#ddd"
                out.append(f'<line x1="{x(ratio):.1f}" x2="{x(ratio):.1f}" y1="{TOP - 8}" y2="{height - 16}" '
                           f'stroke="{colour}"/><text x="{x(ratio):.1f}" y="{TOP - 12}" text-anchor="middle" '
                           f'fill="#666">{ratio:g}</text>')
    for i, (what, than, bar, row_least, middle, row_most, _, _) in enumerate(rows):
        y = TOP + i * ROW
        colour = PLAIN if bar == 0 else REACHED if middle >= bar else MISSED
        start, end = sorted((x(1), x(middle)))
        out.append(f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(what)} / {escape(than)}</text>')
        out.append(f'<rect x="{start:.1f}" y="{y + 4}" width="{max(end - start, 1):.1f}" height="13" fill="{colour}"/>')
        out.append(f'<line x1="{x(row_least):.1f}" x2="{x(row_most):.1f}" y1="{y + 10.5}" y2="{y + 10.5}" stroke="#222"/>')
        if bar > 0:
            out.append(f'<line x1="{x(bar):.1f}" x2="{x(bar):.1f}" y1="{y + 1}" y2="{y + 20}" stroke="black" '
                       f'stroke-width="2"/>')
        out.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 14}">{middle:.2f}</text>')
    return "\n".join(out) + "\n</svg>\n"
