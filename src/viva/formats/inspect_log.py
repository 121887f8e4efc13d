"""Inspect logs, written: a run as ``.eval`` archives that ``inspect view`` opens.

Every part is an object of Inspect's own classes, so that what is written is what the installed
version reads. The archive itself is written here, one sample at a time: Inspect's writer takes
all samples at once and compares each with all before it. Layout:
https://inspect.aisi.org.uk/eval-logs.html; members are deflated, which every version reads.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from viva._files import written
from viva.errors import InputError
from viva.formats._inspect_header import SCORER, log_of
from viva.formats._own import MARK, packed
from viva.formats._writing import ELSEWHERE, Task, identifier, missing, prompted, tasks
from viva.records import LETTERS, Item, Status

if TYPE_CHECKING:
    import polars as pl
    from inspect_ai.event import ModelEvent, ScoreEvent
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import ChatMessage, ModelOutput, ModelUsage
    from inspect_ai.scorer import Score
    from pydantic import BaseModel

__all__ = ["SCORER", "UNREAD", "write_inspect"]

_STOP = {
    "stop": "stop",
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "model_length": "model_length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}
"""Finish reasons in Inspect's words; others are ``unknown`` to it and stand in the metadata."""

UNREAD = {"refused": "refusal", "no answer text": "no_response"}
"""Why an answer was not read, in Inspect's words where it has one."""

_SHOWN = ("benchmark", "stratum", "p_reasoning", "status", "reason")
"""Columns that stand in the open in a sample's metadata, to filter by in the viewer."""


def write_inspect(
    items: pl.DataFrame,
    responses: pl.DataFrame,
    scores: pl.DataFrame,
    manifest: Mapping[str, Any],
    path: str | os.PathLike[str],
    *,
    prompts: Callable[[Item], str | None] | None = None,
) -> list[Path]:
    """Write a run as Inspect logs, one for each benchmark, model, method and probe.

    A sample's score is ``C`` for the key, ``I`` for another option and ``N`` where no answer was
    read, which Inspect's accuracy counts as not right, as ours does. A response that was not
    graded has an error and no score. ``viva audit`` reads the logs back to the same responses.

    Parameters
    ----------
    items, responses, scores : polars.DataFrame
        Columns of :func:`viva.records.item_schema`, ``response_schema`` and ``score_schema``.
    manifest : mapping
        The run's manifest: its settings and times, without secrets.
    path : path
        A folder, where each log gets the name that Inspect would give it; or, for the responses
        of one task, a file ``*.eval``.
    prompts : callable, optional
        The user's turn by which an item was asked, where it is known; the question stands for it
        where it is not.

    Returns
    -------
    list of Path
        The logs written, in the order of the tasks. The same input gives the same bytes.

    Raises
    ------
    InputError
        inspect-ai is not installed; no responses, one without its item, two under one key;
        several tasks for one file; a folder that cannot be written to.
    """
    try:
        import inspect_ai.log  # noqa: F401
    except ImportError:
        raise missing("inspect-ai", "inspect") from None
    place = Path(path)
    found = tasks(items, responses, scores)
    one = place.suffix == ".eval"
    if one and len(found) > 1:
        names = ", ".join(task.label for task in found[:4])
        raise InputError(
            f"a log holds one task and these are {len(found)} ({names}, ...)",
            where=str(place),
            mend="Give a folder, or the responses of one benchmark, model and method",
        )
    paths = []
    for task in found:
        log = log_of(task, manifest)
        file = place if one else place / _file_name(log)
        with written(file, mend=ELSEWHERE) as stream:
            _write_log(log, task, prompts, stream)
        paths.append(file)
    return paths


def _file_name(log: EvalLog) -> str:
    """``<time>_<task>_<id>.eval``, from which Inspect tells the task without opening the file."""
    time = re.sub(r"[^0-9T+]", "-", str(log.eval.created))
    name = re.sub(r"[\W_]+", "-", log.eval.task)[:100]
    return f"{time}_{name}_{log.eval.task_id}.eval"


# The archive ---------------------------------------------------------------------------------


