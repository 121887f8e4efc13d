"""`viva train` from the command line: what is refused, what is checked, what is trained."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "training")]

from typer.testing import CliRunner  # noqa: E402

from viva.cli.main import app  # noqa: E402
from viva.errors import InputError  # noqa: E402
from viva.training.recipes import recipes  # noqa: E402


def viva(*arguments):
    done = CliRunner().invoke(app, ["train", *map(str, arguments)], env={"COLUMNS": "200"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_the_shipped_recipes_are_listed():
    told = viva("--list")
    assert all(name in told for name in recipes())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no recipe"),
        (("laptp", "--data", "x", "--model", "m", "--out", "o"), "Did you mean laptop"),
        (("laptop",), "no data"),
        (("laptop", "--data", "x"), "nowhere to write"),
        (("laptop", "--data", "x", "--out", "o"), "no model"),
        (("laptop", "--data", "x", "--model", "m", "--out", "o", "--set", "stages.9=1"), "no '9'"),
    ],
)
def test_what_is_missing_is_said(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        viva(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_checked_then_trained_then_left_as_it_is(tmp_path):
    pytest.importorskip("trl", reason="the extra train is not installed")
    from trainings import ACCEPTED, SFT, examples, recipe

    from tiny import tiny_model
    from viva.synthesis import write_examples

    base, data = tiny_model(tmp_path / "base", answers=True), tmp_path / "data.jsonl"
    write_examples(data, examples(8))
    path = recipe(tmp_path / "r.toml", SFT, head='thinking = "tags"')
    given = [path, "--data", data, "--model", base, "--out", tmp_path / "out"]
    given += ["--set", "stages.sft.settings.max_steps=2", "--report-to", "nowhere"]
    with pytest.raises(InputError, match="unknown tracker"):
        viva(*given)
    given = given[:-2] + [word for name in ACCEPTED for word in ("--accept", name)]
    assert "01-sft: 8 examples, 2 steps; nothing trained" in viva(*given, "--check")
    assert not (tmp_path / "out" / "01-sft" / "model").exists()
    told = viva(*given)
    assert "01-sft: 8 examples, 2 steps" in told
    assert f"the model: {tmp_path / 'out' / '01-sft' / 'model'}" in told
    assert (tmp_path / "out" / "README.md").is_file()
    assert "every stage is finished" in viva(*given, "--check")
