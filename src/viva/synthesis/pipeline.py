"""Steps one after another, in a folder: each finished step is a file, and nothing is done twice.

``NN-step.jsonl.gz`` holds what a step kept, ``dropped-NN-step.jsonl.gz`` what it left out and why.
``manifest.json`` says what was done to what. A pipeline that was cut short goes on at its first
unfinished step; calls of a model that had been answered are not made again.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva._files import sha256
from viva._progress import Advance, Progress, silent
from viva._version import __version__
from viva.errors import InputError
from viva.records import LeftOut
from viva.runs.folder import locked, move
from viva.synthesis._folder import (
    CALLS,
    KIND,
    MANIFEST,
    READ,
    SCHEMA,
    check_folder,
    checked_last,
    file_of,
    last,
    making,
    put,
    read_manifest,
    write_json,
)
from viva.synthesis.example import Example, Provenance, key_of
from viva.synthesis.examples import EXAMPLES, in_folder, read_examples, write_examples
from viva.synthesis.plans import Plan, Planned, read_plan
from viva.synthesis.steps import Made, find_step, settings_of

if TYPE_CHECKING:
    from viva.models.specs import ModelOptions
    from viva.runs.session import Limits
    from viva.synthesis.calling import Caller

__all__ = ["Synthesised", "synthesise"]

_GIVEN = ("seed", "against")
"""Settings that a pipeline gives to the steps that take them and do not say their own."""


@dataclass(frozen=True, slots=True)
class Synthesised:
    """What came of a pipeline."""

    folder: Path
    examples: list[Example]
    """What the last step kept."""
    manifest: Mapping[str, Any]
    """The file ``manifest.json``."""
    card: Mapping[str, Any]
    """The file ``card.json``: see :func:`viva.synthesis.card.data_card`."""
    resumed: int
    """Steps that had been finished before."""


def synthesise(
    steps: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | Plan,
    data: Any,
    out: str | os.PathLike[str],
    *,
    model: str | Caller | None = None,
    against: Sequence[str | os.PathLike[str]] = (),
    seed: int | None = None,
    options: ModelOptions | None = None,
    budget: Limits | None = None,
    progress: Progress = silent,
) -> Synthesised:
    """Run a pipeline of steps over examples, into a folder.

    The same call again goes on at the first step that is not finished, and changes nothing where
    all are. Equal inputs, settings and answers of models give equal files.

    Parameters
    ----------
    steps : path or sequence of mappings
        As :func:`viva.synthesis.read_plan`; none where there is nothing to do but to read.
    data : path, list of paths, or sequence of Example or Item
        As :func:`viva.synthesis.read_examples`.
    out : path
        The folder: new, empty, or of the same pipeline over the same data.
    model : str or Caller, optional
        Spec of the model of steps that name none; or who is asked by all steps.
    against : sequence of str or path
        Evaluation items, for the steps that compare with them.
    seed : int, optional
        In place of the pipeline's.
    options : ModelOptions, optional
        How models are reached.
    budget : Limits, optional
        Most calls, tokens and cost of each model of the pipeline.
    progress : callable
        As :func:`viva._progress.bars`.

    Raises
    ------
    InputError
        As :func:`viva.synthesis.read_plan` and :func:`viva.synthesis.read_examples`; another
        pipeline in the folder, or a file of it that was changed; a step that leaves nothing; what
        a step refuses.
    """
    from viva.synthesis.card import write_card

    spec = model if isinstance(model, str) or model is None else model.spec
    plan = read_plan(steps, model=spec, against=against, seed=seed)
    sources = _sources(data)
    folder = Path(out)
    check_folder(folder)
    with locked(folder):
        begun = _begun(plan, sources)
        manifest = read_manifest(folder, begun)
        if manifest is None:
            manifest = begun | {"read": [], "steps": []}
            examples = _read(sources, manifest, progress)
            put(folder, READ, examples, None)
            manifest["sha256"] = sha256(folder / file_of(READ))
            write_json(folder / MANIFEST, manifest)
            resumed = 0
        else:
            resumed = len(manifest["steps"])
            examples = read_examples(folder / file_of(checked_last(folder, manifest)))
        for number, planned in enumerate(plan.steps[resumed:], resumed + 1):
            title = f"{number}/{len(plan.steps)} {planned.name}"
            with (
                progress(title, None) as advance,
                _caller(folder, planned, model, options, budget, advance) as caller,
            ):
                made = _made(planned, examples, caller, plan.against)
            entry = _entry(number, planned, examples, made)
            name = f"{number:02d}-{planned.name}"
            entry["files"] = put(folder, name, made.kept, made.dropped)
            if not made.kept:
                raise _nothing_left(planned, number, len(examples), entry, folder)
            manifest["steps"].append(entry)
            write_json(folder / MANIFEST, manifest)
            examples = made.kept
        final = folder / file_of(last(manifest))
        if not (folder / EXAMPLES).exists() or sha256(folder / EXAMPLES) != sha256(final):
            with making(folder) as made_in:
                shutil.copyfile(final, made_in / EXAMPLES)
                move(made_in / EXAMPLES, folder / EXAMPLES)
        if not manifest.get("finished"):
            manifest["finished"] = True
            manifest["examples"] = {"file": EXAMPLES, "n": len(examples),
                                    "sha256": sha256(folder / EXAMPLES)}  # fmt: skip
            write_json(folder / MANIFEST, manifest)
        card = write_card(folder, examples, manifest)
    return Synthesised(folder, examples, manifest, card, resumed)


# The data --------------------------------------------------------------------------------------


def _sources(data: Any) -> list[Any]:
    """The sources one by one: paths apart, rows in memory as one."""
    if isinstance(data, (str, os.PathLike)):
        return [data]
    given = list(data)
    if given and all(isinstance(each, (str, os.PathLike)) for each in given):
        return given
    if not given:
        raise InputError("no data", mend="Give at least one file or example")
    return [given]


def _identity(source: Any) -> dict[str, Any]:
    """What tells a source from another: the bytes of files, the name of what is made or fetched."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        file = in_folder(path) if path.is_dir() else path
        if file.exists():
            return {"source": path.name, "sha256": sha256(file)}
        return {"source": str(source)}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "rows.jsonl")
        write_examples(path, read_examples(source))
        return {"source": "rows", "sha256": sha256(path)}


