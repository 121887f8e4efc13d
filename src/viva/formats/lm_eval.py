"""lm-evaluation-harness: ``samples_<task>_<time>.jsonl`` with the results file beside it.

Layout: https://github.com/EleutherAI/lm-evaluation-harness, v0.4, ``--log_samples``. Two kinds of
rows: generated texts, and log-likelihoods of each choice, whose largest is the prediction (the
harness' ``acc``); the latter are marked by the finish reason ``log-likelihood``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viva._files import read_json
from viva.benchmarks.rows import MMLU_SUBJECTS
from viva.errors import InputError
from viva.formats._items import canonical, item_of
from viva.formats._own import MARK, add_own
from viva.formats._reading import Opened, Reading
from viva.formats._values import filled_text, identifier_or_none, mapping, number, whole
from viva.records import LETTERS, Item

__all__ = ["COLUMNS", "LOG_LIKELIHOOD", "matches", "read"]

COLUMNS = (("doc_id",), ("doc",), ("resps",))
"""Columns that rows must have."""

LOG_LIKELIHOOD = "log-likelihood"
"""Finish reason of predictions that were scored, not generated."""

_FILE = re.compile(
    r"samples_(?P<task>.+?)(?:_(?P<time>\d{4}-\d\d-\d\dT[\d\-:.]+))?\.jsonl?(?:\.gz)?"
)
_MMLU = re.compile(
    r"mmlu_(?:flan_(?:cot_)?n_shot_|flan_cot_\w+_shot_|continuation_|generative_)?(.+)"
)
_ENDINGS = ("_generative", "_continuation", "_gen", "_cot", "_chat", "_zeroshot", "_fewshot")


def matches(opened: Opened) -> bool:
    """Whether the first row is a logged sample."""
    return not opened.lacks(COLUMNS)


def read(opened: Opened, reading: Reading) -> None:
    """Every row of the file; other filters of one response are counted, not read twice."""
    task, time = _named(opened)
    model = _model(opened, reading, time)
    filters: dict[Any, str] = {}
    for row, values in opened.rows:
        given = identifier_or_none(values.get("doc_id"))
        if given is None:
            reading.leave_out(row, None, "no item_id")
            continue
        own = mapping(mapping(values.get("doc")).get(MARK))
        if own:
            _read_own(row, own, values, reading)
            continue
        name = str(values.get("filter"))
        if filters.setdefault(given, name) != name:
            reading.leave_out(row, given, "another filter of the same response")
            continue
        _read_row(row, given, values, task, model, reading)


def _read_own(
    row: int, own: Mapping[str, Any], values: Mapping[str, Any], reading: Reading
) -> None:
    """A row that this package wrote: what the harness has no field for stands in its doc."""
    doc, said = mapping(values.get("doc")), own.get("responses")
    texts = _texts(values.get("resps")) or []
    if not isinstance(said, list) or len(said) != len(texts):
        return reading.leave_out(row, identifier_or_none(doc.get("id")), "row is incomplete")
    for response, text in zip(said, texts, strict=True):
        add_own(
            row,
            {"item": own.get("item"), "response": response},
            reading,
            question=doc.get("question"),
            options=doc.get("options"),
            text=text,
            reasoning=filled_text(mapping(response).get("reasoning")),
        )
    return None


def _named(opened: Opened) -> tuple[str, str | None]:
    named = _FILE.fullmatch(opened.path.name) if opened.path else None
    if named:
        return named["task"], named["time"]
    task = filled_text(opened.first.get("task") or opened.first.get("task_name"))
    if task is not None:
        return task, None
    raise InputError(
        "the file name does not say the task",
        where=opened.name,
        mend="Keep the name that lm-eval gave it: samples_<task>_<time>.jsonl",
    )


def _model(opened: Opened, reading: Reading, time: str | None) -> str:
    """From the results beside the samples (of the same run, where its time is known)."""
    if reading.model:
        return reading.model
    if opened.path is None:
        raise opened.no_model()
    folder = opened.path.absolute().parent
    results = sorted(folder.glob("results*.json"))
    if time:
        same = [path for path in results if time in path.name]
        results = same or (results if len(results) == 1 else [])
    for path in reversed(results):
        name = _model_of_results(path)
        if name:
            return name
    if not folder.name:
        raise opened.no_model("Put the results file of the run beside it")
    return folder.name.replace("__", "/")


def _model_of_results(path: Path) -> str | None:
    results = mapping(read_json(path))
    given = mapping(results.get("config")).get("model_args")
    if isinstance(given, str):
        given = dict(pair.split("=", 1) for pair in given.split(",") if "=" in pair)
    arguments = mapping(given)
    return filled_text(
        results.get("model_name") or arguments.get("pretrained") or arguments.get("model")
    )


def _benchmark(task: str) -> tuple[str, str | None]:
    """The canonical name, and the subject where the task is one of MMLU's medical ones."""
    bare = task
    for ending in _ENDINGS:
        bare = bare.removesuffix(ending)
    mmlu = _MMLU.fullmatch(bare)
    if mmlu and mmlu[1] in MMLU_SUBJECTS:
        return "mmlu_med", mmlu[1]
    known = canonical(bare)
    return (known, None) if known != bare else (canonical(task), None)


