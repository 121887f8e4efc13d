"""Weights on disk: one ``.npz`` of plain arrays per definition, read without pickle."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from viva.errors import InputError
from viva.strata.features import Vocabulary
from viva.strata.model import Design, Model, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Labelled", "Weights", "load", "save", "shipped"]

FORMAT = 1
_LARGEST = 200_000_000
"""Bytes of one array; more is not a splitter."""


class Labelled(NamedTuple):
    """The training questions, with what models that had not seen them say."""

    stem: NDArray[np.str_]
    """Stem hash. Shape (N,)."""
    benchmark: NDArray[np.str_]
    part: NDArray[np.str_]
    item_id: NDArray[np.str_]
    reasoning: NDArray[np.float64]
    """Share of annotators who said reasoning; 0.5 a tie. Shape (N,)."""
    scored: NDArray[np.bool_]
    """Whether the question enters evaluation. Shape (N,)."""
    words: NDArray[np.int64]
    aged: NDArray[np.bool_]
    """Whether the stem says how old somebody is."""
    p: dict[str, NDArray[np.float64]]
    """View -> cross-fitted probability. Shape (N,)."""
    baseline: dict[str, NDArray[np.float64]]
    """View -> cross-fitted score of the TF-IDF baseline. Shape (N,)."""


class Weights(NamedTuple):
    """Everything that one definition needs."""

    definition: str
    models: dict[str, Model]
    """View -> model."""
    labelled: Labelled
    about: dict[str, Any]
    """Settings, versions and seed of the training."""


_TEXTS = ("stem", "benchmark", "part", "item_id")


def save(weights: Weights, path: str | os.PathLike[str]) -> None:
    """Write weights; equal weights give equal bytes."""
    arrays: dict[str, Any] = {}
    meta: dict[str, Any] = {
        "format": FORMAT,
        "definition": weights.definition,
        "about": weights.about,
        "models": {},
    }
    vocabularies: dict[str, NDArray[np.uint8]] = {}
    for view, model in weights.models.items():
        design = model.design
        meta["models"][view] = {
            "settings": asdict(design.settings),
            "cues": design.cues,
            "medians": list(model.medians),
            "mean": model.mean,
            "slope": model.slope,
            "intercept": model.intercept,
            "fields": [v.field for v in design.vocabularies],
        }
        for v, w in zip(design.vocabularies, model.weights, strict=True):
            text = np.frombuffer("\n".join(v.at).encode(), np.uint8)
            known = vocabularies.setdefault(v.field, text)
            if not np.array_equal(known, text):
                raise InputError(f"two vocabularies for {v.field}", mend="Train views together")
            arrays[f"grams/{v.field}"] = text
            arrays[f"idf/{v.field}"] = v.idf.astype(np.float16)
            arrays[f"{view}/weights/{v.field}"] = w.astype(np.float16)
        arrays[f"{view}/centre"], arrays[f"{view}/spread"] = design.centre, design.spread
        arrays[f"{view}/support"], arrays[f"{view}/dual"] = model.support, model.dual
        arrays[f"{view}/p"] = weights.labelled.p[view].astype(np.float32)
        arrays[f"{view}/baseline"] = weights.labelled.baseline[view].astype(np.float32)
    for name in _TEXTS:
        joined = "\n".join(getattr(weights.labelled, name))
        arrays[f"labelled/{name}"] = np.frombuffer(joined.encode(), np.uint8)
    for name in ("reasoning", "scored", "words", "aged"):
        arrays[f"labelled/{name}"] = getattr(weights.labelled, name)
    arrays["meta"] = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), np.uint8)
    packed = io.BytesIO()
    # numpy dates every entry 1980, so the bytes depend on the arrays alone.
    np.savez_compressed(packed, **arrays)
    Path(path).write_bytes(packed.getvalue())


def load(path: str | os.PathLike[str]) -> Weights:
    """Read weights. Nothing in the file is executed: arrays and JSON only.

    Raises
    ------
    InputError
        Where the file is not one that :func:`save` wrote.
    """
    where, mend = os.fspath(path), "Give a weights file written by `viva strata train`"
    try:
        with zipfile.ZipFile(path) as archive:
            if any(entry.file_size > _LARGEST for entry in archive.infolist()):
                raise InputError("weights are too large", where=where, mend=mend)
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        meta = json.loads(bytes(arrays["meta"]))
        if meta["format"] != FORMAT:
            raise InputError(f"unknown weights format {meta['format']}", where=where, mend=mend)
        return _weights(arrays, meta)
    except FileNotFoundError as error:
        raise InputError("no such file", where=where, mend=mend) from error
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("not a weights file", where=where, mend=mend) from error


def _lines(array: NDArray[Any]) -> list[str]:
    return bytes(array).decode().split("\n")


def _weights(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> Weights:
    vocabulary: dict[str, Vocabulary] = {}
    models: dict[str, Model] = {}
    for view, about in meta["models"].items():
        for field in about["fields"]:
            if field not in vocabulary:
                grams = _lines(arrays[f"grams/{field}"])
                idf = arrays[f"idf/{field}"].astype(np.float32)
                vocabulary[field] = Vocabulary(field, {g: i for i, g in enumerate(grams)}, idf)
        design = Design(
            view,
            Settings(**about["settings"]),
            tuple(vocabulary[field] for field in about["fields"]),
            arrays[f"{view}/centre"],
            arrays[f"{view}/spread"],
            int(about["cues"]),
        )
        models[view] = Model(
            design,
            tuple(arrays[f"{view}/weights/{f}"].astype(np.float32) for f in about["fields"]),
            arrays[f"{view}/support"],
            arrays[f"{view}/dual"],
            tuple(about["medians"]),
            about["mean"],
            about["slope"],
            about["intercept"],
        )
    texts = {name: np.array(_lines(arrays[f"labelled/{name}"]), np.str_) for name in _TEXTS}
    labelled = Labelled(
        **texts,
        reasoning=arrays["labelled/reasoning"],
        scored=arrays["labelled/scored"],
        words=arrays["labelled/words"],
        aged=arrays["labelled/aged"],
        p={view: arrays[f"{view}/p"].astype(np.float64) for view in models},
        baseline={view: arrays[f"{view}/baseline"].astype(np.float64) for view in models},
    )
    return Weights(meta["definition"], models, labelled, dict(meta["about"]))


@cache
def shipped(definition: str) -> Weights:
    """The weights that come with the package."""
    from importlib.resources import as_file

    with as_file(files("viva.strata").joinpath(f"weights/{definition}.npz")) as path:
        return load(path)
