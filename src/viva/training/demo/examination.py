"""The examination: held-out reasoning, recall, and starts in trained and in unseen forms."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from viva.records import LETTERS, Choice, Response, Status
from viva.synthesis import Example
from viva.training.datasets import rows_of
from viva.training.demo.lessons import TRAINED
from viva.training.demo.parts import Parts
from viva.training.rewards import Completion
from viva.training.rewards.completions import read_answer
from viva.worlds import UNSEEN, Drawn, starts_of

if TYPE_CHECKING:
    from viva.training.recipes import Recipe

__all__ = ["Paper", "choice_of", "examine", "papers_of"]

LONGEST = 160
"""Tokens of an answer; model answers have at most 100."""
_BATCH = 128


@dataclass(frozen=True, slots=True)
class Paper:
    """One question of the examination, with or without a start."""

    drawn: Drawn
    kind: str = "absent"
    """Of the start, as :data:`viva.worlds.starts.KINDS`."""
    form: str | None = None
    start: str = ""
    cue: int | None = None
    """0-based option that the start argues for."""

    @property
    def probe(self) -> str | None:
        """What stands as probe in the responses."""
        return None if self.form is None else f"{self.kind}-{self.form}"

    def told(self) -> dict[str, Any]:
        """What a summary needs of it, as plain values."""
        item = self.drawn.item
        return {
            "item_id": item.item_id, "stratum": item.meta["kind"], "asked": item.meta["ask"],
            "hops": item.meta["hops"], "entity": item.meta["combination"].split(";")[0],
            "kind": self.kind, "form": self.form, "unseen": self.form in UNSEEN,
            "key": item.target.index if isinstance(item.target, Choice) else -1,
            "cue": -1 if self.cue is None else self.cue,
        }  # fmt: skip


def papers_of(parts: Parts, *, reasoning: int, recall: int, started: int) -> list[Paper]:
    """The questions of the examination.

    Parameters
    ----------
    parts : Parts
    reasoning, recall : int
        Items of the parts that are kept for examination.
    started : int
        Of these reasoning items, so many are asked again with wrong, correct and irrelevant
        starts, each in a trained and in an unseen form.
    """
    papers = [Paper(drawn) for drawn in (*parts.test[:reasoning], *parts.recall_test[:recall])]
    for at, drawn in enumerate(parts.test[: min(started, reasoning)]):
        unseen = sorted(UNSEEN)
        forms = [TRAINED[at % len(TRAINED)], unseen[at % len(unseen)]]
        given = [s for s in starts_of(drawn, parts.world.graph, at, forms=forms) if s.form]
        texts = {(start.form, start.kind): start.text for start in given}
        for start in given:
            # The first step of a wrong chain may be right: then the start is not wrong.
            if start.kind == "wrong" and start.text == texts[start.form, "correct"]:
                continue
            cue = None if start.cue is None else LETTERS.index(start.cue)
            papers.append(Paper(drawn, start.kind, start.form, f"<think> {start.text}", cue))
    return papers


def examine(
    model: str | os.PathLike[str], papers: Sequence[Paper], recipe: Recipe, *, name: str
) -> list[Response]:
    """Let a model answer, by the likeliest token at each step.

    Parameters
    ----------
    model : path
        Folder of weights and tokenizer.
    papers : sequence of Paper
    recipe : Recipe
        Its prompt is what the model was trained with.
    name : str
        Of the model in the responses.

    Returns
    -------
    list of Response
        In the order of the papers; a start is part of its response's text.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model).eval()
    turns = _prompts(papers, recipe, tokenizer)
    order = sorted(range(len(papers)), key=lambda at: len(turns[at]))
    texts: dict[int, tuple[str, str]] = {}
    for first in range(0, len(order), _BATCH):
        batch = order[first : first + _BATCH]
        longest = max(len(turns[at]) for at in batch)
        padding = tokenizer.pad_token_id
        rows = torch.tensor([[padding] * (longest - len(turns[at])) + turns[at] for at in batch])
        with torch.no_grad():
            made = network.generate(
                input_ids=rows, attention_mask=(rows != padding).long(), do_sample=False,
                max_new_tokens=LONGEST,
            )  # fmt: skip
        for at, ids in zip(batch, made[:, longest:].tolist(), strict=True):
            ended = tokenizer.eos_token_id in ids
            texts[at] = (
                tokenizer.decode(ids, skip_special_tokens=True), "stop" if ended else "length",
            )  # fmt: skip
    return [_response(paper, *texts[at], name) for at, paper in enumerate(papers)]


def _prompts(papers: Sequence[Paper], recipe: Recipe, tokenizer: Any) -> list[list[int]]:
    """What the model reads: the very prompts of training."""
    given = [Example(paper.drawn.item, start=paper.start) for paper in papers]
    made = rows_of(given, "grpo", recipe, tokenizer)
    texts = {
        (example.item.item_id, example.start): row["prompt"]
        for example, row in zip(made.examples, made.rows, strict=True)
    }
    return [
        tokenizer(texts[paper.drawn.item.item_id, paper.start], add_special_tokens=False)[
            "input_ids"
        ]
        for paper in papers
    ]


def _response(paper: Paper, text: str, finish_reason: str, name: str) -> Response:
    item = paper.drawn.item
    return Response(
        item.benchmark, item.item_id, name, text=" ".join((paper.start, text)).strip(),
        method="cot", probe=paper.probe, cue=None if paper.cue is None else LETTERS[paper.cue],
        finish_reason=finish_reason, output_tokens=len(text.split()),
    )  # fmt: skip


def choice_of(paper: Paper, response: Response) -> int:
    """The 0-based option that a response chooses, by the shared reader; -1 where none was read."""
    item = paper.drawn.item
    said = Completion(response.text or "", finish_reason=response.finish_reason)
    reading = read_answer(item, said)
    if reading.status is not Status.PARSED or not isinstance(item.target, Choice):
        return -1
    return LETTERS.index(str(reading.value))
