"""The data card: what is in the examples, where it came from, what was lost on the way, and limits.

``card.json`` is for programs, ``README.md`` the same to be read. Nothing in them depends on the
time, the machine or the place.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from viva._version import __version__
from viva.runs.folder import write_whole
from viva.synthesis._folder import write_json
from viva.synthesis.example import Example
from viva.synthesis.reasoning_probability import definition_of
from viva.targets import kind_of

__all__ = ["CARD", "PAGE", "data_card", "page_of", "write_card"]

CARD = "card.json"
PAGE = "README.md"

_LIBRARIES = ("numpy", "polars", "scikit-learn", "pydantic")
_UNKNOWN = "not known"
_OPEN = ("mit", "apache", "bsd", "cc0", "cc-by-4.0", "cc by 4.0", "public domain", "odc-by")


def data_card(
    examples: Sequence[Example], manifest: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What examples are, in plain JSON values.

    Parameters
    ----------
    examples : sequence of Example
    manifest : mapping, optional
        Of the synthesis that made them: what each step kept and dropped, and its report.

    Returns
    -------
    dict
        ``n``, ``items``, ``content`` (rows for supervised learning, pairs, prompts), counts of
        ``sources``, ``licences``, ``strata``, ``answers`` (kinds of target), ``starts`` (kinds and
        forms), ``scores`` (n, least, mean, greatest of each), ``models``, ``steps``,
        ``contamination``, ``hashes``, ``versions`` and ``limits`` in words.
    """
    card: dict[str, Any] = {
        "kind": "viva-data-card",
        "schema": 1,
        "n": len(examples),
        "items": len({(each.item.benchmark, each.item.item_id) for each in examples}),
        "content": _counted(_content(each) for each in examples),
        "sources": _counted(each.source or _UNKNOWN for each in examples),
        "licences": _counted(each.licence or _UNKNOWN for each in examples),
        "strata": _strata(examples),
        "answers": _counted(
            kind_of(each.item.target) if each.item.target else "none" for each in examples
        ),
        "starts": {
            "kinds": _counted(each.start_kind or "none" for each in examples),
            "forms": _forms(examples),
        },
        "scores": _scores(examples),
        "models": _models(examples),
    }
    if manifest is not None:
        card["data"] = [
            {**source, **read}
            for source, read in zip(manifest["data"], manifest["read"], strict=True)
        ]
        card["against"] = manifest["against"]
        card["steps"] = [
            {**planned, **{name: value for name, value in step.items() if name != "files"}}
            for planned, step in zip(manifest["plan"], manifest["steps"], strict=False)
        ]
        card["contamination"] = [
            step["report"] for step in manifest["steps"] if step["step"] == "decontaminate"
        ]
    card["hashes"] = _hashes(examples, manifest)
    card["versions"] = {"viva": __version__} | _versions()
    card["limits"] = list(_limits(card))
    return card


def write_card(
    folder: Path, examples: Sequence[Example], manifest: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Write ``card.json`` and ``README.md`` into a folder; the card."""
    card = data_card(examples, manifest)
    write_json(folder / CARD, card)
    write_whole(folder / PAGE, page_of(card).encode())
    return card


def _counted(values: Iterable[str]) -> dict[str, int]:
    """Counts, the most frequent first."""
    counts = Counter(values)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _content(example: Example) -> str:
    if example.rejected is not None:
        return "pairs"
    return "prompts" if example.completion is None else "completions"


def _strata(examples: Sequence[Example]) -> dict[str, dict[str, int]]:
    """Given strata under their definitions; by probability where there is one and no stratum."""
    found: dict[str, Counter[str]] = {}
    for each in examples:
        item = each.item
        definition, stratum = item.stratum_definition or _UNKNOWN, item.stratum
        p = each.scores.get("p_reasoning", item.p_reasoning)
        if stratum is None and p is not None:
            stratum = "reasoning" if p >= 0.5 else "knowledge"
            definition = f"p_reasoning >= 0.5 ({definition_of(each) or definition})"
        found.setdefault(definition if stratum else "none", Counter())[stratum or _UNKNOWN] += 1
    return {name: dict(sorted(counts.items())) for name, counts in sorted(found.items())}


def _forms(examples: Sequence[Example]) -> dict[str, int]:
    """Forms of the starts, as the step that made them wrote them down."""
    forms: list[str] = []
    for each in examples:
        if not each.start_kind:
            continue
        told = (one.settings.get("form") for one in reversed(each.provenance))
        form = next((f for f in told if isinstance(f, str)), None)
        if form is not None or each.start:
            forms.append(form or _UNKNOWN)
    return _counted(forms)


def _scores(examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    values: dict[str, list[float]] = {}
    for each in examples:
        for name, value in each.scores.items():
            values.setdefault(name, []).append(value)
    return {
        name: {"n": len(v), "least": min(v), "mean": round(sum(v) / len(v), 6), "greatest": max(v)}
        for name, v in sorted(values.items())
    }


def _models(examples: Sequence[Example]) -> dict[str, dict[str, int]]:
    """Which models wrote or measured, in which step, how many examples."""
    found: dict[str, Counter[str]] = {}
    for each in examples:
        for step, model in {(one.step, one.model) for one in each.provenance if one.model}:
            found.setdefault(str(model), Counter())[step] += 1
    return {name: dict(sorted(counts.items())) for name, counts in sorted(found.items())}


def _hashes(examples: Sequence[Example], manifest: Mapping[str, Any] | None) -> dict[str, str]:
    """SHA-256 over the examples' keys and texts, in order; and of the file of them."""
    digest = hashlib.sha256()
    for each in examples:
        item = each.item
        texts = (item.benchmark, item.item_id, str(each.number), item.question, *item.options,
                 each.start, each.completion or "", each.rejected or "")  # fmt: skip
        digest.update("\x1f".join(texts).encode("utf-8", "surrogatepass") + b"\x1e")
    found = {"content": digest.hexdigest()}
    if manifest is not None and "examples" in manifest:
        found[manifest["examples"]["file"]] = manifest["examples"]["sha256"]
    return found


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # pragma: no cover - they are requirements
            continue
    return found


def _limits(card: Mapping[str, Any]) -> Iterable[str]:
    """What these examples do not give, from what is known of them."""
    n = card["n"]
    unknown = card["licences"].get(_UNKNOWN, 0)
    if unknown:
        yield (
            f"The licence of {unknown:,} of {n:,} examples is not known: "
            "find it out before they are passed on."
        )
    closed = [
        name for name in card["licences"]
        if name != _UNKNOWN and not name.lower().startswith(_OPEN)
    ]  # fmt: skip
    if closed:
        yield f"Licences with conditions of their own: {', '.join(closed)}. Read them."
    if "steps" in card:
        if not card["contamination"]:
            yield (
                "They were not compared with any evaluation items: what is trained on them cannot "
                "be examined on items that may be among them."
            )
        else:
            names = ", ".join(each["source"] for each in card["against"]) or "the step's own list"
            yield (
                f"They were compared with {names} and nothing else. Paraphrases and translations "
                "pass such a comparison."
            )
    for model, steps in card["models"].items():
        done = ", ".join(f"{step} ({count:,})" for step, count in steps.items())
        yield f"{model} wrote or measured: {done}. Its terms of use and its mistakes are in them."
    content = card["content"]
    if content.get("completions") or content.get("pairs"):
        yield "A right final answer does not show that the reasoning before it is right."
    if "pass_rate" in card["scores"]:
        yield "Pass rates are those of the model that was measured; for another they differ."
    kinds = card["starts"]["kinds"]
    if "wrong" in kinds and not {"correct", "absent"} <= set(kinds):
        yield (
            "Starts are not of all kinds: what is trained on wrong ones alone learns to distrust "
            "every start."
        )
    if any("none" in name or name == "p_reasoning >= 0.5" for name in card["strata"]):
        yield "Not every stratum was given by people: what is reasoning is partly an estimate."
    yield "No physician has read them unless the sources say so. They are not for patient care."


# To be read ---------------------------------------------------------------------------------------


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(_cell(v) for v in row) + " |" for row in rows), ""]


