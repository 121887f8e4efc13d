"""Data sets of the hub, with the network replaced by local files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from viva.benchmarks import ADAPTERS, HUB, bundled, read_items
from viva.benchmarks.hub import Hub
from viva.errors import InputError


def biomed(item_id: str, name: str) -> dict[str, Any]:
    return {"id": item_id, "question": "Which?", "options": '{"A": "x", "B": "y"}', "answer": "y",
            "answer_idx": "B", "dataset_name": name, "adversarial_trace_0": "",
            "reasoning_prob": 0.9, "is_reasoning": True, "reasoning_threshold": 0.5}  # fmt: skip


def use(monkeypatch: pytest.MonkeyPatch, name: str, path: Path | str) -> None:
    monkeypatch.setitem(HUB, name, HUB[name]._replace(path=str(path)))


def test_shards_of_parquet_are_one_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hle_biomed", "medbullets_op5"):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "test-00000-of-00001.parquet"
        pl.DataFrame([biomed("1", name)]).write_parquet(file)
    use(monkeypatch, "biomed_r1", tmp_path / "*" / "test-*.parquet")
    items = read_items("hub:biomed_r1").items
    assert sorted(items["benchmark"]) == ["hle_biomed", "medbullets_op5"]
    assert set(items["stratum_definition"]) == {"biomed-r1"}


def test_keys_of_the_hub_count_from_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"id": "u", "question": "Which?", "opa": "a", "opb": "b", "opc": "c", "opd": "d",
           "cop": 0, "choice_type": "single", "exp": None, "subject_name": "Anatomy",
           "topic_name": None}  # fmt: skip
    pl.DataFrame([row, row | {"id": "v", "cop": 3}]).write_parquet(tmp_path / "x.parquet")
    use(monkeypatch, "medmcqa", tmp_path / "x.parquet")
    items = read_items("hub:medmcqa").items
    assert items.select("benchmark", "item_id", "key").rows() == [
        ("medmcqa", "u", [0]),
        ("medmcqa", "v", [3]),
    ]
    use(monkeypatch, "medmcqa_train", tmp_path / "x.parquet")
    assert set(read_items("hub:medmcqa_train").items["benchmark"]) == {"medmcqa_train"}


def test_subject_of_mmlu_gets_the_ids_used_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = bundled().items.filter(pl.col("item_id").str.starts_with("anatomy-"))
    pl.DataFrame(
        {"question": ours["question"], "subject": ["anatomy"] * ours.height,
         "choices": ours["options"], "answer": ours["key"].list.first()}
    ).write_parquet(tmp_path / "x.parquet")  # fmt: skip
    use(monkeypatch, "mmlu_anatomy", tmp_path / "x.parquet")
    assert read_items("hub:mmlu_anatomy").items.rows() == ours.rows()


def test_lines_of_json_are_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"question": "Which?", "answer": "y", "options": {"A": "x", "B": "y", "C": "z", "D": "w"},
           "meta_info": "step1", "answer_idx": "B", "metamap_phrases": ["x"]}  # fmt: skip
    (tmp_path / "x.jsonl").write_text(json.dumps(row) + "\n")
    use(monkeypatch, "medqa", tmp_path / "x.jsonl")
    assert read_items("hub:medqa").items.select("benchmark", "item_id", "key").rows() == [
        ("medqa", "0", [1])
    ]


def test_what_cannot_be_read_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, "medqa", tmp_path / "absent.jsonl")
    with pytest.raises(InputError, match="cannot be read from the hub") as caught:
        read_items("hub:medqa")
    assert "absent.jsonl" in str(caught.value.where)
    with pytest.raises(InputError, match=r"no data set hub:medqaa. Did you mean hub:medqa\b"):
        read_items("hub:medqaa")
    pl.DataFrame({"q": ["x"]}).write_parquet(tmp_path / "x.parquet")
    use(monkeypatch, "medmcqa", tmp_path / "x.parquet")
    with pytest.raises(InputError, match="the data set has changed"):
        read_items("hub:medmcqa")


def test_any_path_of_the_hub_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(path: str) -> pl.DataFrame:
        asked.append(path)
        return pl.DataFrame([biomed("1", "pubmedqa")])

    monkeypatch.setattr("viva.benchmarks.hub._fetch", fetch)
    read = read_items("hub:zou-lab/BioMed-R1-Eval/pubmedqa/test-*.parquet", benchmark="mine")
    assert asked == ["hf://datasets/zou-lab/BioMed-R1-Eval/pubmedqa/test-*.parquet"]
    assert read.items["benchmark"].to_list() == ["mine"]


def test_table_is_sound() -> None:
    for name, hub in HUB.items():
        assert isinstance(hub, Hub)
        assert hub.name == name
        assert hub.path.startswith("hf://datasets/")
        assert hub.path.endswith((".parquet", ".jsonl"))
        assert hub.adapter in ADAPTERS
