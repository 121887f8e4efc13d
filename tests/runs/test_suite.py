"""Suites: every combination is a run of its own, and a slip of the pen is found with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from viva.errors import InputError
from viva.models import Sampling
from viva.models.budget import Prices
from viva.runs.suite import benchmark_name, folder_name, jobs, model_name, read_suite

WHOLE = """\
out = "runs"
samples = 2
seed = 3
temperature = 0.2
retries = 1
max_calls = 500

[[models]]
spec = "openai/org/first-8b"
base_url = "http://localhost:8000/v1"

[[models]]
spec = "openai/second"
name = "second, hot"
base_url = ["http://a:1/v1", "http://b:1/v1"]
temperature = 1.0
stop = "END"
extra = { top_k = 20 }
price_input = 0.5
max_connections = 7

[[benchmarks]]
source = "medqa"
limit = 200

[[benchmarks]]
source = "items/my set.v2.jsonl.gz"

[[methods]]
name = "direct"

[[methods]]
name = "self_consistency"
k = 9
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "my set.v2.jsonl.gz").touch()

    def written(text: str) -> Path:
        path = tmp_path / "suite.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_every_combination_is_a_run_of_its_own(write):
    found = jobs(read_suite(write(WHOLE)))
    assert [job.name for job in found] == [
        "first-8b--medqa--direct",
        "first-8b--medqa--self_consistency-k=9",
        "first-8b--my-set.v2--direct",
        "first-8b--my-set.v2--self_consistency-k=9",
        "second-hot--medqa--direct",
        "second-hot--medqa--self_consistency-k=9",
        "second-hot--my-set.v2--direct",
        "second-hot--my-set.v2--self_consistency-k=9",
    ]
    assert all(job.folder == Path("runs") / job.name for job in found)


def test_what_a_model_says_goes_before_what_the_suite_says(write):
    found = {job.name: job.arguments for job in jobs(read_suite(write(WHOLE)))}
    first = found["first-8b--medqa--direct"]
    second = found["second-hot--my-set.v2--self_consistency-k=9"]
    assert first["sampling"] == Sampling(temperature=0.2)
    assert second["sampling"] == Sampling(temperature=1.0, stop=("END",), extra={"top_k": 20})
    assert (first["limit"], second["limit"]) == (200, None)
    assert (first["samples"], first["seed"], first["retry"].tries) == (2, 3, 2)
    assert first["budget"].max_calls == 500
    assert (first["max_connections"], second["max_connections"]) == (None, 7)
    assert first["options"].base_urls == ("http://localhost:8000/v1",)
    assert second["options"].base_urls == ("http://a:1/v1", "http://b:1/v1")
    assert second["options"].name == "second, hot"
    assert (first["prices"], second["prices"]) == (None, Prices(0.5, 0.0))
    assert second["parameters"] == {"k": 9}


def test_without_methods_the_default_one(write):
    text = '[[models]]\nspec = "openai/x"\n[[benchmarks]]\nsource = "medqa"\n'
    (job,) = jobs(read_suite(write(text)))
    assert job.arguments["method"] == "cot" and job.folder == Path("viva-runs/x--medqa--cot")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("samples = 2", "sampels = 2", 2, "Did you mean samples"),
        ("samples = 2", "samples = 0", 2, "greater than or equal to 1"),
        ("samples = 2", 'samples = "2"', 2, "valid integer"),
        ("samples = 2", "samples = = 2", 2, "is not TOML"),
        ("seed = 3", "seed = true", 3, "valid integer"),
        ("base_url = [", "base_urls = [", 15, "Did you mean base_url"),
        ("extra = { top_k = 20 }", "extra = 3", 18, "dictionary"),
        ('spec = "openai/second"', 'spec = "opnai/second"', 13, "Did you mean openai/second"),
        ('spec = "openai/second"', 'spec = "openai/"', 13, "names no model"),
        ('spec = "openai/second"', 'nome = "x"', 12, "has no spec"),
        ('source = "medqa"', 'source = "medqaa"', 23, "Did you mean medqa"),
        ("items/my set.v2.jsonl.gz", "items/absent.jsonl", 27, "no such file"),
        ('name = "direct"', 'name = "driect"', 30, "Did you mean direct"),
        ("k = 9", "kk = 9", 34, "Did you mean k"),
        ("k = 9", "k = 0", 34, "k is int"),
        ("k = 9", 'prompt = "absent"', 33, "absent"),
    ],
)
def test_a_slip_is_one_line_with_its_place(write, old, new, line, said):
    assert old in WHOLE
    path = write(WHOLE.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_suite(path)
    assert said in str(caught.value), str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: "), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", ["models", "benchmarks"])
def test_a_suite_without_a_part_says_which(write, part):
    text = WHOLE.replace(f"[[{part}]]", f"[[x{part}]]")
    with pytest.raises(InputError, match=r"unknown key|there is no"):
        read_suite(write(text))
    only = {
        "models": '[[benchmarks]]\nsource = "medqa"\n',
        "benchmarks": '[[models]]\nspec="openai/x"\n',
    }
    with pytest.raises(InputError, match=rf"there is no \[\[{part}\]\]"):
        read_suite(write(only[part]))


def test_two_runs_of_one_folder_are_refused(write):
    twice = WHOLE.replace('name = "second, hot"\n', "").replace("openai/second", "openai/first-8b")
    with pytest.raises(InputError, match="two runs would share the folder first-8b--medqa--direct"):
        read_suite(write(twice))


def test_files_that_are_no_suites(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_suite(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_suite(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'out = "\xe9"')
    with pytest.raises(InputError, match="UTF-8"):
        read_suite(tmp_path / "latin.toml")
    (tmp_path / "large.toml").write_text("#" * (2**20 + 1))
    with pytest.raises(InputError, match="larger than 1 MB"):
        read_suite(tmp_path / "large.toml")


@pytest.mark.parametrize(
    ("spec", "name"),
    [("openai/org/m", "m"), ("hf/path/to/model/", "model"), ("replay/runs/a", "a")],
)
def test_names_of_models(spec, name):
    assert model_name(spec) == name
    assert model_name(spec, "other") == "other"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("medqa", "medqa"),
        ("a/b.jsonl", "b"),
        ("b.csv.gz", "b"),
        ("hub:o/n", "n"),
        (".jsonl", ".jsonl"),
    ],
)
def test_names_of_benchmarks(source, name):
    assert benchmark_name(source) == name


def test_names_of_folders_stay_below_their_folder():
    for name in ("../../etc", "a/b", "C:\\x", "", "..", "x" * 300, "模型"):
        made = folder_name(name, "b")
        assert "/" not in made and "\\" not in made and not made.startswith(".")
        assert len(made) < 100
