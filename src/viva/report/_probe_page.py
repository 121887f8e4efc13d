"""The page of `viva probe analyse`: the robustness chapter by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from viva._probe_summary import ProbeChapter, ProbeSummary
from viva.report import _pushback
from viva.report._render import cleaned, cleaner, environment, frame, write_page
from viva.report._tables import Column, table

__all__ = ["render_probes", "write_probes"]


def render_probes(
    summary: Mapping[str, Any], *, flips: Sequence[Mapping[str, Any]] | None = None
) -> str:
    """The page for a summary of probes.

    Parameters
    ----------
    summary : mapping
        What the `summary.json` of `viva probe analyse` holds.
    flips : sequence of mappings, optional
        As for :func:`viva.report.render`.

    Returns
    -------
    str
        A complete HTML document; every string is cleaned, bounded and escaped.

    Raises
    ------
    pydantic.ValidationError
        If the summary has not the shape of :class:`viva._probe_summary.ProbeSummary`.
    """
    read = ProbeSummary.model_validate(summary)
    shown = cleaner(list(read.models))
    clean = ProbeSummary.model_validate(cleaned(read.model_dump(mode="json"), shown))
    chapter = ProbeChapter(
        models=clean.models, method_changes={}, refused=clean.refused, notes=clean.notes
    )
    columns = (Column("file"), Column("reason"), Column("rows", "count"), Column("examples"))
    page: str = (
        environment()
        .get_template("probes.html")
        .render(
            s=clean,
            **frame(),
            headline=_pushback.headline(chapter),
            rule=_pushback.RULE,
            pushback=_pushback.chapter(chapter, [cleaned(dict(f), shown) for f in flips or []]),
            left_out=table(
                "left_out",
                "Rows that were left out, and why.",
                columns,
                [(r.file, r.reason, r.rows, ", ".join(r.examples)) for r in clean.left_out],
            ),
        )
    )
    return page


def write_probes(
    summary: Mapping[str, Any],
    out: Path | str,
    *,
    flips: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    """Write `report.html` of an analysis of probes in a folder, whole or not at all.

    Parameters
    ----------
    summary, flips
        As for :func:`render_probes`.
    out : path
        The folder, made if absent.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    return write_page(render_probes(summary, flips=flips), Path(out))
