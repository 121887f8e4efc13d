"""Text that no tracked file may hold: conflict markers, notes to self, paths of one machine.

Prints one line per finding, ``file:line: what``, and exits with 1 if there is any.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FORBIDDEN = {
    "conflict marker": re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)"),
    "note to self": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b"),
    "path of one machine": re.compile(
        r"(?<![\w.~/-])/(?:home|Users|root|work|mnt|srv|scratch)/[\w.-]+"
    ),
    "stub": re.compile(r"raise NotImplemented" r"Error"),
    "stray debugger": re.compile(r"\bbreak" r"point\(\)|\bimport i?p" r"db\b"),
}

LARGEST = 2_000_000
"""Bytes: longer files are data, which the tests of the bundled sample look into."""


def tracked() -> list[Path]:
    """Files of the checkout that are tracked or would be: what git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


def findings(path: Path) -> list[str]:
    """What is wrong in one file; nothing where it is not text."""
    if not path.is_file() or path.stat().st_size > LARGEST:
        return []
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return []
    return [
        f"{path.relative_to(ROOT)}:{number}: {what}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]


def main() -> int:
    """Look through every tracked file."""
    found = [line for path in tracked() for line in findings(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
