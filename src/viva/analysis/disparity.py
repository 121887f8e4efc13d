"""Do groups fare differently: by gender and ethnicity of the patient, by format, by option order.

The same questions are asked once per group value (a patient's gender, a format); what differs in
accuracy between values cannot then come from the questions. Values are compared inside blocks: the
variants of one original.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from viva.analysis import _norms
from viva.analysis._columns import cluster_codes
from viva.analysis._estimates import Estimate, Resampling, mean_of
from viva.analysis.intervals import check_level
from viva.analysis.resampling import cell_mean_draws, patterns, stream
from viva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ONE_VALUE", "Disparity", "block_test", "disparity", "group_columns"]

ONE_VALUE = "fewer than two group values"


@dataclass(frozen=True, slots=True)
class Disparity:
    """Accuracy by group value, and how far the values are apart.

    Parameters
    ----------
    accuracy : dict of str to Estimate
        Share right of the answers with each value, 0..1.
    max_gap : Estimate
        Largest minus smallest accuracy, in points. Noise makes it too large.
    max_gap_corrected : float or None
        The gap that would give the observed one at the median, in points.
    sd : Estimate
        Standard deviation of the accuracies over the K values (divisor K), in points.
    sd_corrected : float or None
        As ``max_gap_corrected``.
    p : float or None
        Of "the value makes no difference": values exchanged inside blocks; Cochran's Q test
        where every block has every value once. None where no block has two values.
    blocks : int
        Blocks with at least two values: those the test reads.
    smallest : int
        Answers of the rarest value.
    """

    accuracy: Mapping[str, Estimate]
    max_gap: Estimate
    max_gap_corrected: float | None
    sd: Estimate
    sd_corrected: float | None
    p: float | None
    blocks: int
    smallest: int


def block_test(
    values: NDArray[np.float64], label: NDArray[np.int64], block: NDArray[np.int64]
) -> tuple[float | None, int]:
    """Test that labels do not matter, by exchanging them inside blocks.

    Parameters
    ----------
    values : ndarray of float, shape (N,)
    label : ndarray of int, shape (N,)
        0..K-1.
    block : ndarray of int, shape (N,)
        Labels are exchanged among the values of one block only.

    Returns
    -------
    p : float or None
        Upper tail of the chi-square distribution; None where no block has two labels.
    blocks : int
        Blocks with at least two labels.

    Notes
    -----
    ``d' S^- d`` with d = sum over each label of value minus block mean, and S its covariance over
    all exchanges: Mantel's generalised statistic (Mantel 1963, JASA 58, 690-700; Landis, Heyman
    and Koch 1978). It is Cochran's Q (1950) for 0/1 values and complete blocks.
    """
    from scipy.stats import chi2

    labels = int(label.max(initial=-1)) + 1
    _, block = np.unique(block, return_inverse=True)
    blocks = int(block.max(initial=-1)) + 1
    size = np.bincount(block, minlength=blocks).astype(float)
    mean = np.bincount(block, values, minlength=blocks) / np.maximum(size, 1)
    centred = values - mean[block]
    square = np.bincount(block, centred**2, minlength=blocks) / np.maximum(size - 1, 1)
    count = np.zeros((blocks, labels))
    np.add.at(count, (block, label), 1.0)
    mixed = (count > 0).sum(axis=1) > 1
    used = int(mixed.sum())
    if not used:
        return None, 0
    excess = np.bincount(label, np.where(mixed[block], centred, 0), minlength=labels)
    count, square, size = count[mixed], square[mixed], size[mixed]
    covariance = np.diag(square @ count) - (count * (square / size)[:, None]).T @ count
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    if rank == 0:
        return 1.0, used
    statistic = float(excess @ np.linalg.pinv(covariance, hermitian=True) @ excess)
    return float(chi2.sf(statistic, rank)), used


def group_columns(
    values: ArrayLike, label: ArrayLike, block: ArrayLike | None, cluster: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.str_], NDArray[np.int64], NDArray[np.int64]]:
    """Values, names of labels, blocks and clusters, checked. Shape (N,) each."""
    right = np.asarray(values, np.float64)
    n = len(right)
    if np.any(~((right >= 0) & (right <= 1))):
        raise InputError("a value is outside 0..1", mend="Unread answers are 0; leave out ungraded")
    names = np.asarray(label).astype(np.str_)
    blocks = cluster_codes(block, n)
    clusters = blocks if cluster is None else cluster_codes(cluster, n)
    if not n == len(names) == len(blocks) == len(clusters):
        raise InputError("values, labels, blocks and clusters differ in number")
    return right, names, blocks, clusters


def disparity(
    values: ArrayLike,
    label: ArrayLike,
    block: ArrayLike | None = None,
    *,
    cluster: ArrayLike | None = None,
    name: str = "",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Disparity:
    """Accuracy by group value, largest gap, spread, and a test.

    Parameters
    ----------
    values : array_like of float, shape (N,)
        Share right of each answer, 0..1; unread answers are 0.
    label : array_like, shape (N,)
        The group value, such as ``female`` or ``female/Black``.
    block : array_like, shape (N,), optional
        Answers that differ in the group value only: the variants of one original. Without it, no
        test is made. Where every original has one value only, pass the benchmark.
    cluster : array_like, shape (N,), optional
        Resampled together; by default the blocks.
    name : str
        Draws depend on it and on the seed alone.
    resamples, seed, level
        As :func:`viva.analysis.transitions`.

    Returns
    -------
    Disparity

    Raises
    ------
    InputError
        For values outside 0..1, columns of different length, settings out of range.

    Notes
    -----
    Intervals of ``max_gap`` and ``sd`` invert a test along the observed deviations, so that they
    reach 0 where nothing differs; a percentile interval of a maximum never does.
    """
    check_level(level)
    right, names, blocks, clusters = group_columns(values, label, block, cluster)
    draws = Resampling(stream(seed, "disparity", name), resamples, level)
    labels, code = np.unique(names, return_inverse=True)
    count = np.bincount(code, minlength=len(labels))
    accuracy = {
        str(labels[k]): mean_of(right[code == k], clusters[code == k], draws, "no answers")
        for k in range(len(labels))
    }
    n = len(right)
    if len(labels) < 2:
        none = Estimate(None, None, None, n, ONE_VALUE)
        return Disparity(accuracy, none, None, none, None, None, 0, int(count.min(initial=n)))
    means = np.bincount(code, right) / count
    found = patterns(code, right, clusters, cells=len(labels), prior=1 / len(labels))
    drawn = cell_mean_draws(found, resamples=resamples, generator=draws.generator).T
    noise, away = drawn - drawn.mean(axis=0), means - means.mean()
    gap, sd = (
        _norms.norm_estimate(away, noise, norm, n=n, level=level, factor=100)
        for norm in (_norms.widest, _norms.spread)
    )
    p, mixed = block_test(right, code.astype(np.int64), blocks)
    return Disparity(accuracy, *gap, *sd, p, mixed, int(count.min()))
