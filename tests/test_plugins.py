"""Entry points of other packages: found by name, loaded late, never fatal."""

from __future__ import annotations

import sys

import pytest

from viva import _plugins

PACKAGE = """
[viva]
format.good = {module}:read
format.broken = {module}_absent:read
adapter.other = {module}:read
stranger = {module}:read
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on the path that adds one good and one broken format."""

    def make(name: str) -> str:
        (tmp_path / f"{name}.py").write_text("def read(path):\n    return path\n")
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(PACKAGE.format(module=name))
        return name

    monkeypatch.syspath_prepend(str(tmp_path))
    _plugins._found.cache_clear()
    _plugins._object.cache_clear()
    yield make
    _plugins._found.cache_clear()
    _plugins._object.cache_clear()
    for module in [m for m in sys.modules if m.startswith("viva_plugin_test")]:
        del sys.modules[module]


def test_names_are_listed_without_importing(package):
    package("viva_plugin_test_a")
    assert _plugins.names("format") == ["broken", "good"]
    assert _plugins.names("adapter") == ["other"]
    assert "viva_plugin_test_a" not in sys.modules


def test_a_good_one_is_loaded(package):
    package("viva_plugin_test_b")
    read = _plugins.load("format", "good")
    assert read is not None
    assert read("x") == "x"
    assert _plugins.load("format", "nothing of this name") is None


def test_a_broken_one_is_reported_by_name_and_left_out(package):
    package("viva_plugin_test_c")
    with pytest.warns(UserWarning, match=r"format\.broken of viva_plugin_test_c.*ModuleNotFound"):
        found = _plugins.table("format")
    assert list(found) == ["good"]


@pytest.mark.filterwarnings("ignore:format.broken")
@pytest.mark.filterwarnings("ignore:adapter.other")
def test_the_second_of_one_name_is_reported(package):
    package("viva_plugin_test_d")
    package("viva_plugin_test_e")
    with pytest.warns(UserWarning, match=r"format\.good of viva_plugin_test_e is not used"):
        _plugins.names("format")
    # Warned of once only: the names are kept.
    assert _plugins.load("format", "good").__module__ == "viva_plugin_test_d"


def test_an_unknown_kind_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="kind is 'nonsense'"):
        _plugins.names("nonsense")
