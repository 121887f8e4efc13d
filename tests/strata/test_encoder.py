"""The encoder route, with a tiny BERT of random weights made on the spot."""

from __future__ import annotations

import json
import re

import pytest

from viva.errors import InputError
from viva.strata import bundled_labels
from viva.strata.encoder import item_text, predict_encoder, train_embedder, train_encoder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    pytest.importorskip("torch", reason="the extra hf is not installed")
    transformers = pytest.importorskip("transformers", reason="the extra hf is not installed")
    folder = tmp_path_factory.mktemp("tiny")
    words = {
        w for q in bundled_labels("rubric")["question"] for w in re.findall(r"[a-z]+", q.lower())
    }
    letters = [f"{mark}{chr(97 + i)}" for i in range(26) for mark in ("", "##")]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *sorted(words)[:3000]]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(vocabulary)))
    tokenizer = transformers.BertTokenizerFast(vocab_file=str(folder / "vocab.txt"))
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def labels(tmp_path):
    frame = bundled_labels("rubric").filter(bundled_labels("rubric")["label"].is_not_null())
    rows = frame.sample(120, seed=0).select("benchmark", "item_id", "question", "options", "label")
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows.to_dicts()))
    return path, rows


def test_fine_tuning_saves_a_folder_that_predicts(tiny, labels, tmp_path):
    path, rows = labels
    out = train_encoder([path], str(tiny), tmp_path / "out", k=2, epochs=8, rate=3e-3, longest=64)
    assert (out / "model.safetensors").exists()
    assert not [*out.glob("*.bin"), *out.glob("*.pt"), *out.glob("*.pkl")]
    found = predict_encoder(rows, out)
    assert found["cross_fitted"].all()
    assert found["p_reasoning"].is_between(0, 1).all()
    fresh = bundled_labels("rubric").tail(50)
    predicted = predict_encoder(fresh, out)
    again = predict_encoder(fresh, out)
    assert predicted["p_reasoning"].to_list() == again["p_reasoning"].to_list()
    assert predicted["p_reasoning"].n_unique() > 10


def test_embeddings_beside_the_light_classifier(tiny, labels, tmp_path):
    library = pytest.importorskip("sentence_transformers", reason="the extra hf is not installed")
    # A plain encoder's folder gets mean pooling.
    library.SentenceTransformer(str(tiny), device="cpu").save(str(tmp_path / "embedder"))
    path, _ = labels
    out = train_embedder([path], str(tmp_path / "embedder"), tmp_path / "out", k=3)
    found = predict_encoder(bundled_labels("rubric").tail(40), out)
    assert found["p_reasoning"].is_between(0, 1).all()
    truth = (bundled_labels("rubric").tail(40)["share"] > 0.5).to_numpy()
    p = found["p_reasoning"].to_numpy()
    assert p[truth].mean() > p[~truth].mean()


def test_options_come_first_so_that_the_question_survives_cutting():
    assert item_text("Why?", ["a", "b"]) == "a | b\nWhy?"
    assert item_text("Why?", []) == "Why?"


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a folder of a trained encoder"):
        predict_encoder(bundled_labels("rubric").head(1), tmp_path)
