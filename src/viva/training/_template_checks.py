"""Checks of the chat template and the tokens: what the model reads, and what it learns to write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from viva.models._thinking import thinking_opened
from viva.training._findings import Finding, Level
from viva.training._plan import Plan
from viva.training._rendering import Trained

__all__ = ["generation_prompt", "padding", "prompt", "stop_token", "thinking", "thinking_kept"]

_EMPTY = re.compile(r"<(think|thinking|thought|reasoning)>\s*</\1>\s*\Z", re.IGNORECASE)
"""A thinking block with nothing in it, at the end of a prompt."""
_EMPTY_FIRST = re.compile(r"\s*<(think|thinking|thought|reasoning)>\s*</\1>", re.IGNORECASE)
_MARKS = re.compile(r"</?(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_HEAD = 400
"""Characters at the beginning of a completion in which a turn's header would stand."""


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def prompt(plan: Plan) -> Iterator[Finding]:
    """The template takes the messages, and its beginning stands once."""
    refused = [each.error for each in plan.rendered if each.prompt is None]
    if refused:
        yield Finding(
            "prompt", "refuse", _share(len(refused), len(plan.rows)),
            f"the chat template cannot write {len(refused)} of {len(plan.rows)} prompts: "
            f"{refused[0]}",
            "Train a model with a chat template, or set the recipe's prompt so that it needs none",
        )  # fmt: skip
        return
    bos = plan.tokenizer.bos_token_id
    twice = sum(each.ids[:2] == [bos, bos] for each in plan.rendered) if bos is not None else 0
    if twice:
        yield Finding(
            "prompt", "refuse", _share(twice, len(plan.rows)),
            f"{twice} prompts begin with two {plan.tokenizer.bos_token}: the template writes one "
            "and the tokenizer another",
            "Give the prompts as messages, or leave the token out of the text",
        )  # fmt: skip
        return
    yield Finding("prompt", "ok", len(plan.rows), f"{len(plan.rows)} prompts rendered")


def thinking(plan: Plan) -> Iterator[Finding]:
    """Where thinking begins: by the template, or by the model, as the recipe says."""
    prompts = [
        (each.prompt or "").removesuffix(start)
        for each, start in zip(plan.rendered, plan.starts, strict=True)
    ]
    opened = sum(bool(thinking_opened(text)) for text in prompts)
    closed = sum(bool(_EMPTY.search(text)) for text in prompts)
    n = len(prompts)
    if closed and plan.thinking != "none":
        yield Finding(
            "thinking", "refuse", _share(closed, n),
            f"the template ends {closed} of {n} prompts with an empty thinking block: the model "
            "would answer without thinking",
            "Set chat_template_kwargs = { enable_thinking = true }, or thinking = \"none\"",
        )  # fmt: skip
    elif opened and plan.thinking == "tags":
        yield Finding(
            "thinking", "refuse", _share(opened, n),
            f"the template already opens the thinking in {opened} of {n} prompts: no completion "
            "will hold the opening tag, and what rewards it pays nothing",
            'Set thinking = "open" in the recipe',
        )  # fmt: skip
    elif opened and plan.thinking == "none":
        yield Finding(
            "thinking", "refuse", _share(opened, n),
            f"the template opens thinking in {opened} of {n} prompts, and the recipe trains "
            "without: every answer would be read as thinking that was cut",
            'Set thinking = "open", or a template that does not open it',
        )  # fmt: skip
    elif plan.thinking == "open" and opened < n:
        yield Finding(
            "thinking", "refuse", _share(n - opened, n),
            f"the template does not open the thinking in {n - opened} of {n} prompts: an answer "
            "without a closing tag would be read as thinking",
            'Set thinking = "tags" in the recipe',
        )  # fmt: skip
    else:
        yield Finding("thinking", "ok", plan.thinking, f"thinking as the recipe says: "
                      f"{plan.thinking}")  # fmt: skip


def _trained(plan: Plan) -> list[Trained]:
    return [each.trained[0] for each in plan.rendered if each.trained]


