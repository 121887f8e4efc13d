"""The tables for the terminal."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from made_summary import MODELS, make_summary
from rich.console import Console

from viva import report
from viva.report import _text


def printed(summary: dict[str, Any], width: int = 80, **more: Any) -> str:
    file = io.StringIO()
    report.terminal(summary, Console(file=file, width=width, no_color=True), **more)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 100, 140])
def test_fits_and_shows_every_number(width: int) -> None:
    summary = make_summary()
    text = printed(summary, width)
    assert max(len(line) for line in text.splitlines()) <= width
    for model in summary["models"].values():
        gap = model["gap"]
        assert _text.points(gap["within"]["estimate"]) in text
        assert _text.interval(gap["within"]["low"], gap["within"]["high"]) in text
        assert _text.points(gap["pooled"]["estimate"]) in text
        assert _text.interval(model["low"], model["high"], share=True) in text
        assert f"{model['n']:,}" in text
    assert summary["splitter"]["caution"] in " ".join(text.split())
    flat = re.sub(r"\s+", "", text)
    assert summary["verdict"]["headline"].replace(" ", "") in flat


def test_long_names_are_folded_and_whole() -> None:
    names = ("organisation/" + "long-" * 8 + "name", "模型" * 12)
    text = printed(make_summary(names))
    assert max(map(len, text.splitlines())) <= 80
    for row in text.splitlines():
        assert len(row.encode("utf-16-le")) // 2 <= 80
    cells = [line[:22].split("  ")[0].strip() for line in text.splitlines()]
    joined = "".join(cells)
    assert names[0][:15] in joined


def test_hostile_names_do_not_reach_the_terminal() -> None:
    names = ("\x1b[31mred\x1b]0;owned\x07", "[bold red]x[/] [link=https://a.b]y[/link]", "a\u202eb")
    text = printed(make_summary(names), 160)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold red]x[/]" in text
    assert "<U+001B>" in text


def test_without_gaps_comparisons_or_report() -> None:
    text = printed(make_summary(("m",), missing_gaps=("m",), given=True))
    assert "labels given with the items" in text
    assert "comparisons" not in text
    assert "Report:" not in text
    assert "Report: out/report.html" in printed(make_summary(), report="out/report.html")


def test_pairs_that_cannot_be_told_apart_are_named() -> None:
    summary = make_summary()
    for comparison in summary["comparisons"]:
        if comparison["scope"] == "all":
            comparison["verdict"] = "undecided"
    text = " ".join(printed(summary).split())
    assert f"{MODELS[0]} ? {MODELS[1]}" in text
    assert "and 22 more" in text
