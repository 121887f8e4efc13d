"""Specs of models: which back-end, and what is wrong with one that names none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from viva.errors import InputError
from viva.models import BACKENDS, BackendKind, ModelOptions, open_model

ROOT = Path(__file__).resolve().parents[2]


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    return set(done.stdout.split())


HEAVY = {"aiohttp", "jinja2", "numpy", "openai", "polars", "torch", "transformers"}


def test_importing_the_room_is_light():
    assert loaded_by("import viva.models") & HEAVY == set()
    opened = "import viva.models; viva.models.open_model('openai/m')"
    assert loaded_by(opened) & HEAVY == set(), "aiohttp is loaded by the first call"


def test_the_check_for_light_imports_can_fail():
    assert "aiohttp" in loaded_by("import viva.models, aiohttp")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("opena/m", "Did you mean openai/m?"),
        ("OpenAI/m", "Did you mean openai/m?"),
        ("hff/folder", "Did you mean hf/folder?"),
        ("meta/llama", "hf/meta/llama, a server's model openai/meta/llama"),
        ("gpt-4", "A spec is one of hf/..., openai/..., replay/..."),
        ("openai/", "names no model"),
        ("openai", "names no model"),
        ("openai/ ", "names no model"),
        ("", "no back-end ''"),
        ("/", "no back-end ''"),
    ],
)
def test_a_spec_that_names_nothing_is_refused_with_the_nearest(spec, says):
    with pytest.raises(InputError) as caught:
        open_model(spec)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "model"),
    [
        ("openai/gpt-4o", "gpt-4o"),
        ("openai/org/model", "model"),
        ("openai//models/folder", "folder"),
        ("openai//models/folder/", "folder"),
    ],
)
def test_the_name_in_records_is_the_last_part(spec, model):
    assert open_model(spec).model == model
    assert open_model(spec, ModelOptions(name="mine")).model == "mine"


def test_every_kind_is_described():
    for name, kind in BACKENDS.items():
        assert kind.description.startswith(f"{name}/")


def test_another_package_adds_a_back_end(install):
    install(
        "other_backend",
        "from viva.models import BackendKind\n"
        "def opened(rest, options):\n    return rest, options.name\n"
        "KIND = BackendKind('mine/NAME', opened)\n",
        {
            "backend.mine": "other_backend:KIND",
            "backend.odd": "other_backend:opened",
            "backend.broken": "other_backend_absent:KIND",
        },
    )
    assert open_model("mine/a/b", ModelOptions(name="n")) == ("a/b", "n")
    with pytest.raises(InputError, match="Did you mean mine/x"):
        open_model("mien/x")
    with pytest.warns(UserWarning, match=r"backend\.broken"), pytest.raises(InputError):
        open_model("broken/x")
    with pytest.raises(InputError, match="'odd' of another package cannot be used"):
        open_model("odd/x")
    assert isinstance(BACKENDS["openai"], BackendKind)
