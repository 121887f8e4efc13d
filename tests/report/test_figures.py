"""The figures draw what the summary says, where the axes say it is."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_summary import BENCHMARKS, MODELS, make_summary

from viva._summary import GAPS, Summary
from viva.analysis import pareto
from viva.report import (
    _cite,
    _efficiency,
    _gap,
    _grid,
    _heat,
    _matrix,
    _quality,
    _robustness,
    _sweep,
)
from viva.report._text import points


@pytest.fixture(scope="module")
def summary() -> Summary:
    return Summary.model_validate(make_summary())


def drawn(svg: object) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg))


def by_class(tree: ElementTree.Element, tag: str, *classes: str) -> list[ElementTree.Element]:
    return [
        node for node in tree.iter(tag)
        if set(classes) <= set(node.get("class", "").split())
    ]  # fmt: skip


def axis(tree: ElementTree.Element) -> dict[float, float]:
    """Value -> pixel, from the tick labels at the foot."""
    lowest = max(float(t.get("y", 0)) for t in by_class(tree, "text", "tick"))
    return {
        float((t.text or "").replace("\u2212", "-")): float(t.get("x", 0))
        for t in by_class(tree, "text", "tick")
        if float(t.get("y", 0)) == lowest
    }


def value_at(ticks: dict[float, float], x: float) -> float:
    (v1, x1), (v2, x2) = min(ticks.items()), max(ticks.items())
    return v1 + (x - x1) * (v2 - v1) / (x2 - x1)


@pytest.mark.parametrize("shape", ["wide", "narrow"])
def test_gap_marks_stand_at_their_estimates(summary: Summary, shape: str) -> None:
    tree = drawn(getattr(_gap.gap_figure(summary), shape))
    ticks = axis(tree)
    found = set()
    for mark in by_class(tree, "circle", "mark"):
        title = mark.find("title")
        if title is None or not title.text:
            continue  # the legend
        model = next(m for m in MODELS if title.text.startswith(f"{m}, "))
        kind = "pooled" if "pooled" in mark.get("class", "") else "within"
        estimate = getattr(summary.models[model].gap, kind).estimate
        assert value_at(ticks, float(mark.get("cx", 0))) == pytest.approx(estimate, abs=0.05)
        assert points(estimate) in title.text
        found.add((model, kind))
    assert len(found) == 2 * len(MODELS)


def test_gap_whiskers_span_their_intervals(summary: Summary) -> None:
    tree = drawn(_gap.gap_figure(summary).wide)
    ticks = axis(tree)
    spans = sorted(
        (value_at(ticks, float(n.get("x1", 0))), value_at(ticks, float(n.get("x2", 0))))
        for n in by_class(tree, "line", "whisker", "within")
        if n.get("y1") == n.get("y2")
    )
    truth = sorted(
        (m.gap.within.low or 0.0, m.gap.within.high or 0.0) for m in summary.models.values()
    )
    assert [s[0] for s in spans] == pytest.approx([t[0] for t in truth], abs=0.05)
    assert [s[1] for s in spans] == pytest.approx([t[1] for t in truth], abs=0.05)


def test_models_are_sorted_by_headline_gap_and_those_without_come_last() -> None:
    summary = Summary.model_validate(make_summary(missing_gaps=MODELS[:2]))
    order = _gap.by_gap(summary)
    known = [summary.models[m].gap.within.estimate for m in order[:-2]]
    assert known == sorted(known, key=lambda v: -(v or 0.0))
    assert set(order[-2:]) == set(MODELS[:2])
    text = str(_gap.gap_figure(summary).wide)
    assert text.count("no estimate") == 4


def test_every_estimator_of_every_model_is_drawn_and_tabled(summary: Summary) -> None:
    figure = _gap.estimator_figure(summary)
    for svg in (figure.wide, figure.narrow):
        assert len(by_class(drawn(svg), "circle", "mark")) == len(GAPS) * len(MODELS)
    assert len(figure.table.rows) == (len(GAPS) + 1) * len(MODELS)
    given_labels = Summary.model_validate(make_summary(given=True))
    text = str(_gap.estimator_figure(given_labels).wide)
    assert text.count("labels are given: there are no probabilities") == len(MODELS)


def test_sweep_lines_break_where_there_is_no_estimate() -> None:
    raw = make_summary(MODELS[:1])
    raw["sweep"][4]["models"][MODELS[0]] = dict.fromkeys(
        ("pooled", "within", "within_low", "within_high")
    )
    figure = _sweep.sweep_figure(Summary.model_validate(raw))
    assert figure is not None
    tree = drawn(figure.panels[0])
    assert len(by_class(tree, "path", "line", "within")) == 2
    assert len(by_class(tree, "path", "line", "pooled")) == 2
    assert len(by_class(tree, "circle", "mark")) == 8
    assert _sweep.sweep_figure(Summary.model_validate(make_summary(given=True))) is None


def test_heat_map_shades_follow_accuracy(summary: Summary) -> None:
    heat = _heat.heat_map(summary)
    shades: list[tuple[float, int]] = []
    for model, cells in heat.rows:
        cell = iter(cells)
        for benchmark, _, _ in heat.benchmarks:
            for stratum in ("knowledge", "reasoning"):
                square = next(cell)
                accuracy = getattr(summary.models[model].benchmarks[benchmark], stratum).accuracy
                assert square.level is not None
                assert square.shown == f"{100 * accuracy:.0f}"
                shades.append((accuracy, square.level))
    shades.sort()
    levels = [level for _, level in shades]
    assert levels == sorted(levels)
    assert levels[-1] > levels[0]
    assert [b for b, _, inside in heat.benchmarks if not inside] == ["pubmedqa"]


def test_matrix_is_antisymmetric(summary: Summary) -> None:
    opposite = {"win": "loss", "loss": "win", "tie": "tie", "undecided": "undecided"}
    made = _matrix.matrices(summary)
    assert [m.scope for m in made] == ["all", "knowledge", "reasoning", "gap"]
    for matrix in made:
        for i, row in enumerate(matrix.rows):
            for j, cell in enumerate(row):
                other = matrix.rows[j][i]
                if cell is None or other is None:
                    assert i == j
                    continue
                assert cell.level == -other.level
                assert cell.verdict == opposite[other.verdict]
                assert cell.shown.lstrip("+\u2212") == other.shown.lstrip("+\u2212")
        found = {(c.a, c.b): c for c in summary.comparisons if c.scope == matrix.scope}
        for (a, b), comparison in found.items():
            cell = matrix.rows[matrix.models.index(a)][matrix.models.index(b)]
            assert cell is not None
            assert cell.shown == points(comparison.difference)
            assert cell.verdict == comparison.verdict
            assert f"{a} minus {b}" in cell.title
    assert _matrix.matrices(Summary.model_validate(make_summary(("m",)))) == []


def test_robustness_words() -> None:
    raw = make_summary()
    cards = raw["robustness"]
    expected = {}
    for model, (sign, survives, words) in zip(
        MODELS,
        [("negative", True, "worse, robust"), ("negative", False, "worse, not robust"),
         ("positive", True, "better, robust"), ("positive", False, "better, not robust"),
         ("none", False, "unclear"), ("none", True, "unclear")],
        strict=False,
    ):  # fmt: skip
        cards[model] |= {"sign": sign, "survives": survives}
        expected[model] = words
    made = {c.model: c.sign_words for c in _robustness.cards(Summary.model_validate(raw))}
    assert {m: made[m] for m in expected} == expected
    assert _robustness.sign_in_words(None) == "not checked"


@given(
    st.lists(st.tuples(st.floats(0.1, 100), st.floats(0, 1)), min_size=1, max_size=30, unique=True)
)
def test_pareto_front_is_what_nobody_dominates(places: list[tuple[float, float]]) -> None:
    front = set(map(int, pareto({str(k): place for k, place in enumerate(places)})))
    for k, (cost, accuracy) in enumerate(places):
        dominated = any(
            (c <= cost and a >= accuracy and (c < cost or a > accuracy)) for c, a in places
        )
        assert (k in front) == (not dominated)


def test_cost_axis_is_what_most_models_have() -> None:
    raw = make_summary()
    for model in MODELS[:3]:
        raw["efficiency"][model]["cost"] = None
    figure = _efficiency.cost_figure(Summary.model_validate(raw))
    assert figure is not None
    assert figure.title == "Accuracy against output tokens"
    for model in MODELS[:2]:
        raw["efficiency"][model]["output_tokens"] = None
    for other in ("seconds", "characters"):
        for model in MODELS:
            raw["efficiency"][model][other] = None
    figure = _efficiency.cost_figure(Summary.model_validate(raw))
    assert figure is not None
    assert all(m in figure.caption for m in MODELS[:2])
    for model in MODELS:
        raw["efficiency"][model] |= {"output_tokens": None, "cost": None}
    assert _efficiency.cost_figure(Summary.model_validate(raw)) is None


def test_key_bars_have_the_height_of_their_share(summary: Summary) -> None:
    figure = _quality.key_figure(summary)
    assert figure is not None
    name = sorted(BENCHMARKS)[0]
    keys = summary.benchmarks[name].key_positions
    bars = by_class(drawn(figure.panels[0]), "rect", "bar")
    heights = [float(b.get("height", 0)) for b in bars]
    shares = [keys.counts[letter] for letter in keys.expected]
    ratios = [h / s for h, s in zip(heights, shares, strict=True)]
    assert max(ratios) == pytest.approx(min(ratios), rel=0.01)


def test_grids_hold_all_models_and_reasons(summary: Summary) -> None:
    unread = _grid.unread_grid(summary)
    assert unread is not None
    assert [m for m, _ in unread.rows] == _heat.by_accuracy(summary)
    readers = _grid.reader_grid(summary)
    assert readers is not None
    assert readers.heads == ("first-match", "last-match", "guess-on-fail")
    raw = make_summary()
    raw["data_quality"]["readers"] = {}
    for model in raw["models"].values():
        model["unread_reasons"] = {}
    empty = Summary.model_validate(raw)
    assert _grid.reader_grid(empty) is None
    assert _grid.unread_grid(empty) is None


def test_citation_carries_number_interval_n_and_settings(summary: Summary) -> None:
    model = MODELS[0]
    gap = summary.models[model].gap.within
    assert gap.estimate is not None
    assert gap.low is not None
    assert gap.high is not None
    found = {c.anchor: c.sentence for c in _cite.citations(summary)[model]}
    assert found["cite-gpt-4o-2024-11-20-within"] == (
        f"{model}: within-benchmark reasoning gap {gap.estimate:.1f} points "
        f"(95 % CI {gap.low:.1f} to {gap.high:.1f}; n = {gap.n:,.0f}; rubric splitter, "
        "threshold 0.5; Viva 0.1.0, seed 0)"
    )
    whole = summary.models[model]
    assert f"n = {whole.n - whole.ungraded:,}" in found["cite-gpt-4o-2024-11-20-accuracy"]
    missing = Summary.model_validate(make_summary(missing_gaps=[model]))
    anchors = [c.anchor for c in _cite.citations(missing)[model]]
    assert not [a for a in anchors if a.endswith(("within", "pooled"))]


def test_bibtex_cannot_be_broken_out_of(summary: Summary) -> None:
    assert re.search(r"version = \{0\.1\.0\}", _cite.bibtex(summary))
    raw = make_summary()
    raw["settings"] |= {"viva": "1}\n@evil{", "created": "x}{"}
    text = _cite.bibtex(Summary.model_validate(raw))
    assert text.count("@") == 1
    assert text.count("{") == text.count("}")
