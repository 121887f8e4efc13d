"""How well probabilities sort questions: ranking, ranking at equal length, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "accuracy",
    "auroc",
    "auroc_interval",
    "balanced_accuracy",
    "debiased_ece",
    "debiased_sum",
    "ece",
    "length_matched_auroc",
    "macro_f1",
    "youden",
]

LENGTH_RATIO = 1.15
"""Largest ratio of the word counts of a matched pair."""


def auroc(reasoning: NDArray[np.bool_], p: NDArray[np.float64]) -> float:
    """Area under the ROC curve: P(p of a reasoning item > p of a knowledge item), ties half.

    NaN where one of the two is absent.
    """
    from scipy.stats import rankdata

    n_r = int(reasoning.sum())
    n_k = len(reasoning) - n_r
    if n_r == 0 or n_k == 0:
        return float("nan")
    ranks = rankdata(p)
    return float((ranks[reasoning].sum() - n_r * (n_r + 1) / 2) / (n_r * n_k))


def auroc_interval(
    reasoning: NDArray[np.bool_], p: NDArray[np.float64], cluster: NDArray[np.int64] | None = None
) -> tuple[float, float, float]:
    """AUROC with its 95 % interval, items of a cluster taken together.

    Parameters
    ----------
    reasoning, p : (N,)
    cluster : (N,), optional
        Equal codes belong together; by default every item stands alone.

    Returns
    -------
    estimate, low, high : float
        NaN where one of the two kinds is absent.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845; for clusters Obuchowski
    (1997), Biometrics 53, 567-578.
    """
    from scipy.stats import rankdata

    n_r = int(reasoning.sum())
    n_k = len(reasoning) - n_r
    if n_r == 0 or n_k == 0:
        return float("nan"), float("nan"), float("nan")
    ranks = rankdata(p)
    # How often each item stands on its right side of the items of the other kind.
    share = np.empty(len(p))
    share[reasoning] = (ranks[reasoning] - rankdata(p[reasoning])) / n_k
    share[~reasoning] = 1 - (ranks[~reasoning] - rankdata(p[~reasoning])) / n_r
    estimate = float(share[reasoning].mean())
    pull = (share - estimate) / np.where(reasoning, n_r, n_k)
    owner = np.arange(len(p)) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    sums = np.bincount(owner, weights=pull)
    reach = 1.96 * float(np.sqrt(np.sum(sums**2) * len(sums) / max(len(sums) - 1, 1)))
    return estimate, max(estimate - reach, 0.0), min(estimate + reach, 1.0)


def length_matched_auroc(
    reasoning: NDArray[np.bool_],
    p: NDArray[np.float64],
    words: NDArray[np.int64],
    *,
    ratio: float = LENGTH_RATIO,
    weight: NDArray[np.float64] | None = None,
) -> float:
    """AUROC over pairs of one reasoning and one knowledge item of nearly equal length.

    A pair counts if the larger word count is at most ``ratio`` times the smaller. A rule that
    sees only length scores about 0.5. NaN where there is no such pair.

    Parameters
    ----------
    reasoning, p, words : (N,)
        Label, score and word count of each item.
    weight : (N,), optional
        How often each item counts (bootstrap multiplicities).
    """
    wins, pairs = _matched(reasoning, p, words, ratio)
    w = np.ones(len(p)) if weight is None else weight
    r, k = w[reasoning], w[~reasoning]
    total = float(r @ (pairs @ k))
    return float(r @ (wins @ k)) / total if total > 0 else float("nan")


def _matched(
    reasoning: NDArray[np.bool_], p: NDArray[np.float64], words: NDArray[np.int64], ratio: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Score (1, 0.5, 0) and presence of each matched pair. Shapes (reasoning, knowledge)."""
    a, b = words[reasoning][:, None], words[~reasoning][None, :]
    near = np.maximum(a, b) <= ratio * np.minimum(a, b)
    difference = p[reasoning][:, None] - p[~reasoning][None, :]
    wins = near * (0.5 + 0.5 * np.sign(difference))
    return wins.astype(np.float32), near.astype(np.float32)


