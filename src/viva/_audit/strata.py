"""Which items are reasoning and which knowledge, under one definition at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis import KNOWLEDGE, NO_STRATUM, REASONING, Confusion, SplitterErrors, stratum_at
from viva.errors import InputError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = [
    "DEFINITIONS",
    "GIVEN",
    "Strata",
    "choose_definition",
    "outside",
    "split",
    "splitter_errors",
    "told_apart",
]

GIVEN = "given"
DEFINITIONS = ("rubric", "medxpertqa", GIVEN)
_CODES = {"reasoning": REASONING, "knowledge": KNOWLEDGE}


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """The split of N items under one definition."""

    definition: str
    """``rubric``, ``medxpertqa`` or ``given``."""
    name: str
    """The same, or the name under which given labels came."""
    text_view: str
    threshold: float
    p: NDArray[np.float64]
    """p_reasoning, NaN where unknown. Shape (N,)."""
    stratum: NDArray[np.int64]
    """1 reasoning, 0 knowledge, -1 none. Shape (N,)."""
    in_domain: NDArray[np.bool_]
    cross_fitted: NDArray[np.bool_]
    outside: tuple[str | None, ...] = ()
    """Why items are not in the splitter's domain; None where they are. Shape (N,) or empty."""

    @property
    def headline(self) -> NDArray[np.int64]:
        """The stratum of items that enter gaps: -1 outside the splitter's domain. Shape (N,)."""
        return np.where(self.in_domain, self.stratum, NO_STRATUM)


def choose_definition(items: pl.DataFrame, labels: str | None) -> str:
    """The definition asked for; by default ``given`` where every item has a label.

    Raises
    ------
    InputError
        For an unknown name, and for ``given`` where no item has a label.
    """
    if labels is None:
        every = items["stratum"].null_count() == 0
        one = items["stratum_definition"].n_unique() == 1
        return GIVEN if every and one else "rubric"
    if labels not in DEFINITIONS:
        raise InputError(
            f"unknown definition {labels!r}", where="--labels", mend=f"Use {', '.join(DEFINITIONS)}"
        )
    if labels == GIVEN and items["stratum"].null_count() == items.height:
        raise InputError(
            "no item has a stratum",
            where="--labels given",
            mend="Add a column stratum (reasoning or knowledge) to the items file",
        )
    return labels


def split(items: pl.DataFrame, definition: str, *, text_view: str, threshold: float) -> Strata:
    """Split items under a definition of :data:`DEFINITIONS`.

    Raises
    ------
    InputError
        Where given labels follow more than one definition, or one is neither ``reasoning`` nor
        ``knowledge``.
    """
    if definition == GIVEN:
        return _given(items, threshold)
    from viva import strata

    found = strata.predict(items, labels=definition, text_view=text_view, threshold=threshold)
    p = found["p_reasoning"].to_numpy().astype(np.float64)
    return Strata(
        definition=definition,
        name=definition,
        text_view=text_view,
        threshold=threshold,
        p=p,
        stratum=stratum_at(p, threshold),
        in_domain=found["in_domain"].to_numpy(),
        cross_fitted=found["cross_fitted"].to_numpy(),
        outside=tuple(found["outside"].to_list()),
    )


def _given(items: pl.DataFrame, threshold: float) -> Strata:
    names = items["stratum_definition"].drop_nulls().unique(maintain_order=True).to_list()
    if len(names) > 1:
        raise InputError(
            f"given labels follow {len(names)} definitions ({', '.join(names[:4])})",
            where="--labels given",
            mend="Audit one definition at a time: they are never mixed in one gap",
        )
    labels = items["stratum"].to_list()
    odd = next((label for label in labels if label is not None and label not in _CODES), None)
    if odd is not None:
        raise InputError(f"stratum is {odd!r}", mend="Use reasoning or knowledge")
    n = items.height
    return Strata(
        definition=GIVEN,
        name=names[0] if names else GIVEN,
        text_view="none",
        threshold=threshold,
        p=items["p_reasoning"].to_numpy().astype(np.float64),
        stratum=np.array([_CODES.get(label, NO_STRATUM) for label in labels], np.int64),
        in_domain=np.ones(n, bool),
        cross_fitted=np.zeros(n, bool),
    )


def outside(items: pl.DataFrame, strata: Strata) -> dict[str, str]:
    """Benchmarks wholly outside the splitter's domain, each with the commonest reason."""
    benchmark = items["benchmark"].to_numpy()
    found: dict[str, str] = {}
    for name in np.unique(benchmark).tolist():
        here = np.flatnonzero(benchmark == name)
        if not strata.in_domain[here].any():
            reasons = Counter(strata.outside[i] for i in here if strata.outside)
            found[str(name)] = next((why for why, _ in reasons.most_common() if why), "")
    return found


def told_apart(items: pl.DataFrame, strata: Strata, cluster: NDArray[np.int64]) -> list[str]:
    """What the splitter makes of labels that came with the items and are not in force."""
    if strata.definition == GIVEN:
        return []
    from viva.strata.given import against_given

    return against_given(items, strata.p, cluster, definition=strata.name)


def _confusion(reasoning: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Confusion:
    return Confusion(
        reasoning_right=int(np.sum(reasoning & predicted)),
        reasoning_wrong=int(np.sum(reasoning & ~predicted)),
        knowledge_right=int(np.sum(~reasoning & ~predicted)),
        knowledge_wrong=int(np.sum(~reasoning & predicted)),
    )


def splitter_errors(strata: Strata) -> SplitterErrors | None:
    """How the splitter's cross-fitted strata agree with its labels; None for given labels."""
    if strata.definition == GIVEN:
        return None
    from viva import strata as splitter

    labelled = splitter.labelled(strata.definition, text_view=strata.text_view)
    reasoning = (labelled["label"] == "reasoning").to_numpy()
    predicted = (labelled["p_reasoning"] >= strata.threshold).to_numpy()
    benchmark = labelled["benchmark"].to_numpy()
    return SplitterErrors(
        overall=_confusion(reasoning, predicted),
        benchmarks={
            str(name): _confusion(reasoning[benchmark == name], predicted[benchmark == name])
            for name in np.unique(benchmark)
        },
    )
