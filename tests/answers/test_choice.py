"""The reader of choices on hand-written completions."""

from __future__ import annotations

import pytest
from choice_cases import CASES, DRUGS

from viva.answers import REASONS, read
from viva.records import LETTERS, Status

ROWS = [
    pytest.param(row[0], row[1], row[2] if len(row) > 2 else DRUGS, id=f"{category}-{number}")
    for category, rows in CASES.items()
    for number, row in enumerate(rows)
]


def test_the_table_is_large() -> None:
    assert len(ROWS) >= 300


@pytest.mark.parametrize(("text", "expected", "options"), ROWS)
def test_case(text: str, expected: str, options: tuple[str, ...] | int) -> None:
    reading = read(text, options=options)
    if expected == "unread":
        assert reading.value is None
    elif expected in ("unparsed", "ambiguous"):
        assert (str(reading.status), reading.value) == (expected, None)
    else:
        assert (reading.status, reading.value) == (Status.PARSED, expected)
    _consistent(text, reading, options)


def _consistent(text, reading, options) -> None:
    count = options if isinstance(options, int) else len(options)
    if reading.status is Status.PARSED:
        assert reading.reason is None
        assert reading.value in LETTERS[:count]
        start, end = reading.span
        assert 0 <= start < end <= len(text)
    else:
        assert reading.reason in REASONS
        assert reading.value is None
        assert reading.span is None
