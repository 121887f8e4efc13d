"""Items in training text: copies that were planted, strangers, and overlaps known to be there."""

from __future__ import annotations

import csv
import gzip
import importlib
import itertools
import json
import random
import re
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viva._files.texts import read_texts
from viva.analysis import _overlap, contamination, exact_duplicates, plant, planted_test, wilson
from viva.analysis._words import fold_words, gram_hashes, words_of
from viva.benchmarks import bundled, read_items
from viva.errors import InputError
from viva.records import Choice, Group, Item, items_frame

STEM = (
    "A 34-year-old beekeeper develops hoarseness and a metallic taste two hours after sealing a "
    "cedar floor with an imported varnish. Which of the following is the most likely diagnosis?"
)
OPTIONS = ("Vocal fold granuloma", "Cobalt inhalation", "Laryngeal spasm", "Cedar asthma")
BOILERPLATE = (
    "Which of the following is the most likely diagnosis?",
    "A 45-year-old man comes to the physician because of",
)


def item(name: str, stem: str, options: tuple[str, ...] = OPTIONS, **more: object) -> Item:
    return Item("b", name, stem, options, Choice(1), **more)  # type: ignore[arg-type]


def search(items: list[Item], *texts: str, **more: object) -> pl.DataFrame:
    rows = [("t", number, text) for number, text in enumerate(texts, 1)]
    return contamination(items_frame(items), rows, **more).flags  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sample() -> pl.DataFrame:
    return bundled().items


@pytest.fixture(scope="module")
def reference(sample: pl.DataFrame) -> pl.DataFrame:
    """Every third question: indexing all for each test takes a while."""
    return sample.gather_every(3)


def of(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.filter(pl.col("benchmark") == name)


# --- words


@given(st.text(max_size=60))
def test_ascii_and_unicode_take_the_same_way_through_folding(text: str) -> None:
    ascii_only = text.encode("ascii", "ignore").decode()
    # A letter outside ASCII sends the text the other way; what it adds is cut off again.
    there, back = fold_words(ascii_only + " é").split()[:-1], fold_words(ascii_only).split()
    assert there == back


@given(st.lists(st.lists(st.sampled_from(["heart", "a", "b", "ab"]), max_size=12), max_size=6))
def test_words_and_runs_are_those_of_a_plain_loop(texts: list[list[str]]) -> None:
    words = words_of([" ".join(text) for text in texts])
    flat = [word for text in texts for word in text]
    assert words.owner.tolist() == [at for at, text in enumerate(texts) for _ in text]
    for a, b in itertools.combinations(range(len(flat)), 2):
        assert (words.hashes[a] == words.hashes[b]) == (flat[a] == flat[b])
    keys, places = gram_hashes(words, 3)
    runs = [tuple(text[at : at + 3]) for text in texts for at in range(len(text) - 2)]
    assert [tuple(flat[p : p + 3]) for p in places] == runs
    assert len(set(keys.tolist())) == len(set(runs))


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=12),
    st.lists(st.integers(0, 3), min_size=1, max_size=12),
)
def test_common_runs_are_those_of_a_plain_loop(left: list[int], right: list[int]) -> None:
    def longest_ending(at: int) -> int:
        for n in range(at + 1, 0, -1):
            piece = left[at - n + 1 : at + 1]
            if any(right[s : s + n] == piece for s in range(len(right) - n + 1)):
                return n
        return 0

    found = _overlap.common_runs(np.array(left, np.uint64), np.array(right, np.uint64))
    assert found.tolist() == [longest_ending(at) for at in range(len(left))]


def test_characters_without_spaces_are_words_and_labels_are_not() -> None:
    assert fold_words("心脏病 x").split() == [c.encode() for c in "心脏病x"]
    assert fold_words("Which?\n A. foo\nB) bar (c) baz").split() == [
        b"which",
        b"foo",
        b"bar",
        b"baz",
    ]
    assert fold_words("vitamin C. deficiency").split() == [b"vitamin", b"c", b"deficiency"]


# --- what is flagged, and as what


