"""Option-position bias: does a model pick where it should read?

From one order of the options (:func:`pick_bias`) a bias shows only against assumptions: that wrong
answers fall evenly on the other positions, and that keys at one position are as hard as at another.
From several orders of the same options (:func:`order_bias`) it needs none: the same picks are laid
over the other orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis._columns import cluster_codes
from viva.analysis._estimates import Estimate, Resampling, difference, shares
from viva.analysis._means import weighted_sum_draws
from viva.analysis._pairs import NONE
from viva.analysis.disparity import block_test
from viva.analysis.intervals import check_level
from viva.analysis.resampling import percentile_interval, stream
from viva.errors import InputError
from viva.records import LETTERS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["OrderBias", "PickBias", "order_bias", "pick_bias"]

NO_ORDERS = "no item was answered under two orders of its options"
NO_MOVE = "no option that was picked stands elsewhere in the other order"
NO_PICKS = "no answer was read"


@dataclass(frozen=True, slots=True)
class PickBias:
    """Where picks fall and where keys stand.

    Parameters
    ----------
    n : int
        Answers; ``read`` of them were read.
    picked, key : dict of str to float
        Share of the answers read whose pick, and whose key, is at each letter, 0..1.
    excess : dict of str to Estimate
        ``picked`` minus ``key``, in points.
    accuracy : dict of str to Estimate
        Share right of all answers whose key is at each letter, 0..1; unread is not right.
    p_wrong_picks : float or None
        Of "a wrong answer falls on each of the other positions alike".
    p_accuracy : float or None
        Of "accuracy is the same wherever the key stands", within equal numbers of options.
    """

    n: int
    read: int
    picked: Mapping[str, float]
    key: Mapping[str, float]
    excess: Mapping[str, Estimate]
    accuracy: Mapping[str, Estimate]
    p_wrong_picks: float | None
    p_accuracy: float | None


def _quadratic_p(excess: NDArray[np.float64], covariance: NDArray[np.float64]) -> float | None:
    """Upper tail of ``d' S^- d``; None where nothing can vary."""
    from scipy.stats import chi2

    if np.abs(covariance).max(initial=0) < 1e-9:
        return None
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    statistic = float(excess @ np.linalg.pinv(covariance, hermitian=True) @ excess)
    return float(chi2.sf(statistic, rank))


def _wrong_picks_p(
    picked: NDArray[np.int64],
    key: NDArray[np.int64],
    options: NDArray[np.int64],
    cluster: NDArray[np.int64],
) -> float | None:
    """Test that wrong picks are uniform over the positions that are not the key."""
    rows = (picked != NONE) & (picked != key) & (options > 2)
    picked, key, options, cluster = picked[rows], key[rows], options[rows], cluster[rows]
    if not len(picked):
        return None
    letters = int(options.max())
    places = np.arange(letters)
    free = (places < options[:, None]) & (places != key[:, None])
    chance = free / (options - 1)[:, None]
    away = (places == picked[:, None]) - chance
    _, owner = np.unique(cluster, return_inverse=True)
    if int(owner.max()) + 1 == len(picked):
        covariance = np.diag(chance.sum(axis=0)) - chance.T @ chance
    else:  # answers to one item go together: the clusters' own squares
        sums = np.zeros((int(owner.max()) + 1, letters))
        np.add.at(sums, owner, away)
        covariance = sums.T @ sums
    return _quadratic_p(away.sum(axis=0), covariance)


