"""The robustness chapter: counts that add up, words with n and interval, texts that stay texts."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from made_summary import make_summary

import viva
from viva import report
from viva._probe_summary import ProbeChapter, ProbeSummary
from viva.report import _flow, _pushback, _response

HOSTILE = "<script>window.pwned=1</script></pre>\x1b[31m\u202e{{ 7 * 7 }}"
LEVELS = ("uncertain", "bare", "short", "long")


def answers(follow: dict[str, float], n: int = 160, seed: int = 4) -> tuple[list, list, list]:
    """Items, clean and misled answers of one that follows a start of each strength so often."""
    dice = np.random.default_rng(seed)
    items, clean, misled = [], [], []
    for i in range(n):
        key = int(dice.integers(4))
        cue = (key + 1 + int(dice.integers(3))) % 4
        base = {"benchmark": "b" if i % 3 else "c", "item_id": f"{i}", "model": "m"}
        items.append(
            {**base, "question": f"{HOSTILE} Question {i}?", "answer": "ABCD"[key],
             "options": ["aspirin", "heparin", "insulin", "morphine"],
             "stratum": "reasoning" if i % 2 else "knowledge"}
        )  # fmt: skip
        own = key if dice.random() < 0.7 else int(dice.integers(4))
        said = f"{HOSTILE} I have thought about case {i}. The answer is "
        clean.append(base | {"response": f"{said}{'ABCD'[own]}."})
        for strength, share in follow.items():
            choice = cue if dice.random() < share else own
            more = {"probe": f"misleading_start.{strength}@prefill", "cue": "ABCD"[cue]}
            misled.append(base | more | {"response": f"{said}{'ABCD'[choice]}."})
            more = {"probe": f"control_start.irrelevant.{strength}@prefill"}
            misled.append(base | more | {"response": f"{said}{'ABCD'[own]}."})
    return items, clean, misled


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    items, clean, misled = answers(dict(zip(LEVELS, (0.1, 0.2, 0.4, 0.7), strict=True)))
    folder = tmp_path_factory.mktemp("probes")
    analysis = viva.analyse_probes(
        clean, misled, items=items, labels="given", resamples=200, out=folder
    )
    return analysis, folder


@pytest.fixture(scope="module")
def page(found) -> str:
    return (found[1] / "report.html").read_text(encoding="utf-8")


def chapter_of(analysis) -> _pushback.Chapter:
    read = ProbeSummary.model_validate(analysis.summary)
    whole = ProbeChapter(
        models=read.models, method_changes={}, refused={"p": {"no distractor": 3}}, notes=[]
    )
    return _pushback.chapter(whole, analysis.flips)


def test_a_page_is_written_beside_the_numbers(found, page):
    assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    assert len(page) < 6_000_000
    told = json.loads((found[1] / "manifest.json").read_text())
    assert "report.html" in told["files"]


def test_bands_have_the_heights_of_their_counts(found):
    read = ProbeSummary.model_validate(found[0].summary)
    probe = read.models["m"].probes["misleading_start.long@prefill"]
    svg = _flow.flow_drawing("x", "m", "p", probe, ("clean", "misled"), cued=True).svg
    tree = ElementTree.fromstring(str(svg))
    heights, counted = {}, 0
    for band in tree.iter():
        if band.tag.rpartition("}")[2] != "path":
            continue
        number = int(re.match(r"[\d,]+", band[0].text)[0].replace(",", ""))
        up = [float(y) for y in re.findall(r"V(\S+?)C", band.get("d"))]
        top = float(re.search(r"(\S+)V", band.get("d"))[1])
        heights[number] = up[0] - top
        counted += number
    assert counted == probe.n == sum(sum(row.values()) for row in probe.flow.values())
    largest = max(heights)
    for number, height in heights.items():
        assert height == pytest.approx(max(0.35, heights[largest] * number / largest), abs=0.03)
    said = tree.find("{*}desc").text if tree.find("{*}desc") is not None else tree.find("desc").text
    right = probe.flow["right"]["right"]
    assert f"{right} stay right" in said


def test_no_state_of_the_flow_is_left_undrawn(found):
    from viva.analysis._pairs import STATES

    assert sorted(_flow.STATES) == sorted(STATES)


def test_words_carry_n_and_interval(found):
    part = chapter_of(found[0]).parts[0]
    probe = found[0].summary["models"]["m"]["probes"]["misleading_start.long@prefill"]
    (said,) = (s for s in part.sentences if s.startswith("misleading_start.long@prefill"))
    lost = probe["lost"]
    shown = f"{100 * lost['estimate']:.1f} % [{100 * lost['low']:.1f}, {100 * lost['high']:.1f}]"
    assert f"of {lost['n']} right answers {shown} are lost" in said
    assert f"({probe['n']} pairs)" in said
    assert "Against control_start.irrelevant.long@prefill" in said
    assert "within benchmarks: " in said


def test_curves_have_a_line_for_each_stratum_and_the_control_arm(found):
    model = ProbeSummary.model_validate(found[0].summary).models["m"]
    (response,) = model.strength.values()
    levels = [level.probe for level in response.levels]
    curves = _response.curves(model, levels)
    assert [c.kind for c in curves] == ["knowledge", "reasoning", "control"]
    for curve, stratum in zip(curves, ("knowledge", "reasoning"), strict=False):
        for level, value in zip(levels, curve.net, strict=True):
            told = model.probes[level].strata[stratum].net
            assert (value.estimate, value.low, value.high, value.n) == (
                told.estimate, told.low, told.high, told.n
            )  # fmt: skip
    assert all(v.estimate == 0 for v in curves[2].net)  # the control repeats the clean answers
    assert all(v.estimate is None for v in curves[2].cue)
    assert [v.estimate for v in curves[1].cue] == sorted(v.estimate for v in curves[1].cue)


def test_flips_follow_their_rule(found):
    flips = found[0].flips
    assert 0 < len(flips) <= 12
    for flip in flips:
        assert flip["clean"]["read"] == flip["key"] != flip["misled"]["read"]
        assert flip["probe"].startswith("misleading_start")
    to_cue = [flip["misled"]["read"] == flip["cue"] for flip in flips]
    assert to_cue == sorted(to_cue, reverse=True)
    strata = [f["stratum"] for f, moved in zip(flips, to_cue, strict=True) if moved]
    assert strata == sorted(strata, reverse=True)  # reasoning first
    assert len({f["benchmark"] for f in flips}) == 2
    keys = [(f["benchmark"], f["item_id"]) for f in flips]
    assert len(keys) == len(set(keys))


def test_what_a_model_wrote_stays_text(page):
    assert "window.pwned" in page  # it is shown
    assert "<script>window.pwned" not in page
    assert "\x1b" not in page and "\u202e" not in page
    assert "49 Question" not in page
    assert page.count("<script>") == 1


def test_equal_numbers_give_an_equal_page(found):
    first, again = (report.render_probes(found[0].summary, flips=found[0].flips) for _ in "ab")
    assert first == again


def test_many_models_and_probes_stay_bounded(found):
    summary = json.loads(json.dumps(found[0].summary))
    one = summary["models"]["m"]
    one["probes"] |= {f"p{k}": one["probes"]["misleading_start.long@prefill"] for k in range(40)}
    summary["models"] = {f"m{k}": one for k in range(40)}
    page = report.render_probes(summary)
    assert len(page) < 6_000_000
    assert "more are in the table" in page


def test_refused_items_are_told(found):
    table = chapter_of(found[0]).refused
    assert [[cell.shown for cell in row] for row in table.rows] == [["p", "no distractor", "3"]]


def test_nothing_asked_again_makes_no_chapter():
    summary = make_summary(seed=1)
    assert "Does it hold its ground" not in report.render(summary)
    assert _pushback.chapter(None, []) is None


def test_an_audit_of_clean_and_misled_answers_has_the_chapter():
    items, clean, misled = answers({"bare": 0.3, "long": 0.6}, n=60)
    audit = viva.audit(items, [clean + misled], labels="given", resamples=200)
    told = audit.summary["transitions"]
    assert set(told["models"]) == {"m"} and not told["method_changes"]
    assert audit.summary["models"]["m"]["n"] == 60  # the probes stay out of accuracy
    page = report.render(audit.summary, flips=audit.flips)
    assert "Does it hold its ground when misled?" in page
    assert "What a method change" not in page
    direct = viva.analyse_probes(clean, misled, items=items, labels="given", resamples=200)
    name = "misleading_start.long@prefill"
    for key in ("n", "flow"):
        assert (
            told["models"]["m"]["probes"][name][key]
            == (direct.summary["models"]["m"]["probes"][name][key])
        )


def test_another_method_is_a_change_and_no_misleading():
    items, clean, _ = answers({}, n=60)
    other = [dict(row, method="rag", response="The answer is A.") for row in clean]
    first = [dict(row, method="cot") for row in clean]
    audit = viva.audit(items, [first + other], labels="given", resamples=200)
    told = audit.summary["transitions"]
    assert not told["models"]
    ((name, probe),) = told["method_changes"]["m"]["probes"].items()
    assert name.startswith("method change: cot → rag") and probe["n"] == 60
    page = report.render(audit.summary)
    assert "What a method change wins and loses" in page and "Nobody is misled" in page
    section = page[page.index('id="method-change"') :]
    section = section[: section.index("</section>")]
    assert "misled, %" not in section and "suggested" not in section
    right = {row["item_id"]: row["answer"] for row in items}
    assert probe["misled"]["estimate"] == pytest.approx(
        np.mean([answer == "A" for answer in right.values()])
    )


def test_the_bundled_answers_have_the_method_change_with_pubmedqa_apart():
    from viva._audit.inputs import read_inputs
    from viva.scoring import score_responses

    inputs = read_inputs(None, "sample")
    scores = score_responses(inputs.items, inputs.responses)
    models = scores.filter(scores["method"].is_in(["cot", "rag_32"]))
    from viva._audit.asking_again import asked_again
    from viva._audit.strata import choose_definition, split
    from viva._audit.subjects import with_subject
    from viva._progress import silent

    strata = split(inputs.items, choose_definition(inputs.items, None), text_view="stem",
                   threshold=0.5)  # fmt: skip
    chapter, _ = asked_again(
        inputs, with_subject(scores), strata, 0, silent, sources=(None, "sample"), names=None,
        strict=False,
    )  # fmt: skip
    (changes,) = chapter.method_changes.values()
    assert list(changes.probes) == [
        "method change: cot → rag_32", "method change: cot → rag_32, pubmedqa"
    ]  # fmt: skip
    apart = changes.probes["method change: cot → rag_32, pubmedqa"]
    mine = models.filter(models["benchmark"] == "pubmedqa")
    mean = {m: t["value"].mean() for (m,), t in mine.group_by("method")}
    assert apart.n == 500
    assert apart.net.estimate == pytest.approx(100 * (mean["rag_32"] - mean["cot"]))
    assert apart.net.estimate > 25


def test_answers_with_a_confidence_have_a_reliability_figure():
    items, clean, _ = answers({}, n=120)
    dice = np.random.default_rng(2)
    for row in clean:
        row["confidence"] = float(dice.uniform(0.3, 1.0))
    audit = viva.audit(items, [clean], labels="given", resamples=200)
    ((signal, scopes),) = audit.summary["transitions"]["confidence"]["m"].items()
    assert signal == "confidence" and set(scopes) == {"all", "knowledge", "reasoning"}
    whole = scopes["all"]
    mean = np.mean([row["confidence"] for row in clean])
    accuracy = audit.summary["models"]["m"]["accuracy"]
    assert whole["n"] == 120 == sum(b["n"] for b in whole["bins"])
    assert whole["overconfidence"]["estimate"] == pytest.approx(100 * (mean - accuracy))
    page = report.render(audit.summary)
    assert "Does it know when it is right?" in page
    drawn = page.count('class="mark knowledge"') + page.count('class="mark reasoning"')
    assert drawn == sum(len(scopes[s]["bins"]) for s in ("knowledge", "reasoning")) + 2