def _files_named(value: Any) -> Iterator[Path]:
    """Files that settings name: what is in them is part of what a step was called with."""
    if isinstance(value, str):
        if len(value) < 4096 and "\0" not in value and Path(value).is_file():
            yield Path(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _files_named(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _files_named(each)


def _begun(plan: Plan, sources: Sequence[Any]) -> dict[str, Any]:
    """The beginning of the manifest: what makes this pipeline this one."""
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "viva": __version__,
        "data": [_identity(source) for source in sources],
        "against": [_identity(source) for source in plan.against],
        "plan": [
            {
                "step": each.name,
                "settings": _resolved(each),
                "files": {path.name: sha256(path) for path in _files_named(each.settings)},
                "model": each.model,
                "seed": each.seed,
            }
            for each in plan.steps
        ],
    }


def _resolved(planned: Planned) -> dict[str, Any]:
    """Every setting of a step, the defaults of this version among them."""
    left = {
        name: each.default
        for name, each in settings_of(find_step(planned.name)).items()
        if name not in _GIVEN and each.default is not inspect.Parameter.empty
    }
    found: dict[str, Any] = _plain(left | dict(planned.settings))
    return found


def _plain(value: Any) -> Any:
    """Settings as JSON gives them back."""
    return json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)


def _read(sources: Sequence[Any], manifest: dict[str, Any], progress: Progress) -> list[Example]:
    examples: list[Example] = []
    with progress("reading", len(sources)) as advance:
        for source in sources:
            left_out: list[LeftOut] = []
            found = read_examples(source, left_out=left_out)
            reasons = Counter(each.reason for each in left_out)
            manifest["read"].append({"n": len(found), "left_out": dict(sorted(reasons.items()))})
            examples += found
            advance(1)
    if not examples:
        raise InputError("no examples", mend="Give data with at least one row")
    return examples