def _read_row(
    row: int, doc_id: str, values: Mapping[str, Any], task: str, model: str, reading: Reading
) -> None:
    benchmark, subject = _benchmark(task)
    doc = values.get("doc")
    if isinstance(doc, str) and doc.lstrip()[:1] == "{":
        try:
            doc = json.loads(doc)
        except (ValueError, RecursionError):
            doc = None
    doc = mapping(doc)
    item_id = _item_id(doc, doc_id, subject)
    question, options, key, context = _question(doc)
    resps = values.get("resps")
    scores = _scores(resps)
    target = values.get("target")
    if scores is not None and isinstance(target, str) and target.isdecimal():
        target = whole(target)  # a position, logged as text; not an option that reads so
    item = item_of(benchmark, item_id, question, options, target, context=context)
    if isinstance(item, str):  # some tasks log the prompt's target, not the option
        item = item_of(benchmark, item_id, question, options, key, context=context)
    if isinstance(item, str):
        return reading.leave_out(row, item_id, item)
    if isinstance(item, Item):
        item_id = reading.item(item)
    count = len(item.options) if isinstance(item, Item) else None
    common = {"benchmark": benchmark, "item_id": item_id, "model": model}
    if scores is not None:
        if count and len(scores) == 2 * count:
            scores = scores[:count]  # the second half scores the choices without the question
        if len(scores) > len(LETTERS) or (count and len(scores) != count):
            return reading.leave_out(row, item_id, "row is incomplete")
        best = [i for i, s in enumerate(scores) if s == max(scores)]
        return reading.add(
            row,
            **common,
            prediction=LETTERS[best[0]] if len(best) == 1 else None,
            already_read=True,
            finish_reason=LOG_LIKELIHOOD,
        )
    texts = _texts(resps)
    if texts is None:
        return reading.leave_out(row, item_id, "response is not text")
    for sample, text in enumerate(texts):
        reading.add(row, **common, text=text, sample=sample)
    return None


def _scores(resps: Any) -> list[float] | None:
    """Log-likelihoods, where every response is ``[[log-likelihood, is greedy]]``."""
    if not isinstance(resps, list) or len(resps) < 2:
        return None
    scores = []
    for response in resps:
        pair = response[0] if isinstance(response, list) and len(response) == 1 else response
        if not isinstance(pair, list) or len(pair) != 2 or str(pair[1]) not in ("True", "False"):
            return None
        score = number(pair[0])
        scores.append(float("-inf") if score is None else score)
    return scores


def _texts(resps: Any) -> list[str] | None:
    """Generated texts: ``[["text", ...]]``, one for each repeat."""
    if isinstance(resps, str):
        return [resps]
    if isinstance(resps, list) and len(resps) == 1 and isinstance(resps[0], list):
        resps = resps[0]
    if not isinstance(resps, list) or not resps or not all(isinstance(r, str) for r in resps):
        return None
    return list(resps)


def _item_id(doc: Mapping[str, Any], doc_id: str, subject: str | None) -> str:
    if subject is not None and doc_id.isdigit():
        return f"{subject}-{int(doc_id):03d}"
    for name in ("question_id", "pubid", "PMID", "pmid", "exam_id_qid"):
        if isinstance(doc.get(name), (str, int)) and not isinstance(doc.get(name), bool):
            return str(doc[name])
    given = doc.get("id")
    if isinstance(given, str) and given and not re.fullmatch(r"(test|dev|train|val)-\d+", given):
        return given
    return doc_id


def _question(doc: Mapping[str, Any]) -> tuple[Any, Any, Any, str | None]:
    """Question, options, key and context of the docs of the medical tasks."""
    if "sent1" in doc:  # medqa_4options
        stem = " ".join(str(doc[k]) for k in ("sent1", "sent2") if doc.get(k))
        return stem, _numbered(doc, "ending", 0), doc.get("label"), None
    if "opa" in doc:  # medmcqa
        return doc.get("question"), [doc.get(f"op{x}") for x in "abcd"], doc.get("cop"), None
    if "op1" in doc:  # careqa; its key counts from 1
        cop = doc.get("cop")
        key = cop - 1 if isinstance(cop, int) else None
        return doc.get("question"), _numbered(doc, "op", 1), key, None
    if "QUESTION" in doc:  # pubmedqa
        contexts = doc.get("CONTEXTS")
        context = "\n".join(map(str, contexts)) if isinstance(contexts, list) else None
        return doc["QUESTION"], ["yes", "no", "maybe"], doc.get("final_decision"), context
    if "qtext" in doc:  # headqa; its key counts from 1
        right = doc.get("ra")
        key = right - 1 if isinstance(right, int) else None
        answers = doc.get("answers")
        listed = answers if isinstance(answers, list) else []
        texts = [a.get("atext") if isinstance(a, Mapping) else a for a in listed]
        return doc["qtext"], texts, key, None
    question = doc.get("question", doc.get("Question", doc.get("query")))
    options = doc.get("choices", doc.get("options", doc.get("Options")))
    if isinstance(options, Mapping) and "text" in options:  # arc-like
        options = options["text"]
    key = next((doc[k] for k in ("answer_index", "answer_idx", "gold", "answer") if k in doc), None)
    return question, options, key, None


def _numbered(doc: Mapping[str, Any], stem: str, first: int) -> list[Any]:
    options: list[Any] = []
    while f"{stem}{first + len(options)}" in doc and len(options) < len(LETTERS):
        options.append(doc[f"{stem}{first + len(options)}"])
    return options
