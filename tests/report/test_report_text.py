"""Numbers, names, scales and tables of the report."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from viva.report import _scale, _svg, _tables, _text

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.text(max_size=400), st.integers(1, 300))
def test_clean_is_bounded_and_leaves_nothing_that_steers(text: str, limit: int) -> None:
    shown = _text.clean(text, limit)
    assert len(shown) <= 8 * limit + 1
    for character in shown:
        assert character in "\n\t\u200c\u200d" or unicodedata.category(character) not in (
            "Cc", "Cf", "Cs", "Co",
        )  # fmt: skip


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=100))
def test_clean_leaves_plain_text_alone(text: str) -> None:
    assert _text.clean(text) == text


def test_clean_names_what_it_removed() -> None:
    assert _text.clean("a\x1b[31mb\u202ec") == "a<U+001B>[31mb<U+202E>c"
    assert _text.clean("\ud800") == "<U+D800>"
    assert _text.clean("x" * 10, 5) == "xxxx…"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-2.14, "−2.1"), (2.15, "+2.1"), (0.04, "0.0"), (-0.04, "0.0"), (None, "–"),
     (math.nan, "–"), (math.inf, "–"), (100.0, "+100.0")],
)  # fmt: skip
def test_points(value: float | None, shown: str) -> None:
    assert _text.points(value) == shown


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0, "< 0.001"), (0.00099, "< 0.001"), (0.0314, "0.031"), (0.5, "0.50"), (1.0, "1.00"),
     (None, "–")],
)  # fmt: skip
def test_p_value(p: float | None, shown: str) -> None:
    assert _text.p_value(p) == shown


def test_other_numbers() -> None:
    assert _text.percent(0.6666) == "66.7"
    assert _text.interval(-1.0, 2.0) == "[−1.0, +2.0]"
    assert _text.interval(0.1, 0.2, share=True) == "[10.0, 20.0]"
    assert _text.interval(None, 2.0) == "–"
    assert _text.count(12345) == "12,345"
    assert _text.count(1234.56) == "1,234.6"
    assert _text.ascii_number(-0.04) == "0.0"
    assert _text.ascii_number(-2.14) == "-2.1"


@given(st.text(max_size=200), st.floats(20, 300))
def test_shorten_fits(text: str, width: float) -> None:
    shown = _text.shorten(text, width, 12)
    assert _text.text_width(shown, 12) <= width or len(shown) <= 3
    if _text.text_width(text, 12) <= width:
        assert shown == text


def test_shorten_keeps_both_ends() -> None:
    shown = _text.shorten("organisation/a-very-long-model-name-70b-v2", 150, 13)
    assert shown.startswith("organ")
    assert shown.endswith("-v2")


@given(st.lists(st.text(max_size=30), unique=True, max_size=20))
def test_slugs_are_different_and_safe(names: list[str]) -> None:
    made = _text.slugs(names)
    assert len(set(made.values())) == len(names)
    for slug in made.values():
        assert slug
        assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in slug)


@given(finite, finite, st.integers(2, 10), st.booleans())
def test_linear_scale_holds_its_values(a: float, b: float, about: int, tight: bool) -> None:
    low, high = min(a, b), max(a, b)
    if high - low < 1e-6:
        high = low + 1
    scale = _scale.linear(low, high, 10, 110, about, tight=tight)
    assert scale.holds(low)
    assert scale.holds(high)
    assert 10 <= scale(low) < scale(high) <= 110 + 1e-9
    assert len(scale.ticks) <= 2.5 * about + 3
    assert all(scale.low - 1e-9 <= t <= scale.high + 1e-9 for t in scale.ticks)
    assert scale(scale.high * 2 + 1) <= 110 + 1e-9


@given(st.floats(1e-6, 1e6), st.floats(1, 1e5))
def test_logarithmic_scale_holds_its_values(low: float, factor: float) -> None:
    high = low * factor
    scale = _scale.logarithmic(low, high, 0, 100)
    assert 0 < scale(low) <= scale(high) < 100
    assert scale(math.sqrt(low * high)) == pytest.approx((scale(low) + scale(high)) / 2)


def test_scales_refuse_what_they_cannot_show() -> None:
    with pytest.raises(ValueError, match="positive"):
        _scale.logarithmic(0, 1, 0, 1)
    with pytest.raises(ValueError, match="high > low"):
        _scale.round_ticks(1, 1, 5)
    assert _scale.extent([None, math.nan]) == (0.0, 1.0)
    assert _scale.extent([3.0, None], include=[0.0]) == (0.0, 3.0)


def test_elements_escape_text_and_attributes() -> None:
    made = _svg.element("text", "<b>&", Markup("<i/>"), cls='"><script>', x=1.5, y=None)
    assert made == '<text class="&#34;&gt;&lt;script&gt;" x="1.5">&lt;b&gt;&amp;<i/></text>'
    with pytest.raises(ValueError, match="finite"):
        _svg.line(math.nan, 0, 1, 1)


def test_cells_show_rounded_and_keep_unrounded() -> None:
    columns = (_tables.Column("a"), _tables.Column("b", "percent"), _tables.Column("c", "points"),
               _tables.Column("d", "p"), _tables.Column("e", "count"))  # fmt: skip
    made = _tables.table("t", "T", columns, [("x", 2 / 3, -1 / 3, 1e-9, 1234), (None,) * 5])
    assert [c.shown for c in made.rows[0]] == ["x", "66.7", "−0.3", "< 0.001", "1,234"]
    assert [c.raw for c in made.rows[0]] == [None, "66.666667", "-0.333333", "1e-09", "1234"]
    assert {c.shown for c in made.rows[1]} == {"–"}
    assert {c.raw for c in made.rows[1]} == {""}
    with pytest.raises(ValueError, match="zip"):
        _tables.table("t", "T", columns, [("too", "few")])
