# SPDX-License-Identifier: BSD-2-Clause
"""Ratios as horizontal bars from 1 on a logarithmic axis, with the bar each has to reach: an SVG by hand."""

import dataclasses
import itertools
import math
from html import escape

WIDTH, LEFT, RIGHT = 1080, 452, 140  # the axis lies between
TOP, ROW, HEADING = 112, 19, 38
REACHED, MISSED, PLAIN, INK, FAINT, GRID = "#2b8a66", "#cf4a3c", "#93a1b0", "#1f2933", "#7b8794", "#e4e9ee"


@dataclasses.dataclass
class Row:
    """One ratio: the other's time over ours."""
    backend: str
    what: str
    than: str
    bar: float  # 0: none
    least: float
    middle: float
    most: float
    ours_ns: float
    its_ns: float

    def met(self):
        return self.middle >= self.bar

    def colour(self):
        return PLAIN if self.bar == 0 else REACHED if self.met() else MISSED


class Axis:
    def __init__(self, rows):
        self.low = math.log10(min([0.5, *(row.least for row in rows), *(row.bar for row in rows if row.bar > 0)]) * 0.9)
        self.high = math.log10(max([2, *(row.most for row in rows)]) * 1.1)

    def x(self, ratio):
        return LEFT + (math.log10(ratio) - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)

    def ticks(self):
        decades = range(math.floor(self.low), math.ceil(self.high) + 1)
        every = (step * 10.0 ** decade for decade, step in itertools.product(decades, (1, 2, 5)))
        return [ratio for ratio in every if self.low <= math.log10(ratio) <= self.high]


def text(x, y, words, *, size=12, colour=INK, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{words}</text>')


def line(x1, y1, x2, y2, colour, width=1.0):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width}"/>')


def block(x, y, width, height, colour):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" rx="2" fill="{colour}"/>'


def legend():
    y = 72
    out, x = [], 24
    for colour, words in ((REACHED, "reaches its bar"), (MISSED, "misses it"), (PLAIN, "no bar: for information")):
        out += [block(x, y - 10, 20, 12, colour), text(x + 27, y, words)]
        x += 27 + 7 * len(words) + 18
    out += [line(x + 6, y - 13, x + 6, y + 5, INK, 2.5), text(x + 16, y, "the bar")]
    out += [line(x + 82, y - 4, x + 112, y - 4, INK), text(x + 120, y, "least to most of the rounds")]
    return out


def draw_row(row, axis, y, above):
    start, end = sorted((axis.x(1), axis.x(row.middle)))
    new = above is None or above.what != row.what
    out = [text(24, y + 14, escape(row.what))] if new else []
    if new and above is not None:
        out.append(line(24, y, WIDTH - 24, y, GRID))
    out += [text(LEFT - 12, y + 14, escape(row.than), anchor="end", colour=FAINT),
            block(start, y + 4, max(end - start, 1.5), 11, row.colour()),
            line(axis.x(row.least), y + 9.5, axis.x(row.most), y + 9.5, INK)]
    if row.bar > 0:
        out.append(line(axis.x(row.bar), y + 2, axis.x(row.bar), y + 17, INK, 2.5))
        out.append(text(WIDTH - RIGHT + 68, y + 14, f"bar {row.bar:g}", colour=FAINT, size=11))
    out.append(text(WIDTH - RIGHT + 58, y + 14, f"{row.middle:.3g}" if row.middle >= 10 else f"{row.middle:.2f}",
                    anchor="end", weight="bold", colour=INK if row.bar == 0 else row.colour()))
    return out


def draw(rows, where):
    axis = Axis(rows)
    groups = [(name, list(group)) for name, group in itertools.groupby(rows, key=lambda row: row.backend)]
    bottom = TOP + HEADING * len(groups) + ROW * len(rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 40}" width="{WIDTH}" '
           f'height="{bottom + 40}" font-family="system-ui, \'Segoe UI\', \'DejaVu Sans\', sans-serif">',
           f'<rect width="{WIDTH}" height="{bottom + 40}" fill="white"/>',
           text(24, 30, "virtif beside the raw limits and the peers", size=19, weight="bold"),
           text(24, 50, "the other's time for a frame over ours, on a logarithmic scale: right of 1 ours is faster", colour=FAINT),
           *legend()]
    for ratio in axis.ticks():
        out += [line(axis.x(ratio), TOP - 4, axis.x(ratio), bottom + 4, INK if ratio == 1 else GRID),
                text(axis.x(ratio), TOP - 9, f"{ratio:g}", size=11, colour=FAINT, anchor="middle"),
                text(axis.x(ratio), bottom + 17, f"{ratio:g}", size=11, colour=FAINT, anchor="middle")]
    y = TOP
    for name, group in groups:
        out.append(text(24, y + 27, escape(name), size=15, weight="bold"))
        y += HEADING
        out.append(line(24, y - 2, WIDTH - 24, y - 2, FAINT))
        for above, row in zip([None, *group], group):
            out += draw_row(row, axis, y, above)
            y += ROW
    out.append(text(24, bottom + 32, f"{escape(where)}; tests/bench/peers", size=10, colour=FAINT))
    return "\n".join(out) + "\n</svg>\n"
