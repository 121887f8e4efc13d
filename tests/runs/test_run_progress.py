"""The progress view: what it says, how often, and that it costs calls nothing."""

from __future__ import annotations

import io
import sys
import threading
import time

import pytest
from made_runs import Fake, rows
from rich.console import Console

import viva
from viva.runs import live, progress
from viva.runs.counts import Counts
from viva.runs.progress import Pace, line


def test_rate_and_time_left_follow_the_last_minute():
    counts = Counts(planned=1000)
    pace = Pace(counts)
    assert pace.look(0.0) == (0.0, None)
    for second in range(1, 101):  # one a second at first
        counts.done, counts.output_tokens = second, 10 * second
        tokens, left = pace.look(float(second))
    assert tokens == pytest.approx(10)
    assert left == pytest.approx(900)
    for second in range(101, 171):  # then ten
        counts.done += 10
        counts.output_tokens += 500
        tokens, left = pace.look(float(second))
    assert tokens == pytest.approx(500)
    assert left == pytest.approx(200 / 10)


def test_a_run_that_was_continued_is_not_taken_for_a_fast_one():
    counts = Counts(planned=1000, done=500, earlier=500)
    pace = Pace(counts)
    pace.look(0.0)
    counts.done += 10
    assert pace.look(10.0)[1] == pytest.approx(490)


def test_the_line():
    counts = Counts(planned=12_000, done=3_000, failed=2, in_flight=64, retries=5)
    said = line(counts, "m", 1234.5, 3_725.0)
    assert (
        said
        == "m: 3,002 of 12,000, 2 failed, 64 in flight, 1,234 tokens/s, 5 retries, 1:02:05 left"
    )
    counts.priced, counts.cost = True, 1.5
    assert "cost 1.50" in line(counts, "m", 0, None)
    assert line(counts, "m", 0, None).endswith("time left not known yet")


def test_elsewhere_than_at_a_terminal_a_plain_line_now_and_then(monkeypatch):
    third = threading.Event()

    class Stream(io.StringIO):
        def flush(self):
            if self.getvalue().count("\n") == 3:
                third.set()

    monkeypatch.setattr(progress, "_PLAIN_EVERY", 0.05)
    monkeypatch.setattr(sys, "stderr", Stream())
    begun = time.monotonic()
    with live(Counts(planned=10), "m"):
        assert third.wait(60)
        assert time.monotonic() - begun >= 0.15, "a line every 0.05 s, not one after another"
    lines = sys.stderr.getvalue().splitlines()
    assert len(lines) >= 3 and all(text.startswith("m: 0 of 10") for text in lines)


def test_quiet_where_it_is_short(tmp_path, capsys):
    viva.evaluate(
        model=Fake(), benchmark=rows(3), method="direct", out=tmp_path / "run", progress=live
    )
    assert capsys.readouterr() == ("", "")


def test_at_a_terminal_at_most_four_times_a_second():
    looks = []
    counts = Counts(planned=10)
    console = Console(file=io.StringIO(), force_terminal=True, width=100)

    class Watched(Pace):
        def look(self, at):
            looks.append(at)
            return super().look(at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "Pace", Watched)
        with progress._bar(console, counts, "m"):
            for _ in range(100):
                counts.done += 1
                time.sleep(0.01)
    assert 2 <= len(looks) <= 8
    assert "in flight" in console.file.getvalue()
