"""Benchmarks in the layouts of evaluation suites and training sets that carry them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from viva.benchmarks.cards import find_name
from viva.benchmarks.fields import Defect, absent, literal, one_of, text
from viva.benchmarks.fields import options as read_options
from viva.benchmarks.rows import (
    Place,
    Row,
    benchmark_of,
    canonical_id,
    kept,
    lettered_key,
    probability,
    without_option_list,
)
from viva.records import Choice, Item

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "biomed_r1",
    "huatuo",
    "instruction",
    "label_contradictions",
    "lettered",
    "medagents",
    "mirage",
]

_DECISIONS = ("yes", "no", "maybe")


def biomed_r1(row: Row, _place: Place) -> Item:
    """BioMed-R1-Eval: its split is kept as a definition of its own, its traces in ``meta``."""
    found = read_options(row.get("options"))
    p = probability(row.get("reasoning_prob"), "reasoning_prob")
    threshold = probability(row.get("reasoning_threshold"), "reasoning_threshold")
    flag = row.get("is_reasoning")
    if isinstance(flag, str):
        flag = {"true": True, "false": False, "1": True, "0": False}.get(flag.strip().casefold())
    by_p = None if p is None or threshold is None else p >= threshold
    is_reasoning = by_p if absent(flag) else bool(flag)
    meta: dict[str, Any] = {}
    if threshold is not None:
        meta["reasoning_threshold"] = threshold
    if by_p is not None and is_reasoning != by_p:
        meta["label_contradicts_probability"] = True
    for name in sorted(k for k in row if re.fullmatch(r"adversarial_trace_\d+", k)):
        meta[name] = row[name] or ""  # an empty trace is a trace that was not given
    return Item(
        benchmark=text(row.get("dataset_name"), "no benchmark"),
        item_id=text(row.get("id"), "no item_id"),
        question=without_option_list(text(row.get("question"), "no question"), found),
        options=found.texts,
        target=lettered_key(row, found),
        stratum=None if is_reasoning is None else "reasoning" if is_reasoning else "knowledge",
        stratum_definition=None if is_reasoning is None and p is None else "biomed-r1",
        p_reasoning=p,
        meta=meta,
    )


def label_contradictions(items: pl.DataFrame) -> int:
    """Items whose given label contradicts the probability and threshold given beside it."""
    return sum("label_contradicts_probability" in (m or "") for m in items["meta"])


def medagents(row: Row, place: Place) -> Item:
    """medagents-benchmark: several sets in one layout, with ids turned into those used here."""
    found = read_options(row.get("options"))
    question = text(row.get("question"), "no question")
    name = text(row.get("realidx"), "no item_id")
    context: str | None = None
    if not absent(row.get("subject")):
        benchmark = "mmlu_med"
        name = canonical_id(benchmark, name)
        if not name.startswith(f"{row['subject']}-"):
            raise Defect("realidx lies outside its subject")
    elif not absent(row.get("category")):
        benchmark = f"mmlu_pro_{row['category']}"
    elif found.texts == _DECISIONS:
        benchmark = "pubmedqa"
        context, _, question = question.rpartition("\n")
    elif not absent(row.get("meta_info")) and len(found.texts) == 4:
        benchmark = "medqa"
    elif re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name):
        benchmark = "medmcqa"
    else:
        benchmark = benchmark_of(place)
    return Item(
        benchmark=benchmark,
        item_id=name,
        question=without_option_list(question, found),
        options=found.texts,
        target=lettered_key(row, found),
        context=context or None,
        meta=kept(row, subject="subject", source="src", exam="meta_info"),
    )


def mirage(row: Row, _place: Place) -> Item:
    """MIRAGE's ``benchmark.json``: several sets, ids as in its predictions."""
    found = read_options(row.get("options"))
    dataset = text(row.get("dataset"), "no benchmark")
    benchmark = find_name(dataset) or dataset
    letter = text(row.get("answer"), "no answer").upper()
    if letter not in found.names:
        raise Defect("key outside the options")
    return Item(
        benchmark=benchmark,
        item_id=canonical_id(benchmark, text(row.get("id"), "no item_id")),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=Choice(found.names.index(letter)),
    )


def lettered(row: Row, place: Place) -> Item:
    """Question, options and the letter of the answer, as many evaluation suites keep their sets."""
    found = read_options(row.get("options"))
    ids = ("item_id", "id", "idx", "question_id")
    name = next((row[n] for n in ids if not absent(row.get(n))), None)
    benchmark = row.get("benchmark")
    return Item(
        benchmark=benchmark_of(place) if absent(benchmark) else text(benchmark, "no benchmark"),
        item_id=str(place.position) if name is None else text(name, "no item_id"),
        question=without_option_list(text(row.get("question"), "no question"), found),
        options=found.texts,
        target=lettered_key(row, found),
        meta=kept(row, exam="meta_info"),
    )


def huatuo(row: Row, place: Place) -> Item:
    """HuatuoGPT-o1's training demonstration: MedQA-style items with an open-ended twin."""
    found = read_options(row.get("options"))
    return Item(
        benchmark="huatuo_demo",
        item_id=str(place.position),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=lettered_key(row, found),
        meta=kept(
            row, open_question="Open-ended Verifiable Question", open_answer="Ground-True Answer"
        ),
    )


_OPTION_LINE = re.compile(r"^[ \t]*Option ([A-Z])[ \t]*:", re.M)


def _unquoted(value: str) -> str:
    """The text without a lone quotation mark at its end, left over from a CSV file."""
    lone = value.count('"') % 2 and value.endswith('"')
    return value[:-1].rstrip() if lone else value


def instruction(row: Row, place: Place) -> Item:
    """Self-BioRAG's training sets: question and options are inside the text of an instruction."""
    instances = literal(row.get("instances"))
    if not isinstance(instances, Mapping):
        raise Defect("no question")
    body = _unquoted(text(instances.get("input"), "no question"))
    pieces = _OPTION_LINE.split(body)
    question = re.sub(r"^\s*question\s*:\s*", "", pieces[0], flags=re.I)
    question = _unquoted(question.strip())
    pairs = list(zip(pieces[1::2], pieces[2::2], strict=True))
    found = read_options([{"letter": letter, "text": option.strip()} for letter, option in pairs])
    output = _unquoted(text(instances.get("output"), "no answer"))
    letter = re.fullmatch(r"Answer:\s*\(?([A-Z])\)?\.?", output)
    name = re.sub(r"[^a-z]", "", str(row.get("name", "")).casefold())
    return Item(
        benchmark="medmcqa_train" if "medmcqa" in name else "medqa_train",
        item_id=str(place.position),  # their ids name the task, not the item
        question=text(question, "no question"),
        options=found.texts,
        target=Choice(one_of(letter[1] if letter else output, found)),
    )
