"""Suites: a TOML file of models, benchmarks and methods, and the runs that it stands for.

Every combination is a run of its own, in a folder of its own below ``out``, and continues by
itself: a suite that was cut short is continued by starting it again. Paths in a suite are those of
the command line: relative to the folder in which it is started.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from viva import _plugins, methods
from viva._files import check_file
from viva._files.toml import at_key, place_of, read_toml
from viva.benchmarks import canonical_name
from viva.errors import InputError, did_you_mean
from viva.models import Sampling
from viva.models.budget import Prices
from viva.models.retrying import Retry
from viva.models.specs import BACKENDS, ModelOptions, open_model
from viva.runs.planning import BUNDLED, names_a_file
from viva.runs.session import Limits

__all__ = [
    "BenchmarkEntry",
    "Job",
    "MethodEntry",
    "ModelEntry",
    "Suite",
    "benchmark_name",
    "check_benchmark",
    "check_spec",
    "folder_name",
    "jobs",
    "model_name",
    "one_job",
    "prices",
    "read_suite",
]

_Count = Annotated[int, Field(ge=1)]
_Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Drawing(_Entry):
    """How tokens are drawn: for the suite, or for one model of it."""

    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_completion_tokens: _Count | None = None
    stop: str | list[str] | None = None
    extra: dict[str, Any] | None = None


class ModelEntry(_Drawing):
    """``[[models]]``: a model and how it is reached."""

    spec: Annotated[str, Field(min_length=1)]
    name: str | None = None
    base_url: str | list[str] | None = None
    api_key_env: str | None = None
    api: Literal["auto", "chat", "completions"] | None = None
    chat_template: str | None = None
    timeout: _Seconds | None = None
    max_connections: _Count | None = None
    device: str | None = None
    dtype: str | None = None
    batch_size: _Count | None = None
    modalities: list[Literal["image", "audio", "video"]] | None = None
    price_input: _Money | None = None
    price_output: _Money | None = None


class BenchmarkEntry(_Entry):
    """``[[benchmarks]]``: a benchmark's name, or an items file."""

    source: Annotated[str, Field(min_length=1)]
    limit: _Count | None = None
    images: str | None = None
    """The folder of the images that its rows name."""


class MethodEntry(BaseModel):
    """``[[methods]]``: a method; further keys are its parameters."""

    model_config = ConfigDict(extra="allow", strict=True)

    name: Annotated[str, Field(min_length=1)]
    prompt: str | None = None


def _default_methods() -> list[MethodEntry]:
    return [MethodEntry(name="cot")]


