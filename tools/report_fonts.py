"""Make the two small fonts of the report from their published files.

Needs fonttools and brotli. The sources are InterVariable.woff2 (npm package inter-ui 4.1.1) and
newsreader-latin-600-normal.woff2 (npm package @fontsource/newsreader 5.3.0), both OFL-1.1 without
a reserved name. Usage: ``python tools/report_fonts.py INTER NEWSREADER src/viva/report/fonts``.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

RANGES = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3C9), (0x2010, 0x2027), (0x2030, 0x2033),
    (0x2039, 0x203A), (0x2190, 0x2193),
)  # fmt: skip
SINGLE = (0x20AC, 0x2122, 0x2212, 0x2248, 0x2260, 0x2264, 0x2265, 0x25B2, 0x25BC, 0x23CE, 0x202F)


def make(source: Path, target: Path, features: list[str], limits: dict[str, object]) -> None:
    """Keep the characters above, the features named, and the axes within the limits."""
    font = TTFont(source)
    if limits:
        font = instancer.instantiateVariableFont(font, limits)
        font.flavor = None
        memory = io.BytesIO()
        font.save(memory)
        font = TTFont(memory)  # the subsetter needs the tables as they are after the cut
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = features
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[c for a, b in RANGES for c in range(a, b + 1)] + list(SINGLE))
    subsetter.subset(font)
    font.flavor = "woff2"
    font.save(target)


if __name__ == "__main__":
    inter, newsreader, folder = map(Path, sys.argv[1:4])
    make(
        inter,
        folder / "inter.woff2",
        ["kern", "tnum", "ccmp", "locl", "mark", "mkmk"],
        {"opsz": 14, "wght": (400, 700)},
    )
    make(newsreader, folder / "newsreader.woff2", ["kern", "liga", "lnum", "ccmp", "locl"], {})