def _write_log(
    log: EvalLog,
    task: Task,
    prompts: Callable[[Item], str | None] | None,
    stream: IO[bytes],
) -> None:
    start = {"version": log.version, "eval": _plain(log.eval), "plan": _plain(log.plan)}
    usage: ModelUsage | None = None
    with (
        tempfile.TemporaryFile() as summaries,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        _add(archive, "_journal/start.json", json.dumps(start).encode())
        for row, prompt in prompted(task, prompts):
            sample = _sample(row, task, log, prompt)
            if sample.output.usage is not None:
                usage = sample.output.usage if usage is None else usage + sample.output.usage
            name = f"samples/{sample.id}_epoch_{sample.epoch}.json"
            _add(archive, name, _dumped(sample))
            summaries.write((b"," if summaries.tell() else b"[") + _dumped(sample.summary()))
        summaries.write(b"]")
        summaries.seek(0)
        with _member(archive, "summaries.json") as member:
            while chunk := summaries.read(2**20):
                member.write(chunk)
        if usage is not None:
            log.stats.model_usage = {log.eval.model: usage}
        _add(archive, "header.json", _dumped(log))


def _dumped(part: BaseModel) -> bytes:
    return part.model_dump_json(exclude_none=True).encode()


def _plain(part: BaseModel) -> Any:
    return json.loads(_dumped(part))


@contextmanager
def _member(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    info = zipfile.ZipInfo(name)  # with the format's first date: the same input, the same bytes
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with archive.open(info, "w", force_zip64=True) as member:
        yield member


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    with _member(archive, name) as member:
        member.write(content)


# One sample ----------------------------------------------------------------------------------


def _sample(row: Mapping[str, Any], task: Task, log: EvalLog, prompt: str) -> EvalSample:
    from inspect_ai.log import EvalError, EvalSample, condense_sample
    from inspect_ai.model import ChatMessageUser

    seed = (log.eval.eval_id, row["item_id"], row["sample"])
    output = _output(row, task.model, seed)
    sent = ChatMessageUser(id=identifier(*seed, "sent"), content=prompt, source="input")
    message = row["error"]
    ungraded = row["status"] == Status.UNGRADED or (message is not None and row["status"] is None)
    if ungraded:
        message = message or row["reason"] or "no response"
    score = None if ungraded or row["status"] is None else _score(row)
    letters = [LETTERS[index] for index in row["key"] or ()]
    target = letters[0] if len(letters) == 1 else letters
    sample = EvalSample(
        id=row["item_id"],
        epoch=row["sample"] + 1,
        input=row["question"],
        choices=row["options"] or None,
        target=target,
        messages=[sent, *(choice.message for choice in output.choices)],
        output=output,
        scores={SCORER: score} if score else None,
        metadata=_metadata(row),
        events=_events(row, log, sent, output, score, target, message),
        model_usage={log.eval.model: output.usage} if output.usage else {},
        total_time=row["seconds"],
        working_time=row["seconds"],
        uuid=identifier(*seed),
        error=EvalError(message=message, traceback="", traceback_ansi="") if ungraded else None,
        turn_count=row["calls"],
    )
    return condense_sample(sample)


def _events(
    row: Mapping[str, Any],
    log: EvalLog,
    sent: ChatMessage,
    output: ModelOutput,
    score: Score | None,
    target: str | list[str],
    error: str | None,
) -> list[ModelEvent | ScoreEvent]:
    """What the viewer shows first: the question put, the answer, the score.

    Of a method of several calls it is the answer it came to; how many calls there were stands in
    the metadata.
    """
    from inspect_ai.event import ModelEvent, ScoreEvent

    time = datetime.fromisoformat(str(log.eval.created))
    seconds = row["seconds"] or 0.0
    asked = ModelEvent(
        uuid=f"{sent.id}-model",
        timestamp=time,
        working_start=0.0,
        metadata={"calls": row["calls"]} if row["calls"] else None,
        model=log.eval.model,
        input=[sent],
        tools=[],
        tool_choice="none",
        config=log.plan.config,
        output=output,
        error=error,
        working_time=row["seconds"],
    )
    if score is None:
        return [asked]
    return [
        asked,
        ScoreEvent(
            uuid=f"{sent.id}-score",
            timestamp=time,
            working_start=seconds,
            score=score,
            target=target,
            scorer=SCORER,
        ),
    ]


def _output(row: Mapping[str, Any], model: str, seed: tuple[Any, ...]) -> ModelOutput:
    from inspect_ai.model import (
        ChatCompletionChoice,
        ChatMessageAssistant,
        Content,
        ContentReasoning,
        ContentText,
        ModelOutput,
    )

    text = row["text"] if row["text"] is not None else row["prediction"]
    if text is None and not row["already_read"]:
        return ModelOutput(model=model, error=row["error"], usage=_usage(row))
    content: str | list[Content] = text or ""
    if row["reasoning"]:
        content = [ContentReasoning(reasoning=row["reasoning"]), ContentText(text=text or "")]
    message = ChatMessageAssistant(
        id=identifier(*seed, "answer"), content=content, source="generate", model=model
    )
    stop: Any = _STOP.get(row["finish_reason"] or "", "unknown")
    return ModelOutput(
        model=model,
        choices=[ChatCompletionChoice(message=message, stop_reason=stop)],
        usage=_usage(row),
        time=row["seconds"],
    )


def _usage(row: Mapping[str, Any]) -> ModelUsage | None:
    from inspect_ai.model import ModelUsage

    given, made = row["input_tokens"], row["output_tokens"]
    if given is None and made is None and row["cost"] is None:
        return None
    return ModelUsage(
        input_tokens=given or 0,
        output_tokens=made or 0,
        total_tokens=(given or 0) + (made or 0),
        total_cost=row["cost"],
    )


def _score(row: Mapping[str, Any]) -> Score:
    from inspect_ai.scorer import CORRECT, INCORRECT, NOANSWER, Score

    read = row["status"] == Status.PARSED
    value: Any = (CORRECT if row["value"] == 1 else INCORRECT) if read else NOANSWER
    if read and row["value"] not in (0, 1):
        value = row["value"]
    reason = None if read else UNREAD.get(row["reason"], "invalid_response_format")
    return Score(
        value=value,
        answer=row["read"],
        explanation=row["reason"],
        reason=reason,
        metadata={"status": row["status"]},
    )


def _metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: row[name] for name in _SHOWN if row[name] is not None}
    return shown | {MARK: packed(row)}