def thinking_kept(plan: Plan) -> Iterator[Finding]:
    """The tags and the thinking of the data are in the loss, and no others."""
    yield from _taken_out(plan)
    trained = _trained(plan)
    if not trained:
        return
    n = len(trained)
    lacking = [mark for each, raw in zip(trained, _raw(plan), strict=True) if (
        mark := next(iter(_lacks(raw, each)), ""))]  # fmt: skip
    injected = sum(
        not _MARKS.search(each.wanted) and bool(_EMPTY_FIRST.match(each.text)) for each in trained
    )
    if lacking:
        yield Finding(
            "thinking_kept", "refuse", _share(len(lacking), n),
            f"the template swallows the thinking of {len(lacking)} of {n} completions: "
            f"{_quoted(lacking[0])} stands in the data and not in what is learned",
            "Give prompt and completion as texts, or use a template that keeps it",
        )  # fmt: skip
    if injected:
        level: Level = "refuse" if plan.thinking != "none" else "warn"
        yield Finding(
            "thinking_kept", level, _share(injected, n),
            f"the template puts an empty thinking block before {injected} of {n} completions: "
            "the model learns not to think",
            "Train on completions with thinking, or use a template that adds none",
        )  # fmt: skip
    if not lacking and not injected:
        said = f"{n} completions are learned as the data has them"
        yield Finding("thinking_kept", "ok", 0.0, said)
    yield from _as_asked(plan, trained)


def _raw(plan: Plan) -> list[str]:
    """The completions of the data, before they were written for the model."""
    known = plan.examples if len(plan.examples) == len(plan.rows) else [None] * len(plan.rows)
    return [(each.completion if each else None) or rendered.trained[0].wanted
            for each, rendered in zip(known, plan.rendered, strict=True)
            if rendered.trained]  # fmt: skip


def _lacks(raw: str, each: Trained) -> list[str]:
    """Marks of the data that neither the loss nor the end of the prompt has."""
    there = [mark.casefold() for mark in _MARKS.findall(each.text)]
    missing = []
    for mark in _MARKS.findall(raw):
        if mark.casefold() in there:
            there.remove(mark.casefold())
        else:
            missing.append(mark)
    # The row itself is without the mark that the template has opened the thinking with.
    opened = len(_MARKS.findall(raw)) - len(_MARKS.findall(each.wanted))
    return missing[max(0, opened) :] if not each.lost.strip() else missing


def _taken_out(plan: Plan) -> Iterator[Finding]:
    """A template that writes a finished turn without its thinking."""
    if plan.thinking == "none" or not plan.tokenizer.chat_template:
        return
    said = "<think>\nIt lowers glucose.\n</think>\n\nMetformin."
    turns = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": said}]
    try:
        text = plan.tokenizer.apply_chat_template(turns, tokenize=False, **plan.variables)
    except Exception:  # said by the check of prompts
        return
    if "<think>" in text and "It lowers glucose." in text:
        return
    level: Level = "refuse" if plan.thinking == "tags" else "warn"
    yield Finding(
        "thinking_kept", level, None,
        "the chat template swallows the thinking of a finished turn: what writes turns by it, such "
        "as a server that goes on from a start, loses what the model has learned to write",
        "Use a template that keeps what stands between <think> and </think>, or thinking = "
        + ('"open" where the template opens it' if plan.thinking == "tags" else '"none"'),
    )  # fmt: skip


def _as_asked(plan: Plan, trained: list[Trained]) -> Iterator[Finding]:
    """The data's completions have the form that the recipe's ``thinking`` names."""
    n = len(trained)
    if plan.thinking == "tags":
        wrong = sum(not _has_both(each.wanted, start) for each, start in _with_start(plan, trained))
        said = "do not open and close their thinking"
    elif plan.thinking == "open":
        wrong = sum(
            _opens(each.wanted) or ("</" not in each.wanted) or not _MARKS.search(each.wanted)
            for each in trained
        )
        said = "open the thinking again, or never close it"
    else:
        wrong = sum(bool(_MARKS.search(each.wanted)) for each in trained)
        said = "have thinking tags, and the recipe trains without"
    if wrong:
        level: Level = "refuse" if wrong == n else "warn"
        yield Finding(
            "thinking_kept", level, _share(wrong, n), f"{wrong} of {n} completions {said}",
            'Set thinking to "tags", "open" or "none" as the data has it',
        )  # fmt: skip


def _with_start(plan: Plan, trained: list[Trained]) -> Iterable[tuple[Trained, str]]:
    starts = plan.starts if len(trained) == len(plan.starts) else [""] * len(trained)
    return zip(trained, starts, strict=True)


def _opens(text: str) -> bool:
    found = _MARKS.match(text.lstrip())
    return found is not None and not found[0].startswith("</")


