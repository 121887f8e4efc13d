"""The answer region: what is left of a completion without thinking, other turns and chat tokens."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Region", "answer_region"]

_NAMES = (
    "think|thinking|thought|thoughts|reasoning|reason|reflection|analysis|scratchpad|"
    "inner_monologue|internal_monologue|seed:think|longcat_think"
)

# Each row: the kind of mark and how it is written. Inside thinking only the closing mark of the
# same family ends it; rows are tried in this order at each position.
_MARKS: tuple[tuple[str, str], ...] = (
    # gpt-oss channels: everything but the final one is thinking.
    ("channel_open", r"<\|channel\|>\s{0,3}(?:analysis|commentary)\b[^<\n]{0,80}?<\|message\|>"),
    ("channel_close", r"<\|channel\|>\s{0,3}final\b[^<\n]{0,80}?<\|message\|>"),
    # The same with its special tokens lost in decoding.
    ("channel_lost", r"assistantfinal(?=\W|[A-Z]|$)"),
    (
        "tag_close",
        rf"<\|?\s{{0,3}}(?:/\s{{0,3}}(?:{_NAMES})|end_of_thought|end_think|"
        rf"end_thinking)\s{{0,3}}\|?>",
    ),
    ("tag_close2", r"\[/(?:think|thinking|reasoning)\]|\u25c1/think\u25b7|<\uff5c/think\uff5c>"),
    ("tag_open", rf"<\|?\s{{0,3}}(?:{_NAMES}|begin_of_thought|start_think)\s{{0,3}}\|?>"),
    ("tag_open2", r"\[(?:think|thinking|reasoning)\]|\u25c1think\u25b7|<\uff5cthink\uff5c>"),
    # HuatuoGPT-o1 and its offspring.
    ("head_open", r"(?<!\S)#{1,4}[ \t]{0,4}thinking(?:[ \t]{1,4}process)?\b[ \t:*]{0,8}(?=\n|$)"),
    (
        "head_close",
        r"(?<!\S)#{1,4}[ \t]{0,4}final[ \t]{1,4}(?:response|answer)\b[ \t:*]{0,8}|"
        r"\*\*final response:?\*\*",
    ),
    # Chat templates. A role after a token says who speaks.
    (
        "turn",
        r"<\|start_header_id\|>\s{0,3}(?P<role1>\w{0,20})\s{0,3}<\|end_header_id\|>|"
        r"(?:<\|(?:im_start|start)\|>|<start_of_turn>|<\|turn>|<\|start_of_role\|>)\s{0,3}"
        r"(?P<role2>assistant|model|user|system|human|developer|tool)?\b"
        r"(?:<\|end_of_role\|>|<\|im_sep\|>|<\|message\|>)?|"
        r"<[|\uff5c](?P<role3>assistant|user|system|human|bot)[|\uff5c]>|"
        r"(?P<inst>\[/?INST\])|"
        r"<[|\uff5c][\w\u2581 .:-]{1,40}[|\uff5c]>|"
        r"</?s>|<(?:eos|bos|pad|unk|end_of_turn|turn\||eot|eod|end_of_text)>|<</?SYS>>",
    ),
)
_MARK = re.compile("|".join(f"(?P<{name}>{body})" for name, body in _MARKS), re.IGNORECASE)
# Every mark starts with one of these; looking for them first keeps plain text cheap. The class
# at the front lets the search skip all other characters at once.
_SIGN = re.compile(
    r"[<\u25c1#\[*](?:(?<=<)(?=[|/a-zA-Z\s\uff5c<])|(?<=[\u25c1#])|(?<=\[)(?=[/tTrRiI])|"
    r"(?<=\*)(?=\*[Ff]inal ))"
)
_SIGN_LOST = re.compile(rf"assistantfinal|{_SIGN.pattern}")
_FAMILY = {
    "channel_open": ("channel", True),
    "channel_close": ("channel", False),
    "channel_lost": ("channel", False),
    "tag_open": ("tag", True),
    "tag_open2": ("tag", True),
    "tag_close": ("tag", False),
    "tag_close2": ("tag", False),
    "head_open": ("head", True),
    "head_close": ("head", False),
}
_OTHERS = frozenset({"user", "system", "human", "developer", "tool"})

# A line that starts another turn, written by the model itself.
_NEXT_TURN = re.compile(
    r"\n[ \t>#*_-]{0,12}(?:"
    r"(?:(?:next|new|another|example|sample|practice)[ \t]+)?"
    r"(?:question|problem|pregunta|frage|domanda|pergunta|\u95ee\u9898|\u984c\u76ee|\u9898\u76ee|"
    r"\u554f\u984c|\u8d28\u95ee)"
    r"[ \t]{0,3}(?:(?:no\.?|number|#)?[ \t]{0,3}\d{1,4})?[ \t*_]{0,4}[:\uff1a]|"
    r"q[ \t]{0,3}\d{0,4}[ \t*_]{0,4}[:\uff1a]|"
    r"(?:user|human|student|instructor|system|assistant|ai|bot|\u7528\u6237|usuario|utilisateur|"
    r"benutzer)"
    r"[ \t*_]{0,4}[:\uff1a]|"
    r"(?:instruction|input)[ \t*_]{0,4}[:\uff1a])"
    r"|\n[ \t#*_-]{0,12}(?:question|problem)[ \t]{1,3}\d{1,4}[ \t*_.]{0,4}\n"
    r"|\n[ \t]*#{2,4}[ \t]*(?:instruction|input|question|human|user|new question|next question)\b",
    re.IGNORECASE,
)

_SPEAKER = re.compile(r"(?:assistant|ai|bot|model)\s{0,3}[:\uff1a]\s{0,20}", re.IGNORECASE)


class Region(NamedTuple):
    """Offsets of the answer region, or the reason why there is none."""

    start: int
    end: int
    reason: str | None = None


def _marked(text: str, thinking_open: bool) -> tuple[int, int, str | None]:
    """Walk the marks once: start, end and the family of the thinking that is still open."""
    inside: str | None = "tag" if thinking_open else None
    start, foreign = 0, False
    before: tuple[int, int] | None = None  # what was said before thinking that ends the text
    position = 0
    for sign in (_SIGN_LOST if text.startswith("analysis") else _SIGN).finditer(text):
        mark = _MARK.match(text, sign.start()) if sign.start() >= position else None
        if mark is None:
            continue
        position = mark.end()
        kind = mark.lastgroup or ""
        if kind not in _FAMILY:  # a chat token, or a role within one
            if inside is not None:
                continue
            role = (mark["role1"] or mark["role2"] or mark["role3"] or "").lower()
            if mark["inst"]:
                role = "assistant" if "/" in mark["inst"] else "user"
            if not foreign and text[start : mark.start()].strip():
                return start, mark.start(), None
            # Before any answer: the template's own header, or a prompt that was logged with it.
            foreign = role in _OTHERS
            start = mark.end()
            continue
        family, opens = _FAMILY[kind]
        if opens:
            if inside is None and text[start : mark.start()].strip():
                before = start, mark.start()
            # A heading of thinking takes over from a tag: its own heading will close both.
            inside = family if family == "head" else inside or family
        elif inside in (None, family):
            before = before if inside else None
            inside, foreign, start = None, False, mark.end()
    if before and inside is None and not text[start:].strip():
        return *before, None
    return len(text) if foreign else start, len(text), inside


def answer_region(
    text: str, *, thinking_open: bool = False, finish_reason: str | None = None
) -> Region:
    """Find the part of a completion that is the answer.

    Thinking ends at its last closing mark; what stands before a closing mark without an opening
    one was opened by the template. A text that ends inside thinking has no answer region; one
    that ends with closed thinking has the answer before it.
    Whatever follows the first chat token after the answer, or a line with which the model starts
    another turn, is not part of it.

    Parameters
    ----------
    text : str
        The completion as the model wrote it, special tokens kept or not.
    thinking_open : bool
        The prompt template opened the thinking, so the text starts inside it.
    finish_reason : str, optional
        As reported by the server; only used to name the reason.

    Returns
    -------
    Region
        Offsets into ``text``; ``reason`` is None, "no answer text", "cut inside the thinking" or
        "thinking never closed".
    """
    start, end, inside = _marked(text, thinking_open)
    if inside is not None:
        cut = finish_reason == "length" or not thinking_open or inside != "tag"
        return Region(end, end, "cut inside the thinking" if cut else "thinking never closed")
    first = start
    while first < end and text[first].isspace():
        first += 1
    speaker = _SPEAKER.match(text, first, end)
    first = speaker.end() if speaker else first
    turn = _NEXT_TURN.search(text, first, end) if "\n" in text else None
    if turn:
        end = turn.start()
    while end > first and text[end - 1].isspace():
        end -= 1
    if first >= end:
        return Region(end, end, "no answer text")
    return Region(first, end)
