"""What groups of variants, and formats, say of one subject: frames in, plain values out."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from viva.analysis._pairs import NONE
from viva.analysis._variants import (
    ORIGINAL,
    PRESERVING,
    UNANSWERABLE,
    VARIANTS,
    member_answers,
    variant_pairs,
)
from viva.analysis.disparity import disparity
from viva.analysis.groups import relations, worst_of_k
from viva.analysis.position_bias import order_bias, pick_bias
from viva.analysis.skew_size import skew_size
from viva.errors import InputError
from viva.records import LETTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

__all__ = ["summarise_formats", "summarise_groups"]

SWAPPED = {"gender": {"female": "male", "male": "female"}}
"""Attributes with two values, of which a variant has the one that its original has not."""


def _answers(
    scores: pl.DataFrame, responses: pl.DataFrame | None, items: pl.DataFrame
) -> pl.DataFrame:
    """Answers without a probe, those to variants also with their own probe's name.

    With readings of answers to items that nothing can be right on.
    """
    import polars as pl

    from viva.answers import read

    columns = ["benchmark", "item_id", "sample", "status", "read", "value"]
    role = items.filter(pl.col("relation").is_in(list(VARIANTS))).select(*columns[:2], "role")

    def own(rows: pl.DataFrame) -> pl.DataFrame:
        known = rows.join(role, on=columns[:2], how="left", maintain_order="left")
        kept = known.filter(pl.col("probe").is_null() | (pl.col("probe") == pl.col("role")))
        first = kept.sort("probe", nulls_last=False, maintain_order=True)
        return first.unique(columns[:3], keep="first", maintain_order=True)

    plain = own(scores).select(columns)
    keyless = items.filter(
        (pl.col("relation") == UNANSWERABLE)
        & pl.col("target").is_null()
        & (pl.col("options").list.len() > 1)
    ).select("benchmark", "item_id", "options")
    if responses is None or keyless.is_empty():
        return plain
    said = own(responses).join(
        keyless, on=["benchmark", "item_id"], how="inner", maintain_order="left"
    )
    rows = []
    for benchmark, item_id, sample, text, prediction, finish, options in said.select(
        "benchmark", "item_id", "sample", "text", "prediction", "finish_reason", "options"
    ).iter_rows():
        if text is None:
            status, value = ("parsed", prediction) if prediction else ("ungraded", None)
        else:
            reading = read(text, options=options, finish_reason=finish)
            status, value = reading.status.value, reading.value
        rows.append((benchmark, item_id, sample, status, value, None))
    schema = {name: plain.schema[name] for name in columns}
    return pl.concat([plain, pl.DataFrame(rows, schema, orient="row")])


def summarise_groups(
    items: pl.DataFrame,
    scores: pl.DataFrame,
    responses: pl.DataFrame | None = None,
    *,
    attributes: Sequence[str] = ("gender", "ethnicity"),
    label: str = "benchmark",
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Any]:
    """All that groups of variants say of one subject, as plain values.

    Parameters
    ----------
    items : polars.DataFrame
        Columns of :func:`viva.records.item_schema`: originals and variants. A variant names its
        group (``benchmark/item_id`` of the original, or any id that an item of relation
        ``original`` has too), its role (the probe) and its relation.
    scores : polars.DataFrame
        Columns of :func:`viva.records.score_schema`, of one subject and one metric. Answers to
        variants carry no probe or that of their role; other rows with a probe (starts, cues) are
        passed over: only the item differs here.
    responses : polars.DataFrame, optional
        Columns of :func:`viva.records.response_schema`: needed to read answers to unanswerable
        variants, which have no score.
    attributes : sequence of str
        Fields of the items' ``meta`` that hold group values; each, and all together
        (``gender x ethnicity``), are compared where at least two values occur.
    label : str
        Within what SkewSize measures the effect of the group: a column of ``items``, or a field
        of their ``meta``.
    name : str
        The subject: draws depend on it and on the seed alone.
    resamples, seed, level
        As :func:`viva.analysis.transitions`.

    Returns
    -------
    dict
        ``relations``: :class:`Relations` as a dict, over all probes; ``probes``: the same by
        probe (role); ``worst_of_k``: :class:`WorstOfK` of originals with their preserving
        variants; ``disparity``: by attribute, :class:`Disparity` as a dict and ``skew_size``;
        ``order``: :class:`OrderBias` as a dict (variants whose options stand in another order);
        ``picks``: :class:`PickBias` as a dict, over the items that are no variants;
        ``unpaired``: counts of answers to variants that make no pair, by reason. An estimate is
        ``{estimate, low, high, n, reason}``.

    Raises
    ------
    InputError
        For scores of several subjects, and settings out of range.
    """
    import polars as pl

    _one_subject(scores)
    settings: dict[str, Any] = {"resamples": resamples, "seed": seed, "level": level}
    answers = _answers(scores, responses, items)
    pairs, unpaired = variant_pairs(items, answers)
    same_order = {"name": name, **settings}

    def related(rows: NDArray[np.bool_], what: str) -> dict[str, Any]:
        found = relations(
            pairs["relation"][rows],
            original_choice=pairs["original_choice"][rows],
            variant_choice=pairs["variant_choice"][rows],
            original_key=pairs["original_key"][rows],
            variant_key=pairs["variant_key"][rows],
            group=pairs["group"][rows],
            name=f"{name}\x1f{what}",
            **settings,
        )
        return asdict(found)

    every = np.ones(len(pairs["relation"]), bool)
    probes = np.unique(pairs["probe"]).tolist()
    members = member_answers(items, answers).filter(pl.col("value").is_not_null())
    kept = members.filter(pl.col("relation").is_in(["original", PRESERVING]))
    draw = kept.select(pl.struct("group", "sample").rank("dense"))["group"].to_numpy()
    return {
        "relations": related(every, ""),
        "probes": {probe: related(pairs["probe"] == probe, probe) for probe in probes},
        "worst_of_k": asdict(
            worst_of_k(
                kept["value"].to_numpy() >= 0.5,
                draw,
                cluster=kept["group"].rank("dense").to_numpy(),
                **same_order,
            )
        ),
        "disparity": _by_attribute(items, kept, attributes, label, name, settings),
        "order": asdict(order_bias(**_orders(items, answers), **same_order)),
        "picks": asdict(pick_bias(**_picks(items, answers), **same_order)),
        "unpaired": asdict(unpaired),
    }


def _one_subject(scores: pl.DataFrame, columns: Sequence[str] = ("model", "method")) -> None:
    if scores.select(columns).n_unique() > 1:
        raise InputError("the scores are of several subjects", mend="Filter by model and method")


def _meta(items: pl.DataFrame, field: str) -> pl.DataFrame:
    """(benchmark, item_id, value) of a column, or of a field of the meta, null where absent."""
    import polars as pl

    key = items.select("benchmark", "item_id")
    if field in items.columns and field != "meta":
        return key.with_columns(items[field].cast(pl.String).alias("found"))
    found = []
    for meta in items["meta"].to_list():
        value = json.loads(meta).get(field) if meta else None
        found.append(None if value is None else str(value))
    return key.with_columns(pl.Series("found", found, pl.String))


def _by_attribute(
    items: pl.DataFrame,
    kept: pl.DataFrame,
    attributes: Sequence[str],
    label: str,
    name: str,
    settings: dict[str, Any],
) -> dict[str, Any]:
    import polars as pl

    table = kept.select("group", "relation", "benchmark", "item_id", "value")
    for place, field in enumerate((*attributes, label)):
        found = _meta(items, field).rename({"found": f"v{place}"})
        table = table.join(found, on=["benchmark", "item_id"], how="left", maintain_order="left")
    for place, field in enumerate(attributes):
        if swapped := SWAPPED.get(field):
            # The probe says what it made of the patient; the original was the other one.
            other = pl.col(f"v{place}").drop_nulls().first().over("group")
            told = other.replace_strict(swapped, default=None, return_dtype=pl.String)
            alone = pl.col(f"v{place}").drop_nulls().n_unique().over("group") == 1
            original = pl.when((pl.col("relation") == ORIGINAL) & alone).then(told)
            table = table.with_columns(pl.coalesce(f"v{place}", original).alias(f"v{place}"))
    named = {field: [f"v{i}"] for i, field in enumerate(attributes)}
    if len(attributes) > 1:
        named[" x ".join(attributes)] = [f"v{i}" for i in range(len(attributes))]
    out: dict[str, Any] = {}
    for field, columns in named.items():
        rows = table.drop_nulls(columns).with_columns(at=pl.concat_str(columns, separator="/"))
        if rows["at"].n_unique() < 2:
            continue
        values, at = rows["value"].to_numpy(), rows["at"].to_numpy()
        block = rows["group"].rank("dense").to_numpy()
        kinds = rows[f"v{len(attributes)}"].fill_null("").to_numpy()
        own: dict[str, Any] = settings | {"name": f"{name}\x1f{field}"}
        out[field] = asdict(disparity(values, at, block, **own))
        out[field]["skew_size"] = asdict(skew_size(values, at, kinds, block, **own))
    return out


def _orders(items: pl.DataFrame, answers: pl.DataFrame) -> dict[str, Any]:
    """Picks of groups whose members show the same options in several orders."""
    members = member_answers(items, answers)
    members = members.filter(members["relation"].is_in(["original", PRESERVING]))
    found: dict[tuple[str, int], list[tuple[tuple[int, ...], int]]] = {}
    first: dict[str, tuple[str, ...]] = {}
    for group, sample, options, choice, status in members.select(
        "group", "sample", "options", "choice", "status"
    ).iter_rows():
        texts = tuple(options or ())
        if len(set(texts)) < 2 or len(set(texts)) < len(texts) or status == "ungraded":
            continue
        base = first.setdefault(group, tuple(sorted(texts)))
        if tuple(sorted(texts)) == base:
            order = tuple(base.index(text) for text in texts)
            found.setdefault((group, sample), []).append((order, choice))
    sets = [(group, seen) for (group, _), seen in found.items() if len({o for o, _ in seen}) > 1]
    return {
        "orders": [order for _, seen in sets for order, _ in seen],
        "picked": [choice for _, seen in sets for _, choice in seen],
        "block": [i for i, (_, seen) in enumerate(sets) for _ in seen],
        "cluster": [group for group, seen in sets for _ in seen],
    }


def _picks(items: pl.DataFrame, answers: pl.DataFrame) -> dict[str, Any]:
    import polars as pl

    plain = items.filter(pl.col("relation").is_null() | (pl.col("relation") == "original"))
    table = plain.filter((pl.col("target") == "choice") & (pl.col("key").list.len() == 1)).select(
        "benchmark",
        "item_id",
        pl.col("key").list.first().alias("at"),
        pl.col("options").list.len().alias("count"),
    )
    rows = answers.filter(pl.col("value").is_not_null()).join(
        table, on=["benchmark", "item_id"], how="inner", maintain_order="left"
    )
    picked = [
        LETTERS.find(r) if r and s == "parsed" and len(r) == 1 else NONE
        for r, s in rows.select("read", "status").iter_rows()
    ]
    return {
        "picked": picked,
        "key": rows["at"].to_numpy(),
        "options": rows["count"].to_numpy(),
        "cluster": (rows["benchmark"] + "/" + rows["item_id"]).to_numpy(),
    }


def summarise_formats(
    scores: pl.DataFrame,
    *,
    formats: Sequence[str] | None = None,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Any]:
    """Format robustness: is an item right however the answer is asked for?

    Parameters
    ----------
    scores : polars.DataFrame
        Columns of :func:`viva.records.score_schema`, of one model under several methods, such as
        ``answer_format`` with each of its formats. Rows with a probe are passed over.
    formats : sequence of str, optional
        The methods to compare; default all.
    name, resamples, seed, level
        As :func:`summarise_groups`.

    Returns
    -------
    dict
        ``robustness``: the share of items right under every format, ``any``, the share right
        under at least one, and ``held``, the first of the second; ``formats``:
        :class:`Disparity` as a dict, with the accuracy under each format and Cochran's test;
        ``n`` items graded under every format; ``incomplete``, items left out because a format is
        missing. An item is right under a format where its samples are right on average; unread
        answers are not right.

    Raises
    ------
    InputError
        For scores of several models, fewer than two formats, and settings out of range.
    """
    import polars as pl

    _one_subject(scores, ("model",))
    item = ["benchmark", "item_id"]
    graded = scores.filter(pl.col("probe").is_null() & pl.col("value").is_not_null()).with_columns(
        pl.col("method").fill_null("")
    )
    wanted = sorted(set(graded["method"])) if formats is None else list(dict.fromkeys(formats))
    if len(wanted) < 2:
        raise InputError("format robustness needs answers under two formats or more")
    by = (
        graded.filter(pl.col("method").is_in(wanted))
        .group_by(*item, "method")
        .agg((pl.col("value").mean() >= 0.5).cast(pl.Float64).alias("right"))
    )
    table = by.with_columns(seen=pl.len().over(item)).sort(*item, "method")
    whole = table.filter(pl.col("seen") == len(wanted))
    code = whole.select(pl.struct(item).rank("dense")).to_series().to_numpy()
    right = whole["right"].to_numpy()
    own: dict[str, Any] = {
        "resamples": resamples, "seed": seed, "level": level, "name": f"{name}\x1fformats",
    }  # fmt: skip
    held = worst_of_k(right, code, **own)
    return {
        "n": held.groups,
        "incomplete": table.select(item).n_unique() - held.groups,
        "robustness": asdict(held.worst),
        "any": asdict(held.best),
        "held": asdict(held.held),
        "formats": asdict(disparity(right, whole["method"].to_numpy(), code, **own)),
    }
