"""Does a text turn back after a wrong start: markers by which it calls its own course an error.

Conservative on purpose. A marker stops at or takes back something that was said before ("wait,",
"on second thought", "I made a mistake"); weighing options ("B is incorrect", "however", "let me
check") is no marker. Models that think aloud write "wait" without any wrong start as well: the
share in clean texts stands beside it, and so does the share of texts that name an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from viva.analysis._estimates import Estimate, Resampling, difference, shares
from viva.analysis._pairs import NONE, Pairs
from viva.analysis.intervals import check_level
from viva.analysis.resampling import stream
from viva.errors import InputError

__all__ = [
    "BACKTRACKING", "LONGEST_TEXT", "Backtrack", "Recovery", "backtracking", "recovery",
]  # fmt: skip

LONGEST_TEXT = 200_000
"""Characters of a text that are looked at."""

_COURSE = (
    r"(?:reasoning|analysis|assessment|thinking|logic|answer|conclusion|assumption|thought|"
    r"argument)"
)
_WRONG = (
    r"(?:wrong|incorrect|mistaken|flawed|erroneous|faulty|not correct|not right|not accurate|"
    r"inaccurate|in error|misguided|an error|a mistake)"
)
_WAS = r"(?: (?:is|was|seems|appears|looks))(?: (?:to be|actually|clearly|also|in fact)){0,2} "
_BEFORE = r"(?:my|the|this|that|our)"
_EARLIER = (
    r"(?:initial|previous|earlier|above|prior|preceding|first|original|suggested|proposed|given|"
    r"former)"
)

BACKTRACKING: dict[str, str] = {
    "wait": (
        r"(?:^|[.!?\n\"”(>—])\s{0,3}(?:oh,? |hmm+,? |but,? |no,? )?"
        r"wait(?: ?[,.!:…—–]|\s(?:no|a\s(?:minute|moment|second)|that|this|actually|i)\b)"
    ),
    "hold on": r"(?:^|[.!?\n\"”(>—,])\s{0,3}(?:but |oh,? )?hold on ?[,.!:…—–]",
    "second thought": (
        r"\bon second thoughts?\b|"
        r"\b(?:on|upon|after) (?:further |closer |deeper |careful )?(?:reconsideration|"
        r"reconsidering|re-?examining|re-?evaluating)\b"
    ),
    "reconsider": (
        r"\b(?:let me|let's|let us|i (?:need|have|want) to|i (?:should|must|will)|i'll) (?:now )?"
        r"(?:re-?consider|re-?think|backtrack|start over|correct (?:myself|(?:that|this|my|the) "
        r"(?:\w+ )?(?:error|mistake|answer|reasoning)))\b"
    ),
    "own mistake": (
        r"\bi(?:'ve| have)? (?:just )?(?:made|see|notice|noticed|realise|realize|realised|realized)"
        r" (?:a|an|my|the|that i made an?) (?:\w+ )?(?:mistake|error|slip)\b"
    ),
    "I was wrong": r"\bi was (?:wrong|mistaken|incorrect|in error|too hasty|hasty)\b",
    "apology": (
        r"\b(?:i apologi[sz]e|my apologies|apologies|sorry) for (?:the|my|that|any) (?:\w+ )?"
        r"(?:confusion|error|mistake|oversight)\b"
    ),
    "scratch that": (
        r"\b(?:(?:scratch|strike) that(?! (?:off|from|out)\b)|disregard (?:that|the above|my "
        r"(?:previous|earlier|initial)))\b|(?:^|\n)\s{0,3}correction:"
    ),
    "course named wrong": (
        rf"\b(?:{_BEFORE} {_EARLIER} {_COURSE}|my {_COURSE}|"
        rf"this (?:reasoning|line of (?:reasoning|thought))|the reasoning (?:above|so far|given))"
        rf"{_WAS}{_WRONG}\b"
    ),
    "wait, wrong": (
        r"\bwait ?[,.!:…—–] ?(?:no[,.]? )?(?:but )?(?:actually,? )?(?:that|this)(?:'s| is| was) "
        r"(?:wrong|incorrect|not (?:right|correct))\b"
    ),
}
"""Name of each kind of marker and its pattern, on the text in lower case."""

PAUSES = frozenset({"wait", "hold on", "second thought", "reconsider"})
"""Kinds that stop and look again without calling anything wrong; all others name an error."""

_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in BACKTRACKING.values()))
_ERROR = re.compile("|".join(f"(?:{p})" for kind, p in BACKTRACKING.items() if kind not in PAUSES))
_EACH = {name: re.compile(pattern) for name, pattern in BACKTRACKING.items()}
_PLAIN = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "*": "", "_": ""})


class Backtrack(NamedTuple):
    """The first marker of a text."""

    kind: str
    """A name of :data:`BACKTRACKING`."""
    words: str
    """As it stands in the text, in lower case."""


def backtracking(text: str | None, *, error: bool = False) -> Backtrack | None:
    """The first place where a text takes back what it said before.

    Parameters
    ----------
    text : str or None
        What the model wrote, its thinking with it; the first 200,000 characters count.
    error : bool
        Only markers that name an error: no :data:`PAUSES`.

    Returns
    -------
    Backtrack or None
        None where there is no marker. Runs in time linear in the length of the text.
    """
    if not text:
        return None
    plain = text[:LONGEST_TEXT].translate(_PLAIN).lower()
    found = (_ERROR if error else _ANY).search(plain)
    if found is None:
        return None
    kind = next(
        kind
        for kind, pattern in _EACH.items()
        if pattern.match(plain, found.start()) and not (error and kind in PAUSES)
    )
    return Backtrack(kind, found.group().strip(' .!?\n"”(>—'))


@dataclass(frozen=True, slots=True)
class Recovery:
    """Whether texts name an error and turn back. Shares are of texts, 0..1.

    Parameters
    ----------
    texts : int
        Pairs whose misled answer is there as text.
    backtracking : Estimate
        Misled texts with a marker, of all.
    backtracking_clean : Estimate
        Clean texts with a marker, of those whose clean answer is there as text: what a model
        writes without any wrong start.
    more_backtracking : Estimate
        Misled minus clean, of the pairs with both texts, in points.
    named_error : Estimate
        Misled texts that call something they said an error, of all.
    recovered : Estimate
        A marker and a final answer that is read and not the cue, of the texts whose cue is not
        the key.
    recovered_right : Estimate
        A marker and the right final answer, of the same texts.
    kinds : dict of str to int
        Misled texts by their first marker, the most frequent first.
    """

    texts: int
    backtracking: Estimate
    backtracking_clean: Estimate
    more_backtracking: Estimate
    named_error: Estimate
    recovered: Estimate
    recovered_right: Estimate
    kinds: Mapping[str, int]


def recovery(
    pairs: Pairs,
    clean_texts: Sequence[str | None],
    misled_texts: Sequence[str | None],
    *,
    name: str = "",
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Recovery:
    """How often misled texts take something back, and end off the cue.

    Parameters
    ----------
    pairs : Pairs
    clean_texts, misled_texts : sequence of str or None, length P
        None where there is no text, such as for predictions read elsewhere.
    name, resamples, seed, level
        As :func:`viva.analysis.transitions`.

    Returns
    -------
    Recovery

    Raises
    ------
    InputError
        Where lengths disagree, and for settings out of range.
    """
    if not len(clean_texts) == len(misled_texts) == len(pairs):
        raise InputError(
            f"{len(clean_texts)} and {len(misled_texts)} texts for {len(pairs)} pairs",
            mend="Give one for each pair, None where there is none",
        )
    check_level(level)
    draws = Resampling(stream(seed, "recovery", name), resamples, level)
    look = lru_cache(maxsize=None)(backtracking)
    named = np.array([look(text, error=True) is not None for text in misled_texts], bool)
    first = [look(text) for text in misled_texts]
    there = np.array([text is not None for text in misled_texts], bool)
    there_clean = np.array([text is not None for text in clean_texts], bool)
    marked = np.array([found is not None for found in first], bool)
    marked_clean = np.array([look(text) is not None for text in clean_texts], bool)
    off_cue = (pairs.misled_choice != NONE) & ~pairs.on_cue_misled
    reason = "no answer is there as text"
    no_cue = "no text has a cue that is not the key"

    wanted = {
        "backtracking": (marked, there, reason),
        "backtracking_clean": (marked_clean, there_clean, reason),
        "named_error": (named, there, reason),
        "recovered": (marked & off_cue, there & pairs.cued, no_cue),
        "recovered_right": (marked & pairs.misled_right, there & pairs.cued, no_cue),
    }
    kinds = Counter(found.kind for found in first if found is not None)
    return Recovery(
        texts=int(there.sum()),
        more_backtracking=difference(
            (marked.astype(np.float64) - marked_clean)[there & there_clean],
            pairs.cluster[there & there_clean],
            draws,
            reason,
        ),
        kinds=dict(sorted(kinds.items(), key=lambda kv: (-kv[1], kv[0]))),
        **shares(wanted, pairs.cluster, draws),
    )
