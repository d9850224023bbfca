"""Plots as SVG files: curves, histograms, bars. Nothing but text is needed to write them."""

import math
from html import escape

WIDTH, HEIGHT = 620, 400
LEFT, TOP, RIGHT, BOTTOM = 70, 40, 18, 52
# Told apart by people with any colour vision (Okabe and Ito, 2008), each with its own dashes.
STYLES = [("#0072b2", "none"), ("#d55e00", "7 3"), ("#009e73", "2 3"), ("#cc79a7", "9 3 2 3"), ("#e69f00", "5 2"), ("#333333", "1 3")]


class Axis:
    """A range of values, linear or by powers of ten; what lies outside is drawn at the edge."""

    def __init__(self, name, low, high, log=False):
        self.name, self.low, self.high, self.log = name, low, high, log

    def share(self, value):
        if self.log:
            value, low, high = math.log10(max(value, self.low)), math.log10(self.low), math.log10(self.high)
        else:
            low, high = self.low, self.high
        return min(max((value - low) / (high - low), 0.0), 1.0)

    def ticks(self):
        if self.log:
            return [10.0**d for d in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]
        step = (self.high - self.low) / 5
        return [self.low + i * step for i in range(6)]


def label(value):
    """As short as it can be read."""
    if value != 0 and abs(value) < 0.0001:
        return f"{value:.0e}"
    return f"{value:.4f}".rstrip("0").rstrip(".") or "0"


def _frame(title, x, y, height):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for value in x.ticks():
        at = LEFT + x.share(value) * (right - LEFT)
        out.append(f'<path d="M{at:.1f} {TOP}V{bottom}" stroke="#ddd"/><text x="{at:.1f}" y="{bottom + 17}" text-anchor="middle">{label(value)}</text>')
    for value in y.ticks():
        at = bottom - y.share(value) * (bottom - TOP)
        out.append(f'<path d="M{LEFT} {at:.1f}H{right}" stroke="#ddd"/><text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{label(value)}</text>')
    out.append(
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" stroke="#222" fill="none"/>'
        f'<text x="{(LEFT + right) / 2}" y="{bottom + 38}" text-anchor="middle">{escape(x.name)}</text>'
        f'<text transform="translate(16 {(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">{escape(y.name)}</text>'
    )
    return out


def _legend(out, names):
    for i, (name, (colour, dash)) in enumerate(zip(names, STYLES * 3)):
        y = HEIGHT + 8 + 18 * i
        out.append(
            f'<path d="M{LEFT} {y}h26" stroke="{colour}" stroke-width="3" stroke-dasharray="{dash}"/><text x="{LEFT + 34}" y="{y + 4}">{escape(name)}</text>'
        )


def lines(path, title, x, y, series, marks=()):
    """`series`: {name: [(x, y)]}; `marks`: [(x, words)], upright lines."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    place = lambda p: f"{LEFT + x.share(p[0]) * (right - LEFT):.1f} {bottom - y.share(p[1]) * (bottom - TOP):.1f}"
    out = _frame(title, x, y, HEIGHT + 18 * len(series) + 8)
    for at, words in marks:
        px = LEFT + x.share(at) * (right - LEFT)
        out.append(f'<path d="M{px:.1f} {TOP}V{bottom}" stroke="#222" stroke-dasharray="4 4"/><text x="{px + 4:.1f}" y="{TOP + 12}">{escape(words)}</text>')
    for (name, points), (colour, dash) in zip(series.items(), STYLES * 3):
        if points:
            out.append(f'<path d="M{"L".join(map(place, points))}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
    _legend(out, series)
    path.write_text("\n".join([*out, "</svg>", ""]), encoding="utf-8")


def histogram(path, title, x, groups, marks=(), n_bins=50):
    """`groups`: {name: values}; each is drawn as its share in each bin."""
    width = (x.high - x.low) / n_bins
    shares = {}
    for name, values in groups.items():
        counts = [0] * n_bins
        for value in values:
            counts[min(max(int((value - x.low) / width), 0), n_bins - 1)] += 1
        shares[name] = [100 * c / max(len(values), 1) for c in counts]
    most = max((max(s) for s in shares.values()), default=1) or 1
    y = Axis("share of the comparisons in a bin, %", 0, math.ceil(most / 5) * 5)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    out = _frame(title, x, y, HEIGHT + 18 * len(groups) + 8)
    for (name, bins), (colour, _) in zip(shares.items(), STYLES * 3):
        for i, share in enumerate(bins):
            if share > 0:
                left = LEFT + x.share(x.low + i * width) * (right - LEFT)
                tall = max(y.share(share) * (bottom - TOP), 0.7)
                out.append(
                    f'<rect x="{left:.1f}" y="{bottom - tall:.1f}" width="{(right - LEFT) / n_bins:.1f}" height="{tall:.1f}" fill="{colour}" fill-opacity=".55"/>'
                )
    for at, words in marks:
        px = LEFT + x.share(at) * (right - LEFT)
        out.append(f'<path d="M{px:.1f} {TOP}V{bottom}" stroke="#222" stroke-dasharray="4 4"/><text x="{px + 4:.1f}" y="{TOP + 12}">{escape(words)}</text>')
    _legend(out, groups)
    path.write_text("\n".join([*out, "</svg>", ""]), encoding="utf-8")


def bars(path, title, unit, rows):
    """`rows`: [(name, value)], on a logarithmic axis that begins at a power of ten."""
    rows = [(n, v) for n, v in rows if v > 0]
    if not rows:
        return
    low, high = min(v for _, v in rows), max(v for _, v in rows)
    axis = Axis(unit, 10.0 ** math.floor(math.log10(low) - 0.2), 10.0 ** math.ceil(math.log10(high)), log=True)
    names, tall = 250, 26
    right, bottom = WIDTH - 60, TOP + tall * len(rows)
    height = bottom + 46
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/><text x="12" y="22" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for value in axis.ticks():
        at = names + axis.share(value) * (right - names)
        out.append(f'<path d="M{at:.1f} {TOP - 6}V{bottom}" stroke="#ddd"/><text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{label(value)}</text>')
    for i, (name, value) in enumerate(rows):
        y = TOP + tall * i
        colour = STYLES[0][0] if name.startswith("boothd") else STYLES[1][0]
        wide = axis.share(value) * (right - names)
        shown = f"{value:.0f}" if value >= 100 else f"{value:.3g}"
        out.append(
            f'<text x="{names - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{names}" y="{y + 3}" width="{wide:.1f}" height="{tall - 8}" fill="{colour}"/>'
            f'<text x="{names + wide + 5:.1f}" y="{y + 15}">{shown}</text>'
        )
    out.append(f'<text x="{(names + right) / 2}" y="{bottom + 36}" text-anchor="middle">{escape(unit)}, logarithmic</text></svg>')
    path.write_text("\n".join([*out, ""]), encoding="utf-8")
