"""The model card of a training: ``README.md`` with the front matter that the Hub reads.

It is made of what lies in the training's folder (manifest, logs, findings of the checks), of the
examples, and of two runs where the model was examined before and after. Text from outside is
escaped, secrets are left out, and paths of this machine are cut to their last name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from viva._files import read_json, written
from viva.errors import InputError
from viva.synthesis import Example
from viva.training import _card_sections as sections
from viva.training._examined import examined
from viva.training._markdown import redacted

__all__ = ["CARD", "EVALUATION", "card_text", "write_card"]

CARD = "README.md"
"""Name of the card in a training's folder."""

EVALUATION = "evaluation.json"
"""What was examined before and after, kept so that a card can be made again."""

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]{0,40}")
_LARGEST_README = 2**20


def write_card(
    folder: str | os.PathLike[str],
    *,
    examples: Sequence[Example] = (),
    before: str | os.PathLike[str] | None = None,
    after: str | os.PathLike[str] | None = None,
    items: Any = None,
    licence: str | None = None,
    resamples: int = 10_000,
) -> Path:
    """Write the model card of a training.

    Parameters
    ----------
    folder : path
        Of the training: ``manifest.json``, and for each stage ``NN-name`` with ``log.jsonl`` and
        ``preflight.json``.
    examples : sequence of Example, optional
        What it learned from: counts by source and licence.
    before, after : path, optional
        Runs of the same items by the model before and after; kept in ``evaluation.json``, which a
        later call without them reads.
    items : path or frame, optional
        The questions of these runs, where they do not carry them.
    licence : str, optional
        Of the trained weights, as the Hub names it (``apache-2.0``). By default that of the base,
        where its folder has a card; else ``other``.
    resamples : int
        Draws of the bootstrap for intervals of the evaluation.

    Returns
    -------
    pathlib.Path
        ``README.md``.

    Raises
    ------
    InputError
        The folder holds no training, only one of ``before`` and ``after`` is given, the runs
        cannot be compared, or a licence that the Hub would not read.
    """
    out = Path(folder)
    manifest = read_json(out / "manifest.json")
    if not isinstance(manifest, dict) or "identity" not in manifest:
        raise InputError("holds no training", where=str(out))
    if (before is None) != (after is None):
        raise InputError("a card compares two runs", mend="Give both before and after")
    if licence is not None and not _LICENCE.fullmatch(licence):
        raise InputError(
            f"no licence of the Hub: {licence!r}", mend="Such as apache-2.0, mit, other"
        )
    told = None
    if before is not None and after is not None:
        told = examined(before, after, items=items, resamples=resamples)
        with written(out / EVALUATION) as stream:
            stream.write(json.dumps(told, indent=1).encode())
    elif (out / EVALUATION).is_file():
        told = read_json(out / EVALUATION)
    text = card_text(manifest, sections.stages_of(out, manifest), examples=examples,
                     evaluation=told, licence=licence)  # fmt: skip
    with written(out / CARD) as stream:
        stream.write(text.encode("utf-8", "replace"))
    return out / CARD


def card_text(
    manifest: Mapping[str, Any],
    stages: Sequence[sections.StageTold] = (),
    *,
    examples: Sequence[Example] = (),
    evaluation: Mapping[str, Any] | None = None,
    licence: str | None = None,
) -> str:
    """The card as text.

    Parameters
    ----------
    manifest : mapping
        Of the training.
    stages : sequence of StageTold
        With their logs and findings.
    examples : sequence of Example
    evaluation : mapping, optional
        Of :func:`viva.training._examined.examined`.
    licence : str, optional

    Returns
    -------
    str
        Front matter and Markdown. The same arguments give the same text.
    """
    plain = redacted(dict(manifest))
    recipe = plain["identity"]["recipe"]
    stages = [
        each._replace(stage=redacted(dict(each.stage)), done=redacted(dict(each.done)),
                      findings=redacted(each.findings))
        for each in stages
    ]  # fmt: skip
    parts = [
        *sections.heading(recipe, plain),
        *sections.limits(),
        *sections.answers(evaluation),
        *sections.trained(stages),
        *sections.checked(stages),
        *sections.learned_from(plain, examples),
        *sections.made_with(recipe, plain),
    ]
    front = _front_matter(recipe, plain, examples, evaluation, licence)
    return f"---\n{front}\n---\n\n" + "\n".join(parts).rstrip() + "\n"


def _front_matter(
    recipe: Mapping[str, Any],
    manifest: Mapping[str, Any],
    examples: Sequence[Example],
    evaluation: Mapping[str, Any] | None,
    licence: str | None,
) -> str:
    """What the Hub reads, as YAML: every value is written as JSON, which is YAML, too."""
    base = str(manifest.get("base") or "")
    is_hub = bool(_HUB_NAME.fullmatch(base.partition("@")[0])) and not Path(base).exists()
    known = licence or _licence_of(base)
    trainers = dict.fromkeys(str(stage["trainer"]) for stage in recipe["stages"])
    tags = ["medical", "viva", "trl", *trainers, str(recipe["id"])]
    if paper := sections.arxiv_id(recipe.get("paper")):
        tags.append(f"arxiv:{paper}")
    sources = dict.fromkeys(each.source for each in examples)
    hub = [name.removeprefix("hub:").partition("@")[0] for name in sources if
           name.startswith("hub:")]  # fmt: skip
    results = _results(evaluation, str(recipe["id"])) if evaluation else None
    front: dict[str, Any] = {
        "base_model": base.partition("@")[0] if is_hub else None,
        "datasets": [name for name in hub if _HUB_NAME.fullmatch(name)] or None,
        "license": known,
        "license_name": "not-stated" if known == "other" else None,
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": list(dict.fromkeys(tags)),
        "model-index": results,
    }
    return "\n".join(
        f"{name}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in front.items()
        if value is not None
    )


def _plain(text: str) -> str:
    """Characters that YAML takes."""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def _results(evaluation: Mapping[str, Any], name: str) -> list[Any] | None:
    """Accuracy after the training on each benchmark, as the Hub lists results."""
    measure = str(evaluation.get("measure") or "accuracy")
    found = [
        {
            "task": {"type": "question-answering", "name": "medical question answering"},
            "dataset": {"type": re.sub(r"[^\w./-]", "-", benchmark, flags=re.ASCII)[:96],
                        "name": _plain(benchmark)},
            "metrics": [{"type": "accuracy", "value": round(100 * cell["accuracy"], 2),
                         "name": f"{_plain(measure)}, percent (n = {cell['n']})"}],
        }
        for benchmark, cell in evaluation["after"]["benchmarks"].items()
        if cell["accuracy"] is not None
    ]  # fmt: skip
    return [{"name": name, "results": found}] if found else None


_FRONT = re.compile(r"^license:[ \t]*[\"']?([a-z0-9][a-z0-9.-]{0,40})[\"']?[ \t]*$", re.MULTILINE)


def _licence_of(base: str) -> str:
    """The licence that the card of the base names; ``other`` where there is none."""
    path = Path(base).expanduser() / CARD
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_README:
            return "other"
        text = path.read_text("utf-8", "replace")
    except OSError:
        return "other"
    front = text[4:].partition("\n---")[0] if text.startswith("---\n") else ""
    found = _FRONT.search(front)
    return found[1] if found else "other"
