"""How often a named model answers an item right, and the band of items worth training on.

An item that the model always answers teaches nothing by reward, nor does one that it never
answers. A pass rate belongs to the model that measured it: which one is part of the provenance
(2504.13950 filters by the model itself and by larger ones, with different results).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.answers import form_of
from viva.errors import InputError, did_you_mean
from viva.methods import method_label, set_parameters
from viva.methods._asking import conversation
from viva.methods.prompts import Prompt, load_prompt, prompt_for
from viva.models import Request
from viva.records import Item
from viva.synthesis._generated import (
    FAILED,
    NO_TARGET,
    check_share,
    judge,
    made,
    need_caller,
    stepped,
)
from viva.synthesis.calling import Caller, Reply
from viva.synthesis.examples import Example
from viva.synthesis.steps import Dropped, Made

if TYPE_CHECKING:
    import polars as pl

__all__ = ["METHODS", "pass_rate", "request_for"]

METHODS = ("cot", "direct")
"""Methods of one call, which a step can ask by itself."""

TOO_LOW = "pass rate below the band"
TOO_HIGH = "pass rate above the band"
NO_RESPONSES = "no graded response"
NOT_ASKED = "the method cannot ask it"


class _Count(NamedTuple):
    right: int
    wrong: int
    unread: int
    failed: int


def request_for(
    item: Item, method: str = "cot", prompt: Prompt | None = None, system: str | None = None
) -> Request:
    """The request by which an evaluation with ``cot`` or ``direct`` asks an item.

    Raises
    ------
    InputError
        Another method; an item that it cannot ask.
    """
    if method not in METHODS:
        raise InputError(
            f"the method {method} makes other calls than one",
            mend=f"{did_you_mean(method, METHODS)} For others run viva eval and give responses",
        )
    messages = conversation(item, prompt or method, system, any_letters=True, any_kind=True)
    return Request(messages)


def asked_prompt(item: Item, method: str, prompt: Prompt | None) -> str:
    """The hash of the prompt by which an item is asked."""
    form = form_of(item)
    chosen = prompt or load_prompt(method)
    return (chosen if form is None else prompt_for(chosen, form.kind)).hash


def pass_rate(
    examples: Sequence[Example],
    *,
    low: float = 0.0,
    high: float = 1.0,
    samples: int = 16,
    temperature: float = 1.0,
    method: str = "cot",
    prompt: str | None = None,
    system: str | None = None,
    responses: str | os.PathLike[str] | pl.DataFrame | None = None,
    model: str | None = None,
    seed: int = 0,
    caller: Caller | None = None,
) -> Made:
    """Measure how often a model answers each item right, and keep a band.

    Asked, read and scored as in an evaluation by ``viva eval``. An unread answer is not right; a
    call that failed is no answer.

    Parameters
    ----------
    examples : sequence of Example
        Several of one item are asked once.
    low, high : float
        Ends of the band, 0..1, both kept. MedVLThinker drops what is right less than once or more
        than 7 times in 16: ``low=1/16, high=7/16``.
    samples : int
        Responses to each item, at least 1.
    temperature : float
        Above 0 where there are several.
    method : str
        One of :data:`METHODS`.
    prompt : str, optional
        Another prompt for the method: a name, or the path of a Jinja file.
    system : str, optional
        The text of a system turn.
    responses : path or polars.DataFrame, optional
        A run folder or an answers file of any known format, in place of calls: made by any method.
    model : str, optional
        Whose responses, where ``responses`` holds several models'.
    seed : int
        From which the seeds of the calls are derived.
    caller : Caller, optional
        The model that is measured, where there are no responses.

    Returns
    -------
    Made
        ``scores`` gain ``pass_rate`` (right / graded), ``pass_count``, ``pass_n`` (graded) and
        ``pass_unread``.

    Raises
    ------
    InputError
        A band that holds nothing; no model and no responses; responses of several models.
    """
    check_share("low", low)
    check_share("high", high)
    if low > high:
        raise InputError(f"the band {low} to {high} holds nothing", mend="Give low <= high")
    settings: dict[str, Any] = {"low": low, "high": high}
    targeted = [each for each in examples if each.item.target is not None]
    failures: Counter[str] = Counter()
    unasked: dict[tuple[str, str], str] = {}
    hashes: dict[tuple[str, str], str] = {}
    if responses is not None:
        spec, label, counts = _recorded(targeted, responses, model)
        settings |= {"responses": _named(responses), "method": label}
    else:
        caller = need_caller(caller, "pass_rate")
        spec, label = caller.spec, method_label(method, set_parameters(method, {}), None)
        settings |= {
            "samples": samples, "temperature": temperature, "method": method, "prompt": prompt,
            "system": system,
        }  # fmt: skip
        chosen = load_prompt(prompt) if prompt is not None else None
        items, requests = [], []
        for item in {_item_key(one): one.item for one in targeted}.values():
            try:
                requests.append(request_for(item, method, chosen, system))
            except InputError as error:
                if method not in METHODS or error.where is None:
                    raise
                unasked[item.benchmark, item.item_id] = error.what
                continue
            items.append(item)
            hashes[item.benchmark, item.item_id] = asked_prompt(item, method, chosen)
        found = caller.replies(
            requests, samples=samples, temperature=temperature, seed=seed, items=items
        )
        counts = {}
        for item, draws in zip(items, found, strict=True):
            counts[item.benchmark, item.item_id] = _count(item, draws)
            for reply in draws:
                if reply.failure:
                    failures[reply.failure] += 1
    kept, dropped = [], []
    spread: Counter[tuple[int, int]] = Counter()
    for example in examples:
        key = _item_key(example)
        if example.item.target is None:
            dropped.append(Dropped(example, NO_TARGET))
            continue
        if key in unasked:
            dropped.append(Dropped(example, NOT_ASKED))
            continue
        count = counts.get(key, _Count(0, 0, 0, 0))
        graded = count.right + count.wrong + count.unread
        if not graded:
            dropped.append(Dropped(example, FAILED if count.failed else NO_RESPONSES))
            continue
        rate = count.right / graded
        spread[graded, count.right] += 1
        scores = {
            "pass_rate": rate, "pass_count": count.right, "pass_n": graded,
            "pass_unread": count.unread,
        }  # fmt: skip
        measured = stepped(
            example, "pass_rate", settings, seed=seed, model=spec, prompt_hash=hashes.get(key),
            scores=dict(example.scores) | scores,
        )  # fmt: skip
        # A hair beside the end is on it: 7/16 given as 0.4375.
        if rate < low - 1e-9:
            dropped.append(Dropped(measured, TOO_LOW))
        elif rate > high + 1e-9:
            dropped.append(Dropped(measured, TOO_HIGH))
        else:
            kept.append(measured)
    total = [sum(column) for column in zip(*counts.values(), strict=True)] or [0, 0, 0, 0]
    return made(
        examples, kept, dropped, model=spec, method=label,
        right_of_graded={f"{right}/{n}": count for (n, right), count in sorted(spread.items())},
        responses=dict(zip(_Count._fields, total, strict=True)),
        failed_calls=dict(sorted(failures.items())),
        cannot_be_asked=dict(sorted(Counter(unasked.values()).items())),
    )  # fmt: skip


def _item_key(example: Example) -> tuple[str, str]:
    return example.item.benchmark, example.item.item_id


def _named(source: Any) -> str:
    return Path(source).name if isinstance(source, (str, os.PathLike)) else "a table"


def _count(item: Item, draws: Sequence[Reply]) -> _Count:
    found = [
        judge(item, one.text, one.finish_reason).status for one in draws if one.text is not None
    ]
    tally = {name: found.count(name) for name in ("right", "wrong", "unread")}
    return _Count(**tally, failed=len(draws) - len(found))


def _recorded(
    examples: Sequence[Example], source: Any, model: str | None
) -> tuple[str, str | None, Mapping[tuple[str, str], _Count]]:
    """Counts from responses that are there: whose, by what method, and how they were read."""
    import polars as pl

    from viva.formats import read_responses
    from viva.records import items_frame
    from viva.scoring import score_responses

    frame = source if isinstance(source, pl.DataFrame) else read_responses(source).responses
    frame = frame.filter(pl.col("probe").is_null())
    models = frame["model"].unique().sort().to_list()
    if model is not None:
        if model not in models:
            raise InputError(
                f"the responses hold none of {model}", mend=did_you_mean(model, models)
            )
        frame = frame.filter(pl.col("model") == model)
    elif len(models) > 1:
        raise InputError(
            f"the responses are of {len(models)} models",
            mend=f"Name one of them as model: {', '.join(models[:8])}",
        )
    if frame.is_empty():
        raise InputError("the responses file holds none to the items themselves")
    methods = frame["method"].drop_nulls().unique().sort().to_list()
    if len(methods) > 1:
        raise InputError(f"the responses are of {len(methods)} methods: {', '.join(methods[:8])}",
                         mend="Give a file with one of them")  # fmt: skip
    items = {_item_key(one): one.item for one in examples}
    scores = score_responses(items_frame(items.values()), frame)
    counts = {key: [0, 0, 0, 0] for key in items}
    for benchmark, item_id, status, value in scores.select(
        "benchmark", "item_id", "status", "value"
    ).iter_rows():
        place = {"parsed": 1, "ungraded": 3}.get(status, 2)
        if status == "parsed" and value is not None and value >= 1:
            place = 0
        counts[benchmark, item_id][place] += 1
    spec = frame["model"][0]
    return spec, methods[0] if methods else None, {k: _Count(*v) for k, v in counts.items()}
