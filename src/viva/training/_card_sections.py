"""The sections of a model card, each a list of lines of Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from viva._files import parse_json
from viva.report._text import MINUS, interval, percent, points
from viva.synthesis import Example
from viva.targets import kind_of
from viva.training._curve_numbers import curve_numbers
from viva.training._markdown import bullets, code, escaped, table
from viva.training.journal import LOG, read_log
from viva.training.preflight import PREFLIGHT

__all__ = ["StageTold", "answers", "arxiv_id", "checked", "heading", "learned_from", "limits",
           "made_with", "stages_of", "trained"]  # fmt: skip

_ARXIV = re.compile(r"(?:arxiv:|arxiv\.org/(?:abs|pdf)/)?(\d{4}\.\d{4,5})(?:v\d+)?", re.IGNORECASE)
_DOI = re.compile(r"(?:doi:)?(10\.\d{4,9}/[^\s<>\"']{1,200})", re.IGNORECASE)
_SHARES = ("share_unread", "share_none", "share_equal", "share_truncated", "token_accuracy",
           "reward_accuracy")  # fmt: skip
_WORDS = {
    "share_unread": "unread, %",
    "share_none": "no reward applies, %",
    "share_equal": "groups with equal rewards, %",
    "share_truncated": "cut, %",
    "completion_length": "tokens of a completion",
    "token_accuracy": "token accuracy, %",
    "reward_accuracy": "pairs in order, %",
    "reward_margin": "margin of the pairs",
}
_NOT_FOR = (
    "Not a medical device. It must not be used to diagnose, to treat, to triage or to advise "
    "patients, and no output may reach a patient unread by a clinician.",
    "What was measured are written questions with known answers. That is no evidence of safety or "
    "use in care, for any group of patients, language or specialty.",
    "Reasoning that it writes need not be the reason for its answer.",
    "It was not examined for bias against groups of people unless a run below says so.",
)


class StageTold(NamedTuple):
    """What a stage's folder holds."""

    name: str
    stage: Mapping[str, Any]
    """Of the recipe."""
    done: Mapping[str, Any]
    """Of the manifest."""
    log: Any
    """Frame of :func:`viva.training.journal.read_log`; None where there is none."""
    findings: list[dict[str, Any]]


def stages_of(folder: Path, manifest: Mapping[str, Any]) -> list[StageTold]:
    """The stages of a training's folder, in their order."""
    told = []
    for number, stage in enumerate(manifest["identity"]["recipe"]["stages"], 1):
        name = f"{number:02d}-{stage['name']}"
        inside = folder / name
        log = read_log(inside) if (inside / LOG).is_file() else None
        done = manifest.get("stages", {}).get(name) or {}
        told.append(StageTold(name, stage, done, log, _findings(inside / PREFLIGHT)))
    return told