def test_a_copy_is_exact_whatever_its_case_and_punctuation() -> None:
    copy = json.dumps({"q": STEM.upper().replace("-", " "), "o": OPTIONS})
    flag = search([item("1", STEM)], "Something else.", copy).row(0, named=True)
    assert (flag["kind"], flag["file"], flag["row"]) == ("exact", "t", 2)
    assert flag["longest_run"] == len(fold_words(STEM).split())
    assert flag["share"] == 1
    assert (flag["options"], flag["options_total"], flag["answer_given"]) == (4, 4, False)
    assert flag["item_text"] == STEM


def test_the_answer_beside_the_question_is_told_from_the_list_of_options() -> None:
    listed = "\n".join([STEM, *OPTIONS])
    for text, given_away in (
        (listed, False),
        (f"{listed}\nAnswer: {OPTIONS[1]}", True),
        (f"{STEM} {OPTIONS[1]}.", True),
        (f"{STEM} {OPTIONS[2]}.", False),
        (STEM, None),
    ):
        assert search([item("1", STEM)], text)["answer_given"].to_list() == [given_away]


def test_a_cut_item_and_an_edited_one_are_found() -> None:
    words = STEM.split()
    cut = search([item("1", STEM)], " ".join(words[: len(words) * 2 // 3]))
    assert cut["kind"].to_list() == ["ngram"]
    assert 0.5 < cut["share"][0] < 0.8
    edited = " ".join(w if n % 6 else w[:-1] for n, w in enumerate(words, 1))
    fuzzy = search([item("1", STEM)], edited)
    assert fuzzy["kind"].to_list() == ["fuzzy"]
    assert fuzzy["longest_run"][0] < 8
    assert fuzzy["similarity"][0] >= 0.7


def test_boilerplate_is_no_overlap(sample: pl.DataFrame, reference: pl.DataFrame) -> None:
    """What many questions share does not flag, nor does it make up for what is not shared."""
    items = of(sample, "medqa")
    rows = [("t", n, text) for n, text in enumerate((*BOILERPLATE, " ".join(BOILERPLATE)), 1)]
    assert contamination(items, rows).flags.is_empty()
    # Without its question's end the item is another one; with nothing but that end too.
    own = [item("1", STEM)]
    other = f"Heat and light are forms of energy that no clinic sells. {BOILERPLATE[0]}"
    assert search(own, other, reference=reference).is_empty()
    assert search(own, STEM.replace(BOILERPLATE[0], ""), reference=reference).height == 1


def test_how_many_questions_hold_a_run_decides_whether_it_is_boilerplate() -> None:
    """The same phrase flags in four questions and does not in five; variants count once."""
    phrase = (
        "this sentence is shared by a number of quite different exam questions as a case in point"
    )

    def made(n: int, **more: object) -> list[Item]:
        starts = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel")
        own = "{0}s rarely grow where {0} beetles have eaten every {0} root"
        return [item(s, f"{own.format(s)} {phrase}", **more) for s in starts[:n]]

    fewest = _overlap.BOILERPLATE
    assert search(made(fewest - 1), phrase).height == fewest - 1
    assert search(made(fewest), phrase).is_empty()
    assert search(made(fewest + 2, group=Group("one")), phrase).height == fewest + 2


def test_a_stem_that_says_little_needs_its_options() -> None:
    short = item(
        "1", "Which is true?", ("Bile is acid in dogs", "Lymph is blue", "Tears are sweet")
    )
    assert search([short], "Which is true? That is the question.").is_empty()
    assert search([short], "Bile is acid in dogs, some say.").is_empty()
    copied = "Which is true?\nA. Bile is acid in dogs\nB. Lymph is blue\nC. Tears are sweet"
    assert search([short], copied)["kind"].to_list() == ["exact"]
    assert search([short], copied.replace("A. ", "").replace("\n", " "))["kind"].to_list() == [
        "exact"
    ]


def test_items_that_cannot_be_found_are_named() -> None:
    bare = Item("b", "bare", "Scurvy?", (), None)
    found = contamination(items_frame([bare, item("1", STEM)]), [("t", 1, "Scurvy?")])
    assert found.uncheckable == ["b/bare"]
    assert found.flags.is_empty()


def test_every_row_counts_and_no_more_flags_are_listed_than_asked() -> None:
    found = contamination(
        items_frame([item("1", STEM)]), [("t", n, STEM) for n in range(9)], most=4
    )
    assert found.rows == 9
    assert found.characters == 9 * len(STEM)
    assert found.flags["row"].to_list() == [0, 1, 2, 3]
    assert found.left_out == 5


@pytest.mark.parametrize("at", [0, 190_000, 199_000, 390_000, 1_000_000])
def test_an_item_is_found_wherever_it_stands_in_a_long_row(at: int) -> None:
    filler = " ".join(f"w{n}" for n in range(200_000))
    text = f"{filler[:at]} {STEM} {filler[at:]}"
    flags = search([item("1", STEM)], text, "unrelated")
    assert flags.select("row", "kind").rows() == [(1, "exact")]


def test_nothing_in_nothing_out() -> None:
    assert search([item("1", STEM)]).is_empty()
    assert search([item("1", STEM)], "", " ", "?!").is_empty()
    assert search([], STEM).is_empty()
    assert search([Item("b", "1", "", (), None)], STEM).is_empty()


@given(st.lists(st.text(max_size=40), max_size=5), st.text(max_size=80))
def test_any_text_can_be_searched(texts: list[str], stem: str) -> None:
    search([item("1", stem), item("2", STEM)], *texts)


# --- files


def rows_of(path: Path) -> list[tuple[int, str]]:
    return list(read_texts(path))


def test_every_format_gives_the_same_text(tmp_path: Path) -> None:
    rows = [
        {"q": STEM, "o": list(OPTIONS), "n": {"deep": ["x", 3]}},
        {"q": "Ünïcode", "o": ["é"], "n": {"deep": []}},
    ]
    jsonl = tmp_path / "a.jsonl"
    jsonl.write_text("".join(json.dumps(row) + "\n" for row in rows))
    expected = [(1, "\n".join([STEM, *OPTIONS, "x"])), (2, "Ünïcode\né")]
    assert rows_of(jsonl) == expected
    (tmp_path / "a.json").write_text(json.dumps(rows))
    assert rows_of(tmp_path / "a.json") == expected
    zipped = tmp_path / "a.jsonl.gz"
    zipped.write_bytes(gzip.compress(jsonl.read_bytes()))
    assert rows_of(zipped) == expected
    pl.DataFrame([{"q": row["q"], "o": row["o"]} for row in rows]).write_parquet(
        tmp_path / "a.parquet"
    )
    assert rows_of(tmp_path / "a.parquet") == [(1, "\n".join([STEM, *OPTIONS])), (2, "Ünïcode\né")]


def test_the_first_line_of_a_table_without_header_is_text_too(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[STEM, "x", "x"], ["second", "y", "y"]])
    assert [row for row, _ in rows_of(tmp_path / "a.csv")] == [1, 2]
    found = search([item("1", STEM)], *(text for _, text in rows_of(tmp_path / "a.csv")))
    assert found["row"].to_list() == [1]


def test_plain_text_comes_in_pieces_that_overlap(tmp_path: Path) -> None:
    rng = random.Random(0)
    lines = ["".join(rng.choices("abcdefgh ", k=rng.randint(0, 300))) for _ in range(1500)]
    half = STEM.index(" ", len(STEM) // 2)
    for place in (0, 400, 401, 430, 431, 432, 860, 1499):
        text = lines.copy()
        text[place : place + 1] = [STEM[:half], STEM[half:]]
        file = tmp_path / "a.txt"
        file.write_text("\n".join(text))
        flags = search([item("1", STEM)], *(piece for _, piece in read_texts(file)))
        assert "exact" in flags["kind"].to_list(), place
    starts = [row for row, _ in read_texts(file)]
    assert starts[0] == 1
    assert starts == sorted(set(starts))
    joined = "".join(text for _, text in read_texts(file))
    assert all(line in joined for line in text)


def test_a_broken_training_file_is_an_error_that_names_the_row(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"q": "fine"}\n{"q": "broken\n')
    with pytest.raises(InputError, match=r"a\.jsonl:2"):
        rows_of(file)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="broken Parquet"):
        rows_of(tmp_path / "a.parquet")


def test_memory_does_not_grow_with_the_training_text() -> None:
    """Forty times the text, the same memory."""

    def texts(n: int) -> Iterator[tuple[str, int, str]]:
        rng = random.Random(0)
        pool = [" ".join(f"w{rng.randrange(30_000)}" for _ in range(300)) for _ in range(50)]
        for row in range(n):
            yield "t", row, pool[row % 50] + (STEM if row % 97 == 0 else "")

    frame = items_frame([item("1", STEM)])
    contamination(frame, texts(1_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = contamination(frame, texts(12_000))
    assert found.characters > 20e6
    assert found.flags.height == 20
    assert found.left_out == 124 - 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


# --- the test on itself


def test_plants_are_what_they_are_called(sample: pl.DataFrame) -> None:
    items = of(sample, "medqa").head(50)
    made = plant(items, ["Another question entirely?"], seed=1, n=20)
    assert made == plant(items, ["Another question entirely?"], seed=1, n=20)
    assert made != plant(items, ["Another question entirely?"], seed=2, n=20)
    assert {kind for kind, _, _ in made} == {
        "exact",
        "edited",
        "truncated",
        "options shuffled",
        "embedded",
    }
    for kind, row, text in made:
        stem, options = items["question"][row], items["options"][row].to_list()
        assert (stem in text) == (kind not in ("edited", "truncated"))
        if kind == "truncated":
            assert stem.split()[: len(text.split())] == text.split()
        if kind == "options shuffled":
            assert all(option in text for option in options)
        if kind == "embedded":
            assert len(text) > len(stem) + 500


@pytest.mark.parametrize("name", ["medqa", "medmcqa", "mmlu_med", "pubmedqa"])
def test_planted_copies_are_found_and_strangers_left_alone(
    sample: pl.DataFrame, reference: pl.DataFrame, name: str
) -> None:
    test = planted_test(of(sample, name), reference, n=100, most_others=1500)
    assert test.recall["exact"].low > 0.95
    assert test.recall["embedded"].low > 0.95
    assert test.recall["options shuffled"].estimate >= 0.95
    assert test.recall["edited"].estimate >= 0.93
    assert test.recall["truncated"].estimate >= 0.85
    assert test.false_positives.estimate <= 0.004
    assert test.false_positives.n == 1500
    assert test.precision.low > 0.97
    rate = test.recall["exact"]
    assert (rate.low, rate.high) == tuple(map(float, wilson(rate.k, rate.n)))
    assert len(test.flagged) == test.false_positives.k


def test_the_test_on_itself_can_fail(
    sample: pl.DataFrame, reference: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that flags far too easily, and one that finds nothing, are seen as such."""
    module = importlib.import_module("viva.analysis.contamination")
    items = of(sample, "medqa").head(60)
    monkeypatch.setattr(module, "_kind", lambda *_: "fuzzy")
    monkeypatch.setattr(_overlap, "_SHARE", 0.03)
    easy = planted_test(items, reference, n=10, most_others=300)
    monkeypatch.setattr(module, "_kind", lambda *_: None)
    blind = planted_test(items, reference, n=10, most_others=300)
    monkeypatch.undo()
    right = planted_test(items, reference, n=10, most_others=300)
    assert easy.false_positives.k > 5 * max(right.false_positives.k, 1)
    assert easy.precision.high < right.precision.low
    assert blind.recall["exact"].estimate == 0
    assert blind.precision.estimate is None


# --- overlaps known to be there


def flagged(found: pl.DataFrame) -> int:
    return found.select("benchmark", "item_id").unique().height


def against(items: pl.DataFrame, sample: pl.DataFrame, *files: Path) -> pl.DataFrame:
    texts = ((file.name, row, text) for file in files for row, text in read_texts(file))
    return contamination(items, texts, reference=sample).flags


def test_bundled_benchmarks_overlap_where_they_are_known_to(sample: pl.DataFrame) -> None:
    """MMLU-Pro's health questions are MMLU's in part; MedQA and PubMedQA share nothing."""

    def between(left: str, right: str) -> pl.DataFrame:
        rows = of(sample, right).select("question", "options").iter_rows()
        texts = [(right, n, "\n".join([stem, *options])) for n, (stem, options) in enumerate(rows)]
        return contamination(of(sample, left), texts, reference=sample).flags

    shared = between("mmlu_med", "mmlu_pro_health")
    exact = shared.filter(pl.col("kind") == "exact")
    # Stems that are equal word for word, found without the search.
    stems = {fold_words(q) for q in of(sample, "mmlu_pro_health")["question"]}
    equal = {
        row["item_id"]
        for row in of(sample, "mmlu_med").iter_rows(named=True)
        if fold_words(row["question"]) in stems and len(fold_words(row["question"]).split()) >= 8
    }
    assert len(equal) > 200
    missed = equal - set(exact["item_id"])
    assert len(missed) <= 0.03 * len(equal), missed
    assert between("medqa", "pubmedqa").is_empty()


def runs_of_eight(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[at : at + 8]) for at in range(len(words) - 7)}


@pytest.mark.shared
def test_overlaps_in_the_published_files(
    sample: pl.DataFrame, reference: pl.DataFrame, shared: Path
) -> None:
    medqa = of(sample, "medqa")
    five = against(medqa, reference, shared / "medqa/medqa_us_5opt_test.jsonl")
    assert flagged(five.filter(pl.col("kind") == "exact")) == 1273
    dev = against(medqa, reference, shared / "medqa/medqa_us_4opt_dev.jsonl")
    assert dev.filter(pl.col("kind") == "exact").is_empty()
    assert flagged(dev) <= 5
    medec = against(medqa, reference, shared / "medec/medec_ms_val.csv")
    assert 33 <= flagged(medec) <= 40
    # Counted without the search: items that share three tenths of their runs of eight words.
    notes = [runs_of_eight(text) for _, text in read_texts(shared / "medec/medec_ms_val.csv")]
    held = set()
    for item_id, stem in medqa.select("item_id", "question").iter_rows():
        own = runs_of_eight(stem)
        if own and max(len(own & note) for note in notes) >= 0.3 * len(own):
            held.add(item_id)
    assert len(held) == 35
    assert held <= set(medec["item_id"])
    train = against(
        of(sample, "medmcqa"), reference, shared / "medmcqa/medmcqa_train_subset1000.jsonl"
    )
    assert train.filter(pl.col("kind") == "exact").height == 1


@pytest.mark.shared
@pytest.mark.parametrize("name", ["medqa", "medmcqa", "mmlu", "pubmedqa"])
def test_hard_sets_lie_inside_the_sets_they_are_taken_from(
    sample: pl.DataFrame, shared: Path, name: str
) -> None:
    hard = read_items(shared / f"medagents_items/{name}_test_hard.jsonl", need_key=False).items
    of_name = {"mmlu": "mmlu_med"}.get(name, name)
    rows = of(sample, of_name).select("question", "options").iter_rows()
    texts = [("t", n, "\n".join([stem, *options])) for n, (stem, options) in enumerate(rows)]
    found = contamination(hard, texts, reference=sample)
    assert flagged(found.flags) >= 0.95 * (hard.height - len(found.uncheckable))


@pytest.mark.shared
def test_duplicates_inside_a_set(shared: Path) -> None:
    """Counts published with the data: 78 in the six MMLU subjects, 94 in two of MMLU-Pro."""
    subjects = ("anatomy", "clinical_knowledge", "college_biology", "college_medicine",
                "medical_genetics", "professional_medicine")  # fmt: skip
    for files, copies in (
        ([f"mmlu_med/{subject}_test.csv" for subject in subjects], 78),
        (["mmlu_pro/mmlu-pro_biology.jsonl", "mmlu_pro/mmlu-pro_health.jsonl"], 94),
    ):
        codes = exact_duplicates(pl.concat([read_items(shared / file).items for file in files]))
        assert len(codes) - len(set(codes.tolist())) == copies


def test_a_very_long_stem_is_found_in_time() -> None:
    rng = random.Random(0)
    stem = " ".join(f"w{rng.randrange(5000)}" for _ in range(200_000))
    flags = search([item("1", stem), item("2", STEM)], f"Before. {stem} After.", STEM)
    assert set(flags.select("item_id", "row").rows()) == {("1", 1), ("2", 2)}
