#!/usr/bin/env python3
"""Draws text with a terminal's colour codes, as it comes on stdin, as a picture in SVG on stdout.

It knows the codes that reports have: bold, faint, and the eight colours. Each part of a line is
placed by its column, so that columns stand below each other in whichever font a viewer has.
"""

import re
import sys
from xml.sax.saxutils import escape

SIZE, WIDTH, HEIGHT = 14, 8.4, 20  # of a letter, a column, a line
MARGIN, BAR = 16, 36
BACKGROUND, FOREGROUND = "#1e2127", "#d7dae0"
COLOURS = ["#5c6370", "#ff6b6b", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56c8d8", "#ffffff"]


def parts(line):
    """The parts of a line: the column, the text, and how it is drawn."""
    column, colour, bold, faint = 0, None, False, False
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not piece.startswith("\x1b"):
            if piece.strip():
                style = f' fill="{colour}"' if colour else ""
                style += ' font-weight="bold"' if bold else ""
                style += ' opacity="0.6"' if faint else ""
                yield column, piece, style
            column += len(piece)
            continue
        for code in map(int, piece[2:-1].replace(";", " ").split() or ["0"]):
            if code == 0:
                colour, bold, faint = None, False, False
            bold, faint = bold or code == 1, faint or code == 2
            if 30 <= code <= 37:
                colour = COLOURS[code - 30]


def picture(lines):
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    width = max(map(len, plain), default=0) * WIDTH + 2 * MARGIN
    height = len(lines) * HEIGHT + BAR + MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" height="{height}" role="img">'
    )
    yield f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>'
    for place, colour in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
        yield f'<circle cx="{MARGIN + 6 + 20 * place}" cy="18" r="6" fill="{colour}"/>'
    yield (
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', '
        f'monospace" font-size="{SIZE}" fill="{FOREGROUND}" xml:space="preserve">'
    )
    for number, line in enumerate(lines):
        y = BAR + number * HEIGHT + SIZE
        for column, text, style in parts(line):
            start = len(text) - len(text.lstrip())
            x, text = MARGIN + (column + start) * WIDTH, text.strip()
            length = f'textLength="{len(text) * WIDTH:.1f}"'
            yield f'<text x="{x:.1f}" y="{y}" {length}{style}>{escape(text)}</text>'
    yield "</g>"
    yield "</svg>"


if __name__ == "__main__":
    print("\n".join(picture(sys.stdin.read().expandtabs().rstrip("\n").split("\n"))))
