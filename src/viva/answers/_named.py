"""The last resort: the one option that the answer names, or that its conclusion names."""

from __future__ import annotations

import re

from viva.answers import _phrases as phrases
from viva.answers._options import Mention, mentions
from viva.answers._refs import View, closers, next_word
from viva.answers._sentences import sentence_start
from viva.answers._slots import SEVERAL, STATED, Claim, denied, live_mentions, unreal

__all__ = ["named"]

_STOP = re.compile(r"[.?!]\s|\n")


def named(view: View) -> Claim | None:
    """The one option that the conclusion names, or the only one named at all."""
    low = view.low
    found = [
        mention
        for mention in live_mentions(view, 0, len(low))
        if not phrases.DENIAL_FAR.search(low, max(0, mention.start - 140), mention.start)
    ]
    labelled = _labelled(view)
    found = [mention for mention in found + labelled if not _asked(low, mention.end)]
    found.sort(key=lambda mention: mention.start)
    if not found:
        return None
    disclaimer = phrases.DISCLAIMER.search(low, found[-1].end)
    if phrases.REFUSAL.search(low, 0, disclaimer.start() if disclaimer else len(low)):
        return None
    sentences: list[list[Mention]] = []
    cues: list[bool] = []
    begin = 0
    bounds = [match.end() for match in _STOP.finditer(low)] + [len(low)]
    at = 0
    for end in bounds:
        inside = []
        while at < len(found) and found[at].start < end:
            inside.append(found[at])
            at += 1
        if inside:
            sentences.append(inside)
            cues.append(
                phrases.CUE.search(low, begin, end) is not None
                or phrases.CUE_BEFORE.search(low, begin, inside[-1].start) is not None
            )
        begin = end
    marked = {next(iter(m.options)) for m in labelled if m in found}
    if len(marked) == 1:
        letter = [m for m in found if m.end - m.start == 1][-1]
        begin = sentence_start(low, letter.start, 0)
        if phrases.STRONG_CUE.search(low, begin, letter.start):
            return _mentioned(letter)
    everything = frozenset().union(*(mention.options for mention in found))
    if len(everything) == 1:
        # Where others are being ruled out, a mere mention is one more step, not the verdict.
        begin = sentence_start(low, found[-1].start, 0)
        ruled_out = len(mentions(view.options, low, 0, begin)) > sum(
            mention.start < begin and mention.end - mention.start > 1 for mention in found
        )
        _, verb = next_word(low, found[-1].end + closers(low, found[-1].end, len(low)), len(low))
        factual = verb in phrases.VERBS_AFTER
        if ruled_out and factual and not phrases.STRONG_CUE.search(low, begin, found[-1].end + 60):
            return None
        return _mentioned(found[-1])
    with_cue = [inside for inside, cue in zip(sentences, cues, strict=True) if cue]
    if with_cue:
        options = frozenset().union(*(m.options for m in with_cue[-1]))
        if phrases.CORRECTION.search(low, with_cue[-1][-1].end):
            return None
        if (
            len(options) == 1
            and len(frozenset().union(*(m.options for s in with_cue for m in s))) == 1
        ):
            return _mentioned(with_cue[-1][-1])
    return Claim(found[0].start, found[-1].end, None, SEVERAL, STATED)


def _asked(low: str, at: int) -> bool:
    """Whether the sentence at ``at`` is a question."""
    stop = _STOP_MARK.search(low, at, at + 200)
    return stop is not None and stop.group() == "?"


_STOP_MARK = re.compile(r"[?!\n]|\.(?=\s|$)")
_LABELLED = re.compile(
    r"\b(?:option|choice|answer)\s{1,3}[(\['\s]{0,3}([a-z])(?![a-z0-9'])|\(([a-z])\)"
)


def _labelled(view: View) -> list[Mention]:
    """Letters in running prose that are marked as such: *(Option B)*, *(C)*."""
    low = view.low
    found: list[Mention] = []
    before: dict[int, int] | None = None
    for match in _LABELLED.finditer(low):
        at = match.start(match.lastindex or 1)
        index = ord(low[at]) - 97
        if index >= view.options.count or (match[2] and not view.text[at].isupper()):
            continue
        if before is None:
            before = {m.end: m.start for m in mentions(view.options, low, 0, len(low))}
        # "not aspirin (option A)": the letter of a text is denied with the text.
        first = before.get(low.rfind(" ", 0, match.start() + 1), match.start())
        if first != match.start() and phrases.DENIAL_FAR.search(low, max(0, first - 140), first):
            continue
        begin = sentence_start(low, first, 0)
        if not denied(low, first, match.end(), 0, len(low)) and not unreal(
            view, begin, match.end()
        ):
            found.append(Mention(frozenset({index}), at, at + 1))
    return found


def _mentioned(mention: Mention) -> Claim:
    if len(mention.options) > 1:
        return Claim(mention.start, mention.end, None, SEVERAL, STATED)
    return Claim(mention.start, mention.end, next(iter(mention.options)), None, STATED)
