"""The journal: whole lines or none, whatever cuts it."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import resource
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viva.errors import InputError
from viva.formats.journal import call_of, journal_lines, parse_line
from viva.models.failures import LASTING, RETRIED
from viva.runs.journal import Journal, lasting, load, repair

ROWS = [
    {"task": "t1", "response": 'The answer is B — \u00e9\U0001f9e0\u2028\n{"x": 1}', "call": {}},
    {"call": {"task": "t2", "key": "k", "text": "half a thought", "attempts": 3, "cost": 0.5}},
    {"task": "t3", "response": "A", "error": None, "call": {"input_tokens": 7, "output_tokens": 2}},
]


def written(path: Path, rows=ROWS) -> bytes:
    journal = Journal(path)
    for row in rows:
        journal.append(row)
    journal.close()
    return path.read_bytes()


def rows_of(path: Path) -> list[dict | None]:
    return [parse_line(line) for _, _, line in journal_lines(path)]


def test_what_is_written_is_read(tmp_path):
    assert written(tmp_path / "j").count(b"\n") == 3
    assert rows_of(tmp_path / "j") == ROWS


def test_a_line_is_there_before_append_returns(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.append(ROWS[0])
    assert rows_of(tmp_path / "j") == ROWS[:1]  # another descriptor; the first is not closed
    journal.close()
    journal.close()


@pytest.mark.parametrize("last", range(3))
def test_cut_at_every_byte_of_the_last_line(tmp_path, last):
    rows = ROWS[: last + 1]
    whole = written(tmp_path / "whole", rows)
    start = whole[:-1].rfind(b"\n") + 1
    for cut in range(start, len(whole) + 1):
        path = tmp_path / "cut"
        path.write_bytes(whole[:cut])
        kept = rows if cut >= len(whole) - 1 else rows[:-1]
        assert [r for r in rows_of(path) if r is not None] == kept
        Journal(path).close()
        assert rows_of(path) == kept
        with_more = Journal(path)
        with_more.append({"task": "next"})
        with_more.close()
        assert rows_of(path) == [*kept, {"task": "next"}]


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.text() | st.integers(), max_size=4), max_size=6
    ),
    st.integers(min_value=0, max_value=400),
)
@settings(max_examples=60)
def test_cut_anywhere(rows, cut):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "j")
        whole = written(path, rows)
        path.write_bytes(whole[:cut])
        repair(path)
        left = path.read_bytes()
        assert whole.startswith(left)
        assert left == b"" or left.endswith(b"\n")
        assert left.count(b"\n") in (whole[:cut].count(b"\n"), whole[:cut].count(b"\n") + 1)


def test_half_a_surrogate_pair_is_no_reason_to_lose_an_answer(tmp_path):
    written(tmp_path / "j", [{"task": "t", "response": "B \ud800"}])
    assert rows_of(tmp_path / "j") == [{"task": "t", "response": "B \ufffd"}]


@pytest.mark.parametrize(
    "broken", [b'{"task": "t2", "resp', b"\0\0\0\0\0", b"[1]", b"\xff\xfe", b"[" * 5000, b"null"]
)
def test_a_broken_line_in_the_middle_is_counted_and_the_rest_stands(tmp_path, broken):
    lines = [json.dumps(row).encode() for row in ROWS]
    (tmp_path / "j").write_bytes(b"\n".join([lines[0], broken, lines[2]]) + b"\n")
    found = load(tmp_path / "j")
    assert found.tasks == {"t1": None, "t3": None}
    assert found.unreadable == [2]


def test_load_counts_what_was_spent_and_keeps_calls_of_open_tasks(tmp_path):
    failed = {
        "task": "t4",
        "error": "time-out: 9 s",
        "call": {"task": "t4", "attempts": 6, "error": "x"},
    }
    written(tmp_path / "j", [*ROWS, failed])
    found = load(tmp_path / "j")
    assert found.tasks == {"t1": None, "t3": None, "t4": "time-out: 9 s"}
    assert (found.spent_calls, found.spent_tokens, found.spent_cost) == (1 + 3 + 1 + 6, 9, 0.5)
    ((offset, length),) = found.calls["t2"]
    journal = Journal(tmp_path / "j")
    assert call_of(journal.read(offset, length))["text"] == "half a thought"
    journal.close()
    assert load(tmp_path / "none").tasks == {}
    assert load(tmp_path / "j", {"k"}).spent_calls == 8


def test_the_latest_line_of_a_task_counts(tmp_path):
    lines = [{"task": "t", "error": "time-out"}, {"task": "t", "error": None}]
    written(tmp_path / "j", lines)
    assert load(tmp_path / "j").tasks == {"t": None}
    written(tmp_path / "k", lines[::-1])
    assert load(tmp_path / "k").tasks == {"t": "time-out"}


def test_which_errors_last():
    assert lasting(None)
    assert all(lasting(f"{failure}: detail") for failure in LASTING)
    assert not any(lasting(f"{failure}: detail") for failure in RETRIED)


def test_disk_full_takes_back_what_was_written(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "j")
    journal.append(ROWS[0])
    write, room = os.write, [20]

    def full(file, data):
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = write(file, data[: room[0]])
        room[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(InputError, match=r"No space left on device.*Free space"):
        journal.append(ROWS[1])
    monkeypatch.undo()
    assert rows_of(tmp_path / "j") == ROWS[:1]
    journal.append(ROWS[2])  # there is space again
    journal.close()
    assert rows_of(tmp_path / "j") == [ROWS[0], ROWS[2]]


def test_disk_full_and_no_way_back_leaves_a_journal_that_opens(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "j")
    journal.append(ROWS[0])
    write = os.write

    def torn(file, data):
        write(file, data[:9])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def refused(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "write", torn)
    monkeypatch.setattr(os, "ftruncate", refused)
    with pytest.raises(InputError):
        journal.append(ROWS[1])
    monkeypatch.undo()
    journal.close()
    again = Journal(tmp_path / "j")
    assert again.repaired == 9
    again.append(ROWS[1])
    again.close()
    assert rows_of(tmp_path / "j") == ROWS[:2]


def _fill(path: str) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    journal = Journal(Path(path))
    try:
        for _ in range(100):
            journal.append({"task": "t", "response": "x" * 90})
    except InputError as error:
        assert "cannot be written" in str(error)
        os._exit(7)


def test_a_real_limit_of_the_file_system(tmp_path):
    process = multiprocessing.get_context("spawn").Process(
        target=_fill, args=(str(tmp_path / "j"),)
    )
    process.start()
    process.join(30)
    assert process.exitcode == 7
    rows = rows_of(tmp_path / "j")
    assert len(rows) == 8
    assert None not in rows


def test_dev_full(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "j").symlink_to("/dev/full")
    journal = Journal(tmp_path / "j")
    with pytest.raises(InputError, match="No space left"):
        journal.append(ROWS[0])


def test_a_folder_in_the_place_of_the_journal(tmp_path):
    (tmp_path / "j").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        Journal(tmp_path / "j")
