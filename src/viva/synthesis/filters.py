"""Plain filters: the script that an example is written in, and how long it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from viva.errors import InputError, did_you_mean
from viva.synthesis._generated import stepped
from viva.synthesis._scripts import SCRIPTS, script_shares
from viva.synthesis._sorting import given, sort_out
from viva.synthesis.example import Example
from viva.synthesis.steps import Made

__all__ = ["PARTS", "language", "length"]


def _question(example: Example) -> str:
    return example.item.question


def _prompt(example: Example) -> str:
    item = example.item
    return "\n".join(filter(None, (item.context, item.question, *item.options)))


def _completion(example: Example) -> str:
    return example.completion or ""


def _thinking(example: Example) -> str:
    """Where the completion reasons, as every measure of reasoning sees it."""
    from viva.answers import form_of
    from viva.judging.units import reasoning_passage

    text = example.completion or ""
    found = reasoning_passage(text, form=form_of(example.item))
    return "" if found is None else text[found.start : found.end]


def _rejected(example: Example) -> str:
    return example.rejected or ""


PARTS: dict[str, Callable[[Example], str]] = {
    "question": _question,
    "prompt": _prompt,
    "completion": _completion,
    "thinking": _thinking,
    "rejected": _rejected,
}
"""Name -> text of an example: the question alone; context, question and options; the completion;
where it reasons; the side of a pair that is not preferred."""

_SCRIPT, _ENGLISH = "written in another script", "does not read as English"
_NOTHING, _SHORT, _LONG = "nothing to measure", "too short", "too long"


def _part(step: str, name: str) -> Callable[[Example], str]:
    if name not in PARTS:
        raise InputError(
            f"no part {name!r} of an example", where=step, mend=did_you_mean(name, PARTS)
        )
    return PARTS[name]


def language(
    examples: Sequence[Example],
    *,
    scripts: Sequence[str] = ("latin",),
    minimum: float = 0.9,
    english: bool = False,
    parts: Sequence[str] = ("question", "completion"),
) -> Made:
    """Keep what is written in the given scripts.

    Scripts, not languages: Spanish is not told from French. English is told by its function words
    (:func:`viva.strata.domain.in_domain`).

    Parameters
    ----------
    examples : sequence of Example
    scripts : sequence of str
        ``latin``, ``han``, ``kana``, ``hangul``, ``cyrillic``, ``greek``, ``arabic`` ...; Japanese
        is ``["han", "kana"]``.
    minimum : float
        Share of the letters of each part, 0..1. A text without letters is kept: numbers have no
        script.
    english : bool
        Whether each part of Latin script must also read as English; short ones pass.
    parts : sequence of str
        Of :data:`PARTS`. A part that an example does not have is not asked for.

    Returns
    -------
    Made
        ``report`` counts by source and by ``scripts``, the most frequent script of each part.

    Raises
    ------
    InputError
        An unknown script or part, a share outside 0..1; nothing left.
    """
    examples = given("language", examples)
    if isinstance(scripts, str) or isinstance(parts, str) or not scripts or not parts:
        raise InputError(
            "scripts and parts are lists", where="language", mend="scripts = ['latin']"
        )
    for script in scripts:
        if script not in SCRIPTS:
            raise InputError(
                f"no script {script!r}", where="language", mend=did_you_mean(script, SCRIPTS)
            )
    if not 0 <= minimum <= 1:
        raise InputError(f"minimum is {minimum}", where="language", mend="Use 0 to 1")
    texts_of = {name: _part("language", name) for name in parts}
    frequent: Counter[str] = Counter()
    reasons: list[str | None] = []
    for example in examples:
        reason = None
        for text_of in texts_of.values():
            text = text_of(example)
            shares = script_shares(text)
            if not shares:
                continue
            frequent[next(iter(shares))] += 1
            if sum(shares.get(script, 0.0) for script in scripts) < minimum:
                reason = _SCRIPT
            elif english and reason is None and not _reads_as_english(text):
                reason = _ENGLISH
        reasons.append(reason)
    settings = {
        "scripts": list(scripts), "minimum": minimum, "english": english, "parts": list(parts)
    }  # fmt: skip
    marked = [stepped(example, "language", settings) for example in examples]
    return sort_out(
        "language", marked, reasons, report={"scripts": dict(sorted(frequent.items()))},
        mend="Name the scripts of the data (scripts = ['han']), or lower minimum",
    )  # fmt: skip


_WORDS = 500
"""Words of a part that are read for its language."""


def _reads_as_english(text: str) -> bool:
    from viva.strata.domain import in_domain

    return in_domain("", " ".join(text.split()[:_WORDS]), ())


def length(
    examples: Sequence[Example],
    *,
    part: str = "completion",
    minimum: int = 1,
    maximum: int | None = None,
    unit: str = "words",
    tokenizer: str | None = None,
) -> Made:
    """Keep what is neither too short nor too long.

    Parameters
    ----------
    examples : sequence of Example
    part : str
        One of :data:`PARTS`. An example that has no such part goes: nothing can be measured.
    minimum, maximum : int
        In units, both included; no maximum where it is None.
    unit : {"words", "characters", "tokens"}
        Words are parted by white space.
    tokenizer : str, optional
        Folder or name of the tokenizer whose tokens are counted; needed for tokens alone.

    Returns
    -------
    Made
        The score ``<part>_<unit>`` is added to each example. ``report`` counts by source and
        gives the ``quantiles`` (0, 5, 25, 50, 75, 95 and 100 %) of what was measured.

    Raises
    ------
    InputError
        An unknown part or unit, no tokenizer for tokens, a minimum above the maximum; nothing
        left.
    """
    import numpy as np

    examples = given("length", examples)
    text_of = _part("length", part)
    if minimum < 0 or (maximum is not None and maximum < minimum):
        raise InputError(
            f"lengths from {minimum} to {maximum}",
            where="length",
            mend="Use 0 <= minimum <= maximum",
        )
    count = _counter(unit, tokenizer)
    reasons: list[str | None] = []
    measured: list[int] = []
    marked = []
    settings = {
        "part": part, "minimum": minimum, "maximum": maximum, "unit": unit, "tokenizer": tokenizer
    }  # fmt: skip
    for example in examples:
        text = text_of(example)
        if not text.strip():
            reasons.append(_NOTHING)
            marked.append(stepped(example, "length", settings))
            continue
        n = count(text)
        measured.append(n)
        reasons.append(
            _SHORT if n < minimum else _LONG if maximum is not None and n > maximum else None
        )
        scored = replace(example, scores={**example.scores, f"{part}_{unit}": float(n)})
        marked.append(stepped(scored, "length", settings))
    at = (0, 5, 25, 50, 75, 95, 100)
    values = np.percentile(measured, at).tolist() if measured else []
    quantiles = {f"{q} %": round(v, 1) for q, v in zip(at, values, strict=False)}
    return sort_out(
        "length", marked, reasons, report={"measured": len(measured), "quantiles": quantiles},
        mend=f"The {part} has between {values[0]:.0f} and {values[-1]:.0f} {unit}: widen the band"
        if values else f"No example has a {part}: measure another part",
    )  # fmt: skip


def _counter(unit: str, tokenizer: str | None) -> Callable[[str], int]:
    if unit == "words":
        return lambda text: len(text.split())
    if unit == "characters":
        return len
    if unit != "tokens":
        raise InputError(
            f"no unit {unit!r}", where="length", mend="Use words, characters or tokens"
        )
    if tokenizer is None:
        raise InputError(
            "tokens of which tokenizer?", where="length", mend="Set tokenizer to its folder or name"
        )
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise InputError(
            "counting tokens needs transformers", where="length", mend="pip install vivavoce[hf]"
        ) from error
    try:
        made_of: Any = AutoTokenizer.from_pretrained(tokenizer)
    except (OSError, ValueError) as error:
        raise InputError(
            f"no tokenizer {tokenizer!r}", where="length", mend="Name the folder of one"
        ) from error
    return lambda text: len(made_of(text, add_special_tokens=False)["input_ids"])
