"""Which licence a row is under, from what a card or a file says, and whether it is allowed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from viva.errors import InputError
from viva.synthesis._generated import stepped
from viva.synthesis._sorting import given, sort_out
from viva.synthesis.example import Example
from viva.synthesis.steps import Made

__all__ = ["PERMISSIVE", "REASONS", "licence", "named_licences"]

PERMISSIVE = (
    "MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unlicense",
    "CC0", "CC-BY", "PDDL", "ODC-By", "public-domain",
)  # fmt: skip
"""Use, change and passing on are free, with the notice or the attribution."""

REASONS = ("licence unknown", "licence with terms of its own", "licence not allowed")
_UNKNOWN, _TERMS, _REFUSED = REASONS

_NAMES = (
    ("cc-by-nc-sa", r"cc[ -]by[ -]nc[ -]sa"),
    ("cc-by-nc-nd", r"cc[ -]by[ -]nc[ -]nd"),
    ("cc-by-nc", r"cc[ -]by[ -]nc"),
    ("cc-by-nd", r"cc[ -]by[ -]nd"),
    ("cc-by-sa", r"cc[ -]by[ -]sa"),
    ("cc-by", r"cc[ -]by"),
    ("cc0", r"cc[ -]?0|cc[ -]zero"),
    ("apache", r"apache(?:[ -]licen[cs]e)?(?:,? version)?"),
    ("bsd-2-clause", r"bsd[ -]2(?:[ -]clause)?"),
    ("bsd-3-clause", r"bsd[ -]3(?:[ -]clause)?"),
    ("agpl", r"agpl"),
    ("lgpl", r"lgpl"),
    ("gpl", r"gpl"),
    ("odc-by", r"odc[ -]by"),
    ("odbl", r"odbl"),
    ("pddl", r"pddl"),
    ("unlicense", r"unlicense"),
    ("isc", r"isc"),
    ("mit", r"mit"),
    ("public-domain", r"(?:us government )?public[ -]domain"),
)
_LICENCE = re.compile(
    r"(?<![a-z0-9])(?:"
    + "|".join(f"(?P<n{at}>{pattern})" for at, (_, pattern) in enumerate(_NAMES))
    + r")(?:[ -]?v?(?P<version>\d\.\d))?(?:[ -](?:licen[cs]e|only|or-later))?(?![a-z0-9])"
    r"(?P<note>\s?\([^()]{0,80}\))?"
)
_HARMLESS = re.compile(
    r"the carrying repository states none|carrying repo has no licence file|"
    r"universal|international|unported|(?:the )?licen[cs]e(?: file)?(?: is)?|corpus in the|"
    r"upstream|hub card|carrying repository|repository|readme|as the hub says|this package|data|"
    r"\b(?:and|or|in the|is)\b|[\W_]"
)
_TERMS_IN_NOTE = re.compile(r"\bterms?\b|agreement|restrict|commercial|research only")


def _canonical(name: str, version: str | None) -> str:
    return f"{name}-{version}" if version else name


def named_licences(text: str) -> tuple[list[str], bool]:
    """The licences that a text names for the data, and whether it adds terms of its own.

    Parameters
    ----------
    text : str
        As cards have it: ``MIT``, ``CC BY 4.0 (data), MIT (code)``, ``Apache-2.0 (code); data
        under their own terms``. A licence with the note *code* is not one of the data.

    Returns
    -------
    names : list of str
        In lower case with the version where one is given (``cc-by-4.0``); empty where none is
        named, or the text begins with *none* or *unknown*.
    terms : bool
        Whether words are left that say something else: nobody but a reader can judge them.
    """
    low = " ".join(text.casefold().split())
    if re.match(r"(?:none|no|unknown|other|not|n/?a)\b", low):
        return [], False
    names: list[str] = []
    terms = False
    for found in _LICENCE.finditer(low):
        note = (found["note"] or "").strip(" ()")
        if note.startswith("code"):
            continue
        at = next(at for at in range(len(_NAMES)) if found[f"n{at}"])
        names.append(_canonical(_NAMES[at][0], found["version"]))
        # A note may name another licence: "(README; the LICENSE file is CC0)".
        names += named_licences(note)[0] if note else []
        terms = terms or bool(_TERMS_IN_NOTE.search(note))
    left = _HARMLESS.sub("", re.sub(r"\([^()]*\)", "", _LICENCE.sub("", low)))
    return names, terms or bool(left)


def _stands(name: str, allowed: Sequence[str]) -> bool:
    """``cc-by-4.0`` stands under ``cc-by`` and ``cc-by-4.0``, never under ``cc-by-3.0``."""
    bare = re.sub(r"-\d\.\d$", "", name)
    return any(each in (name, bare) for each in allowed)


def _allowed(text: str) -> list[str]:
    names, terms = named_licences(text)
    return names if names and not terms else []


def licence(
    examples: Sequence[Example],
    *,
    allowed: Sequence[str] = PERMISSIVE,
    unknown: str = "drop",
) -> Made:
    """Keep what is under an allowed licence.

    Parameters
    ----------
    examples : sequence of Example
        ``licence`` as in the cards of benchmarks, or an SPDX name.
    allowed : sequence of str
        Names, with a version (``CC-BY-4.0``) or for every version (``CC-BY``), never for a
        stricter one: ``CC-BY`` does not allow ``CC-BY-NC``. A text with terms of its own is
        allowed by that very text alone.
    unknown : {"drop", "keep"}
        What has no licence that can be told. ``keep`` is said in the provenance of each such row
        and counted in the report: never silently.

    Returns
    -------
    Made
        ``report`` counts by source and by ``licences`` (as written, *unknown* where none is),
        and ``kept_unknown``.

    Raises
    ------
    InputError
        A name in ``allowed`` that is no licence; nothing left.

    Notes
    -----
    A text that names several licences for the data is kept only where each is allowed. This reads
    what a file says of itself; it is no legal advice.
    """
    examples = given("licence", examples)
    if isinstance(allowed, str) or not allowed:
        raise InputError(
            "allowed is no list of licences", where="licence", mend="allowed = ['MIT', 'CC-BY']"
        )
    if unknown not in ("drop", "keep"):
        raise InputError(f"unknown is {unknown!r}", where="licence", mend="Use 'drop' or 'keep'")
    texts = {" ".join(each.casefold().split()) for each in allowed}
    names = [name for each in allowed for name in _allowed(each)]
    in_use = {" ".join((e.licence or "").casefold().split()) for e in examples}
    for each in allowed:
        if not _allowed(each) and " ".join(each.casefold().split()) not in in_use:
            raise InputError(
                f"{each!r} is no licence that is known here, nor what a row says",
                where="licence",
                mend="Use names such as MIT, Apache-2.0, CC-BY, CC-BY-SA, CC0",
            )

    def verdict(text: str | None) -> str | None:
        if text is None or not text.strip():
            return _UNKNOWN
        if " ".join(text.casefold().split()) in texts:
            return None
        found, terms = named_licences(text)
        if any(not _stands(name, names) for name in found):
            return _REFUSED
        if terms:
            return _TERMS
        return None if found else _UNKNOWN

    verdicts = {text: verdict(text) for text in {example.licence for example in examples}}
    reasons: list[str | None] = []
    marked = []
    kept_unknown = 0
    for example in examples:
        reason = verdicts[example.licence]
        settings = {"allowed": list(allowed), "unknown": unknown}
        if reason == _UNKNOWN and unknown == "keep":
            reason = None
            kept_unknown += 1
            settings["licence"] = "unknown, kept"
        reasons.append(reason)
        marked.append(stepped(example, "licence", settings))
    counts = Counter(example.licence or "unknown" for example in examples)
    return sort_out(
        "licence", marked, reasons,
        report={"licences": dict(sorted(counts.items())), "kept_unknown": kept_unknown},
        mend="Give the licence of each row in its field licence, allow more, or set "
        "unknown = 'keep'",
    )  # fmt: skip