def pick_bias(
    picked: ArrayLike,
    key: ArrayLike,
    options: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> PickBias:
    """Which positions a model picks, beside where the keys stand.

    Parameters
    ----------
    picked : array_like of int, shape (N,)
        0-based position; -1 = unread.
    key, options : array_like of int, shape (N,)
        Position of the key and number of options.
    cluster : array_like, shape (N,), optional
        Resampled together; default each answer on its own.
    name, resamples, seed, level
        As :func:`viva.analysis.relations`.

    Returns
    -------
    PickBias

    Raises
    ------
    InputError
        For positions outside the options, columns of different length, settings out of range.

    Notes
    -----
    A bias towards a position raises accuracy on keys there and draws wrong answers there; the two
    tests see one each. Both take the order of options as random with respect to what makes a
    distractor attractive; where that is not known, ask in several orders.
    """
    check_level(level)
    chosen, keys, counts = (np.asarray(v, np.int64) for v in (picked, key, options))
    n = len(chosen)
    own = cluster_codes(cluster, n)
    if not n == len(keys) == len(counts) == len(own):
        raise InputError("picks, keys, options and clusters differ in number")
    if np.any((chosen < NONE) | (chosen >= counts) | (keys < 0) | (keys >= counts)):
        raise InputError("a position lies outside the options")
    draws = Resampling(stream(seed, "pick bias", name), resamples, level)
    letters = LETTERS[: int(counts.max(initial=0))]
    read, right = chosen != NONE, chosen == keys
    offered = {letter: read & (counts > j) for j, letter in enumerate(letters)}

    def excess(j: int) -> Estimate:
        among = read & (counts > j)
        change = (chosen[among] == j).astype(float) - (keys[among] == j)
        return difference(change, own[among], draws, NO_PICKS)

    at = {letter: (right, keys == j, f"no key at {letter}") for j, letter in enumerate(letters)}
    return PickBias(
        n,
        int(read.sum()),
        {
            c: float(np.mean(chosen[offered[c]] == j))
            for j, c in enumerate(letters)
            if offered[c].any()
        },
        {
            c: float(np.mean(keys[offered[c]] == j))
            for j, c in enumerate(letters)
            if offered[c].any()
        },
        {letter: excess(j) for j, letter in enumerate(letters)},
        shares(at, own, draws),
        _wrong_picks_p(chosen, keys, counts, own),
        block_test(right.astype(float), keys, counts)[0] if n else None,
    )


@dataclass(frozen=True, slots=True)
class OrderBias:
    """What the order of the options does to picks.

    Parameters
    ----------
    items : int
        Items (x samples) answered under two orders or more, at least two of them read.
    n : int
        Answers to them; ``read`` of them were read.
    excess : dict of str to Estimate
        Share of picks at each letter minus the share at which the options picked stand there in
        the item's other orders, in points: 0 for a model that picks by content.
    p : float or None
        Of "the order makes no difference to which option is picked".
    moved : int
        Pairs of the first order with another one in which the option picked first stands
        elsewhere.
    follows_option, follows_position, elsewhere, unread : Estimate
        Of those: the same option is picked again, the same position, neither, not read.
    position_excess : Estimate
        Of those read with another option, three options or more: share at the same position minus
        1 / (k - 1), what would fall there if the position did not matter; in points.
    """

    items: int
    n: int
    read: int
    excess: Mapping[str, Estimate]
    p: float | None
    moved: int
    follows_option: Estimate
    follows_position: Estimate
    elsewhere: Estimate
    unread: Estimate
    position_excess: Estimate


def _laid_over(
    orders: Sequence[Sequence[int]], picked: Sequence[int], letters: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Picks at each position beyond what the other orders give, and their covariance.

    Orders exchanged among the answers of one item: Hoeffding (1951), Annals of Mathematical
    Statistics 22, 558-566, for the covariance.
    """
    m = len(orders)
    content = [order[place] for order, place in zip(orders, picked, strict=True)]
    at = np.zeros((m, m, letters))
    for i, option in enumerate(content):
        for o, order in enumerate(orders):
            at[i, o, list(order).index(option)] = 1.0
    own = at[np.arange(m), np.arange(m)].sum(axis=0)
    everywhere = at.sum(axis=(0, 1))
    excess = own - (everywhere - own) / (m - 1)
    centred = at - at.mean(axis=1, keepdims=True) - at.mean(axis=0, keepdims=True)
    centred += at.mean(axis=(0, 1), keepdims=True)
    flat = centred.reshape(m * m, letters)
    scale = m / (m - 1)
    return excess, scale**2 * (flat.T @ flat) / (m - 1)


def order_bias(
    orders: Sequence[Sequence[int]],
    picked: Sequence[int],
    block: Sequence[int],
    *,
    cluster: Sequence[object] | None = None,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> OrderBias:
    """Does the pick follow the option or its position?

    Parameters
    ----------
    orders : sequence of sequences of int, length N
        ``orders[i][j]`` is the option shown at position j, in a numbering of its own for each
        block.
    picked : sequence of int, length N
        Position picked; -1 = unread.
    block : sequence of int, length N
        The item (and sample): answers of one block show the same options. The first of a block
        is what the others are compared with in ``follows_...``.
    cluster : sequence, length N, optional
        Resampled together; by default the blocks.
    name, resamples, seed, level
        As :func:`viva.analysis.relations`.

    Returns
    -------
    OrderBias

    Raises
    ------
    InputError
        Where orders of one block hold different options, positions lie outside them, columns
        differ in length, or settings are out of range.
    """
    check_level(level)
    if not len(orders) == len(picked) == len(block):
        raise InputError("orders, picks and blocks differ in number")
    for order, place in zip(orders, picked, strict=True):
        if not NONE <= place < len(order) or len(set(order)) < len(order):
            raise InputError("a pick lies outside its options, or an option is shown twice")
    _, first, owner = np.unique(np.asarray(block), return_index=True, return_inverse=True)
    together = np.arange(len(first))
    if cluster is not None and len(first):
        labels = np.asarray([str(each) for each in cluster])[first]
        together = np.unique(labels, return_inverse=True)[1]
    rows_of = np.split(np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner))[:-1])
    letters = max((len(order) for order in orders), default=0)
    sums = np.zeros((len(first), letters + 1))
    covariance = np.zeros((letters, letters))
    moves: list[tuple[int, int, int]] = []  # outcome, options, cluster
    for b, rows in enumerate(rows_of if len(first) else []):
        shown = [tuple(orders[i]) for i in rows]
        if any(sorted(order) != sorted(shown[0]) for order in shown):
            raise InputError("the orders of one block hold different options")
        moves += [(*move, int(together[b])) for move in _moves(shown, [picked[i] for i in rows])]
        read = [k for k, i in enumerate(rows) if picked[i] != NONE]
        if len(read) > 1:
            excess, own = _laid_over(
                [shown[k] for k in read], [picked[rows[k]] for k in read], letters
            )
            sums[b, :letters], sums[b, letters] = excess, len(read)
            covariance += own
    used = sums[:, letters] > 0
    draws = Resampling(stream(seed, "order bias", name), resamples, level)
    return OrderBias(
        items=int(used.sum()),
        n=int(np.isin(owner, np.flatnonzero(used)).sum()),
        read=int(sums[:, letters].sum()),
        excess=_excess(sums[used], together[used], draws),
        p=_quadratic_p(sums[:, :letters].sum(axis=0), covariance) if used.any() else None,
        moved=len(moves),
        **_followed(moves, draws),
    )


_SAME_OPTION, _SAME_POSITION, _ELSEWHERE, _UNREAD = range(4)


def _moves(orders: Sequence[tuple[int, ...]], picked: Sequence[int]) -> list[tuple[int, int]]:
    """Outcome and number of options of each pair with the first order whose option has moved."""
    out: list[tuple[int, int]] = []
    if picked[0] == NONE:
        return out
    option = orders[0][picked[0]]
    for order, place in zip(orders[1:], picked[1:], strict=True):
        if order[picked[0]] == option:
            continue
        if place == NONE:
            outcome = _UNREAD
        elif order[place] == option:
            outcome = _SAME_OPTION
        else:
            outcome = _SAME_POSITION if place == picked[0] else _ELSEWHERE
        out.append((outcome, len(order)))
    return out


def _excess(
    sums: NDArray[np.float64], cluster: NDArray[np.int64], draws: Resampling
) -> dict[str, Estimate]:
    letters = sums.shape[1] - 1
    n = int(sums[:, letters].sum())
    if not n:
        return {c: Estimate(None, None, None, 0, NO_ORDERS) for c in LETTERS[:letters]}
    _, owner = np.unique(cluster, return_inverse=True)
    merged = np.zeros((int(owner.max()) + 1, letters + 1))
    np.add.at(merged, owner, sums)
    # Half an item all one way and half one all the other: width where all items agree.
    typical = np.array([*np.zeros(letters), n / len(merged)])
    swing = np.array([*np.full(letters, typical[-1]), 0.0])
    drawn = weighted_sum_draws(
        np.vstack([merged, typical + swing, typical - swing]),
        np.array([*np.ones(len(merged)), 0.5, 0.5]),
        resamples=draws.resamples,
        generator=draws.generator,
    )
    ratio = 100 * drawn[:, :letters] / drawn[:, letters:]
    out = {}
    for j, letter in enumerate(LETTERS[:letters]):
        estimate = 100 * float(merged[:, j].sum()) / n
        low, high = percentile_interval(ratio[:, j], estimate, level=draws.level)
        out[letter] = Estimate(estimate, low, high, n)
    return out


def _followed(moves: Sequence[tuple[int, int, int]], draws: Resampling) -> dict[str, Estimate]:
    table = np.array(moves, np.int64).reshape(-1, 3)
    outcome, options, cluster = table.T
    every = np.ones(len(outcome), bool)
    names = ("follows_option", "follows_position", "elsewhere", "unread")
    wanted = {name: (outcome == code, every, NO_MOVE) for code, name in enumerate(names)}
    other = np.isin(outcome, (_SAME_POSITION, _ELSEWHERE)) & (options > 2)
    beyond = (outcome[other] == _SAME_POSITION) - 1 / (options[other] - 1)
    return shares(wanted, cluster, draws) | {
        "position_excess": difference(
            beyond, cluster[other], draws, "no pick went from one option to another"
        )
    }
