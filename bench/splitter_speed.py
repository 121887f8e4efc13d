"""Questions per second of the splitter on one core, beside TF-IDF + logistic regression.

    python bench/splitter_speed.py

Both read the bundled exam questions (stem and options); training and loading are not counted.
Processor time, the best of three runs.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ[_name] = "1"

import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import scipy.sparse as sp  # noqa: E402
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

from viva import strata  # noqa: E402
from viva.benchmarks import bundled  # noqa: E402
from viva.strata.text import question  # noqa: E402

QUESTIONS = 3000
GOAL = 2000


def fastest(run: Callable[[], object]) -> float:
    taken = []
    for _ in range(3):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    items = bundled().items
    items = items.filter(items["benchmark"] != "pubmedqa").sample(QUESTIONS, seed=0)
    labels = strata.bundled_labels("rubric")
    rows = []
    for definition in strata.DEFINITIONS:
        for view in ("stem", "stem+options"):
            strata.predict(items.head(10), definition, view)
            taken = fastest(lambda d=definition, v=view: strata.predict(items, d, v))
            rows.append((f"viva, {definition}, {view}", taken))

    def texts(stems: list[str], options: list[list[str]]) -> list[list[str]]:
        asked = [
            question(s, o, text_view="stem+options") for s, o in zip(stems, options, strict=True)
        ]
        return [
            [q.stem for q in asked],
            [q.ask for q in asked],
            ["|".join(q.options) for q in asked],
        ]

    train = texts(labels["question"].to_list(), labels["options"].to_list())
    vectorisers = [
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit(part) for part in train
    ]
    x = sp.hstack([v.transform(part) for v, part in zip(vectorisers, train, strict=True)])
    peer = LogisticRegression(max_iter=1000).fit(x, labels["share"].to_numpy() > 0.5)
    fresh = texts(items["question"].to_list(), items["options"].to_list())
    taken = fastest(
        lambda: peer.predict_proba(
            sp.hstack([v.transform(part) for v, part in zip(vectorisers, fresh, strict=True)])
        )
    )
    rows.append(("TF-IDF + logistic regression (scikit-learn)", taken))
    words = sum(len(stem.split()) for stem in items["question"]) / QUESTIONS
    print(f"{QUESTIONS:,} questions of {words:.0f} words on average, one core")
    for name, taken in rows:
        ratio = rows[-1][1] / taken
        print(f"{name:46s} {QUESTIONS / taken:8,.0f} questions/s   {ratio:4.2f} x scikit-learn")
    slowest = min(QUESTIONS / taken for name, taken in rows if "stem+options" in name)
    met = "met" if slowest >= GOAL else "MISSED"
    print(f"goal of {GOAL:,}/s for the default view under both definitions: {met}")


if __name__ == "__main__":
    main()
