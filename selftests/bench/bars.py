# SPDX-License-Identifier: GPL-2.0-only
"""A picture of figures side by side: horizontal bars, as SVG."""
from xml.sax.saxutils import escape

ROW, LEFT, WIDTH, TOP = 22, 190, 520, 40


def svg(title, rows):
    """rows: (name, value), drawn in their order on one linear scale."""
    most = max(value for _, value in rows)
    height = TOP + ROW * len(rows) + 10
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'font-family="sans-serif" font-size="12">' % (LEFT + WIDTH + 80, height),
           '<rect width="100%" height="100%" fill="white"/>',
           '<text x="10" y="22" font-size="15">%s</text>' % escape(title)]
    for n, (name, value) in enumerate(rows):
        y = TOP + ROW * n
        length = WIDTH * value / most
        colour = "#2a6fb0" if name.startswith("ntpk") else "#9aa5b1"
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (
            LEFT - 8, y + 14, escape(name)))
        out.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' % (
            LEFT, y + 2, length, ROW - 6, colour))
        out.append('<text x="%.1f" y="%d">%s</text>' % (LEFT + length + 6, y + 14, f"{value:,.0f}"))
    return "\n".join(out + ["</svg>"]) + "\n"