def _findings(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    said = parse_json(path.read_text("utf-8", "replace"), where=str(path))
    found = said.get("findings") if isinstance(said, dict) else None
    return [each for each in found or [] if isinstance(each, dict)]


def arxiv_id(paper: object) -> str | None:
    """``2505.17952`` of however a paper is named; None where that is no arXiv paper."""
    found = _ARXIV.fullmatch(str(paper or "").strip())
    return found[1] if found else None


def _paper(paper: object) -> str:
    """A link to the paper where it has an address."""
    if number := arxiv_id(paper):
        return f"[arXiv:{number}](https://arxiv.org/abs/{number})"
    if found := _DOI.fullmatch(str(paper).strip()):
        address = re.sub(r"[()\[\]\\]", lambda m: f"%{ord(m[0]):02X}", found[1])
        return f"[doi:{escaped(found[1])}](https://doi.org/{address})"
    return escaped(paper)


def heading(recipe: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """Title, summary, paper, base, and what departs from the paper."""
    base = _last_name(manifest.get("base"))
    lines = [f"# {escaped(recipe['title'])}", "", escaped(recipe["summary"]), ""]
    rows = [("recipe", code(recipe["id"])), ("trained from", code(base))]
    if recipe.get("paper"):
        rows.append(("after the paper", _paper(recipe["paper"])))
    if recipe.get("base"):
        rows.append(("the paper trained", code(recipe["base"])))
    rows.append(("asked by the method", code(recipe.get("method") or "cot")))
    rows.append(("thinking", code(recipe.get("thinking") or "none")))
    lines += table(("", ""), rows)
    if recipe.get("departs"):
        lines += ["What departs from the paper, or is not known of it:", ""]
        lines += bullets(escaped(each) for each in recipe["departs"])
    return lines


def _last_name(base: object) -> str:
    """A name on the Hub as it is; of a path the last part: the rest is this machine's."""
    said = str(base or "")
    is_path = said.startswith(("/", ".", "~")) or "\\" in said or said.count("/") > 1
    return re.split(r"[/\\]", said.rstrip("/\\"))[-1] if is_path else said


def limits() -> list[str]:
    """What the model must not be used for."""
    return ["## What it must not be used for", "", *bullets(_NOT_FOR)]


def _signed(cell: Mapping[str, Any]) -> str:
    return f"{points(cell['difference'])} {interval(cell['low'], cell['high'])}"


def answers(evaluation: Mapping[str, Any] | None) -> list[str]:
    """Accuracy before and after on both strata, with paired differences."""
    lines = ["## What the training did", ""]
    if not evaluation:
        said = "It was not examined before and after: nothing is known of what the training did."
        return [*lines, said, ""]
    names = {"all": "all items", "knowledge": "knowledge", "reasoning": "reasoning",
             "gap": "gap (reasoning - knowledge)"}  # fmt: skip
    rows = []
    for scope, title in names.items():
        told = evaluation["differences"].get(scope)
        cells = [evaluation[side].get(scope) for side in ("before", "after")]
        shown = [_side(c) if c else "" for c in cells]
        changed = f"{_signed(told)}, {told['verdict']}" if told else ""
        tested = _tested(told) if told else ""
        rows.append((title, *shown, changed, tested))
    lines += table(("", "before, %", "after, %", "difference, points", "test"), rows)
    before, after = evaluation["before"], evaluation["after"]
    lines += [
        f"Unread answers: {percent(before['unread'])} % before, {percent(after['unread'])} % "
        "after; they count as not right, so that a gain may be one of form. "
        + _of_read(evaluation.get("both_read")),
        "",
        f"Reasoning by the definition {code(evaluation['definition'])}. Intervals are 95 %, as "
        f"viva audit makes them ({evaluation['resamples']:,} draws); tests are paired, after Holm; "
        "detectable is the difference found with 80 % power, in points.",
        "",
    ]
    return lines


def _side(cell: Mapping[str, Any]) -> str:
    if "estimate" in cell:
        return f"{points(cell['estimate'])} {interval(cell['low'], cell['high'])}"
    shown = f"{percent(cell['accuracy'])} {interval(cell['low'], cell['high'], share=True)}"
    return f"{shown} (n {cell['n']:,})"


def _of_read(told: Mapping[str, Any] | None) -> str:
    if not told or told["difference"] is None:
        return "No item was read on both sides."
    return (
        f"On the {told['n']:,} items read on both sides the difference is {_signed(told)} points."
    )


def _tested(told: Mapping[str, Any]) -> str:
    p = told.get("p_holm")
    said = "" if p is None else ("p < 0.001" if p < 0.001 else f"p {p:.3f}")
    clusters = "" if told["clusters"] == told["n"] else f" in {told['clusters']:,} clusters"
    power = told.get("mdd_80")
    seen = "" if power is None else f", detectable {power:.1f}"
    return f"n {told['n']:,}{clusters}{', ' if said else ''}{said}{seen}"


def _given(values: Mapping[str, Any]) -> str:
    """Settings that are set, as TOML has them."""
    known = {k: v for k, v in values.items() if v is not None and v not in ([], {})}
    return ", ".join(code(f"{name} = {_toml(value)}") for name, value in known.items())


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{k} = {_toml(v)}" for k, v in value.items() if v is not None)
        return f"{{ {inside} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def trained(stages: Sequence[StageTold]) -> list[str]:
    """Each stage: settings, adapter, and its curves as numbers."""
    lines = ["## How it was trained", ""]
    for at, told in enumerate(stages):
        stage, done = told.stage, told.done
        earlier = stages[at - 1].stage["name"] if at else "base"
        lines += [f"### {escaped(told.name)}: {escaped(stage['trainer'])}", ""]
        rows = [
            ("examples", f"{done['examples']:,}" if done.get("examples") else ""),
            ("steps", f"{done['steps']:,}" if done.get("steps") else ""),
            (
                "from",
                code(stage.get("after") or earlier),
            ),
            ("adapter", _given(stage["adapter"]) if stage.get("adapter") else "none: all weights"),
            ("reward", _reward(stage)),
            ("judge", code(stage["judge"]) if stage.get("judge") else ""),
            ("selected by", _given(stage.get("select") or {})),
            ("order", _given(stage.get("curriculum") or {})),
            ("settings", _given(stage.get("settings") or {})),
            ("changed for the device", _given(done.get("changed_for_device") or {})),
            ("time", f"{done['seconds'] / 60:,.1f} min" if done.get("seconds") else ""),
        ]
        lines += table(("", ""), [row for row in rows if row[1]])
        lines += _numbers(told)
    return lines


def _reward(stage: Mapping[str, Any]) -> str:
    given = stage.get("reward")
    if not isinstance(given, list):
        return code(given) if given else ""
    return " + ".join(f"{part['weight']:g} x {code(part['name'])}" for part in given)


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name in _SHARES:
        return percent(value)
    return f"{value:.4g}".replace("-", MINUS)


def _numbers(told: StageTold) -> list[str]:
    if told.log is None:
        return []
    rows = [
        (_WORDS.get(row["name"], row["name"]), str(row["n"]), _shown(row["name"], row["first"]),
         _shown(row["name"], row["last"]),
         f"{_shown(row['name'], row['best'])} (step {row['best_step']:,})"
         if row["best_step"] is not None else "", str(row["window"]))
        for row in curve_numbers(told.log)
    ]  # fmt: skip
    return table(("", "steps logged", "first", "last", "best", "mean of steps"), rows)


def checked(stages: Sequence[StageTold]) -> list[str]:
    """What the checks before the first step found."""
    known = [told for told in stages if told.findings]
    if not known:
        return []
    lines = ["## Checks before training", ""]
    rows = []
    for told in known:
        count = sum(each.get("level") == "ok" for each in told.findings)
        rows.append((escaped(told.name), "ok", f"{count} checks"))
        rows += [
            (escaped(told.name), escaped(each.get("level")),
             f"{code(each.get('check'))}: {escaped(each.get('what'))}")
            for each in told.findings if each.get("level") != "ok"
        ]  # fmt: skip
    return [*lines, *table(("stage", "", "finding"), rows)]


def _counts(values: Iterable[str]) -> list[tuple[str, str]]:
    counted = sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))
    return [(escaped(name), f"{count:,}") for name, count in counted]


