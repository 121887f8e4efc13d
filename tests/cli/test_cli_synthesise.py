"""`viva synthesise` from the command line: a world's items to rows of a trainer, and slips."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from viva.cli.main import app
from viva.errors import InputError
from viva.records import items_frame
from viva.synthesis import STEPS, read_examples
from viva.worlds import make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "world"
    folder.mkdir()
    items_frame(make_world(2, 40).items).write_parquet(folder / "items.parquet")
    return folder


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["synthesise", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: object) -> str:
    with pytest.raises(InputError) as raised:
        CliRunner().invoke(app, ["synthesise", *map(str, arguments)], catch_exceptions=False)
    return str(raised.value)


def test_a_worlds_items_become_starts_and_rows_without_a_model(world, tmp_path):
    pipeline, out = tmp_path / "steps.toml", tmp_path / "out"
    pipeline.write_text('seed = 1\n[[steps]]\nstep = "starts"\n')
    said = run(pipeline, "--data", world, "--out", out, "--to", "trl", "--content", "rl")
    assert said.startswith("read 40\nstarts: 40 -> 40\n40 examples in")
    assert f"trl: 40 rows (rl) in {out / 'trl'}" in said
    rows = [json.loads(line) for line in (out / "trl" / "train.jsonl").read_text().splitlines()]
    by_id = {f"{e.item.benchmark}/{e.item.item_id}/{e.number}": e for e in read_examples(out)}
    assert set(by_id) == {row["id"] for row in rows}
    kinds = [row["start_kind"] for row in rows]
    assert {kinds.count(kind) for kind in ("wrong", "correct", "irrelevant", "absent")} == {10}
    for row in rows:
        last = row["prompt"][-1]
        start = by_id[row["id"]].start
        assert (
            (last["role"], last["content"]) == ("assistant", start)
            if start
            else (last["role"] == "user")
        )
    before = (out / "examples.jsonl.gz").read_bytes()
    said = run(pipeline, "--data", world, "--out", out, "--to", "axolotl")
    assert "starts (before): 40 -> 40" in said and "axolotl: 40 rows (sft)" in said
    assert (out / "examples.jsonl.gz").read_bytes() == before


def test_evaluation_items_are_taken_out_of_the_data(world, tmp_path):
    items = make_world(2, 40).items
    items_frame(items[:10]).write_parquet(tmp_path / "held_out.parquet")
    pipeline = tmp_path / "steps.toml"
    pipeline.write_text('[[steps]]\nstep = "decontaminate"\n')
    run(pipeline, "--data", world, "--against", tmp_path / "held_out.parquet",
        "--out", tmp_path / "out")  # fmt: skip
    left = {e.item.item_id for e in read_examples(tmp_path / "out")}
    assert not left & {item.item_id for item in items[:10]}
    page = (tmp_path / "out" / "README.md").read_text()
    assert "They were compared with held_out.parquet and nothing else" in page
    assert "## Contamination" in page


def test_the_list_names_every_step_with_its_settings():
    said = run("--list")
    for name, step in STEPS.items():
        assert name in said and step.description in said
    assert "    shares = None" in said and "traces (needs a model)" in said


def test_slips_are_told_with_their_mend(world, tmp_path):
    assert "Name a file of items" in refused("--out", tmp_path / "out")
    assert "Name a folder" in refused("--data", world)
    (tmp_path / "s.toml").write_text('[[steps]]\nstep = "start"\n')
    said = refused(tmp_path / "s.toml", "--data", world, "--out", tmp_path / "out")
    assert said == f"{tmp_path / 's.toml'}:2: no step 'start'. Did you mean starts?" or (
        "Did you mean starts" in said
    )
    (tmp_path / "t.toml").write_text('[[steps]]\nstep = "traces"\n')
    said = refused(tmp_path / "t.toml", "--data", world, "--out", tmp_path / "out")
    assert "traces needs a model" in said and "--model SPEC" in said
    said = refused("--data", world, "--out", tmp_path / "out", "--to", "verll")
    assert "Did you mean verl" in said
    said = refused("--data", tmp_path / "none.jsonl", "--out", tmp_path / "out")
    assert "no such file" in said
    (tmp_path / "p.toml").write_text('[[steps]]\nstep = "length"\npart = "question"\n')
    run(tmp_path / "p.toml", "--data", world, "--out", tmp_path / "first")
    said = refused("--data", world, "--out", tmp_path / "first")
    assert "holds another pipeline" in said and "another --out" in said


def test_the_program_exits_with_two_and_one_line(world, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "viva", "synthesise", "--data", str(world), "--to", "verll",
         "--out", str(tmp_path / "out")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("viva: cannot export to 'verll'") and done.stderr.count("\n") == 1
