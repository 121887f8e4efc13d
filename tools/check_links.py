"""Links inside the project's Markdown lead somewhere, and its code blocks are of known kinds.

Every relative link must name a file of the checkout and, after ``#``, one of its headings; every
fenced block must name a language: those in ``RUN`` are executed by tests/test_docs.py. Addresses
on the net are not visited. Prints one line per finding and exits with 1 if there is any.
"""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]

RUN = {"console", "python"}
"""Languages of the blocks that tests run."""
SHOWN = {"bibtex", "csv", "json", "makefile", "text", "toml", "yaml"}
"""Languages of the blocks that are only shown."""


def pages() -> list[Path]:
    """The Markdown pages of the project."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def _tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The names of a page's headings as GitHub makes them."""
    names: set[str] = set()
    tokens = _tokens(page)
    for opening, inline in itertools.pairwise(tokens):
        if opening.type != "heading_open":
            continue
        parts = [t.content for t in inline.children or [] if t.type in ("text", "code_inline")]
        slug = re.sub(r"[^\w\- ]", "", "".join(parts).strip().lower()).replace(" ", "-")
        name, count = slug, 0
        while name in names:
            count += 1
            name = f"{slug}-{count}"
        names.add(name)
    return names


def _targets(tokens: list[Token]) -> list[tuple[str, int]]:
    found = []
    for token in tokens:
        line = token.map[0] + 1 if token.map else 0
        for child in token.children or []:
            address = child.attrGet("href") if child.type == "link_open" else None
            address = child.attrGet("src") if child.type == "image" else address
            if address is not None:
                found.append((str(address), line))
    return found


def findings(page: Path) -> list[str]:
    """What is wrong on one page."""
    found: list[str] = []
    tokens = _tokens(page)
    where = page.relative_to(ROOT)
    for address, line in _targets(tokens):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not target.exists():
            found.append(f"{where}:{line}: {address} leads nowhere")
        elif not target.is_relative_to(ROOT):
            found.append(f"{where}:{line}: {address} leads out of the checkout")
        elif parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target):
            found.append(f"{where}:{line}: {address}: no such heading")
    for token in tokens:
        if token.type == "fence":
            language = token.info.strip().split(" ")[0]
            if language not in RUN | SHOWN:
                line = token.map[0] + 1 if token.map else 0
                known = ", ".join(sorted(RUN | SHOWN))
                found.append(f"{where}:{line}: block of kind {language!r}, not one of {known}")
    return found


def orphans() -> list[str]:
    """Pages of docs/ that docs/index.md does not lead to."""
    index = ROOT / "docs" / "index.md"
    addresses = [address for address, _ in _targets(_tokens(index))]
    listed = {(index.parent / unquote(urlsplit(a).path)).resolve() for a in addresses}
    return [
        f"docs/index.md: does not list {page.name}"
        for page in sorted((ROOT / "docs").rglob("*.md"))
        if page != index and page.resolve() not in listed
    ]


def main() -> int:
    """Look through every page."""
    found = [line for page in pages() for line in findings(page)] + orphans()
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