def learned_from(manifest: Mapping[str, Any], examples: Sequence[Example]) -> list[str]:
    """The data: its hash, counts by source, licence and kind of answer."""
    data = manifest["identity"].get("data") or {}
    lines = ["## What it learned from", ""]
    count = data.get("examples", len(examples))
    lines += [f"{count:,} examples, SHA-256 {code(data.get('sha256', ''))}.", ""]
    if not examples:
        return lines
    lines += table(("source", "examples"), _counts(_source(each) for each in examples))
    lines += table(("licence", "examples"), _counts(e.licence or "not known" for e in examples))
    kinds = (kind_of(e.item.target) if e.item.target else "none" for e in examples)
    lines += table(("kind of answer", "examples"), _counts(kinds))
    if any(each.start_kind for each in examples):
        starts = (each.start_kind or "none" for each in examples)
        lines += table(("start put before the model", "examples"), _counts(starts))
    models = {step.model for each in examples for step in each.provenance if step.model}
    if models:
        lines += ["Written or measured by: " + ", ".join(code(m) for m in sorted(models)) + ".", ""]
    if any(each.licence is None for each in examples):
        lines += ["Where the licence is not known, neither is what may be done with the model.", ""]
    return lines


def _source(example: Example) -> str:
    return _last_name(example.source) or "not known"


def made_with(recipe: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """Versions, hashes, how to do it again, and what to cite."""
    lines = ["## To do it again", ""]
    lines += ["```sh", f"viva train {recipe['id']} --data DATA --model MODEL --out OUT", "```", ""]
    model = manifest["identity"].get("model") or {}
    rows = [("weights of the base (sampled SHA-256)", code(model.get("weights", "")))]
    rows += [(code(name), code(digest)) for name, digest in (model.get("files") or {}).items()]
    rows += [("seed", code(recipe.get("seed", 0))),
             ("device", code(manifest["identity"].get("device", "")))]  # fmt: skip
    if commit := _commit(manifest.get("git")):
        rows.append(("commit", code(commit)))
    lines += table(("", ""), rows)
    versions = manifest.get("versions") or {}
    rows = [(escaped(name), code(version)) for name, version in versions.items()]
    lines += table(("", "version"), rows)
    if recipe.get("paper"):
        lines += ["Cite the paper that the recipe follows: " + _paper(recipe["paper"]) + ".", ""]
    return lines


def _commit(git: object) -> str | None:
    found = git.get("commit") if isinstance(git, Mapping) else git
    return str(found) if found else None
