"""What every test shares: one thread, fixed random examples, and the real data where it is."""

from __future__ import annotations

import os
import sys

# Before anything imports numpy: the libraries read these once, when they are loaded.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("NO_COLOR", "1")
os.environ.setdefault("COLUMNS", "100")

from collections.abc import Callable, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

SHARED = Path(
    os.environ.get("VIVA_SHARED", Path(__file__).resolve().parents[1] / "../shared/data")
).resolve()
"""The published data sets, beside the checkout: not all of them may be passed on with it."""

_ABSENT = f"the real data is not beside the checkout ({SHARED}); set VIVA_SHARED to its folder"

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the real data, with the reason, where the data is absent."""
    if SHARED.is_dir():
        return
    skip = pytest.mark.skip(reason=_ABSENT)
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the published data sets."""
    if not SHARED.is_dir():
        pytest.skip(_ABSENT)
    return SHARED


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture
def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str, dict[str, str]], None]]:
    """Puts a package of others on the path: module, its source, entry points of the group viva."""
    from viva import _plugins

    def forget() -> None:
        for kept in (_plugins._found, _plugins._object, _plugins._unused):
            kept.cache_clear()

    def add(module: str, source: str, entries: dict[str, str]) -> None:
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (info / "entry_points.txt").write_text("\n".join(["[viva]", *lines]) + "\n")
        added.append(module)

    added: list[str] = []
    monkeypatch.syspath_prepend(str(tmp_path))
    forget()
    yield add
    forget()
    for module in added:
        sys.modules.pop(module, None)


@pytest.fixture(scope="session")
def transformers_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of a real ``transformers serve``; a request's model is a folder of tiny_model."""
    from tiny import serving

    with serving(tmp_path_factory.mktemp("server") / "log.txt") as url:
        yield url
