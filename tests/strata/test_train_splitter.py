from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from viva.strata import vectors

TOOL = Path(__file__).resolve().parents[2] / "tools/train_splitter.py"


@pytest.mark.shared
def test_the_shipped_vectors_are_learnt_from_the_public_texts(shared):
    spec = importlib.util.spec_from_file_location("train_splitter", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    again, shipped = vectors.learn(tool.texts(shared)), vectors.word_vectors()
    assert list(again.at) == list(shipped.at)
    np.testing.assert_allclose(again.idf, shipped.idf, rtol=1e-3, atol=1e-3)
    # Another machine's linear algebra may round differently, by a unit of 127 here and there.
    apart = np.abs(again.vectors.astype(int) - shipped.vectors.astype(int))
    assert apart.max() <= 2
    assert (apart > 0).mean() < 0.01