def accuracy(reasoning: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """Share of right labels; say it only beside the others: the larger class alone can give it."""
    return float(np.mean(reasoning == predicted))


def balanced_accuracy(reasoning: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """Mean of sensitivity and specificity; NaN where a class is absent."""
    if reasoning.all() or not reasoning.any():
        return float("nan")
    return float((predicted[reasoning].mean() + (~predicted[~reasoning]).mean()) / 2)


def macro_f1(reasoning: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """Mean of the F1 of both classes; a class that is neither present nor predicted counts 0."""
    found = []
    for truth, guess in ((reasoning, predicted), (~reasoning, ~predicted)):
        both = int(truth.sum() + guess.sum())
        found.append(2 * int((truth & guess).sum()) / both if both else 0.0)
    return float(np.mean(found))


def youden(reasoning: NDArray[np.bool_], p: NDArray[np.float64]) -> float:
    """The threshold with the largest sensitivity + specificity (the middle of a tie)."""
    values = np.unique(p)
    cuts = np.concatenate([values[:1], (values[1:] + values[:-1]) / 2])
    above = np.searchsorted(np.sort(p[reasoning]), cuts)
    below = np.searchsorted(np.sort(p[~reasoning]), cuts)
    j = (1 - above / max(int(reasoning.sum()), 1)) + below / max(int((~reasoning).sum()), 1)
    best = np.flatnonzero(j >= j.max() - 1e-12)
    return float(cuts[best[len(best) // 2]])


def _bins(p: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """Bin of each top-label confidence: equal widths between 0.5 and 1."""
    confidence = np.maximum(p, 1 - p)
    return np.clip(((confidence - 0.5) * 2 * bins).astype(np.int64), 0, bins - 1)


def _bin_gaps(
    reasoning: NDArray[np.bool_], p: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    which = _bins(p, bins)
    n = np.bincount(which, minlength=bins).astype(float)
    right = np.bincount(which, (p >= 0.5) == reasoning, minlength=bins)
    sure = np.bincount(which, np.maximum(p, 1 - p), minlength=bins)
    full = n > 0
    n, right, sure = n[full], right[full], sure[full]
    return n, right / n, sure / n, n / n.sum()


def ece(reasoning: NDArray[np.bool_], p: NDArray[np.float64], *, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins of the top label's confidence.

    Guo et al. 2017. It is biased upwards: a perfectly calibrated splitter scores above 0.
    """
    _, acc, conf, share = _bin_gaps(reasoning, p, bins)
    return float((share * np.abs(acc - conf)).sum())


def debiased_ece(reasoning: NDArray[np.bool_], p: NDArray[np.float64], *, bins: int = 10) -> float:
    """The calibration error with the part removed that sampling alone adds.

    In each bin the observed accuracy is taken as normal around the truth with variance
    a (1 - a) / n; the mean absolute gap such noise makes around the observed gap is subtracted
    from twice the gap (Kumar, Liang & Ma 2019, section 4 for the l1 error). The expectation of
    the folded normal is used in closed form. Cut at 0.
    """
    n, acc, conf, share = _bin_gaps(reasoning, p, bins)
    return debiased_sum(share, np.abs(acc - conf), acc, n)


def debiased_sum(
    share: NDArray[np.float64],
    gap: NDArray[np.float64],
    accuracy: NDArray[np.float64],
    n: NDArray[np.float64],
) -> float:
    """Sum of the absolute gaps of bins, less what sampling adds; cut at 0.

    Parameters
    ----------
    share, gap, accuracy, n : (B,)
        Share of the items, absolute gap between accuracy and confidence, accuracy, and number of
        separate items of each bin; no bin is empty.
    """
    from scipy.stats import norm

    # A bin that is all right or all wrong still has noise: add one of each to its variance.
    smooth = (accuracy * n + 1) / (n + 2)
    sd = np.sqrt(smooth * (1 - smooth) / n)
    noisy = sd * np.sqrt(2 / np.pi) * np.exp(-((gap / sd) ** 2) / 2)
    noisy += gap * (1 - 2 * norm.cdf(-gap / sd))
    return float(max((share * (2 * gap - noisy)).sum(), 0.0))
