"""Where a run may be written, what is said where it may not, and the manifest."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import tempfile
from pathlib import Path

import made_runs
import polars as pl
import pytest
from made_runs import Fake, rows

import viva
from viva.errors import InputError
from viva.formats.run import read_manifest
from viva.models import Capabilities, Prefill, Sampling
from viva.runs import differences
from viva.runs.folder import locked, open_folder, write_frame, write_whole
from viva.runs.manifest import REMOVED, clean, git_commit


def run_of(out: Path, **more):
    given = {"model": Fake(), "benchmark": rows(3), "method": "direct", "out": out}
    return viva.evaluate(**(given | more))


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "run").write_text("x")
    with pytest.raises(InputError, match="run: is a file, not a folder"):
        run_of(tmp_path / "run")
    with pytest.raises(InputError, match=r"lies below a file|is a file"):
        run_of(tmp_path / "run" / "deeper")


def test_a_folder_that_holds_something_else(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match=r"not empty and holds no run \(first: thesis\.tex\)"):
        run_of(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("content", ['{"kind": "viva audit"}', "[]", "{}"])
def test_a_manifest_of_something_else(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match="holds something that is no run"):
        run_of(tmp_path)


def test_a_manifest_that_is_cut_off(tmp_path):
    (tmp_path / "manifest.json").write_text('{"kind": "viva r')
    with pytest.raises(InputError, match=r"manifest\.json:1.*is not JSON"):
        run_of(tmp_path)


def test_what_a_killed_start_leaves_is_no_obstacle(tmp_path):
    for name in (".lock", ".new-abc", "items.parquet"):
        (tmp_path / name).write_text("")
    (tmp_path / ".parts-x").mkdir()
    assert run_of(tmp_path).done == 3
    assert not {p.name for p in tmp_path.iterdir()} & {".new-abc", ".parts-x"}


@pytest.fixture
def ordinary_user():
    """An ordinary user for a while, where the tests run as one who may write everywhere."""
    import filelock

    assert filelock.FileLock
    if os.name != "posix" or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def read_only():
    """A folder in which an ordinary user can write nothing, with a run in it or without."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        run_of(Path(folder, "run"))
        Path(folder, "empty").mkdir()
        for path in Path(folder).iterdir():
            path.chmod(0o555)
        yield Path(folder)
        for path in Path(folder).iterdir():
            path.chmod(0o755)


@pytest.mark.parametrize("name", ["empty", "run", "run/new"])
def test_a_read_only_folder(read_only, ordinary_user, name):
    with pytest.raises(InputError, match=r"Permission denied.*Choose another --out"):
        run_of(read_only / name)


