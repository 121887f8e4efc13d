"""Pipelines as people write them: which steps, with which settings, checked before any of it runs.

A pipeline is a TOML file (``[[steps]]``, each with ``step`` and its settings) or a list of the same
tables. A slip is told with the file and line.
"""

from __future__ import annotations

import collections.abc
import inspect
import os
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viva._files import check_file
from viva._files.toml import place_of, read_toml
from viva.errors import InputError, did_you_mean
from viva.synthesis.steps import Step, find_step, settings_of

__all__ = ["Plan", "Planned", "read_plan"]

NO_MODEL = "none"
"""What an entry says for ``model`` where a step is to do without the pipeline's."""

_OWN = ("step", "model")
"""Keys of an entry that are no settings of its step."""

_TOP = ("steps", "model", "seed", "against")
"""Keys of a pipeline file."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One step of a plan."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    """Spec of the model that the step asks; None where it has none."""
    seed: int = 0
    place: str | None = None
    """Where it is written: file and line."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order, and what they share."""

    steps: tuple[Planned, ...] = ()
    against: tuple[str, ...] = ()
    """Evaluation items, for steps that take them and name none of their own."""


def read_plan(
    source: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | Plan,
    *,
    model: str | None = None,
    against: Sequence[str | os.PathLike[str]] = (),
    seed: int | None = None,
) -> Plan:
    """Read and check a pipeline; no step runs and no model is opened.

    Parameters
    ----------
    source : path or sequence of mappings
        A TOML file, or its ``[[steps]]``: ``{"step": NAME, <settings>}``.
    model : str, optional
        For every step that takes a model and names none; before that of the file.
    against : sequence of str or path
        Evaluation items beside those of the file.
    seed : int, optional
        In place of the file's, which is 0 where it says none.

    Raises
    ------
    InputError
        No such step ("did you mean"), a setting that the step does not take or of another type, a
        step that needs a model without one, a file that is no pipeline; each with its line.
    """
    if isinstance(source, Plan):
        return source
    file, text, given = _given(source)

    def place(*loc: Any) -> str | None:
        if file is not None:
            return place_of(file, text, loc)
        return f"step {loc[1] + 1}" if len(loc) > 1 and isinstance(loc[1], int) else None

    if model is None:
        model = _typed(given.get("model"), str, "model", place("model"))
    if seed is None:
        seed = _typed(given.get("seed"), int, "seed", place("seed"))
    listed = given.get("against", [])
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise InputError(
            "against is no list of texts", where=place("against"), mend='Such as ["medqa.jsonl"]'
        )
    entries = given.get("steps", [])
    if not isinstance(entries, list) or not all(isinstance(each, Mapping) for each in entries):
        raise InputError("steps are no tables", where=place("steps"), mend="Write [[steps]]")
    planned = [_planned(entry, at, model, seed or 0, place) for at, entry in enumerate(entries)]
    return Plan(tuple(planned), (*listed, *(os.fspath(each) for each in against)))


def _given(source: Any) -> tuple[Path | None, str, dict[str, Any]]:
    if not isinstance(source, (str, os.PathLike)):
        return None, "", {"steps": [dict(each) for each in source]}
    file = check_file(source)
    text, given = read_toml(file, "pipeline")
    for name in given:
        if name not in _TOP:
            loc = (name, 0) if isinstance(given[name], list) else (name,)
            raise InputError(
                f"unknown key {name!r}", where=place_of(file, text, loc),
                mend=did_you_mean(name, _TOP),
            )  # fmt: skip
    return file, text, given


def _typed(value: Any, kind: type, name: str, where: str | None) -> Any:
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise InputError(f"{name} is no {_WORDS[kind]}", where=where, mend=f"Give {name} one")
    return value


_WORDS = {str: "text", int: "whole number"}


def _planned(
    entry: Mapping[str, Any], at: int, model: str | None, seed: int, place: Any
) -> Planned:
    name = entry.get("step")
    if not isinstance(name, str):
        raise InputError("a step without a name", where=place("steps", at), mend='Add step = "..."')
    try:
        step = find_step(name)
    except InputError as error:
        raise InputError(error.what, where=place("steps", at, "step"), mend=error.mend) from None
    taken = settings_of(step)
    settings: dict[str, Any] = {}
    for key, value in entry.items():
        where = place("steps", at, key)
        if key in _OWN:
            continue
        if key not in taken:
            raise InputError(
                f"{name} takes no setting {key!r}", where=where,
                mend=did_you_mean(key, taken) if taken else "It takes none",
            )  # fmt: skip
        settings[key] = _checked(step, name, key, value, where)
    own = _typed(entry.get("model"), str, "model", place("steps", at, "model"))
    asks = "caller" in inspect.signature(step.load()).parameters
    if settings.get("responses") is not None:  # the answers of a model instead of the model
        if own is not None and "model" in taken:
            settings["model"] = own
        asks, own = False, None
    elif own not in (None, NO_MODEL) and not asks:
        raise InputError(
            f"{name} asks no model", where=place("steps", at, "model"), mend="Leave model out"
        )
    spec = (own or model) if asks else None
    spec = None if spec == NO_MODEL else spec
    if asks and spec is None and (step.needs_model or "responses" in taken):
        raise InputError(
            f"{name} needs a model", where=place("steps", at, "step"),
            mend='Give --model SPEC, or model = "SPEC" in the step'
            + (", or a file of responses" if "responses" in taken else ""),
        )  # fmt: skip
    return Planned(name, settings, spec, settings.get("seed", seed), place("steps", at, "step"))


def _checked(step: Step, name: str, key: str, value: Any, where: str | None) -> Any:
    """The value as the function's annotation wants it; as it is where that cannot be told."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError
    from pydantic.errors import PydanticUserError

    function = step.load()
    try:
        # One annotation at a time: others may name what is only imported for type checkers.
        one = types.SimpleNamespace(__annotations__={key: function.__annotations__.get(key, Any)})
        known = vars(collections.abc) | vars(typing) | getattr(function, "__globals__", {})
        hint = typing.get_type_hints(one, known)[key]
        adapter = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except (NameError, TypeError, PydanticUserError):
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"{name}: {key} is {value!r}: {first['msg'].lower()}", where=where,
            mend="Mend the value; `viva synthesise --list` shows the settings",
        ) from None  # fmt: skip
