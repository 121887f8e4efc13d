"""An audit of a world's items: what is said of a splitter that goes by words."""

import numpy as np
import polars as pl
import pytest

from viva import audit
from viva.records import items_frame
from viva.strata import predict
from viva.strata.given import against_given
from viva.strata.metrics import auroc, auroc_interval
from viva.worlds import make_world, reciter


@pytest.fixture(scope="module")
def world():
    return make_world(1, 240)


@pytest.fixture(scope="module")
def files(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    items = items_frame(world.items)
    items.write_parquet(folder / "items.parquet")
    bare = items.drop("stratum", "stratum_definition")
    bare.write_parquet(folder / "bare.parquet")
    letters = reciter(world.items, world.graph.facts)
    pl.DataFrame(
        {
            "benchmark": [item.benchmark for item in world.items],
            "item_id": [item.item_id for item in world.items],
            "model": "reciter",
            "prediction": letters,
        }
    ).write_ndjson(folder / "answers.jsonl")
    return folder


def words_of(summary):
    return " ".join([summary["verdict"]["headline"], *summary["verdict"]["sentences"]])


def test_the_splitter_says_that_it_goes_by_words(world):
    items = items_frame(world.items)
    found = predict(items)
    assert not found["in_domain"].any()
    assert all("goes by words" in why for why in found["outside"])
    (told,) = against_given(items, found["p_reasoning"].to_numpy(), np.arange(items.height))
    assert "does not tell them apart" in told or "is not shown" in told
    assert "120 reasoning and 120 knowledge" in told


@pytest.mark.parametrize("name", ["items", "bare"])
def test_no_headline_gap_by_the_rubric(files, name):
    labels = {"labels": "rubric"} if name == "items" else {}
    summary = audit(
        files / f"{name}.parquet", files / "answers.jsonl", resamples=200, **labels
    ).summary
    for gap in summary["models"]["reciter"]["gap"].values():
        assert gap["estimate"] is None
        assert gap["reason"]
    assert summary["benchmarks"]["world-1"]["in_domain"] is False
    said = words_of(summary)
    assert "no graded item is inside the splitter's domain" in said
    assert "left out of the gaps: world-1" in said
    assert ("labels of its own (world)" in said) is (name == "items")


def test_given_strata_show_the_gap_and_claim_no_more_than_was_tried(files):
    summary = audit(files / "items.parquet", files / "answers.jsonl", resamples=200).summary
    assert summary["models"]["reciter"]["gap"]["within"]["high"] < -60
    said = words_of(summary)
    assert "thresholds" not in said
    assert "controls" in said
    assert "made-up world" in summary["splitter"]["caution"]


def test_auroc_interval_holds_the_truth_and_follows_clusters():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(300):
        reasoning = np.arange(160) < 70
        p = rng.normal(size=160) + reasoning
        area, low, high = auroc_interval(reasoning, p)
        assert area == pytest.approx(auroc(reasoning, p))
        hits += low <= 0.7602 <= high  # Phi(1 / sqrt 2)
    assert 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300) <= hits / 300 <= 0.99
    twice = auroc_interval(np.tile(reasoning, 2), np.tile(p, 2), np.tile(np.arange(160), 2))
    assert twice == pytest.approx((area, low, high), abs=1e-9)
    assert all(np.isnan(auroc_interval(np.ones(5, bool), np.arange(5.0))))
