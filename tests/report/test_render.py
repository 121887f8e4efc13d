"""The page as text: complete, escaped, self-contained, small and quick."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_summary import BENCHMARKS, MODELS, make_disagreements, make_summary, make_unread
from pydantic import ValidationError

from viva import report
from viva.report import _render, _text

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Checks that tags balance and collects what matters."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.faults: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        if self.open:
            self.faults.append(f"never closed: {self.open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(tag, k, v or "") for k, v in attrs]
        self.ids += [v for k, v in attrs if k == "id" and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-3:]} at {self.getpos()}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)


def whole(summary: dict[str, Any], models: tuple[str, ...] = MODELS) -> str:
    return report.render(
        summary, disagreements=make_disagreements(models), unread=make_unread(models)
    )


VARIANTS = {
    "usual": make_summary(),
    "given labels": make_summary(given=True),
    "one model": make_summary(("only-model",)),
    "no cost": make_summary(cost=False),
    "some without a gap": make_summary(missing_gaps=MODELS[:2]),
    "none with a gap": make_summary(missing_gaps=MODELS),
    "one benchmark": make_summary(benchmarks={"medqa": BENCHMARKS["medqa"]}),
    "names in many scripts": make_summary(
        ("模型-七十亿-指令微调版", "modèle/à é", "модель", "نموذج", "💊🩺" * 20, "x" * 500)
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_is_well_formed_and_complete(name: str) -> None:
    summary = VARIANTS[name]
    html = whole(summary, tuple(summary["models"]))
    page = Page(html)
    assert not page.faults
    assert len(page.ids) == len(set(page.ids)), "ids occur twice"
    links = [v[1:] for _, k, v in page.attributes if k == "href" and v.startswith("#")]
    assert set(links) <= set(page.ids), "links that lead nowhere"
    labels = [v for _, k, v in page.attributes if k in ("aria-labelledby", "aria-controls")]
    assert {i for v in labels for i in v.split()} <= set(page.ids)
    text = " ".join(page.text)
    assert summary["verdict"]["headline"] in text
    assert summary["splitter"]["caution"] in text
    assert "NaN" not in text
    assert "None" not in text
    assert "Undefined" not in text
    assert page.tags["h1"] == 1


def test_headline_numbers_are_shown_with_their_intervals() -> None:
    summary = VARIANTS["usual"]
    text = " ".join(Page(whole(summary)).text)
    for model in summary["models"].values():
        gap = model["gap"]["within"]
        assert _text.points(gap["estimate"]) in text
        assert _text.interval(gap["low"], gap["high"]) in text
        assert _text.percent(model["accuracy"]) in text


def test_what_is_absent_is_said_and_not_drawn() -> None:
    given_labels = whole(VARIANTS["given labels"])
    assert 'id="figure-sweep"' not in given_labels
    assert "there is no threshold to sweep" in given_labels
    alone = whole(VARIANTS["one model"], ("only-model",))
    assert 'id="figure-comparisons"' not in alone
    assert "No hard subset: one model: no majority to fail" in alone
    assert "no benchmark has 20 items of each stratum" in whole(VARIANTS["some without a gap"])
    assert "output tokens per response" in whole(VARIANTS["no cost"])


def test_loads_nothing_from_outside() -> None:
    html = whole(VARIANTS["usual"])
    page = Page(html)
    for tag, key, value in page.attributes:
        if key in ("src", "srcset", "data", "action", "poster", "background", "formaction"):
            pytest.fail(f"<{tag} {key}={value}> may load something")
        if key in ("href", "xlink:href") and tag != "a":
            assert value == "data:,", (tag, value)
        assert not key.startswith("on"), (tag, key)
        assert key != "style", "style attributes are refused by the page's own policy"
    styles = "".join(re.findall(r"<style[^>]*>(.*?)</style>", html, re.S))
    assert "@import" not in styles
    assert "//" not in re.sub(r"base64,[^)]*", "", styles)
    assert set(re.findall(r"https?://[^\s<\"]*", html)) == {
        f"https://example.org/{name}" for name in BENCHMARKS
    }, "addresses other than the sources, which are text"
    assert set(re.findall(r"url\((.{0,16})", styles)) <= {"data:font/woff2;"}


def test_policy_names_the_hash_of_every_style_and_script() -> None:
    html = whole(VARIANTS["usual"])
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    text = policy.group(1).replace("&#39;", "'")
    assert text.startswith("default-src 'none'")
    assert "unsafe" not in text
    bodies = re.findall(r"<(?:style|script)[^>]*>(.*?)</(?:style|script)>", html, re.S)
    assert len(bodies) == 4
    for body in bodies:
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in text


@settings(max_examples=40)
@given(st.text(max_size=300))
def test_text_of_any_kind_adds_no_tag(text: str) -> None:
    hostile = Page(_small(text))
    assert not hostile.faults
    assert hostile.tags == PLAIN_TAGS
    assert not any(k.startswith("on") for _, k, _ in hostile.attributes)


def _small(text: str) -> str:
    summary = copy.deepcopy(make_summary(("m",), {"medqa": BENCHMARKS["medqa"]}))
    summary["verdict"]["headline"] = text
    summary["verdict"]["models"]["m"] = text
    summary["splitter"]["caution"] = "!" + text
    summary["data_quality"]["notes"] = [text]
    summary["benchmarks"]["medqa"] |= {"title": text, "licence": text, "known_defects": [text]}
    summary["settings"]["answers"] = [text]
    return report.render(
        summary,
        unread=[{"model": "m", "benchmark": text, "item_id": text, "status": "unparsed",
                 "reason": text, "text": text}],
        disagreements=[{"benchmark": text, "item_id": text, "question": text,
                        "options": [text, "b"], "key": "A", "answers": {"m": None}}],
    )  # fmt: skip


PLAIN_TAGS = Page(_small("x")).tags


def test_no_address_in_the_data_becomes_a_link() -> None:
    summary = make_summary(benchmarks={"medqa": BENCHMARKS["medqa"]})
    for source in ("https://example.org/a", "javascript:alert(1)", "data:text/html,x"):
        summary["benchmarks"]["medqa"]["source"] = source
        page = Page(report.render(summary))
        assert source in " ".join(page.text)
        assert all(v.startswith(("#", "data:,")) for _, k, v in page.attributes if k == "href")


def test_names_that_look_alike_stay_apart() -> None:
    names = ("a" * 300 + "1", "a" * 300 + "2", "A b", "a-b", "", " ")
    summary = make_summary(names)
    page = Page(whole(summary, names))
    assert not page.faults
    assert len(page.ids) == len(set(page.ids))
    anchors = {i for i in page.ids if re.fullmatch(r"cite-.*-accuracy", i)}
    assert len(anchors) == len(names)


def test_text_is_bounded() -> None:
    summary = make_summary()
    page = report.render(
        summary,
        unread=[{**make_unread()[0], "text": "<b>" * 400_000}] * 500,
        disagreements=make_disagreements(count=500),
    )
    assert len(page) < 1_500_000


def test_size_with_ten_models_and_ten_benchmarks() -> None:
    models = tuple(f"model-{k}" for k in range(10))
    benchmarks = {f"set_{k}": (f"Set {k}", 1000 + k, 0.3 + 0.04 * k, 4) for k in range(10)}
    summary = make_summary(models, benchmarks)
    html = report.render(summary)
    assert len(html.encode()) < 1_000_000


def test_forty_models_stay_under_the_limit() -> None:
    models = tuple(f"organisation/a-rather-long-model-name-{k}" for k in range(40))
    html = whole(make_summary(models), models)
    assert not Page(html).faults
    assert len(html.encode()) < 6_000_000


def test_eighty_models_stay_under_the_limit_and_say_what_is_cut() -> None:
    models = tuple(f"organisation/a-rather-long-model-name-{k}" for k in range(80))
    html = report.render(make_summary(models))
    assert len(html.encode()) < 6_000_000
    assert "The first 2,000 of 12,640: all are in summary.json." in html
    assert "The 45 most accurate of 80 models are shown" in html


def test_writes_whole_or_not_at_all(tmp_path: Path) -> None:
    summary = VARIANTS["usual"]
    target = report.write(summary, tmp_path / "new" / "run")
    assert target == tmp_path / "new" / "run" / "report.html"
    first = target.read_text(encoding="utf-8")
    assert first == report.render(summary)
    broken = {**summary, "models": {"m": {}}}
    with pytest.raises(ValidationError):
        report.write(broken, target.parent)
    assert target.read_text(encoding="utf-8") == first
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]


def test_leaves_nothing_where_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        report.write(VARIANTS["one model"], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="umask is a thing of POSIX")
def test_the_umask_holds(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        target = report.write(VARIANTS["one model"], tmp_path)
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o600


def test_does_not_change_what_it_is_given() -> None:
    summary = make_summary()
    before = json.dumps(summary)
    report.render(summary)
    assert json.dumps(summary) == before


def test_same_summary_same_page() -> None:
    assert whole(make_summary()) == whole(make_summary())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_contrast(theme: str) -> None:
    css = (Path(report.__file__).parent / "templates" / "page.css").read_text()
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", css)
    dark = [b for b in blocks if "--page:#111417" in b]
    assert len(dark) == 2, "the system's dark and the chosen dark"
    assert dark[0] == dark[1], "both dark themes are the same"
    block = dark[0] if theme == "dark" else next(b for b in blocks if "--page:#ffffff" in b)
    colours = dict(re.findall(r"(--[\w-]+):(#[0-9a-f]{6})", block))

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(first: str, second: str) -> float:
        a, b = sorted((luminance(colours[first]), luminance(colours[second])))
        return (b + 0.05) / (a + 0.05)

    pairs = [("--ink", "--page"), ("--muted", "--page"), ("--muted", "--panel"),
             ("--soft", "--page"), ("--accent", "--page"), ("--warn", "--warn-bg"),
             ("--accent", "--good-bg"), ("--ink", "--warn-bg")]  # fmt: skip
    pairs += [(f"--q{k}", "--on-q-low" if k <= 5 else "--on-q-high") for k in range(9)]
    pairs += [(f"--d{k}", "--on-d-mid") for k in range(2, 7)]
    pairs += [(f"--d{k}", f"--on-d{k}") for k in (0, 1, 7, 8)]
    for first, second in pairs:
        assert contrast(first, second) >= 4.5, (first, second, contrast(first, second))
    for mark in ("--pooled", "--within"):  # WCAG 1.4.11: graphics need 3
        assert contrast(mark, "--page") >= 3, mark


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("It is −2.1 points (95 % CI −3.0 to −1.0). Pooled it is more.",
         "It is −2.1 points (95 % CI −3.0 to −1.0)."),
        ("E.g. this stays whole", "E.g. this stays whole"),
        ("", ""),
    ],
)  # fmt: skip
def test_first_sentence(text: str, first: str) -> None:
    assert _render._first_sentence(text) == first


def test_audits_with_almost_nothing_in_them_render() -> None:
    empty = make_summary(("m",))
    empty |= {"models": {}, "robustness": {}, "efficiency": {}, "comparisons": [], "sweep": []}
    empty["verdict"]["models"] = {}
    empty["data_quality"]["readers"] = {}
    assert not Page(report.render(empty)).faults

    ungraded = make_summary(("m", "k"), missing_gaps=("m", "k"))
    nothing = {"n": 0, "accuracy": None, "low": None, "high": None}
    for model in ungraded["models"].values():
        model |= {"n": 9, "graded": 0, "unparsed": 0, "ambiguous": 0, "ungraded": 9,
                  "accuracy": None, "low": None, "high": None, "accuracy_of_read": None,
                  "knowledge": nothing, "reasoning": nothing}  # fmt: skip
        for cells in model["benchmarks"].values():
            cells |= {"all": nothing, "knowledge": nothing, "reasoning": nothing}
    ungraded["robustness"] = {}
    ungraded["efficiency"] = {}
    for comparison in ungraded["comparisons"]:
        comparison |= {"difference": None, "low": None, "high": None, "p_holm": None,
                       "mdd_80": None, "n": 0, "verdict": "undecided",
                       "reason": "no common items"}  # fmt: skip
    for benchmark in ungraded["benchmarks"].values():
        benchmark["key_positions"] |= {"n": 0, "counts": {}, "expected": {}}
    page = Page(report.render(ungraded))
    assert not page.faults
    assert any("no common items" in v for _, k, v in page.attributes if k == "title")
    assert "No number to cite." in " ".join(page.text)


def test_one_threshold_or_one_bin_draws_no_line() -> None:
    summary = make_summary()
    summary["sweep"] = summary["sweep"][:1]
    for entry in summary["efficiency"].values():
        entry["bins"] = entry["bins"][:1]
    html = report.render(summary)
    assert 'id="figure-sweep"' not in html
    assert 'id="figure-length"' not in html
