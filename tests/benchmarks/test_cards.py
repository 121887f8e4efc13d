"""The cards: complete, truthful about the files, and found by other tools' names."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from viva.benchmarks import CARDS, HUB, bundled, canonical_name, find_name, load
from viva.benchmarks.cards import ACCESS, MODALITIES, TASK_FAMILIES
from viva.errors import InputError


def test_every_card_is_complete_and_its_tags_are_valid() -> None:
    for name, card in CARDS.items():
        assert card.name == name == name.lower()
        for field in ("title", "source", "licence", "citation", "ids", "options", "domain_reason"):
            assert getattr(card, field).strip(), (name, field)
        assert card.url.startswith("https://")
        assert re.search(r"\b(19|20)\d\d\b", card.citation), name
        assert card.access in ACCESS
        assert card.task_family in TASK_FAMILIES
        assert card.modality in MODALITIES
        assert re.fullmatch("[a-z]{2}", card.language)
        assert card.hub is None or card.hub in HUB
        assert card.access not in ("bundled",) or card.sha256
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for _, digest in card.sha256)
        assert (card.items is None) == (not card.sha256)
        with pytest.raises(dataclasses.FrozenInstanceError):
            card.title = "x"  # type: ignore[misc]


def test_what_the_splitter_cannot_judge_is_out_of_its_domain() -> None:
    for card in CARDS.values():
        if card.language != "en" or card.modality != "text" or card.task_family == "literature":
            assert not card.in_splitter_domain, card.name
    assert {n for n in set(bundled().items["benchmark"]) if not CARDS[n].in_splitter_domain} == {
        "pubmedqa"
    }


def test_bundled_cards_say_how_many_items_there_are() -> None:
    counts = dict(bundled().items.group_by("benchmark").len().iter_rows())
    assert counts == {c.name: c.items for c in CARDS.values() if c.access == "bundled"}


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        # lm-evaluation-harness
        ("medqa_4options", "medqa"),
        ("medmcqa", "medmcqa"),
        ("pubmedqa", "pubmedqa"),
        ("mmlu_anatomy", "mmlu_med"),
        ("mmlu_clinical_knowledge", "mmlu_med"),
        ("mmlu_college_biology", "mmlu_med"),
        ("mmlu_college_medicine", "mmlu_med"),
        ("mmlu_medical_genetics", "mmlu_med"),
        ("mmlu_professional_medicine", "mmlu_med"),
        ("mmlu_pro_health", "mmlu_pro_health"),
        ("mmlu_pro_biology", "mmlu_pro_biology"),
        ("careqa_en", "careqa"),
        # Inspect
        ("inspect_evals/medqa", "medqa"),
        ("inspect_evals/pubmedqa", "pubmedqa"),
        # HELM
        ("med_qa", "medqa"),
        ("med_mcqa", "medmcqa"),
        ("pubmed_qa", "pubmedqa"),
        # MIRAGE
        ("mmlu", "mmlu_med"),
        # medagents-benchmark
        ("mmlu-pro", "mmlu_pro_health"),
        ("medqa_5options", "medqa_5options"),
        ("medxpertqa-r", "medxpertqa"),
        ("medxpertqa-u", "medxpertqa"),
        ("medxpertqa", "medxpertqa"),
        ("medbullets", "medbullets_op5"),
        ("afrimedqa", "afrimedqa"),
        # the hub
        ("GBaker/MedQA-USMLE-4-options", "medqa"),
        ("openlifescienceai/medmcqa", "medmcqa"),
        ("TsinghuaC3I/MedXpertQA", "medxpertqa"),
        ("TIGER-Lab/MMLU-Pro", "mmlu_pro_health"),
        ("cais/mmlu", "mmlu_med"),
        ("qiaojin/PubMedQA", "pubmedqa"),
        # people
        ("MedQA", "medqa"),
        ("MMLU-Pro Health", "mmlu_pro_health"),
        ("PubMed QA", "pubmedqa"),
    ],
)
def test_names_of_other_tools(alias: str, name: str) -> None:
    assert canonical_name(alias) == find_name(alias) == name


def test_own_names_stay_and_aliases_are_unique() -> None:
    seen: dict[str, str] = {}
    for card in CARDS.values():
        assert canonical_name(card.name) == card.name
        for alias in card.aliases:
            bare = re.sub("[^a-z0-9]", "", alias.lower())
            assert seen.setdefault(bare, card.name) == card.name, alias
            assert canonical_name(alias) == card.name, alias


def test_unknown_names_are_refused_with_a_suggestion() -> None:
    assert find_name("medmcq") is None
    with pytest.raises(InputError, match=r"unknown benchmark 'medmcq'. Did you mean medmcqa"):
        canonical_name("medmcq")
    with pytest.raises(InputError, match="Known: medqa, "):
        canonical_name("zzzz")
    with pytest.raises(InputError):
        canonical_name("")


def test_cards_are_read_without_heavy_imports() -> None:
    code = (
        "import sys, viva.benchmarks; print([m for m in ('polars', 'numpy') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_load_of_bundled_benchmarks() -> None:
    assert load("med_qa").items.height == 1273
    assert set(load("PubMedQA").items["benchmark"]) == {"pubmedqa"}


def test_load_of_others_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIVA_DATA", raising=False)
    with pytest.raises(InputError, match=r"careqa is not bundled. Get the file from https://"):
        load("careqa")
    with pytest.raises(InputError, match="Ask its authors"):
        load("gpqa_medical")
    with pytest.raises(InputError, match="hub:biomed_r1"):
        load("biomed_r1")
    with pytest.raises(InputError, match="are not in the folder"):
        load("careqa", folder=tmp_path)


def test_load_finds_the_file_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"unique_id": "1", "question": "q?", "op1": "a", "op2": "b", "op3": "c", "op4": "d",
           "cop": 2}  # fmt: skip
    (tmp_path / "deep" / "careqa").mkdir(parents=True)
    (tmp_path / "deep" / "careqa" / "care_qa.jsonl").write_text(json.dumps(row))
    monkeypatch.setenv("VIVA_DATA", str(tmp_path))
    assert load("careqa").items["key"].to_list() == [[1]]


@pytest.mark.shared
def test_hashes_and_terms_are_those_of_the_manifest(shared: Path) -> None:
    manifest = {e["file"]: e for e in json.loads((shared / "MANIFEST.json").read_text())}
    for card in CARDS.values():
        for file, digest in card.sha256:
            assert manifest[file]["sha256"] == digest, file
            if card.access == "bundled":
                assert manifest[file]["redistributable"] in ("yes", "attribution"), file
            if manifest[file]["redistributable"] == "no":
                assert "none stated" in card.licence, card.name


@pytest.mark.shared
def test_load_finds_every_original_file(shared: Path) -> None:
    for card in CARDS.values():
        if card.sha256 and card.access != "bundled":
            items = load(card.name, folder=shared).items
            assert items.height == card.items, card.name
            assert set(items["benchmark"]) == {card.name}