def _has_both(text: str, start: str) -> bool:
    marks = _MARKS.findall(start + text)
    return any(m.startswith("</") for m in marks) and any(not m.startswith("</") for m in marks)


def generation_prompt(plan: Plan) -> Iterator[Finding]:
    """The prompt ends where the assistant's words begin, in training and in generation alike."""
    header = _header(plan)
    if header is not None and header.strip() and not _EMPTY_FIRST.match(header):
        yield Finding(
            "generation_prompt", "refuse", header[:80],
            "the chat template has no generation prompt: the model would have to write the header "
            f"of its own turn, {_quoted(header)}",
            "Use a chat template that knows add_generation_prompt",
        )  # fmt: skip
        return
    lost = [each for each in _trained(plan) if each.lost.strip()]
    if lost:
        marked = any(_MARKS.search(each.lost) for each in lost)
        yield Finding(
            "generation_prompt", "refuse" if marked else "warn", _share(len(lost), len(plan.rows)),
            f"{len(lost)} prompts end otherwise in training than in generation: "
            f"{_quoted(lost[0].lost)} is not learned from",
            "Give prompt and completion as texts, or use another template",
        )  # fmt: skip
        return
    yield Finding("generation_prompt", "ok", 0.0, "prompts end where the answer begins")


def _header(plan: Plan) -> str | None:
    """What a finished turn has between the generation prompt and the assistant's words."""
    if not plan.tokenizer.chat_template:
        return None
    asked = [{"role": "user", "content": "Which?"}]
    said = "Metformin."
    template = plan.tokenizer.apply_chat_template
    opening = {"tokenize": False, "add_generation_prompt": True, **plan.variables}
    try:
        opened = template(asked, **opening)
        whole = template([*asked, {"role": "assistant", "content": said}], tokenize=False,
                         **plan.variables)  # fmt: skip
    except Exception:  # said by the check of prompts
        return None
    at = whole.find(said, len(opened))
    if not whole.startswith(opened) or at < 0:
        return None  # said by what is lost, or by where thinking begins
    return str(whole[len(opened) : at])


def stop_token(plan: Plan) -> Iterator[Finding]:
    """The completions end in a token at which the model stops."""
    tokenizer = plan.tokenizer
    if not plan.ends:
        yield Finding(
            "stop_token", "refuse", None, "neither the tokenizer nor the model has an end token: "
            "no completion would ever end", "Set eos_token in the stage's settings",
        )  # fmt: skip
        return
    trained = _trained(plan)
    names = ", ".join(str(tokenizer.convert_ids_to_tokens(i)) for i in sorted(plan.ends))
    if not trained:
        yield Finding("stop_token", "ok", names, f"completions end at {names}")
        return
    n = len(trained)
    endless = [each for each in trained if not plan.ends.intersection(each.ids[-8:])]
    if endless:
        last = tokenizer.convert_ids_to_tokens(endless[0].ids[-1]) if endless[0].ids else None
        yield Finding(
            "stop_token", "refuse" if len(endless) == n else "warn", _share(len(endless), n),
            f"{len(endless)} of {n} completions do not end in a token at which the model stops "
            f"({names}), but in {last!r}: it would not learn to stop",
            "Set eos_token in the stage's settings to the token that ends a turn of the template",
        )  # fmt: skip
        return
    early = sum(bool(plan.ends.intersection(each.ids[:-8])) for each in trained)
    if early:
        yield Finding(
            "stop_token", "warn", _share(early, n),
            f"{early} of {n} completions hold {names} inside: the model would stop there",
            "Take the token out of the data",
        )  # fmt: skip
        return
    yield Finding("stop_token", "ok", names, f"completions end at {names}")


def padding(plan: Plan) -> Iterator[Finding]:
    """Padding is a token of its own."""
    name = plan.settings.get("pad_token")
    tokenizer = plan.tokenizer
    pad = tokenizer.convert_tokens_to_ids(name) if name else tokenizer.pad_token_id
    if pad is None or pad in plan.ends:
        has = "there is no padding token" if pad is None else "the padding token is an end token"
        yield Finding(
            "padding", "warn", None if pad is None else tokenizer.convert_ids_to_tokens(pad),
            f"{has}: a completion that was cut counts as ended where it is padded",
            "Give the tokenizer a padding token of its own",
        )  # fmt: skip
        return
    yield Finding("padding", "ok", tokenizer.convert_ids_to_tokens(pad), "padding is a token of "
                  "its own")  # fmt: skip
