"""How often tests of two equal models reject at 5 %.

Run ``python bench/rejections.py [--runs 20000]``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from scipy.stats import binom

from viva.analysis import mcnemar_test, sign_flip


def rejections(runs: int) -> Iterator[tuple[str, float, float]]:
    """Rejections at 5 % of exact and mid-p tests where neither model is better.

    McNemar's are summed over all outcomes, free of Monte Carlo error.
    """
    rng = np.random.default_rng(23)
    for discordant in (100, 150, 300, 1000):
        outcomes = np.arange(discordant + 1)
        chance = binom.pmf(outcomes, discordant, 0.5)
        tests = [mcnemar_test(int(b), discordant - int(b)) for b in outcomes]
        yield (
            f"McNemar, {discordant} discordant",
            float(chance @ [t.p <= 0.05 for t in tests]),
            float(chance @ [t.p_mid <= 0.05 for t in tests]),
        )
    for name, sizes in {
        "every item twice": np.full(150, 2),
        "200 single items and 40 threes": np.repeat([1, 3], [200, 40]),
    }.items():
        whole = int(sizes.sum())
        plus = rng.integers(0, 2, size=(runs, len(sizes))) @ sizes
        # The p-value depends on the sum alone, so each sum is tested once.
        flips, ignoring = {}, {}
        for b in np.unique(plus).tolist():
            signs = np.ones(len(sizes))
            signs[_part_with_sum(sizes, whole - b)] = -1
            flips[b] = sign_flip(sizes * signs)
            ignoring[b] = mcnemar_test(b, whole - b)
        for label, tests_of in (
            (f"sign flip, {name}", flips),
            ("  McNemar that ignores the clusters", ignoring),
        ):
            yield (
                label,
                float(np.mean([tests_of[b].p <= 0.05 for b in plus.tolist()])),
                float(np.mean([tests_of[b].p_mid <= 0.05 for b in plus.tolist()])),
            )


def _part_with_sum(sizes: np.ndarray, wanted: int) -> list[int]:
    """Positions of clusters whose sizes add up to ``wanted``: large ones first."""
    out = []
    for place in np.argsort(-sizes, kind="stable").tolist():
        if sizes[place] <= wanted:
            out.append(place)
            wanted -= int(sizes[place])
    assert wanted == 0
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    args = parser.parse_args()
    print(f"{'rejections at 5 %, no difference':56}{'exact':>8}{'mid-p':>8}")
    for name, exact, mid in rejections(args.runs):
        print(f"{name:56}{100 * exact:7.1f}%{100 * mid:7.1f}%")


if __name__ == "__main__":
    main()
