"""Exact and near duplicates, on planted and on published items."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva.analysis._shingles import candidate_pairs, shingle, similarities, weigh
from viva.analysis.duplicates import (
    clusters,
    exact_duplicates,
    near_duplicates,
    summarise_duplicates,
)
from viva.records import LETTERS, Choice, Group, Item, items_frame, normalise


def item(
    name: str,
    question: str,
    options: tuple[str, ...] = ("yes", "no"),
    key: int | None = 0,
    benchmark: str = "b",
    group: str | None = None,
    context: str | None = None,
) -> Item:
    return Item(
        benchmark,
        name,
        question,
        options,
        None if key is None else Choice(key),
        context=context,
        group=Group(group) if group else None,
    )


@pytest.fixture(scope="module")
def bench(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_duplicates", root / "bench/duplicates.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- exact duplicates and clusters


def test_case_spacing_and_order_of_options_do_not_matter() -> None:
    frame = items_frame(
        [
            item("1", "Which  organ?", ("Liver", "Heart")),
            item("2", "which organ?", ("heart", "LIVER"), benchmark="c"),
            item("3", "Which organ?", ("Liver", "Heart", "Lung")),
        ]
    )
    assert exact_duplicates(frame).tolist() == [0, 0, 1]


def test_one_question_on_two_passages_is_two_items() -> None:
    texts = ["passage one", "passage two", "Passage  one", None]
    frame = items_frame([item(str(i), "Is it so?", context=text) for i, text in enumerate(texts)])
    assert exact_duplicates(frame).tolist() == [0, 1, 0, 2]


def test_a_copy_without_the_only_known_passage_is_a_copy() -> None:
    frame = items_frame([item("1", "Is it so?", context="p"), item("2", "Is it so?")])
    assert exact_duplicates(frame).tolist() == [0, 0]


def test_clusters_join_copies_and_groups_transitively_across_benchmarks() -> None:
    frame = items_frame(
        [
            item("1", "alpha"),
            item("2", "beta", group="g", benchmark="c"),
            item("3", "alpha", group="g", benchmark="d"),
            item("4", "gamma"),
            item("5", "beta", benchmark="e"),
            item("6", "delta", group="h"),
            item("7", "epsilon", group="h"),
        ]
    )
    assert clusters(frame).tolist() == [0, 0, 0, 1, 0, 2, 2]


def test_no_items() -> None:
    frame = items_frame([])
    assert clusters(frame).tolist() == []
    assert len(near_duplicates(frame).pairs) == 0
    found = summarise_duplicates(frame)
    assert found["exact_clusters"] == found["near_pairs"] == 0 and found["examples"] == []


@given(st.lists(st.tuples(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 4))), max_size=25))
def test_clusters_equal_the_transitive_closure(rows: list[tuple[int, int | None]]) -> None:
    frame = items_frame(
        [
            item(str(i), f"question {q}", group=None if g is None else f"g{g}")
            for i, (q, g) in enumerate(rows)
        ]
    )
    n = len(rows)
    joined = np.eye(n, dtype=bool)
    for i, (q, g) in enumerate(rows):
        for j, (r, h) in enumerate(rows):
            joined[i, j] |= q == r or (g is not None and g == h)
    for _ in range(n):
        joined = joined @ joined
    codes = clusters(frame)
    assert ((codes[:, None] == codes[None, :]) == joined).all()
    assert sorted(set(codes.tolist())) == list(range(len(set(codes.tolist()))))


def test_contradicting_keys_compare_the_right_texts_not_the_letters() -> None:
    frame = items_frame(
        [
            item("1", "same", ("a", "b"), 0),
            item("2", "same", ("b", "a"), 1),  # still "a"
            item("3", "other", ("a", "b"), 0),
            item("4", "other", ("b", "a"), 0, benchmark="c"),  # now "b"
            item("5", "third", ("a", "b"), None),
            item("6", "third", ("a", "b"), 1),
        ]
    )
    found = summarise_duplicates(frame)
    assert (found["exact_clusters"], found["exact_items"]) == (3, 3)
    assert found["exact_across_benchmarks"] == 1
    assert found["contradicting_keys"] == 1
    assert found["examples"][0] == {"a": "b/3", "b": "c/4", "similarity": 1.0, "same_key": False}


# --- shingles


words = st.lists(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]), max_size=12
)


@given(st.lists(words, min_size=2, max_size=6))
def test_similarity_equals_jaccard_of_plain_sets(texts: list[list[str]]) -> None:
    joined = [" ".join(text) for text in texts]
    sets = shingle([[text] for text in joined])
    plain = [
        {f" {text} "[i : i + 5] for i in range(len(text) - 2)} if text else set() for text in joined
    ]
    assert np.diff(sets.starts).tolist() == [len(one) for one in plain]
    pairs = np.array([(i, j) for j in range(len(texts)) for i in range(j)])
    similarity, shared = similarities(sets, np.ones(len(sets.values), np.float32), pairs)
    for (i, j), value, weight in zip(pairs, similarity, shared, strict=True):
        union = len(plain[i] | plain[j])
        assert weight == len(plain[i] & plain[j])
        assert value == pytest.approx(len(plain[i] & plain[j]) / union if union else 0)


def test_the_order_and_number_of_fields_make_no_shingles() -> None:
    sets = shingle([["one two", "three"], ["three", "one two"], ["one two three"], ["", "?!"]])
    first, second, third = (sets.values[sets.starts[i] : sets.starts[i + 1]] for i in range(3))
    assert first.tolist() == second.tolist() != third.tolist()
    assert sets.starts[4] == sets.starts[3]


def test_rare_shingles_weigh_more() -> None:
    sets = shingle([["common", "rare"], *[["common"]] * 9999])
    weights = weigh(sets)
    assert weights.max() == pytest.approx(1)
    assert weights[sets.starts[1] :].max() < 0.02


def test_pairs_are_proposed_as_often_as_the_bands_promise() -> None:
    # Pairs of sets of 200 with a known Jaccard similarity.
    rng = np.random.default_rng(0)
    from viva.analysis._shingles import Shingles

    for jaccard, least, most in ((0.7, 0.99, 1.0), (0.6, 0.96, 1.0), (0.05, 0.0, 0.001)):
        common = round(200 * 2 * jaccard / (1 + jaccard))
        sets = []
        for _ in range(400):
            pool = rng.choice(2**32, 400, replace=False).astype(np.uint32)
            sets.append(np.sort(pool[:200]))
            sets.append(np.sort(np.concatenate([pool[:common], pool[200 : 400 - common]])))
        starts = np.arange(0, 200 * 800 + 1, 200)
        pairs = candidate_pairs(Shingles(np.concatenate(sets), starts), 0.5).pairs
        planted = {(2 * i, 2 * i + 1) for i in range(400)}
        found = planted & {(int(a), int(b)) for a, b in pairs}
        assert least <= len(found) / 400 <= most


# --- near duplicates


@pytest.mark.parametrize("seed", [1, 2])
def test_planted_edits_are_found_and_decoys_are_not(bench: ModuleType, seed: int) -> None:
    items, pairs = bench.planted(2500, seed)
    near = near_duplicates(items_frame(items))
    found = {(int(a), int(b)) for a, b in near.pairs}
    for kind in bench.KINDS:
        of_kind = [pair for pair, made in pairs.items() if made == kind]
        assert len(of_kind) > 15
        assert sum(pair in found for pair in of_kind) / len(of_kind) >= 0.97, kind
    assert sum(pair in pairs for pair in found) / len(found) >= 0.97


def test_a_stem_of_boilerplate_is_no_near_duplicate(bench: ModuleType) -> None:
    maker = bench.Maker(3)
    stem = "Which of the following statements is true?"
    generic = [item(f"g{i}", stem, maker.options()) for i in range(30)]
    others = [maker.item(f"o{i}") for i in range(500)]
    near = near_duplicates(items_frame([*generic, *others]))
    assert not [pair for pair in near.pairs.tolist() if pair[1] < 30]


def test_a_crowd_of_look_alikes_stays_linear_and_is_told(bench: ModuleType) -> None:
    maker = bench.Maker(4)
    stem = "Which medicine does the patient of the monotonous northern ward take every morning?"
    crowd = [item(f"c{i}", stem, maker.options()) for i in range(300)]
    others = [maker.item(f"o{i}") for i in range(2700)]
    near = near_duplicates(items_frame([*crowd, *others]))
    assert near.crowded > 0
    among = [pair for pair in near.pairs.tolist() if pair[1] < 300]
    assert {row for pair in among for row in pair} == set(range(300))
    assert 299 <= len(among) <= 300 * 20


def test_a_few_items_are_enough_to_see_a_near_copy(bench: ModuleType) -> None:
    for kind in bench.KINDS:
        maker = bench.Maker(9)
        original = item("1", maker.text(20), maker.options())
        near = near_duplicates(items_frame([original, maker.edited(original, kind, "2")]))
        assert near.pairs.tolist() == ([[0, 1]] if kind != "number" else []), kind


def test_near_pairs_stand_for_distinct_contents_and_leave_declared_groups_out() -> None:
    long = "A man of forty years has had fever and a dry cough for three weeks since his journey"
    frame = items_frame(
        [
            item("1", long, ("a", "b"), 0),
            item("2", long, ("b", "a"), 1),
            item("3", long + " home", ("a", "b"), 1, benchmark="c"),
            item("4", "The valve between the left chambers of the heart", group="g"),
            item("5", "The valve between left chambers of the heart", group="g"),
        ]
    )
    near = near_duplicates(frame)
    assert near.pairs.tolist() == [[0, 2]]
    found = summarise_duplicates(frame, near)
    assert (found["near_pairs"], found["near_across_benchmarks"]) == (1, 1)
    assert found["examples"][0]["same_key"] is False


def test_similarities_do_not_depend_on_the_seed(bench: ModuleType) -> None:
    frame = items_frame(bench.planted(1000, 5)[0])
    first, second = (near_duplicates(frame, seed=seed) for seed in (0, 1))
    of = [
        dict(zip(map(tuple, n.pairs.tolist()), n.similarity, strict=True)) for n in (first, second)
    ]
    common = of[0].keys() & of[1].keys()
    assert len(common) >= 0.98 * len(of[0])
    assert all(of[0][pair] == of[1][pair] for pair in common)


# --- published items


def _mmlu(shared: Path) -> list[Item]:
    out = []
    for path in sorted((shared / "mmlu_med").glob("*_test.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row, (question, *options, key) in enumerate(csv.reader(file)):
                name = f"{path.stem.removesuffix('_test')}-{row:03d}"
                choice = LETTERS.index(key)
                out.append(item(name, question, tuple(options), choice, "mmlu_med"))
    return out


def _mmlu_pro(shared: Path, *subjects: str) -> list[Item]:
    out = []
    for subject in subjects:
        path = shared / f"mmlu_pro/mmlu-pro_{subject}.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            name = f"{subject}-{row['question_id']}"
            options, key = tuple(row["options"]), row["answer_index"]
            out.append(item(name, row["question"], options, key, "mmlu_pro"))
    return out


@pytest.mark.shared
def test_known_duplicates_of_mmlu(shared: Path) -> None:
    items = _mmlu(shared)
    found = summarise_duplicates(items_frame(items))
    assert (found["exact_clusters"], found["exact_items"]) == (78, 78)
    assert found["contradicting_keys"] == 0
    codes = exact_duplicates(items_frame(items)).tolist()
    subjects: dict[int, set[str]] = {}
    for one, code in zip(items, codes, strict=True):
        subjects.setdefault(code, set()).add(one.item_id.split("-")[0])
    twice = {frozenset(names) for names in subjects.values() if len(names) > 1}
    assert twice == {frozenset({"clinical_knowledge", "college_medicine"})}


@pytest.mark.shared
def test_known_duplicates_of_mmlu_pro_and_its_overlap_with_mmlu(shared: Path) -> None:
    pro = _mmlu_pro(shared, "health", "biology")
    assert summarise_duplicates(items_frame(pro))["exact_items"] == 94
    both = summarise_duplicates(items_frame([*_mmlu(shared), *pro]))
    assert both["exact_across_benchmarks"] == 54
    # MMLU-Pro gave many MMLU questions more options: one stem, another list.
    assert both["near_across_benchmarks"] >= 450


@pytest.mark.shared
def test_stems_of_medmcqa_that_differ_in_punctuation_are_near(shared: Path) -> None:
    items = []
    for line in (shared / "medmcqa/medmcqa_dev.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        options = tuple(row[f"op{letter}"] for letter in "abcd")
        items.append(item(row["id"], row["question"], options, row["cop"] - 1, "medmcqa"))
    stems = [re.sub(r"\W+", " ", one.question).strip().casefold() for one in items]
    twice = [(stems.index(stem), row) for row, stem in enumerate(stems) if stems.index(stem) < row]
    assert len(twice) == 20
    near = {(int(a), int(b)) for a, b in near_duplicates(items_frame(items)).pairs}
    telling = [pair for pair in twice if len(stems[pair[0]]) > 30]
    assert len(telling) >= 12 and near.issuperset(telling)


@pytest.mark.shared
def test_edits_planted_in_published_items_are_found(shared: Path, bench: ModuleType) -> None:
    originals = [
        one for one in [*_mmlu(shared), *_mmlu_pro(shared, "health")] if len(one.question) > 60
    ]
    maker = bench.Maker(7)
    copies, kinds = [], []
    for row in range(0, len(originals), 4):
        kind = bench.KINDS[len(copies) % len(bench.KINDS)]
        copies.append(maker.edited(originals[row], kind, f"c{row}"))
        kinds.append((row, len(originals) + len(copies) - 1, kind))
    near = near_duplicates(items_frame([*originals, *copies]))
    exact = exact_duplicates(items_frame([*originals, *copies]))
    found = {(int(exact[a]), int(exact[b])) for a, b in near.pairs}
    for kind in bench.KINDS:
        of_kind = [(exact[a], exact[b]) for a, b, made in kinds if made == kind]
        hits = sum((min(p), max(p)) in found or p[0] == p[1] for p in of_kind)
        assert hits / len(of_kind) >= 0.93, kind
    assert normalise(copies[0].question) != normalise(originals[0].question)