# A step ----------------------------------------------------------------------------------------


@contextmanager
def _caller(
    folder: Path,
    planned: Planned,
    model: Any,
    options: ModelOptions | None,
    budget: Limits | None,
    advance: Advance,
) -> Iterator[Any]:
    """Who the step asks; None where it asks nobody."""
    if planned.model is None:
        yield None
        return
    if model is not None and not isinstance(model, str) and planned.model == model.spec:
        yield model
        return
    from viva.synthesis.calling import open_caller

    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", planned.model).strip("-.")[:80]
    (folder / CALLS).mkdir(exist_ok=True)
    journal = folder / CALLS / f"{slug}.jsonl"
    with open_caller(planned.model, journal, options, budget=budget) as caller:
        caller.advance = advance
        yield caller


def _made(
    planned: Planned, examples: Sequence[Example], caller: Any, against: Sequence[str]
) -> Made:
    """What the step makes, each example with the step in its provenance and none lost."""
    function: Callable[..., Made] = find_step(planned.name).load()
    taken = inspect.signature(function).parameters
    given: dict[str, Any] = dict(planned.settings)
    if "seed" in taken:
        given["seed"] = planned.seed
    if "caller" in taken:
        given["caller"] = caller
    if "against" in taken and "against" not in given:
        given["against"] = tuple(against)
    try:
        made = function(list(examples), **given)
    except InputError as error:
        where = f"{planned.place}: {error.where}" if error.where else planned.place
        raise InputError(f"{planned.name}: {error.what}", where=where, mend=error.mend) from None
    kept = [_with_provenance(example, planned) for example in made.kept]
    there = {key_of(each)[:2] for each in kept} | {key_of(d.example)[:2] for d in made.dropped}
    lost = [key_of(each) for each in examples if key_of(each)[:2] not in there]
    if lost and not _renames(made):
        raise InputError(
            f"{planned.name} neither kept nor dropped {len(lost)} of {len(examples)} examples "
            f"(first: {lost[0][0]}/{lost[0][1]})",
            where=planned.place, mend="The step must account for every example",
        )  # fmt: skip
    return Made(kept, list(made.dropped), _plain(made.report))


def _renames(made: Made) -> bool:
    """Whether the step says that it makes items of its own out of those that it was given."""
    return bool(made.report.get("new_items"))


def _with_provenance(example: Example, planned: Planned) -> Example:
    if example.provenance and example.provenance[-1].step == planned.name:
        return example
    step = Provenance(planned.name, _plain(planned.settings), planned.model, seed=planned.seed)
    return replace(example, provenance=(*example.provenance, step))


def _entry(number: int, planned: Planned, before: Sequence[Example], made: Made) -> dict[str, Any]:
    """The step in the manifest: counts, per source and reason, and what it reports of itself."""
    sources: dict[str, dict[str, Any]] = {}

    def of(source: str) -> dict[str, Any]:
        return sources.setdefault(source, {"in": 0, "kept": 0, "dropped": {}})

    for example in before:
        of(example.source)["in"] += 1
    for example in made.kept:
        of(example.source)["kept"] += 1
    for each in made.dropped:
        reasons = of(each.example.source)["dropped"]
        reasons[each.reason] = reasons.get(each.reason, 0) + 1
    reasons = Counter(each.reason for each in made.dropped)
    return {
        "number": number,
        "step": planned.name,
        "viva": __version__,
        "in": len(before),
        "kept": len(made.kept),
        "dropped": dict(sorted(reasons.items())),
        "sources": dict(sorted(sources.items())),
        "report": made.report,
    }


def _nothing_left(
    planned: Planned, number: int, n: int, entry: Mapping[str, Any], folder: Path
) -> InputError:
    why = ", ".join(f"{count} {reason}" for reason, count in entry["dropped"].items())
    listed = folder / file_of(f"dropped-{number:02d}-{planned.name}")
    return InputError(
        f"step {number} ({planned.name}) left none of {n} examples: {why or 'none was made'}",
        where=planned.place,
        mend=f"Loosen its settings and name another --out; the rows are in {listed}",
    )
