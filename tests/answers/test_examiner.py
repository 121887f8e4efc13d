"""The reader on a second table of completions, written without sight of it."""

from __future__ import annotations

import pytest
from examiner_cases import CASES, CLOT

from viva.answers import REASONS, read
from viva.records import Status

ROWS = [
    pytest.param(
        *row[:2],
        row[2] if len(row) > 2 else CLOT,
        row[3] if len(row) > 3 else {},
        id=f"{category}-{number}",
    )
    for category, rows in CASES.items()
    for number, row in enumerate(rows)
]


def test_the_table_is_large() -> None:
    assert len(ROWS) >= 800


@pytest.mark.parametrize(("text", "expected", "options", "further"), ROWS)
def test_case(text, expected, options, further) -> None:
    reading = read(text, options=options, **further)
    allowed = set(expected.split("|"))
    if "unread" in allowed:
        allowed |= {"unparsed", "ambiguous"}
    assert (reading.value or str(reading.status)) in allowed
    if reading.status is Status.PARSED:
        start, end = reading.span
        assert 0 <= start < end <= len(text)
    else:
        assert reading.reason in REASONS