def test_a_read_only_file_system(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(InputError, match=r"cannot be written to \(Read-only file system\)"):
        run_of(tmp_path / "run")


def test_a_disk_that_refuses_the_manifest(tmp_path, monkeypatch):
    run_of(tmp_path / "run")
    before = (tmp_path / "run/manifest.json").read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        run_of(tmp_path / "run", samples=2)
    monkeypatch.undo()
    assert (tmp_path / "run/manifest.json").read_bytes() == before
    assert run_of(tmp_path / "run", samples=2).done == 6


def test_files_appear_whole_or_not_at_all(tmp_path, monkeypatch):
    write_whole(tmp_path / "a", b"old")
    write_frame(tmp_path / "t", pl.DataFrame({"x": [1]}))

    def cut(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(InputError, match="No space left"):
        write_whole(tmp_path / "a", b"new")
    with pytest.raises(InputError, match="No space left"):
        write_frame(tmp_path / "t", pl.LazyFrame({"x": [2]}))
    assert (tmp_path / "a").read_bytes() == b"old"
    assert pl.read_parquet(tmp_path / "t")["x"].to_list() == [1]


def test_one_holder_at_a_time(tmp_path):
    run_of(tmp_path)
    with locked(tmp_path), pytest.raises(InputError) as caught:
        run_of(tmp_path)
    line = str(caught.value)
    assert f"(process {os.getpid()} on {socket.gethostname()})" in line
    assert "\n" not in line
    assert run_of(tmp_path).done == 3


def test_opening_says_whether_there_is_a_run(tmp_path):
    assert open_folder(tmp_path / "a/b") is False
    run_of(tmp_path / "a/b")
    assert open_folder(tmp_path / "a/b") is True


def test_the_manifest_says_what_made_the_answers(tmp_path):
    able = Capabilities(Prefill.CONTINUED, True, True, evidence={"prefill": "12 tokens more"})
    run_of(tmp_path, model=Fake(capabilities=able), samples=2, seed=7)
    manifest = read_manifest(tmp_path)
    assert manifest["kind"] == "viva run"
    assert (manifest["state"], manifest["samples"], manifest["limit"]) == ("finished", 2, None)
    identity = manifest["identity"]
    assert (identity["name"], identity["method"], identity["seed"]) == ("fake", "direct", 7)
    assert "{{ question }}" in identity["prompt"]["text"]
    assert len(identity["prompt"]["hash"]) == 16
    assert set(identity["sampling"]) >= {"temperature", "top_p", "max_completion_tokens", "stop"}
    assert manifest["items"]["count"] == 3
    assert len(manifest["items"]["hash"]) == 64
    assert manifest["versions"]["viva"] == viva.__version__
    assert {"python", "platform", "polars", "aiohttp"} <= manifest["versions"].keys()
    assert manifest["capabilities"]["prefill"] == "continued"
    assert manifest["capabilities"]["evidence"] == {"prefill": "12 tokens more"}
    assert manifest["counts"] == {
        "planned": 6, "done": 6, "failed": 0, "ungraded": 0, "calls": 6, "tokens": 240,
        "cost": None,
    }  # fmt: skip
    (session,) = manifest["sessions"]
    assert (session["settled"], session["calls"], session["tokens"]) == (6, 6, 240)
    run_of(tmp_path, samples=3, seed=7)
    sessions = read_manifest(tmp_path)["sessions"]
    assert [s["settled"] for s in sessions] == [6, 3]
    assert sum(s["calls"] for s in sessions) == read_manifest(tmp_path)["counts"]["calls"] == 9


def test_the_manifest_is_there_while_the_run_goes_on(tmp_path):
    seen = []

    def look(request):
        seen.append(read_manifest(tmp_path))
        return "B"

    run_of(tmp_path, model=Fake(look))
    assert seen[0]["state"] == "running"
    assert seen[0]["sessions"][-1]["pid"] == os.getpid()
    assert read_manifest(tmp_path)["state"] == "finished"


def test_what_clean_takes_off():
    settings = {
        "url": "https://me:pass@host:1/v1?x=a@b",
        "plain": "mail me@host or https://host/p@th",
        "API-Key": "k",
        "openai_api_key": "k",
        "hf_token": "k",
        "api_key_env": "OPENAI_API_KEY",
        "max_tokens": 5,
        "stop_token": "<eos>",
        "password": None,
        "nested": [{"Authorization": "Bearer k"}, ("a", 1)],
        "path": Path("/x"),
    }
    assert clean(settings) == {
        "url": "https://host:1/v1?x=a@b",
        "plain": "mail me@host or https://host/p@th",
        "API-Key": REMOVED,
        "openai_api_key": REMOVED,
        "hf_token": REMOVED,
        "api_key_env": "OPENAI_API_KEY",
        "max_tokens": 5,
        "stop_token": "<eos>",
        "password": None,
        "nested": [{"Authorization": REMOVED}, ["a", 1]],
        "path": "/x",
    }


def test_the_commit_of_the_work_tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit() is None
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert git_commit() == head.stdout.strip()
    monkeypatch.setenv("PATH", "")
    assert git_commit() is None


def test_differences_between_two_runs(tmp_path):
    run_of(tmp_path / "a")
    run_of(tmp_path / "b", seed=3, limit=2, max_connections=2)
    a, b = (read_manifest(tmp_path / name) for name in "ab")
    found = {path: (x, y) for path, x, y in differences(a, b)}
    assert found["identity.seed"] == (0, 3)
    assert found["limit"] == (None, 2)
    assert found["operation.max_connections"] == (None, 2)
    assert found["items.count"] == (3, 2)
    assert not any(path.startswith(("sessions", "counts", "versions", "created")) for path in found)
    assert differences(a, a) == []
    assert differences(a, b) == [(p, y, x) for p, x, y in differences(b, a)]
    assert next(iter(found)).startswith("identity")
    one, two = {"identity": {"x": [1, 2]}}, {"identity": {"x": [1, 3], "y": {"z": 1}}}
    assert differences(one, two) == [("identity.x[1]", 2, 3), ("identity.y.z", None, 1)]


def test_no_table_of_another_run_is_mixed_in(tmp_path):
    run_of(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["identity"]["benchmarks"][0].keys() == {"hash"}
    with pytest.raises(InputError, match="other settings"):
        run_of(tmp_path, benchmark=rows(3, "other"))
    assert made_runs.Fake().model == "fake"


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        (Sampling(temperature=float("inf")), "temperature is inf. Give 0 or more"),
        (Sampling(temperature=-0.1), "temperature is -0.1"),
        (Sampling(top_p=1.5), "top_p is 1.5. Give 0 to 1"),
        (Sampling(max_completion_tokens=0), "max_completion_tokens is 0. Give 1 or more"),
        (Sampling(extra={"top_k": 3, "seed": 42}), "--extra: seed is no further field.*--seed"),
        (Sampling(extra={"temperature": 9}), "--extra: temperature is no further field"),
        (Sampling(extra={"stream": True}), "--extra: stream is no further field. Leave it out"),
    ],
)
def test_sampling_that_no_server_can_take_or_that_would_replace_ours(tmp_path, sampling, said):
    asked = Fake()
    with pytest.raises(InputError, match=said):
        run_of(tmp_path / "run", model=asked, sampling=sampling)
    assert not asked.seen and not (tmp_path / "run").exists()


def test_what_is_refused_leaves_no_folder_and_takes_none_that_was_there(tmp_path):
    (tmp_path / "mine").mkdir()
    for out in (tmp_path / "mine", tmp_path / "runs/deep/run"):
        with pytest.raises(InputError, match="unknown benchmark"):
            run_of(out, benchmark="medqaa")
    assert [p.name for p in tmp_path.rglob("*")] == ["mine"]
