"""What runs of probes hold beside answers: refusals, starts; and the flips that teach most."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva._audit.inputs import as_sources
from viva.records import LETTERS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["flips", "refused_items", "refused_notes", "starts_of"]

EXAMPLES = 12
LONGEST_TEXT = 4_000
"""Characters of a text that are kept."""
Starts = Mapping[tuple[str, str, str], str]


def _runs(given: tuple[object, ...]) -> list[Path]:
    """The run folders among sources."""
    from viva.formats.run import is_run

    paths = {Path(s) for side in given for s in as_sources(side) if isinstance(s, str | Path)}
    return sorted(path for path in paths if is_run(path))


def refused_items(*given: object) -> dict[str, dict[str, int]]:
    """Items to which a probe does not apply, as the run folders among the sources say."""
    from viva.formats.run import read_refused

    found: dict[str, dict[str, int]] = {}
    for path in _runs(given):
        table = read_refused(path)
        if table is None:
            continue
        for name, reason, count in table.group_by("probe", "reason").len().sort("*").iter_rows():
            reasons = found.setdefault(name, {})
            reasons[reason] = reasons.get(reason, 0) + count
    return found


def refused_notes(refused: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A sentence for each probe that does not apply to some items."""
    return [
        f"{name} does not apply to {sum(reasons.values())} items: "
        + ", ".join(f"{reason} ({count})" for reason, count in reasons.items())
        + "."
        for name, reasons in refused.items()
    ]


def starts_of(*given: object) -> dict[tuple[str, str, str], str]:
    """What was put before the model, or changed, in runs: (benchmark, item_id, probe) -> words."""
    from viva.formats.run import read_variants

    found: dict[tuple[str, str, str], str] = {}
    for path in _runs(given):
        table = read_variants(path)
        if table is None:
            continue
        columns = ("benchmark", "item_id", "probe", "start", "note")
        for benchmark, item, probe, start, note in table.select(columns).iter_rows():
            if start or note:
                found[benchmark, item, probe] = start or note
    return found


def flips(
    pairs: pl.DataFrame, items: pl.DataFrame, controls: Collection[str], starts: Starts
) -> list[dict[str, Any]]:
    """The answers lost that teach most, by :data:`viva.report.FLIP_RULE`.

    Parameters
    ----------
    pairs : polars.DataFrame
        As in :class:`viva._audit.pairing.PairedInputs`, with ``stratum``.
    items : polars.DataFrame
        The answered items.
    controls : collection of str
        Probes that are control arms.
    starts : mapping
        From :func:`starts_of`.

    Returns
    -------
    list of dict
        ``model, probe, benchmark, item_id, stratum, question, options, key, cue, start, clean``
        and ``misled`` (each ``read`` and ``text``); texts are bounded.
    """
    import polars as pl

    length = pl.sum_horizontal(
        pl.col(f"{side}_text").str.len_chars().fill_null(0) for side in ("clean", "misled")
    )
    to_cue = (pl.col("cue_state") == "cue") & (pl.col("misled_choice") == pl.col("cue_choice"))
    lost = (
        pairs.filter(
            (pl.col("state") == "pair")
            & ~pl.col("probe").is_in(list(controls))
            & (pl.col("clean_value") == 1)
            & (pl.col("misled_value") == 0)
            & pl.col("misled_read").is_not_null()
        )
        .with_columns(
            (~to_cue.fill_null(False)).alias("elsewhere"),
            pl.col("stratum").ne_missing("reasoning").alias("other"),
            # A letter alone shows little.
            (pl.col("misled_text").str.len_chars().fill_null(0) < 20).alias("bare"),
            length.alias("length"),
        )
        .sort("elsewhere", "bare", "other", "length", "benchmark", "item_id", "probe", "subject")
        .with_columns(pl.int_range(pl.len()).over("subject", "benchmark", "probe").alias("turn"))
        .with_columns(
            pl.int_range(pl.len()).over("elsewhere", "benchmark", "item_id").alias("again")
        )
        .filter(pl.col("again") == 0)
        .sort("elsewhere", "bare", "other", "turn", "length", "benchmark", "item_id", "probe",
              "subject")
        .head(EXAMPLES)
    )  # fmt: skip
    of = {
        (b, i): (question, list(options), key[0])
        for b, i, question, options, key in items.join(
            lost.select("benchmark", item_id=pl.col("asked")).unique(),
            on=["benchmark", "item_id"],
            how="semi",
        )
        .select("benchmark", "item_id", "question", "options", "key")
        .iter_rows()
    }
    found = []
    for row in lost.iter_rows(named=True):
        question, options, key = of[row["benchmark"], row["asked"]]
        start = starts.get((row["benchmark"], row["asked"], row["probe"]))
        found.append(
            {
                "model": row["subject"],
                "probe": row["probe"],
                "benchmark": row["benchmark"],
                "item_id": row["item_id"],
                "stratum": row["stratum"],
                "question": question[:LONGEST_TEXT],
                "options": options,
                "key": LETTERS[key],
                "cue": row["cue"],
                "start": start[:LONGEST_TEXT] if start else None,
                "clean": _side(row, "clean"),
                "misled": _side(row, "misled"),
            }
        )
    return found


def _side(row: Mapping[str, Any], side: str) -> dict[str, Any]:
    text = row[f"{side}_text"]
    return {"read": row[f"{side}_read"], "text": text[:LONGEST_TEXT] if text else None}
