from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel

from viva.errors import InputError
from viva.strata import bundled_labels, evaluate, load, predict, train
from viva.strata.features import Vocabulary, prepare
from viva.strata.folds import folds
from viva.strata.model import Design, Rows, Settings, _solve, fit, kernel, score
from viva.strata.text import question
from viva.strata.training import Training
from viva.strata.vectors import learn, pool


@pytest.fixture(scope="module")
def some():
    return bundled_labels("rubric").sample(240, seed=1)


def write(frame, path):
    columns = ["benchmark", "item_id", "question", "options", "label", "steps"]
    rows = frame.filter(pl.col("label").is_not_null()).select(columns).to_dicts()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_training_from_a_file_is_deterministic_and_usable(some, tmp_path):
    path = write(some, tmp_path / "labels.jsonl")
    outs = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for out in outs:
        train([path], definition="rubric", out=out, k=4, seed=3)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    weights = load(outs[0])
    report = evaluate("rubric", weights=weights, resamples=50)
    assert report["methods"]["splitter"]["auroc"]["estimate"] > 0.8
    items = some.select("benchmark", "item_id", "question", "options")
    found = predict(items, weights=outs[0], text_view="stem")
    assert found["cross_fitted"].sum() >= items.height - 2


def test_too_few_labels_are_refused(some, tmp_path):
    with pytest.raises(InputError, match="too few labels"):
        train([write(some.head(20), tmp_path / "few.jsonl")])
    with pytest.raises(InputError, match="cannot train view"):
        train(views=["stem+context"])


def test_held_out_labels_do_not_reach_their_own_probability(some):
    """Turning a held-out fold's labels round must not move its probabilities."""
    training = Training(some, "stem")
    fit_on, held_out = next(folds(np.arange(240), training.share > 0.5, k=4, seed=0))
    before = training.fold(fit_on, held_out, Settings())
    training.share[held_out] = 1 - training.share[held_out]
    training.steps[held_out] = 3 - training.steps[held_out]
    assert np.array_equal(before, training.fold(fit_on, held_out, Settings()))


def test_leave_one_out_equals_leaving_each_out(some):
    training = Training(some.head(60), "stem+options")
    design = Design.learn(training.prepared, Settings())
    rows = design.rows(training.prepared)
    model, left_out = fit(rows, design, training.share)
    k = kernel(rows, design, model.medians)
    ones = np.ones(60)
    for i in (0, 17, 59):
        rest = np.delete(np.arange(60), i)
        dual, _, _ = _solve(k[np.ix_(rest, rest)], training.share[rest], ones[rest], 3.0)
        # The mean is that of all, so the closed form is exact up to it.
        target = training.share[rest] - training.share.mean()
        a = k[np.ix_(rest, rest)].astype(float) + 3.0 * np.eye(59)
        expected = training.share.mean() + k[i, rest] @ np.linalg.solve(a, target)
        assert left_out[i] == pytest.approx(expected, abs=1e-4)
        assert dual.shape == (59,)


def test_the_regression_is_that_of_scikit_learn():
    """With one Gaussian kernel and no n-grams the score is a Gaussian process mean."""
    rng = np.random.default_rng(0)
    dense = rng.integers(-127, 127, (80, 5)).astype(np.int8)
    label = (dense[:, 0] > 0).astype(float)
    settings = Settings(both=1.0, linear=0.0, noise=0.5)
    design = Design("stem", settings, (), np.zeros(5, np.float32), np.ones(5, np.float32), 5)
    rows = Rows([], dense)
    model, _ = fit(rows, design, label)
    scale = np.sqrt(settings.width * model.medians[0] / 2)
    peer = GaussianProcessRegressor(
        RBF(scale, "fixed") + WhiteKernel(0.5, "fixed"), optimizer=None, alpha=1e-12
    )
    x = dense.astype(float) * 4 / 127
    peer.fit(x, label - label.mean())
    fresh = rng.integers(-127, 127, (20, 5)).astype(np.int8)
    expected = peer.predict(fresh.astype(float) * 4 / 127) + label.mean()
    assert score(model, Rows([], fresh)) == pytest.approx(expected, abs=1e-4)


def test_folded_linear_weights_equal_the_kernel(some):
    training = Training(some.head(80), "stem+options")
    settings = Settings(both=0.0, vectors=0.0)
    design = Design.learn(training.prepared, settings)
    rows = design.rows(training.prepared)
    model, _ = fit(rows, design, training.share)
    k = kernel(rows, design, model.medians)
    by_kernel = model.mean + k @ model.dual
    assert score(model, rows) == pytest.approx(by_kernel, abs=1e-3)


def test_tfidf_rows_are_those_of_scikit_learn():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["the renal artery and the renal vein", "renal vein", "artery of the heart", "heart"]
    asked = [question(text, text_view="stem") for text in texts]
    grams = prepare(asked, "stem").grams["stem"]
    ours = Vocabulary.learn(grams, "stem", least=1)
    peer = TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        token_pattern=r"[a-z]+",
    )
    expected = peer.fit_transform(texts)
    assert sorted(ours.at) == sorted(peer.get_feature_names_out())
    assert ours.matrix(grams).toarray() == pytest.approx(expected.toarray(), abs=1e-3)


def test_word_vectors_put_words_of_one_use_together():
    texts = [[f"the patient takes {drug} for infection daily"] for drug in ("amoxa", "cefta")] * 30
    texts += [[f"the {nerve} supplies a muscle of arm"] for nerve in ("ulnar", "median")] * 30
    found = learn(texts, size=30)
    v = pool([["amoxa"], ["cefta"], ["ulnar"]], found)
    assert v[0] @ v[1] > v[0] @ v[2] + 0.3
    assert np.linalg.norm(v, axis=1) == pytest.approx(np.ones(3), abs=1e-3)
    assert not pool([["zzz"]], found).any()


@pytest.mark.slow
def test_the_splitter_reaches_what_it_promises():
    """From the probabilities stored with the weights; `viva strata evaluate` prints them all."""
    rubric = evaluate("rubric", resamples=500)
    got = {m: v["estimate"] for m, v in rubric["methods"]["splitter"].items()}
    base = {m: v["estimate"] for m, v in rubric["methods"]["TF-IDF"].items()}
    assert got["auroc"] > 0.92 and got["length_matched_auroc"] > 0.77
    assert got["inside medqa"] > 0.79 and got["debiased_ece"] < 0.04
    assert rubric["gains"]["auroc"]["low"] > 0
    assert rubric["gains"]["length_matched_auroc"]["low"] > 0
    assert rubric["gains"]["inside medqa"]["low"] > 0
    assert base["auroc"] > 0.89  # a weak baseline would be no comparison
    words = rubric["methods"]["word count"]
    assert abs(words["length_matched_auroc"]["estimate"] - 0.5) < 0.05
    other = evaluate("medxpertqa", resamples=500)
    got = {m: v["estimate"] for m, v in other["methods"]["splitter"].items()}
    assert got["auroc"] > 0.835 and got["length_matched_auroc"] > 0.74 and got["macro_f1"] > 0.73
    assert other["gains"]["auroc"]["low"] > 0
