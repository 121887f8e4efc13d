"""The bundled sample: whole, joined, licensed, small, quick, and built from its sources."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import time
from collections import Counter
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from viva.benchmarks import bundled, bundled_answers, read_items
from viva.benchmarks._sample import SAMPLE, pubmedqa_test
from viva.records import content_hash, item_schema, response_schema

COUNTS = {"medqa": 1273, "medmcqa": 4183, "mmlu_med": 1089, "mmlu_pro_health": 818,
          "pubmedqa": 500, "medxpertqa": 1470}  # fmt: skip
KEY = ["benchmark", "item_id"]


@pytest.fixture(scope="module")
def builder(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_sample", root / "tools/build_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_items_are_whole() -> None:
    items = bundled().items
    assert items.schema == item_schema()
    assert bundled().left_out == []
    assert Counter(items["benchmark"]) == COUNTS
    assert not items.select(KEY).is_duplicated().any()
    assert items["target"].unique().to_list() == ["choice"]
    assert items["key"].list.len().unique().to_list() == [1]
    assert (items["key"].list.first() < items["options"].list.len()).all()
    assert items.filter(benchmark="pubmedqa")["context"].null_count() == 0
    assert set(items.filter(benchmark="pubmedqa")["item_id"]) == pubmedqa_test()
    labelled = items.filter(pl.col("stratum").is_not_null())
    assert set(labelled["benchmark"]) == {"medxpertqa"}
    assert Counter(labelled["stratum"]) == {"reasoning": 1117, "knowledge": 353}


def test_stored_hashes_are_those_of_the_contents() -> None:
    sample = bundled().items.sample(200, seed=0)
    for question, options, stored in sample.select(
        "question", "options", "content_hash"
    ).iter_rows():
        assert content_hash(question, options) == stored


def test_answers_are_whole_and_each_has_its_item() -> None:
    answers = bundled_answers().responses
    assert answers.schema == response_schema()
    assert answers.join(bundled().items, on=KEY, how="anti").is_empty()
    assert not answers.select(*KEY, "model", "method").is_duplicated().any()
    counts = dict(answers.group_by("model").len().iter_rows())
    assert counts.pop("gpt-35-turbo-16k") == 14_090
    assert counts.pop("claude-3-5-sonnet") == 7_964  # two rows are missing at the source
    assert set(counts.values()) == {7_966}
    assert len(counts) == 5
    raw = answers.filter(model="gpt-35-turbo-16k")
    assert Counter(raw["method"]) == {"cot": 7_045, "rag_32": 7_045}
    assert raw["prediction"].null_count() == raw.height
    # 33 completions are an empty list at the source: nothing came back, so nothing to read.
    assert Counter(raw.filter(pl.col("text").is_null())["error"]) == {"no completion": 33}
    read = answers.filter(pl.col("already_read"))
    assert read["text"].null_count() == read.height
    assert read["prediction"].str.contains("^[A-J]$").all()
    assert read["output_tokens"].min() >= 0


@pytest.mark.parametrize(
    ("model", "benchmark"),
    [("gpt-4o", "medqa"), ("o1-mini", "mmlu_pro_health"), ("gpt-4o-mini", "pubmedqa")],
)
def test_predictions_stand_well_above_chance(model: str, benchmark: str) -> None:
    """A join by wrong ids would put every model at chance."""
    answers = bundled_answers().responses.filter(model=model, benchmark=benchmark)
    joined = answers.join(bundled().items.select(*KEY, "key", "options"), on=KEY)
    letters = joined["key"].list.first().map_elements(lambda k: "ABCDEFGHIJ"[k], pl.String)
    chance = (1 / joined["options"].list.len()).mean()
    assert (joined["prediction"] == letters).mean() > 1.5 * chance


def test_notice_names_every_source_and_licence() -> None:
    notice = (SAMPLE / "NOTICE.md").read_text()
    card = json.loads((SAMPLE / "card.json").read_text())
    for source in card["sources"].values():
        assert source["redistributable"] in ("yes", "attribution")
        assert source["repo"] in notice
    for benchmark in COUNTS:
        assert f"`{benchmark}`" in notice
    mit = (SAMPLE / "LICENSE-MIT.txt").read_text()
    for holder in ("Di Jin", "MedMCQA", "Dan Hendrycks", "pubmedqa", "jdh-algo", "Gerstein Lab"):
        assert holder in mit
        assert holder in notice
    assert "Apache License" in (SAMPLE / "LICENSE-Apache-2.0.txt").read_text()


def test_sample_is_small_and_its_tables_are_those_of_its_card(builder: ModuleType) -> None:
    assert sum(p.stat().st_size for p in SAMPLE.iterdir()) <= builder.MOST
    card = json.loads((SAMPLE / "card.json").read_text())
    assert card["items"] == COUNTS
    for name, said in card["tables"].items():
        frame = pl.read_parquet(SAMPLE / name)
        assert frame.height == said["rows"]
        assert builder.content(frame) == said["content_sha256"], name


def test_items_load_quickly() -> None:
    from viva.benchmarks import _sample

    _sample._items()  # polars is loaded now
    best = 9.0
    for _ in range(3):
        _sample._items.cache_clear()
        start = time.process_time()
        bundled()
        best = min(best, time.process_time() - start)
    assert best < 0.5


def test_builder_refuses_what_may_not_be_passed_on(builder: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("text")
    digest = hashlib.sha256(b"text").hexdigest()
    entry = {"redistributable": "yes", "sha256": digest}
    assert builder.checked(tmp_path, {"x": entry}, "x") == tmp_path / "x"
    for changed, why in (
        ({"redistributable": "no"}, "may not be bundled"),
        ({"redistributable": "share-alike"}, "may not be bundled"),
        ({"sha256": "0" * 64}, "differs from the manifest"),
    ):
        with pytest.raises(SystemExit, match=why):
            builder.checked(tmp_path, {"x": entry | changed}, "x")
    with pytest.raises(SystemExit, match="not in the manifest"):
        builder.checked(tmp_path, {}, "x")


def test_builder_refuses_answers_that_do_not_join(builder: ModuleType) -> None:
    items = bundled().items.head(5)
    answers = items.select(KEY).with_columns(
        model=pl.lit("m"),
        method=pl.lit("x"),
        gold=items["key"].list.first().map_elements(lambda k: "ABCD"[k], pl.String),
    )
    builder.check_joins(items, answers)
    with pytest.raises(SystemExit, match="1 answers without an item"):
        builder.check_joins(items.head(4), answers)
    with pytest.raises(SystemExit, match="given twice"):
        builder.check_joins(items, pl.concat([answers, answers.head(1)]))
    with pytest.raises(SystemExit, match="keys differ"):
        builder.check_joins(items, answers.with_columns(gold=pl.lit("Z")))


@pytest.mark.shared
def test_sample_is_rebuilt_from_its_sources(
    builder: ModuleType, shared: Path, tmp_path: Path
) -> None:
    card = builder.build(shared, tmp_path)
    assert card == json.loads((SAMPLE / "card.json").read_text())
    for name in card["tables"]:
        assert pl.read_parquet(tmp_path / name).equals(pl.read_parquet(SAMPLE / name)), name
    same = (tmp_path / "pubmedqa_test.txt").read_bytes()
    assert same == (SAMPLE / "pubmedqa_test.txt").read_bytes()


FILES = {  # file -> (items by benchmark, rows left out by reason)
    "careqa/care_qa.jsonl": ({"careqa": 5621}, {"every field is empty": 2}),
    "casimedicos/EN/train.tsv": ({"casimedicos_train": 381}, {}),
    "casimedicos/ES/train.tsv": ({"casimedicos_es_train": 381}, {}),
    "frenchmedmcqa/dev.json": ({"frenchmedmcqa": 312}, {}),
    "huatuo_demo/demo_data.json": ({"huatuo_demo": 198}, {}),
    "medagents_items/medmcqa_test.jsonl": ({"medmcqa": 2816}, {}),
    "medagents_items/medmcqa_test_hard.jsonl": ({"medmcqa": 100}, {}),
    "medagents_items/medqa_test_hard.jsonl": ({"medqa": 100}, {}),
    "medagents_items/mmlu-pro_test.jsonl": ({"mmlu_pro_health": 818}, {}),
    "medagents_items/mmlu-pro_test_hard.jsonl": ({"mmlu_pro_health": 100}, {}),
    "medagents_items/mmlu_test.jsonl": ({"mmlu_med": 1089}, {}),
    "medagents_items/mmlu_test_hard.jsonl": ({"mmlu_med": 73}, {}),
    "medagents_items/pubmedqa_test.jsonl": ({"pubmedqa": 500}, {}),
    "medagents_items/pubmedqa_test_hard.jsonl": ({"pubmedqa": 100}, {}),
    "medhalt/reasoning_fake.csv": (
        {"medhalt_fake": 1845},
        {"answer is not among the options": 10, "answer matches two options": 1,
         "an option is empty": 1, "fewer than two options": 1},
    ),
    "medmcqa/medmcqa_dev.jsonl": ({"medmcqa": 4183}, {}),
    "medmcqa/medmcqa_train_subset1000.jsonl": ({"medmcqa_train": 1000}, {}),
    "medqa/medqa_us_4opt_dev.jsonl": ({"medqa_dev": 1272}, {}),
    "medqa/medqa_us_4opt_test.jsonl": ({"medqa": 1273}, {}),
    "medqa/medqa_us_5opt_dev.jsonl": ({"medqa_5options_dev": 1272}, {}),
    "medqa/medqa_us_5opt_test.jsonl": ({"medqa_5options": 1273}, {}),
    "medqa/medqa_us_train_subset802.jsonl": ({"medqa_train": 802}, {}),
    "medxpertqa/medxpertqa_mm_input.jsonl": ({"medxpertqa_mm": 2000}, {}),
    "medxpertqa/medxpertqa_text_dev1470.jsonl": ({"medxpertqa": 1470}, {}),
    "mmlu_med/anatomy_test.csv": ({"mmlu_med": 135}, {}),
    "mmlu_med/clinical_knowledge_test.csv": ({"mmlu_med": 265}, {}),
    "mmlu_med/college_biology_test.csv": ({"mmlu_med": 144}, {}),
    "mmlu_med/college_medicine_test.csv": ({"mmlu_med": 173}, {}),
    "mmlu_med/medical_genetics_test.csv": ({"mmlu_med": 100}, {}),
    "mmlu_med/professional_medicine_test.csv": ({"mmlu_med": 272}, {}),
    "mmlu_pro/mmlu-pro_biology.jsonl": ({"mmlu_pro_biology": 717}, {}),
    "mmlu_pro/mmlu-pro_health.jsonl": ({"mmlu_pro_health": 818}, {}),
    "pubmedqa/ori_pqal.json": ({"pubmedqa": 500, "pubmedqa_cv": 500}, {}),
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize("file", FILES)
def test_every_published_file_reads_without_being_told_its_format(file: str, shared: Path) -> None:
    counts, left_out = FILES[file]
    read = read_items(shared / file)
    assert Counter(read.items["benchmark"]) == counts
    assert Counter(x.reason for x in read.left_out) == left_out


@pytest.mark.shared
def test_medagents_items_are_those_of_the_authors(shared: Path) -> None:
    """Ids are translated right where question, options and key are those of the bundled item."""
    ours = bundled().items.select(*KEY, "question", "options", "key", "context")
    for file in sorted((shared / "medagents_items").glob("*.jsonl")):
        theirs = read_items(file).items.select(ours.columns)
        joined = theirs.join(ours, on=KEY, how="left", suffix="_ours")
        for name in ("question", "options", "key", "context"):
            same = joined[name].eq_missing(joined[f"{name}_ours"])
            assert same.all(), (file.name, name, joined.filter(~same).head(1))


@pytest.mark.shared
def test_both_languages_of_casimedicos_have_the_same_keys(shared: Path) -> None:
    english = read_items(shared / "casimedicos/EN/train.tsv").items
    spanish = read_items(shared / "casimedicos/ES/train.tsv").items
    assert english["key"].to_list() == spanish["key"].to_list()
    assert english["options"].list.len().equals(spanish["options"].list.len())
    for items in (english, spanish):
        text = items["question"] + " " + items["options"].list.join(" ")
        assert not text.str.contains(r"[BI]-(Claim|Premise)|HighQuality|\bnan\b").any()
        assert items["question"].str.len_chars().min() > 60


@pytest.mark.shared
def test_stems_of_medxpertqa_mm_end_before_their_options(shared: Path) -> None:
    items = read_items(shared / "medxpertqa/medxpertqa_mm_input.jsonl").items
    assert not items["question"].str.contains("Answer Choices:").any()
    assert items["question"].str.len_chars().min() > 10


@pytest.mark.shared
def test_defects_counted_on_the_cards(shared: Path) -> None:
    mmlu = bundled().items.filter(benchmark="mmlu_med")
    assert mmlu.height - mmlu["content_hash"].n_unique() == 78
    health = bundled().items.filter(benchmark="mmlu_pro_health")
    assert health.height - health["content_hash"].n_unique() == 94
    biology = read_items(shared / "mmlu_pro/mmlu-pro_biology.jsonl").items
    assert twins(biology) == (10, 9)
    assert twins(bundled().items.filter(benchmark="medmcqa")) == (21, 4)
    assert twins(bundled().items.filter(benchmark="medxpertqa")) == (2, 0)
    assert twins(read_items(shared / "careqa/care_qa.jsonl").items) == (12, 5)


def twins(items: pl.DataFrame) -> tuple[int, int]:
    """Items with options that a reader cannot tell apart, and those whose key is among them."""
    from viva.records import normalise

    having = keyed = 0
    for options, key in items.select("options", "key").iter_rows():
        count = Counter(map(normalise, options))
        having += max(count.values()) > 1
        keyed += any(count[normalise(options[k])] > 1 for k in key)
    return having, keyed