class Suite(_Drawing):
    """A suite file."""

    out: str = "viva-runs"
    samples: _Count = 1
    limit: _Count | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    text_only_items: bool = False
    images: str | None = None
    max_connections: _Count | None = None
    timeout: _Seconds | None = None
    retries: Annotated[int, Field(ge=0)] | None = None
    max_calls: _Count | None = None
    """Of each run, as the other two limits."""
    max_tokens: _Count | None = None
    max_cost: _Money | None = None
    models: Annotated[list[ModelEntry], Field(min_length=1)]
    benchmarks: Annotated[list[BenchmarkEntry], Field(min_length=1)]
    methods: Annotated[list[MethodEntry], Field(min_length=1, default_factory=_default_methods)]


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a suite."""

    name: str
    """Of its folder."""
    arguments: Mapping[str, Any] = field(repr=False)
    """For :func:`viva.evaluate`."""

    @property
    def folder(self) -> Path:
        """Where it is written."""
        return Path(self.arguments["out"])


def read_suite(path: Path) -> Suite:
    """Read and check a suite file; nothing is called or loaded.

    Raises
    ------
    InputError
        With the line, where a key is unknown ("did you mean"), missing or of a wrong value, a
        method or a parameter of it is unknown, or two runs would share a folder.
    """
    text, given = read_toml(path, "suite")
    try:
        suite = Suite.model_validate(given)
    except ValidationError as error:
        raise _explain(error, path, text) from None
    for at, model in enumerate(suite.models):
        with at_key(path, text, ("models", at, "spec")):
            check_spec(model.spec)
    for at, benchmark in enumerate(suite.benchmarks):
        with at_key(path, text, ("benchmarks", at, "source")):
            check_benchmark(benchmark.source)
    for at, entry in enumerate(suite.methods):
        try:
            methods.set_parameters(entry.name, entry.model_extra or {})
            if entry.prompt is not None:
                methods.load_prompt(entry.prompt)
        except InputError as error:
            key = next((k for k in entry.model_extra or {} if k in error.what), "name")
            where = place_of(path, text, ("methods", at, key))
            raise InputError(error.what, where=where, mend=error.mend) from None
    named = [job.name for job in jobs(suite)]
    if twice := next((name for name in named if named.count(name) > 1), None):
        raise InputError(
            f"two runs would share the folder {twice}",
            where=str(path),
            mend="Give one of the models another name, or leave one of two equal entries out",
        )
    return suite


def check_spec(spec: str) -> None:
    """Refuse a model whose back-end there is not; nothing is opened.

    Raises
    ------
    InputError
        With what it may have been meant to be.
    """
    name, _, rest = spec.partition("/")
    if not rest.strip() or name not in {*BACKENDS, *_plugins.names("backend")}:
        open_model(spec)  # which says what is wrong


def check_benchmark(source: str) -> None:
    """Refuse the name of a benchmark that there is not, and the path of no file.

    Raises
    ------
    InputError
        With what it may have been meant to be.
    """
    if source == BUNDLED or source.startswith(("hub:", "made:")) or Path(source).exists():
        return
    if names_a_file(source):
        check_file(source)
    canonical_name(source)


_KINDS: dict[str, type[BaseModel]] = {
    "models": ModelEntry,
    "benchmarks": BenchmarkEntry,
    "methods": MethodEntry,
}


def _explain(error: ValidationError, path: Path, text: str) -> InputError:
    """The first defect, as one line that says where it is and what would be right."""
    first = error.errors(include_url=False)[0]
    # A place inside a union ends with the branch that was tried: not a key of the file.
    found = tuple(part for part in first["loc"] if part not in ("str", "list[str]"))
    where = place_of(path, text, found)
    key = str(found[-1]) if found else ""
    table = str(found[0]) if len(found) > 1 else None
    known = list(_KINDS.get(table or "", Suite).model_fields)
    if first["type"] == "extra_forbidden":
        return InputError(f"unknown key {key!r}", where=where, mend=did_you_mean(key, known))
    if first["type"] == "missing":
        table_name = f"[[{table}]]" if table else "the suite"
        if key in _KINDS:
            return InputError(f"there is no [[{key}]]", where=where, mend=f"Add a [[{key}]]")
        return InputError(f"{table_name} has no {key}", where=where, mend=f"Add {key} = ...")
    return InputError(f"{key}: {first['msg']}", where=where, mend="Mend the value")


def model_name(spec: str, name: str | None = None) -> str:
    """What a model is called in the name of a folder: its name, or the last part of its spec."""
    return name or spec.rstrip("/").rpartition("/")[2]


def benchmark_name(source: str) -> str:
    """What a benchmark is called in the name of a folder: without folders and endings."""
    last = source.rstrip("/").rpartition("/")[2].removeprefix("hub:")
    return re.sub(r"(\.(jsonl|ndjson|json|csv|tsv|parquet|gz))+$", "", last, flags=re.I) or last


def folder_name(*parts: str) -> str:
    """``model--benchmark--method``, of characters that every file system takes."""
    safe = [re.sub(r"[^\w.=+-]+", "-", part).strip("-.")[:80] or "x" for part in parts]
    return "--".join(safe)


def jobs(suite: Suite) -> list[Job]:
    """The runs of a suite: every model with every benchmark and every method, in that order."""
    return [
        one_job(
            suite,
            model,
            benchmark.source,
            method.name,
            parameters=method.model_extra or {},
            prompt=method.prompt,
            limit=benchmark.limit or suite.limit,
            images=benchmark.images or suite.images,
        )
        for model in suite.models
        for benchmark in suite.benchmarks
        for method in suite.methods
    ]


def one_job(
    suite: Suite,
    model: ModelEntry,
    benchmark: str | list[str],
    method: str,
    *,
    parameters: Mapping[str, Any],
    prompt: str | None = None,
    limit: int | None = None,
    images: str | os.PathLike[str] | None = None,
    out: Path | None = None,
) -> Job:
    """One model with one benchmark and one method: of a suite, or of the command line.

    Parameters
    ----------
    suite : Suite
        What holds for every run; its lists are not looked at.
    model : ModelEntry
        The model, how it is reached, and what it sets otherwise than the suite.
    benchmark : str or list of str
        Its name or an items file; several as a list.
    method : str
        A name of :data:`viva.methods.METHODS`.
    parameters : mapping
        Of the method, as they were given.
    prompt, limit, images, out
        As for :func:`viva.evaluate`; by default the folder is named after the parts, below that of
        the suite.

    Raises
    ------
    InputError
        A method, parameter or prompt that cannot be used.
    """
    label = methods.method_label(
        method,
        methods.set_parameters(method, parameters),
        methods.load_prompt(prompt) if prompt is not None else None,
    )
    sources = [benchmark] if isinstance(benchmark, str) else benchmark
    name = folder_name(
        model_name(model.spec, model.name), "+".join(map(benchmark_name, sources)), label
    )
    options: dict[str, Any] = {
        "name": model.name,
        "base_urls": _several(model.base_url),
        "api_key_env": model.api_key_env,
        "api": model.api,
        "chat_template": model.chat_template,
        "timeout": model.timeout or suite.timeout,
        "device": model.device,
        "dtype": model.dtype,
        "batch_size": model.batch_size,
        "modalities": None if model.modalities is None else tuple(model.modalities),
    }
    drawing: dict[str, Any] = {
        key: value
        for key in _Drawing.model_fields
        if (value := getattr(model, key)) is not None or (value := getattr(suite, key)) is not None
    }
    if "stop" in drawing:
        drawing["stop"] = _several(drawing["stop"])
    arguments: dict[str, Any] = {
        "model": model.spec,
        "benchmark": sources[0] if len(sources) == 1 else sources,
        "method": method,
        "out": out or Path(suite.out) / name,
        "options": ModelOptions(**{k: v for k, v in options.items() if v is not None}),
        "sampling": Sampling(**drawing),
        "parameters": parameters,
        "prompt": prompt,
        "samples": suite.samples,
        "limit": limit,
        "max_connections": model.max_connections or suite.max_connections,
        "seed": suite.seed,
        "text_only_items": suite.text_only_items,
        "images": images,
        "budget": Limits(suite.max_calls, suite.max_tokens, suite.max_cost),
        "retry": None if suite.retries is None else Retry(tries=suite.retries + 1),
        "prices": prices(model.price_input, model.price_output),
    }
    return Job(name, arguments)


def _several(given: str | list[str] | None) -> tuple[str, ...]:
    """What may be given as one or as a list of them."""
    return (given,) if isinstance(given, str) else tuple(given or ())


def prices(read: float | None, written: float | None) -> Prices | None:
    """Prices of a million input and output tokens; None where neither is given."""
    if read is None and written is None:
        return None
    return Prices(read or 0.0, written or 0.0)
