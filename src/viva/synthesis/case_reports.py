"""Case reports to diagnosis items: what was presented, the diagnosis, and the steps to it.

As MedCaseReasoning makes its items. A model parts the report; nothing it says is believed: what is
presented and every step must stand in the report word for word, and the diagnosis, under any name
it has there, must not stand in what is presented.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from viva._files.documents import without_surrogates
from viva.judging._json import json_values
from viva.judging.quoting import quoted
from viva.judging.units import split_units
from viva.methods.prompts import render
from viva.records import Item
from viva.scoring.words import words
from viva.synthesis._generated import (
    FAILED,
    answer_part,
    check_share,
    made,
    need_caller,
    own_prompt,
    stepped,
    thought_then_answer,
)
from viva.synthesis.calling import Caller, Reply
from viva.synthesis.examples import Example
from viva.synthesis.steps import Dropped, Made
from viva.targets import Text

__all__ = ["QUESTION", "case_to_item", "names", "occurs", "reveals"]

QUESTION = "What is the most likely diagnosis?"

NO_REPORT = "no report, or one too short"
TOO_LONG = "the report is too long"
BROKEN = "no JSON object of the form asked for"
NOT_IN_REPORT = "what is presented does not stand in the report"
NO_DIAGNOSIS = "the diagnosis does not stand in the report"
REVEALED = "the diagnosis stands in what is presented"
TOO_FEW_STEPS = "too few steps that stand in the report"
TOO_LITTLE = "too little is presented"

_SHORTEST_REPORT, _LONGEST_REPORT = 60, 60_000
"""Words; characters."""
_LONGEST_NAME, _MOST_NAMES, _MOST_STEPS = 120, 20, 60
_QUALIFIERS = frozenset(
    "acute chronic severe mild moderate primary idiopathic classic typical uncomplicated recurrent "
    "suspected likely probable possible presumed confirmed active early late advanced".split()
)
"""Words that a name may have or lack and still reveal the diagnosis."""
_LITTLE = frozenset("of in with and to due by for on at from the a an".split())


class _Parsed(NamedTuple):
    presented: str
    diagnosis: str
    aliases: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]
    """Each step and the words of the report that it rests on."""


def case_to_item(
    examples: Sequence[Example],
    *,
    least_steps: int = 2,
    least_words: int = 40,
    most_removed: float = 0.2,
    synonyms: Mapping[str, Sequence[str]] | None = None,
    completion: bool = True,
    thinking: str = "tags",
    prompt: str | None = None,
    temperature: float | None = 0.0,
    seed: int = 0,
    caller: Caller | None = None,
) -> Made:
    """Make a diagnosis item of each case report.

    Parameters
    ----------
    examples : sequence of Example
        The report is the item's context, or its question where it has none.
    least_steps : int
        Steps that must stand in the report.
    least_words : int
        Words that must be presented.
    most_removed : float
        Share of the sentences presented that may be taken out because they name the diagnosis.
    synonyms : mapping of str to sequence of str, optional
        Further names of diagnoses, by name.
    completion : bool
        Whether the steps become a completion that ends in the diagnosis.
    thinking : {"tags", "none"}
        Of the completion.
    prompt : str, optional
        Another prompt.
    temperature : float, optional
    seed : int
    caller : Caller
        Parts the report.

    Returns
    -------
    Made
        Items with a target Text (all names), ``meta["steps"]`` and ``meta["quotes"]``; the report
        is not in them.

    Raises
    ------
    InputError
        No model; a share out of range.
    """
    caller = need_caller(caller, "case_to_item")
    check_share("most_removed", most_removed)
    thought_then_answer("", "", thinking)
    template = own_prompt("case_report", prompt)
    settings = {
        "least_steps": least_steps, "least_words": least_words, "most_removed": most_removed,
        "completion": completion, "thinking": thinking, "temperature": temperature,
    }  # fmt: skip
    dropped: list[Dropped] = []
    places, reports, requests = [], [], []
    for at, example in enumerate(examples):
        report = without_surrogates(example.item.context or example.item.question)
        reason = None
        if len(report) > _LONGEST_REPORT:
            reason = TOO_LONG
        elif len(words(report)) < _SHORTEST_REPORT:
            reason = NO_REPORT
        if reason:
            dropped.append(Dropped(example, reason))
            continue
        places.append(at)
        reports.append(report)
        requests.append(render(template, example.item, report_quoted=quoted(report, "report")))
    found = caller.replies(requests, temperature=temperature, seed=seed)
    kept: list[Example] = []
    told: Counter[str] = Counter()
    for at, report, (reply,) in zip(places, reports, found, strict=True):
        item_or = _item(
            examples[at].item, report, reply, told, least_steps=least_steps,
            least_words=least_words, most_removed=most_removed, synonyms=synonyms or {},
        )  # fmt: skip
        if isinstance(item_or, str):
            dropped.append(Dropped(examples[at], item_or))
            continue
        said = None
        if completion:
            answer = f"Answer: {item_or.target.references[0]}"  # type: ignore[union-attr]
            said = thought_then_answer(" ".join(item_or.meta["steps"]), answer, thinking)
        kept.append(
            stepped(
                examples[at], "case_to_item", settings, seed=seed, model=caller.spec,
                prompt_hash=template.hash, item=item_or, completion=said, rejected=None,
                start="", start_kind=None,
            )
        )  # fmt: skip
    return made(examples, kept, dropped, model=caller.spec, **dict(sorted(told.items())))


def _item(
    item: Item,
    report: str,
    reply: Reply,
    told: Counter[str],
    *,
    least_steps: int,
    least_words: int,
    most_removed: float,
    synonyms: Mapping[str, Sequence[str]],
) -> Item | str:
    """The item of one report, or why there is none."""
    if reply.text is None:
        return FAILED
    parsed = _parsed(reply)
    if parsed is None:
        return BROKEN
    if not occurs(parsed.diagnosis, report):
        return NO_DIAGNOSIS
    known = names(parsed.diagnosis, parsed.aliases, report, synonyms)
    sentences = [
        parsed.presented[a:b].strip() for a, b in split_units(parsed.presented, "sentences")
    ]
    sentences = [sentence for sentence in sentences if sentence]
    if not sentences or not all(occurs(sentence, report) for sentence in sentences):
        return NOT_IN_REPORT
    clear = [sentence for sentence in sentences if not reveals(sentence, known)]
    if len(sentences) - len(clear) > most_removed * len(sentences):
        return REVEALED
    presented = " ".join(clear)
    # A name may run over the place where a sentence was taken out, or from one into the next.
    if reveals(presented, known):
        return REVEALED
    if len(words(presented)) < least_words:
        return TOO_LITTLE
    steps = [(step, quote) for step, quote in parsed.steps if occurs(quote, report)]
    told["steps_dropped"] += len(parsed.steps) - len(steps)
    told["sentences_removed"] += len(sentences) - len(clear)
    if len(steps) < least_steps:
        return TOO_FEW_STEPS
    told["steps_kept"] += len(steps)
    # Another name that the model alone gives is looked for in what is presented, but is no answer.
    own = {name for name in parsed.aliases if not occurs(name, report)}
    meta = {name: value for name, value in item.meta.items() if name not in ("steps", "quotes")}
    meta |= {"steps": [step for step, _ in steps], "quotes": [quote for _, quote in steps]}
    return replace(
        item,
        question=f"{presented}\n\n{QUESTION}",
        context=None,
        options=(),
        target=Text(tuple(name for name in known if name not in own)),
        meta=meta,
    )


def _parsed(reply: Reply) -> _Parsed | None:
    """The one JSON object of a reply, in the form asked for and within bounds."""
    objects = [
        value
        for value, _, _ in json_values(answer_part(reply.text or "", reply.finish_reason))
        if isinstance(value, dict)
    ]
    if len(objects) != 1:
        return None
    given = objects[0]
    presented, diagnosis = given.get("presented"), given.get("diagnosis")
    aliases, steps = given.get("other_names", []), given.get("steps")
    if not isinstance(presented, str) or not isinstance(diagnosis, str):
        return None
    if not isinstance(aliases, list) or not isinstance(steps, list):
        return None
    diagnosis = _line(diagnosis)
    if not words(diagnosis) or len(diagnosis) > _LONGEST_NAME or len(steps) > _MOST_STEPS:
        return None
    named = [_line(name) for name in aliases if isinstance(name, str) and words(name)]
    pairs = []
    for one in steps:
        if not isinstance(one, dict):
            return None
        step, quote = one.get("step"), one.get("quote")
        if not isinstance(step, str) or not isinstance(quote, str) or not step.strip():
            return None
        pairs.append((_line(step), _line(quote)))
    short = [name for name in named if len(name) <= _LONGEST_NAME][:_MOST_NAMES]
    return _Parsed(presented, diagnosis, tuple(short), tuple(pairs))


def _line(text: str) -> str:
    return " ".join(text.split())


def names(
    diagnosis: str,
    aliases: Sequence[str],
    report: str,
    synonyms: Mapping[str, Sequence[str]],
) -> tuple[str, ...]:
    """All names under which a diagnosis may stand: given ones, synonyms, abbreviations.

    Abbreviations are those that the report gives in brackets behind a name.

    Parameters
    ----------
    diagnosis : str
    aliases : sequence of str
        By the model.
    report : str
    synonyms : mapping of str to sequence of str
        Compared without regard to case and punctuation.

    Returns
    -------
    tuple of str
        The diagnosis first.
    """
    found = dict.fromkeys((diagnosis, *aliases))
    known = {tuple(words(name)) for name in found}
    for name, others in synonyms.items():
        if tuple(words(name)) in known or any(tuple(words(o)) in known for o in others):
            found |= dict.fromkeys((name, *others))
    for name in list(found):
        pattern = re.compile(
            rf"{re.escape(name)}s?\s{{0,2}}\(([A-Za-z][A-Za-z0-9-]{{1,9}})\)", re.IGNORECASE
        )
        for short in pattern.findall(report):
            if sum(c.isupper() for c in short) >= 2:
                found[short] = None
    return tuple(found)


def occurs(passage: str, text: str) -> bool:
    """Whether a passage stands in a text, word for word; marks, case and spacing aside."""
    said = " ".join(words(passage))
    return bool(said) and f" {said} " in f" {' '.join(words(text))} "


def reveals(text: str, known: Sequence[str]) -> bool:
    """Whether a text names a diagnosis.

    A name reveals it in singular and plural, with and without words such as *acute* or *likely*,
    and with its words in another order within a few words (*carcinoma of the lung*).

    Parameters
    ----------
    text : str
    known : sequence of str
        Names of the diagnosis.
    """
    said = [_stem(word) for word in words(text)]
    spaced = f" {' '.join(said)} "
    core = [word for word in said if word not in _QUALIFIERS and word not in _LITTLE]
    spaced_core = f" {' '.join(core)} "
    for name in known:
        parts = [_stem(word) for word in words(name)]
        if parts and f" {' '.join(parts)} " in spaced:
            return True
        parts = [word for word in parts if word not in _QUALIFIERS and word not in _LITTLE]
        if not parts:
            continue
        if f" {' '.join(parts)} " in spaced_core:
            return True
        if len(parts) > 1 and _near(core, parts):
            return True
    return False


def _near(said: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether all words of a name stand within a window of one more than there are."""
    wanted = Counter(parts)
    width = len(parts) + 1
    window: Counter[str] = Counter()
    for at, word in enumerate(said):
        window[word] += 1
        if at >= width:
            window[said[at - width]] -= 1
        if word in wanted and all(window[w] >= n for w, n in wanted.items()):
            return True
    return False


def _stem(word: str) -> str:
    """A word without the ending of its plural."""
    if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
