"""Files in, rows and documents, within bounds; and out, whole or not at all.

Every defect of a file as a whole is one :class:`viva.errors.InputError` that names the file, the
row where there is one, and the mend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from viva._files.documents import DEEPEST, LARGEST_DOCUMENT, parse_json, read_json
from viva._files.opening import LONGEST_LINE, check_file, open_binary, read_lines, sha256
from viva._files.tables import read_cells, read_rows, read_source
from viva._files.writing import written

if TYPE_CHECKING:
    from viva._files.tables import Source as Source

__all__ = [
    "DEEPEST",
    "LARGEST_DOCUMENT",
    "LONGEST_LINE",
    "check_file",
    "open_binary",
    "parse_json",
    "read_cells",
    "read_json",
    "read_lines",
    "read_rows",
    "read_source",
    "sha256",
    "written",
]
