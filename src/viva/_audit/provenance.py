"""What made the numbers: settings, versions, hashes, and the card of the splitter."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva._audit.inputs import BUNDLED, SAMPLE
from viva._audit.strata import GIVEN
from viva._files import sha256
from viva._summary import Interval, Settings, Splitter
from viva._version import __version__
from viva.analysis import TIE_MARGIN

if TYPE_CHECKING:
    from viva._audit.inputs import Inputs
    from viva._audit.strata import Strata

__all__ = ["command_line", "package_versions", "settings_of", "shipped_hashes", "splitter_card"]

_WORDS = {
    "rubric": "Reasoning = two or more linked inferences lead from the stem to the key, or one "
    "that integrates a real differential, a calculation or data; length does not count.",
    "medxpertqa": "Reasoning as MedXpertQA labels it: reasoning-heavy questions against recall "
    "and perception; the labels on which the original splitter was trained.",
}
_CAUTIONS = {
    "rubric": "The labels come from a language model that followed a written rubric, not from "
    "clinicians; two passes agree at kappa 0.96, with MedXpertQA's own labels on 75 % of 40 "
    "questions.",
    "medxpertqa": "The labels come from a language model; experts found about 6 % of a sample "
    "wrong. On these labels question length alone gets close to the published accuracy.",
    GIVEN: "The labels are those of the items file; how they were made is not known here.",
}
_WORLD = (
    "The labels are those of a made-up world and follow from how its items were made: one fact of "
    "its book answers a knowledge item, and only a chain of them a reasoning item."
)
RATING_RESAMPLES = 500
"""Resamples of the intervals of the splitter's own measures."""
_PACKAGES = ("numpy", "scipy", "scikit-learn", "polars")


def splitter_card(strata: Strata) -> Splitter:
    """The definition in force and how well its classifier knows it."""
    measures: dict[str, dict[str, Interval]] = {}
    labelled = None
    if strata.definition != GIVEN:
        from viva import strata as splitter

        found = splitter.evaluate(
            strata.definition,
            text_view=strata.text_view,
            threshold=strata.threshold,
            resamples=RATING_RESAMPLES,
        )
        labelled = found["n"]
        for method, values in found["methods"].items():
            for measure, value in values.items():
                measures.setdefault(measure, {})[method] = Interval(**value)
    return Splitter(
        definition=strata.definition,
        definition_in_words=_WORDS.get(
            strata.definition, f"Labels given with the items, under the name {strata.name!r}."
        ),
        caution=_WORLD if strata.name == "world" else _CAUTIONS[strata.definition],
        text_view=strata.text_view,
        threshold=strata.threshold,
        labelled_items=labelled,
        measures=measures,
        cross_fitted=float(strata.cross_fitted.mean()) if strata.definition != GIVEN else None,
    )


def settings_of(
    inputs: Inputs, strata: Strata, settings: Mapping[str, Any], *, strict: bool
) -> Settings:
    """All that is needed to get the same numbers again."""
    assert inputs.scoring is not None
    return Settings(
        viva=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command_line(),
        answers=inputs.answer_sources,
        items=inputs.item_sources,
        labels=strata.name,
        threshold=strata.threshold,
        text_view=strata.text_view,
        resamples=settings["resamples"],
        seed=settings["seed"],
        strict=strict,
        level=0.95,
        smallest_side=20,
        tie_margin=TIE_MARGIN,
        metric=inputs.scoring.asked,
        metrics=inputs.scoring.names(),
        measure=inputs.scoring.measure(),
        versions=package_versions(),
        hashes={str(path): sha256(path) for path in inputs.files} | shipped_hashes(inputs, strata),
    )


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that make numbers."""
    versions = {package: metadata.version(package) for package in _PACKAGES}
    return {"python": platform.python_version(), **versions}


def shipped_hashes(inputs: Inputs, strata: Strata) -> dict[str, str]:
    """Hashes of what came with the package and was used, by its place in the package."""
    import viva

    used = []
    if SAMPLE in inputs.answer_sources:
        used += ["benchmarks/sample/predictions.parquet", "benchmarks/sample/completions.parquet"]
    if BUNDLED in inputs.item_sources:
        used.append("benchmarks/sample/items.parquet")
    if strata.definition != GIVEN:
        used.append(f"strata/weights/{strata.definition}.npz")
    package = Path(viva.__file__).parent
    return {f"viva/{name}": sha256(package / name) for name in used}


def command_line() -> str | None:
    """The command line, where one started this."""
    if not sys.argv or not sys.argv[0].endswith(("viva", "__main__.py")):
        return None
    return shlex.join(["viva", *sys.argv[1:]])
