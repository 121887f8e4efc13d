"""Variants that somebody wrote: another language, the interventions of NLI4CT-P.

Both are data, not rules. The variants are items whose group names their original; a probe picks the
ones of an item and checks that they keep what their relation claims.
"""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from viva.probes.variant import (
    Probe,
    Reason,
    Refused,
    Relation,
    Variant,
    group_of,
    refused,
    single_key,
)
from viva.records import Group, Item

if TYPE_CHECKING:
    import polars as pl

__all__ = ["INTERVENTIONS", "LANGUAGES", "PROBES", "by_original", "given_variants", "translations"]

Given = Mapping[str, Sequence[Item]]
"""From the group of an original to the variants written for it."""

LANGUAGES = ("es", "fr", "it")
"""Languages of CasiMedicos beside English."""

INTERVENTIONS = (
    "contradiction",
    "numerical_contradiction",
    "numerical_paraphrase",
    "paraphrase",
    "text_appended",
)
"""What NLI4CT-P does to a statement."""


def _items(items: Iterable[Item] | pl.DataFrame) -> Iterable[Item]:
    if hasattr(items, "iter_slices"):
        from viva.formats.run import items_of

        return items_of(items)  # type: ignore[arg-type]
    return items


def by_original(items: Iterable[Item] | pl.DataFrame) -> dict[str, list[Item]]:
    """Items that are variants, by the group of their original, in their order.

    Parameters
    ----------
    items : iterable of Item, or polars.DataFrame
        Those without a group, and originals, are left out.
    """
    found: dict[str, list[Item]] = defaultdict(list)
    for item in _items(items):
        if item.group is not None and item.group.relation != "original":
            found[item.group.id].append(item)
    return dict(found)


def translations(
    originals: Iterable[Item] | pl.DataFrame,
    translated: Iterable[Item] | pl.DataFrame,
    *,
    language: str,
) -> dict[str, list[Item]]:
    """The same questions in another language, paired by id.

    Parameters
    ----------
    originals : iterable of Item, or polars.DataFrame
        For example ``casimedicos_train``.
    translated : iterable of Item, or polars.DataFrame
        For example ``casimedicos_es_train``: an item is the translation of the original that has
        its ``item_id``.
    language : str
        Code of the language: the role of the variants is ``language.CODE``.

    Returns
    -------
    dict
        For the parameter ``given`` of the probe ``language.CODE``.
    """
    ids = {item.item_id: item for item in _items(translated)}
    found: dict[str, list[Item]] = {}
    for item in _items(originals):
        if other := ids.get(item.item_id):
            group = Group(group_of(item), f"language.{language}", str(Relation.PRESERVING))
            found[group.id] = [dataclasses.replace(other, group=group)]
    return found


def given_variants(
    item: Item, rng: random.Random, *, name: str, role: str, given: Given | None = None
) -> list[Variant] | Refused:
    """The variants written for an item, under their relations.

    Parameters
    ----------
    item : Item
        The original.
    rng : random.Random
        Not used: nothing is drawn.
    name : str
        Of the probe.
    role : str
        The role that the variants have in their group.
    given : mapping, optional
        From the group of an original to its variants: :func:`by_original`, :func:`translations`.

    Returns
    -------
    list of Variant or Refused
        With the ids ``ORIGINAL~PROBE.NUMBER``, numbered in the order given where there are several.
        Refused where none is given, or where one breaks its claim: a preserving one has as many
        options and the key at the same place, an altering one another key.
    """
    del rng
    key = single_key(item)
    if isinstance(key, Reason):
        return refused(item, name, key)
    group = item.group.id if item.group else group_of(item)
    own = [v for v in (given or {}).get(group, ()) if v.group and v.group.role == role]
    if not own:
        return refused(item, name, Reason.NO_GIVEN_VARIANT)
    made = []
    for number, variant in enumerate(own):
        relation = Relation(variant.group.relation) if variant.group else Relation.PRESERVING
        same = single_key(variant) == key
        if len(variant.options) != len(item.options) or same is (relation is Relation.ALTERING):
            return refused(item, name, Reason.GIVEN_DIFFERS)
        suffix = f".{number}" if len(own) > 1 else ""
        renamed = dataclasses.replace(
            variant,
            benchmark=item.benchmark,
            item_id=f"{item.item_id}~{name}{suffix}",
            group=Group(group_of(item), name, str(relation)),
            meta={**variant.meta, "given": f"{variant.benchmark}/{variant.item_id}"},
        )
        made.append(Variant(renamed, name, relation, note=f"given as {variant.item_id}"))
    return made


def _probe(name: str, role: str, description: str) -> Probe:
    make = partial(given_variants, name=name, role=role)
    return Probe(description, Relation.PRESERVING, make)


PROBES: dict[str, Probe] = {
    **{
        f"language.{code}": _probe(
            f"language.{code}", f"language.{code}", f"asks in another language ({code}), as given"
        )
        for code in LANGUAGES
    },
    **{
        f"nli4ct.{role}": _probe(
            f"nli4ct.{role}", role, f"puts the {role.replace('_', ' ')} of NLI4CT-P, as given"
        )
        for role in INTERVENTIONS
    },
}
