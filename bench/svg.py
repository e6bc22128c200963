# SPDX-License-Identifier: GPL-3.0-or-later
"""Horizontal bars in groups, as an SVG that reads on light and dark pages.

    write(path, title, [("group", [("bar", value, (low, high) or None), ...]), ...], digits, cap)

A bar longer than `cap` is cut there and ends in an arrow; its number says what it is. `line`: a value that is marked.
"""
import html

COLOURS = {"gtmd": "#d1495b", "gdnsd": "#3d7ea6", "nsd": "#5b8e7d", "knot": "#8f6fb0", "pdns": "#b98b3e"}
WIDTH, LEFT, RIGHT = 860, 150, 110
BAR, GAP, HEAD = 16, 4, 22


def _text(x, y, what, extra=""):
    return '<text x="%.1f" y="%.1f" %s>%s</text>' % (x, y, extra, html.escape(what))


def write(path, title, groups, digits, cap, line=None):
    most = min(cap, max(v for _, bars in groups for _, v, _ in bars))
    scale = (WIDTH - LEFT - RIGHT) / most
    out, y = [], 40
    for group, bars in groups:
        y += HEAD
        out.append(_text(8, y - 6, group, 'font-weight="600"'))
        for name, value, around in bars:
            length = min(value, most) * scale
            out.append(_text(LEFT - 8, y + BAR - 4, name, 'text-anchor="end"'))
            out.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (
                LEFT, y, length, BAR, COLOURS.get(name, "#888888")))
            if value > most:
                out.append('<path d="M%.1f %d l8 %d l-8 %d z" fill="%s"/>' % (
                    LEFT + length, y, BAR / 2, BAR / 2, COLOURS.get(name, "#888888")))
            elif around:
                low, high = (LEFT + min(a, most) * scale for a in around)
                out.append('<path d="M%.1f %.1f H%.1f" stroke="currentColor" stroke-opacity="0.6" stroke-width="1.5"/>' % (
                    low, y + BAR / 2, high))
                length = max(length, high - LEFT)
            out.append(_text(LEFT + length + 12, y + BAR - 4, "%.*f" % (digits, value) if value < 10000 else "%.0fk" % (value / 1000)))
            y += BAR + GAP
        y += 6
    if line is not None:
        x = LEFT + line * scale
        out.append('<path d="M%.1f 40 V%d" stroke="currentColor" stroke-dasharray="3 3"/>' % (x, y))
    text = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12" '
            'fill="#777777" color="#777777">' % (WIDTH, y + 10), "<title>%s</title>" % html.escape(title),
            _text(8, 22, title, 'font-size="15" font-weight="600"')] + out + ["</svg>"]
    with open(path, "w") as f:
        f.write("\n".join(text) + "\n")
