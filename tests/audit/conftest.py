"""The audit of the bundled sample: half a minute, so it is made once for all tests of the room."""

from __future__ import annotations

import pytest

import viva


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """The audit, and the folder of its report."""
    out = tmp_path_factory.mktemp("sample")
    return viva.audit(answers="sample", resamples=1000, out=out), out
