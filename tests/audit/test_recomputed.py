"""Every number of the summary, computed a second time from the tables with pandas and statsmodels.

Nothing of `viva.analysis` is used: the formulas are those of the documentation.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

import viva

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SMALLEST = 20
EXACT = 1e-9
FORMS = ("The answer is {}.", "**Answer: {}**", "\\boxed{{{}}}")
SIZES = {"large": (260, 140), "other": (60, 190), "small": (25, 22), "onesided": (90, 19)}
"""Benchmark -> reasoning and knowledge items."""
OPTIONS = {"large": 4, "other": 5, "small": 10, "onesided": 3}


def _made():
    """Items and answers with everything that an audit has to tell apart."""
    rng = np.random.default_rng(11)
    items, answers = [], []
    for benchmark, (reasoning, knowledge) in SIZES.items():
        for i in range(reasoning + knowledge):
            side = i < reasoning
            words = int(rng.integers(8, 60)) + 12 * side
            p = float(np.clip(rng.normal(0.7 if side else 0.3, 0.2), 0.01, 0.99).round(3))
            row = {
                "benchmark": benchmark,
                "item_id": i,
                "question": " ".join([f"{benchmark}{i}", *["word"] * (words - 1)]),
                "options": [
                    f"{benchmark} {i} {letter}" for letter in "vwxyzstuqr"[: OPTIONS[benchmark]]
                ],
                "answer": int(rng.integers(OPTIONS[benchmark])),
                "stratum": "reasoning" if side else "knowledge",
                "p_reasoning": p,
            }
            if benchmark == "large" and i % 25 == 0:
                row["group"] = f"family {i // 50}"
            items.append(row)
    for i in range(0, 40, 4):  # questions of one benchmark that another holds too
        source = items[i + 1]
        items[500 + i] |= {name: source[name] for name in ("question", "options", "answer")}
    for m, model in enumerate(("ant", "bee", "cat")):
        for row in items:
            if model == "cat" and row["benchmark"] == "small":
                continue
            key, count = row["answer"], len(row["options"])
            chance = 0.5 + 0.1 * m - 0.1 * (row["stratum"] == "reasoning")
            base = {k: row[k] for k in ("benchmark", "item_id")} | {"model": model}
            samples = 1 + (row["item_id"] % 3 if model == "bee" else 0)
            for sample in range(samples):
                letter = LETTERS[key if rng.random() < chance else (key + 1) % count]
                answer = base | {"sample": sample}
                luck = rng.random()
                if luck < 0.03:
                    answer["response"] = "I would rather not say."
                elif luck < 0.05:
                    answer["response"] = (
                        "The answer is A. The answer is B. Either could be right: A or B."
                    )
                elif luck < 0.07:
                    answer["response"] = None
                    answer["error"] = "time out"
                else:
                    answer["response"] = FORMS[int(rng.integers(3))].format(letter)
                answers.append(answer)
    for method in ("plain", "cot"):
        answers += [
            {
                "benchmark": row["benchmark"],
                "item_id": row["item_id"],
                "model": "dog",
                "method": method,
                "prediction": LETTERS[row["answer"]]
                if rng.random() < 0.6
                else LETTERS[(row["answer"] + 1) % 3],
            }
            for row in items
        ]
    return items, answers


@pytest.fixture(scope="module")
def made():
    items, answers = _made()
    with_text = [row for row in answers if "response" in row]
    read = [row for row in answers if "prediction" in row]
    return viva.audit(items=items, answers=[pd.DataFrame(with_text), read], resamples=2_000, seed=3)


BOTH = ["made", pytest.param("sample", marks=pytest.mark.slow)]


def _audit(which, request):
    found = request.getfixturevalue(which)
    return found[0] if which == "sample" else found


class Table:
    """Items x subjects, from the tables of an audit."""

    def __init__(self, audit):
        self.summary = audit.summary
        items = pd.DataFrame(audit.items.to_dicts())
        items["words"] = [len(question.split()) for question in items["question"]]
        items["k"] = [len(options) for options in items["options"]]
        side = items["stratum"].where(items["in_domain"].astype(bool))
        items["side"] = side.map({"reasoning": 1.0, "knowledge": 0.0})
        self.scores = pd.DataFrame(audit.scores.to_dicts())
        means = (
            self.scores.dropna(subset="value")
            .groupby(["benchmark", "item_id", "subject"])["value"]
            .mean()
        )
        self.wide = items.set_index(["benchmark", "item_id"]).join(means.unstack("subject"))
        self.models = list(self.summary["models"])
        self.cluster = _clusters(items)
        self.wide["cluster"] = self.cluster

    def of(self, model):
        out = self.wide.rename(columns={model: "y"}).dropna(subset="y").reset_index()
        return out.assign(y=out["y"].astype(float))


def _clusters(items):
    """Union of exact duplicates and declared groups, by plain search."""
    parent = list(range(len(items)))

    def find(i):
        while parent[i] != i:
            i = parent[i]
        return i

    seen = {}
    for i, row in enumerate(items.itertuples()):
        names = [
            (
                "same",
                " ".join(row.question.lower().split()),
                tuple(sorted(o.lower() for o in row.options)),
            )
        ]
        if pd.notna(row.group):
            names.append(("group", row.group))
        for name in names:
            if name in seen:
                parent[find(i)] = find(seen[name])
            else:
                seen[name] = i
    return [find(i) for i in range(len(items))]


def _sides(table):
    """Benchmarks with enough items on both sides: name, items."""
    for name, part in table.dropna(subset="side").groupby("benchmark"):
        if min((part["side"] == 1).sum(), (part["side"] == 0).sum()) >= SMALLEST:
            yield name, part


def _difference(part, y="y"):
    return part.loc[part["side"] == 1, y].mean() - part.loc[part["side"] == 0, y].mean()


def _overlap(part):
    n_r, n_k = (part["side"] == 1).sum(), (part["side"] == 0).sum()
    return n_r * n_k / (n_r + n_k) if n_r and n_k else 0.0


def _weighted(parts, weight, y="y"):
    parts = [part for part in parts if _overlap(part) > 0]
    weights = np.array([weight(part) for part in parts])
    return 100 * float(weights @ [_difference(part, y) for part in parts] / weights.sum())


def _expected_gaps(table):
    """Estimates of all gaps that need no error rates, points."""
    parts = [part for _, part in _sides(table)]
    chance = (table["y"] - 1 / table["k"]) / (1 - 1 / table["k"])
    corrected = table.assign(s=chance)
    binned = []
    for part in parts:
        edge = np.array([1.15**i for i in range(80)])
        # A bin holds its lower edge.
        bins = np.searchsorted(edge * (1 - 1e-12), part["words"], side="right")
        binned += [cell for _, cell in part.groupby(bins)]
    slope = weight = 0.0
    for _, part in table.dropna(subset=["p_reasoning", "side"]).groupby("benchmark"):
        if len(part) >= 2 * SMALLEST:
            p, y = part["p_reasoning"], part["y"]
            slope += len(part) * ((p - p.mean()) * (y - y.mean())).mean()
            weight += len(part) * p.var(ddof=0)
    return {
        "pooled": 100 * _difference(table),
        "within": _weighted(parts, _overlap),
        "within_size_weighted": _weighted(parts, len),
        "length_matched": _weighted(binned, _overlap),
        "chance_corrected": _weighted([part for _, part in _sides(corrected)], _overlap, "s"),
        "chance_corrected_pooled": 100 * _difference(corrected, "s"),
        "soft": 100 * slope / weight if weight else None,
    }


@pytest.mark.parametrize("which", BOTH)
def test_counts_and_accuracies(which, request):
    table = Table(_audit(which, request))
    for name, found in table.summary["models"].items():
        mine = table.scores[table.scores["subject"] == name]
        counts = mine["status"].value_counts()
        for word in ("unparsed", "ambiguous", "ungraded"):
            assert found[word] == counts.get(word, 0)
        assert found["graded"] == counts.get("parsed", 0)
        assert (
            found["n"]
            == len(mine)
            == sum(found[w] for w in ("graded", "unparsed", "ambiguous", "ungraded"))
        )
        assert sum(found["unread_reasons"].values()) == found["unparsed"] + found["ambiguous"]
        read = mine[mine["status"] == "parsed"]
        assert found["accuracy_of_read"] == pytest.approx(read["value"].mean(), abs=EXACT)
        y = table.of(name)
        assert found["accuracy"] == pytest.approx(y["y"].mean(), abs=EXACT)
        if mine.groupby(["benchmark", "item_id"]).size().max() == 1:
            assert found["accuracy"] == pytest.approx(
                mine["value"].sum() / (found["n"] - found["ungraded"]), abs=EXACT
            )
        assert found["items"] == len(mine.groupby(["benchmark", "item_id"]))
        assert found["samples"] == mine.groupby(["benchmark", "item_id"]).size().max()
        for code, side in ((0, "knowledge"), (1, "reasoning")):
            _check_cell(found[side], y[y["side"] == code])
        for benchmark, cells in found["benchmarks"].items():
            part = y[y["benchmark"] == benchmark]
            _check_cell(cells["all"], part)
            for side in ("knowledge", "reasoning"):
                _check_cell(cells[side], part[part["stratum"] == side])


def _check_cell(cell, part):
    assert cell["n"] == len(part)
    if not len(part):
        assert cell["accuracy"] is cell["low"] is cell["high"] is None
        return
    assert cell["accuracy"] == pytest.approx(part["y"].mean(), abs=EXACT)
    if part["y"].isin([0, 1]).all() and part["cluster"].is_unique:
        ends = proportion_confint(part["y"].sum(), len(part), method="wilson")
        assert (cell["low"], cell["high"]) == pytest.approx(ends, abs=EXACT)
    else:
        sums = part.groupby("cluster")["y"].agg(["sum", "size"])
        residual = sums["sum"] - part["y"].mean() * sums["size"]
        error = math.sqrt((residual**2).sum()) / len(part)
        width = cell["high"] - cell["low"]
        if len(sums) >= 60 and error > 0:
            assert width == pytest.approx(2 * 1.96 * error, rel=0.15)
        assert cell["low"] <= cell["accuracy"] <= cell["high"]


@pytest.mark.parametrize("which", BOTH)
def test_gap_estimates_by_their_formulas(which, request):
    table = Table(_audit(which, request))
    for name, found in table.summary["models"].items():
        y = table.of(name)
        for estimator, value in _expected_gaps(y).items():
            gap = found["gap"][estimator]
            assert gap["estimate"] == pytest.approx(value, abs=1e-7), (name, estimator)
            assert gap["low"] < gap["estimate"] < gap["high"]
        entered = sorted(benchmark for benchmark, _ in _sides(y))
        split = y.dropna(subset="side")
        assert found["gap"]["within"]["benchmarks"] == entered
        assert set(found["gap"]["within"]["left_out"]) == set(split["benchmark"]) - set(entered)
        assert found["gap"]["within"]["n"] == sum(len(part) for _, part in _sides(y))
        assert found["gap"]["pooled"]["n"] == len(split)
        for benchmark, cells in found["benchmarks"].items():
            part = y[y["benchmark"] == benchmark]
            part = part.assign(side=part["stratum"].map({"reasoning": 1.0, "knowledge": 0.0}))
            r, k = (part.loc[part["side"] == code, "y"] for code in (1, 0))
            gap = cells["gap"]
            if not (len(r) and len(k)):
                assert gap["estimate"] is None
                assert gap["reason"]
                continue
            assert gap["estimate"] == pytest.approx(100 * (r.mean() - k.mean()), abs=1e-7)
            if part["y"].isin([0, 1]).all() and part["cluster"].is_unique:
                ends = confint_proportions_2indep(
                    r.sum(), len(r), k.sum(), len(k), method="newcomb", compare="diff"
                )
                assert (gap["low"], gap["high"]) == pytest.approx(
                    [100 * end for end in ends], abs=1e-6
                )


def _plain_bootstrap(table, statistic, resamples, seed=0):
    """Whole clusters drawn with replacement, those of one set of cells together."""
    rng = np.random.default_rng(seed)
    cells = table["benchmark"] + table["side"].astype(str)
    kind = cells.groupby(table["cluster"]).first()
    rows = {c: part.index.to_numpy() for c, part in table.groupby("cluster")}
    strata = [np.array(part.index) for _, part in kind.groupby(kind)]
    out = []
    for _ in range(resamples):
        drawn = np.concatenate([rng.choice(part, len(part)) for part in strata])
        out.append(statistic(table.loc[np.concatenate([rows[c] for c in drawn])]))
    return np.percentile(out, [2.5, 97.5])


def test_intervals_are_those_of_a_plain_cluster_bootstrap(made):
    table = Table(made)
    y = table.of("dog/plain").dropna(subset="side")
    gap = table.summary["models"]["dog/plain"]["gap"]

    def within(part):
        return _weighted([part for _, part in part.groupby("benchmark")], _overlap)

    entered = y[y["benchmark"].isin(gap["within"]["benchmarks"])]
    for name, part, statistic in (
        ("pooled", y, lambda part: 100 * _difference(part)),
        ("within", entered, within),
    ):
        low, high = _plain_bootstrap(part.reset_index(drop=True), statistic, 600)
        width = gap[name]["high"] - gap[name]["low"]
        assert width == pytest.approx(high - low, rel=0.15)
        assert gap[name]["low"] == pytest.approx(low, abs=0.15 * width)


@pytest.mark.slow
def test_noise_corrected_by_its_formula(sample):
    from viva import strata

    table = Table(sample[0])
    labelled = pd.DataFrame(strata.labelled("rubric", text_view="stem").to_dicts())
    labelled["truth"] = labelled["label"] == "reasoning"
    labelled["called"] = labelled["p_reasoning"] >= 0.5

    def rates(part):
        return part.loc[part["truth"], "called"].mean(), 1 - part.loc[
            ~part["truth"], "called"
        ].mean()

    for name, found in table.summary["models"].items():
        gap = found["gap"]["noise_corrected"]
        y = table.of(name)
        top = bottom = 0.0
        for benchmark, part in _sides(y):
            if benchmark not in gap["benchmarks"]:
                assert benchmark in gap["left_out"]
                continue
            own = labelled[labelled["benchmark"] == benchmark]
            se, sp = rates(own if len(own) >= 50 and own["truth"].nunique() == 2 else labelled)
            q = (part["side"] == 1).mean()
            pi = (q + sp - 1) / (se + sp - 1)
            ppv, npv = se * pi / q, sp * (1 - pi) / (1 - q)
            top += _overlap(part) * 100 * _difference(part) / (ppv + npv - 1)
            bottom += _overlap(part)
        assert bottom > 0
        assert gap["estimate"] == pytest.approx(top / bottom, abs=1e-6)


def test_given_labels_have_no_noise_correction(made):
    for model in made.summary["models"].values():
        gap = model["gap"]["noise_corrected"]
        assert gap["estimate"] is None
        assert "given" in gap["reason"]
    assert made.summary["sweep"] == []


@pytest.mark.parametrize("which", BOTH)
def test_comparisons(which, request):
    table = Table(_audit(which, request))
    rows = {(row["a"], row["b"], row["scope"]): row for row in table.summary["comparisons"]}
    assert len(rows) == 4 * math.comb(len(table.models), 2) == len(table.summary["comparisons"])
    for a, b in combinations(table.models, 2):
        both = table.wide.dropna(subset=[a, b]).reset_index()
        both = both.assign(d=both[a].astype(float) - both[b].astype(float))
        for scope in ("all", "knowledge", "reasoning"):
            part = both if scope == "all" else both[both["side"] == (scope == "reasoning")]
            row = rows[a, b, scope]
            assert row["n"] == len(part)
            assert row["clusters"] == part["cluster"].nunique()
            assert row["difference"] == pytest.approx(100 * part["d"].mean(), abs=1e-7)
            assert row["verdict"] == _verdict(row)
            binary = both[[a, b]].isin([0, 1]).all(axis=None)
            won, lost = int((part["d"] > 0).sum()), int((part["d"] < 0).sum())
            if binary:
                exact = mcnemar([[0, won], [lost, 0]], exact=True).pvalue
                assert row["p_mcnemar"] == pytest.approx(exact, rel=1e-6, abs=1e-12)
            else:
                assert row["p_mcnemar"] is None
                assert row["reason"]
            if binary and part["cluster"].is_unique:
                mid = exact - stats.binom.pmf(min(won, lost), won + lost, 0.5)
                assert row["p_mid"] == pytest.approx(mid, rel=1e-6, abs=1e-12)
                assert row["p_sign_flip"] == pytest.approx(exact, rel=1e-6, abs=1e-12)
            sums = (
                part.groupby("cluster")["d"].sum()
                - part["d"].mean() * part.groupby("cluster").size()
            )
            error = 100 * math.sqrt((sums**2).sum()) / len(part)
            if part["cluster"].nunique() >= 60:
                assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * error, rel=0.16)
        gap = rows[a, b, "gap"]
        value = _weighted([part for _, part in _sides(both)], _overlap, "d")
        assert gap["difference"] == pytest.approx(value, abs=1e-7)
        assert gap["n"] == sum(len(part) for _, part in _sides(both))
        assert gap["verdict"] == _verdict(gap)
    for scope in ("all", "knowledge", "reasoning", "gap"):
        mine = [row for row in table.summary["comparisons"] if row["scope"] == scope]
        p = [row["p_bootstrap" if scope == "gap" else "p_mid"] for row in mine]
        assert [row["p_holm"] for row in mine] == pytest.approx(multipletests(p, method="holm")[1])


def _verdict(row):
    if row["low"] >= -2 and row["high"] <= 2:
        return "tie"
    return "win" if row["low"] > 0 else "loss" if row["high"] < 0 else "undecided"


@pytest.mark.slow
def test_sweep(sample):
    table = Table(sample[0])
    assert [point["threshold"] for point in table.summary["sweep"]] == pytest.approx(
        np.arange(1, 10) / 10
    )
    for point in table.summary["sweep"]:
        inside = table.wide[
            table.wide["in_domain"].astype(bool) & table.wide["p_reasoning"].notna()
        ]
        share = (inside["p_reasoning"] >= point["threshold"]).mean()
        assert point["share_reasoning"] == pytest.approx(share, abs=EXACT)
        for name, gaps in point["models"].items():
            y = table.of(name)
            y["side"] = (
                (y["p_reasoning"] >= point["threshold"])
                .astype(float)
                .where(y["in_domain"].astype(bool))
            )
            expected = _weighted([part for _, part in _sides(y)], _overlap)
            assert gaps["within"] == pytest.approx(expected, abs=1e-7)
            assert gaps["pooled"] == pytest.approx(100 * _difference(y), abs=1e-7)


@pytest.mark.parametrize("which", BOTH)
def test_what_the_benchmarks_are_made_of(which, request):
    table = Table(_audit(which, request))
    for name, found in table.summary["benchmarks"].items():
        part = table.wide.loc[name]
        assert found["items"] == found["answered"] == len(part)
        assert found["reasoning"] == (part["stratum"] == "reasoning").sum()
        assert found["knowledge"] == (part["stratum"] == "knowledge").sum()
        assert found["chance"] == pytest.approx((1 / part["k"]).mean(), abs=EXACT)
        keys = part["key"].map(lambda key: key[0])
        positions = found["key_positions"]
        counts = np.bincount(keys, minlength=part["k"].max())
        assert list(positions["counts"].values()) == counts.tolist()
        expected = [(1 / part.loc[part["k"] > i, "k"]).sum() for i in range(part["k"].max())]
        assert list(positions["expected"].values()) == pytest.approx(expected)
        if part["k"].nunique() == 1 and expected[0] >= 5:
            assert positions["p"] == pytest.approx(
                stats.chisquare(counts, expected).pvalue, rel=1e-6
            )
        longest = [
            max(map(len, row.options)) == len(row.options[row.key[0]])
            and sorted(map(len, row.options))[-1] > sorted(map(len, row.options))[-2]
            for row in part.itertuples()
        ]
        assert positions["longest_option_is_key"] == pytest.approx(np.mean(longest), abs=EXACT)


@pytest.mark.parametrize("which", BOTH)
def test_hard_subset_and_duplicates(which, request):
    audit = _audit(which, request)
    table = Table(audit)
    y = table.wide[table.models].astype(float)
    judged = y.notna().sum(axis=1) >= 3
    hard = judged & (y.mean(axis=1) < 0.5 - 1e-9)
    found = table.summary["hard_subset"]
    assert found["n"] == hard.sum()
    assert found["share"] == pytest.approx(hard.sum() / judged.sum(), abs=EXACT)
    for name, cell in found["models"].items():
        mine = y.loc[hard, name].dropna()
        assert (cell["n"], cell["accuracy"]) == (len(mine), pytest.approx(mine.mean(), abs=EXACT))
        others = y.drop(columns=name)
        theirs = (others.notna().sum(axis=1) >= 3) & (others.mean(axis=1) < 0.5 - 1e-9)
        mine = y.loc[theirs, name].dropna()
        assert found["by_others"][name]["n"] == len(mine)
        assert found["by_others"][name]["accuracy"] == pytest.approx(mine.mean(), abs=EXACT)
    if which == "made":
        duplicates = table.summary["data_quality"]["duplicates"]
        assert duplicates["exact_clusters"] == duplicates["exact_items"] == 10
        assert duplicates["exact_across_benchmarks"] == 10
        assert duplicates["contradicting_keys"] == 0


@pytest.mark.slow
def test_efficiency_means(sample):
    responses = pd.DataFrame(sample[0].responses.to_dicts())
    raw = responses[responses["text"].notna()]
    for (model, method), part in raw.groupby(["model", "method"]):
        found = sample[0].summary["efficiency"][f"{model}/{method}"]
        lengths = part["text"].str.len() + part["reasoning"].fillna("").str.len()
        assert found["characters"] == pytest.approx(lengths.mean())
        assert sum(row["n"] for row in found["bins"]) == len(part)