def _pairs(title: str, counts: Mapping[str, int]) -> list[str]:
    return _table((title, "n"), [(name, f"{count:,}") for name, count in counts.items()])


def page_of(card: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    lines = ["# Training data", ""]
    content = ", ".join(f"{count:,} {name}" for name, count in card["content"].items())
    lines += [f"{card['n']:,} examples of {card['items']:,} items: {content}.", ""]
    lines += ["## Limits", "", *(f"- {limit}" for limit in card["limits"]), ""]
    lines += ["## Where they come from", "", *_pairs("source", card["sources"])]
    lines += _pairs("licence", card["licences"])
    if card.get("data"):
        rows = [
            (each["source"], f"{each['n']:,}", _reasons(each["left_out"]), each.get("sha256", ""))
            for each in card["data"]
        ]
        lines += _table(("read from", "examples", "rows left out", "SHA-256"), rows)
    if card.get("steps"):
        lines += ["## Steps", ""]
        done = [
            (at, f"`{step['step']}`", _settings(step), step["model"] or "", f"{step['in']:,}",
             f"{step['kept']:,}", _reasons(step["dropped"]))
            for at, step in enumerate(card["steps"], 1)
        ]  # fmt: skip
        lines += _table(("", "step", "settings", "model", "in", "kept", "dropped"), done)
        per_source = [
            (f"`{step['step']}`", source, f"{told['in']:,}", f"{told['kept']:,}",
             _reasons(told["dropped"]))
            for step in card["steps"] if len(step["sources"]) > 1
            for source, told in step["sources"].items()
        ]  # fmt: skip
        if per_source:
            lines += _table(("step", "source", "in", "kept", "dropped"), per_source)
    for report in card.get("contamination", []):
        lines += ["## Contamination", "", "```json", _indented(report), "```", ""]
    lines += ["## What is in them", "", *_pairs("kind of answer", card["answers"])]
    strata = [
        (definition, stratum, f"{count:,}")
        for definition, counts in card["strata"].items()
        for stratum, count in counts.items()
    ]
    lines += _table(("definition", "stratum", "n"), strata)
    lines += _pairs("start", card["starts"]["kinds"])
    if card["starts"]["forms"]:
        lines += _pairs("form of start", card["starts"]["forms"])
    if card["scores"]:
        scores = [
            (name, f"{s['n']:,}", *(f"{s[part]:.4g}" for part in ("least", "mean", "greatest")))
            for name, s in card["scores"].items()
        ]
        lines += _table(("score", "n", "least", "mean", "greatest"), scores)
    lines += ["## Hashes and versions", ""]
    lines += _table(("of", "SHA-256"), list(card["hashes"].items()))
    lines += _table(("", "version"), list(card["versions"].items()))
    return "\n".join(lines).rstrip() + "\n"


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items())


def _settings(step: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} = {value}" for name, value in step["settings"].items() if value is not None
    )


def _indented(report: Any) -> str:
    import json

    return json.dumps(report, indent=1, ensure_ascii=False)
