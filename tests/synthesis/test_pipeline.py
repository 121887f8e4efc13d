"""Pipelines: nothing is done twice, nothing is lost, slips are told before anything runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from viva.errors import InputError
from viva.records import Choice, Item
from viva.synthesis import (
    STEPS,
    Dropped,
    Example,
    Made,
    Step,
    find_step,
    read_dropped,
    read_examples,
    read_plan,
    seeded,
    settings_of,
    synthesise,
)
from viva.synthesis import _folder as folder_module
from viva.synthesis import pipeline as pipeline_module


def half(
    examples: Sequence[Example], *, part: float = 0.5, words: Sequence[str] = (), seed: int = 0
) -> Made:
    """Keeps a part."""
    kept, dropped = [], []
    for example in examples:
        (kept if seeded(example, "half", seed).random() < part else dropped).append(example)
    return Made(kept, [Dropped(e, "unlucky") for e in dropped], {"part": part, "n": float("nan")})


def written(examples: Sequence[Example], *, seed: int = 0, caller: Any = None) -> Made:
    """Asks a model for a completion."""
    said = caller([example.item.question for example in examples], seed=seed)
    made = [replace(e, completion=texts[0]) for e, texts in zip(examples, said, strict=True)]
    return Made(made, [], {"calls": len(made)})


def loses(examples: Sequence[Example]) -> Made:
    return Made(list(examples[1:]), [], {})


def compares(examples: Sequence[Example], *, against: Sequence[str] = ()) -> Made:
    return Made(list(examples), [], {"against": [Path(a).name for a in against]})


def refuses(examples: Sequence[Example]) -> Made:
    raise InputError("cannot do this", where="deep inside", mend="Do that")


@pytest.fixture(autouse=True)
def own_steps(monkeypatch):
    for name, function, needs in (
        ("half", half, False), ("written", written, True), ("loses", loses, False),
        ("compares", compares, False), ("refuses", refuses, False),
    ):  # fmt: skip
        monkeypatch.setitem(STEPS, name, Step(f"{name} for tests", function, needs))


def items(n: int = 40) -> list[Item]:
    return [Item("b", str(i), f"Question {i}?", ("x", "y"), Choice(i % 2)) for i in range(n)]


class Echo:
    """A model that says the question again; it can stop in the middle, as a killed process."""

    spec = "echo"

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, prompts: Sequence[str], **_: Any) -> list[list[str]]:
        self.asked += len(prompts)
        return [[f"{prompt} Answer: A"] for prompt in prompts]


PIPELINE = [{"step": "half", "part": 0.8}, {"step": "written"}, {"step": "half", "seed": 3}]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the lock and the journals of calls."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != ".lock"
    }


def test_every_step_is_a_file_with_what_it_dropped_beside_it(tmp_path):
    made = synthesise(PIPELINE, items(), tmp_path / "out", model=Echo())
    assert list(contents(tmp_path / "out")) == [
        "00-read.jsonl.gz", "01-half.jsonl.gz", "02-written.jsonl.gz", "03-half.jsonl.gz",
        "README.md", "card.json", "dropped-01-half.jsonl.gz", "dropped-02-written.jsonl.gz",
        "dropped-03-half.jsonl.gz", "examples.jsonl.gz", "manifest.json",
    ]  # fmt: skip
    read = {e.item.item_id for e in read_examples(tmp_path / "out" / "00-read.jsonl.gz")}
    first = read_examples(tmp_path / "out" / "01-half.jsonl.gz")
    dropped = read_dropped(tmp_path / "out" / "dropped-01-half.jsonl.gz")
    assert {each.reason for each in dropped} == {"unlucky"}
    ids = [e.item.item_id for e in first] + [d.example.item.item_id for d in dropped]
    assert sorted(ids) == sorted(read) and len(dropped) > 0
    assert read_examples(tmp_path / "out") == made.examples
    for example in made.examples:
        steps = [(one.step, one.model, one.seed) for one in example.provenance]
        assert steps == [("read", None, None), ("half", None, 0), ("written", "echo", 0),
                         ("half", None, 3)]  # fmt: skip
    entry = made.manifest["steps"][0]
    assert entry["in"] == 40 and entry["kept"] == len(first)
    assert entry["sources"]["b"] == {"in": 40, "kept": len(first),
                                     "dropped": {"unlucky": len(dropped)}}  # fmt: skip
    assert entry["report"] == {"part": 0.8, "n": None}


def test_a_second_call_changes_nothing_and_asks_nobody(tmp_path):
    first = synthesise(PIPELINE, items(), tmp_path / "out", model=Echo())
    before = contents(tmp_path / "out")
    model = Echo()
    again = synthesise(PIPELINE, items(), tmp_path / "out", model=model)
    assert (again.resumed, model.asked) == (3, 0)
    assert again.examples == first.examples and contents(tmp_path / "out") == before
    assert again.card == first.card


class Killed(BaseException):
    pass


def test_a_kill_at_any_write_is_gone_on_from_to_the_same_bytes(tmp_path, monkeypatch):
    """The process dies before or after the n-th file that it writes, for every n."""
    whole = synthesise(PIPELINE, items(6), tmp_path / "whole", model=Echo())
    wanted = contents(tmp_path / "whole")
    real_move, real_write = folder_module.move, folder_module.write_whole
    for n in range(1, 40):
        for after in (False, True):
            out = tmp_path / f"{n}-{after}"
            left = [n]

            def dying(real, left=left, after=after):
                def write(*arguments):
                    left[0] -= 1
                    if left[0] == 0 and not after:
                        raise Killed
                    real(*arguments)
                    if left[0] == 0:
                        raise Killed

                return write

            with monkeypatch.context() as patch:
                for module in (folder_module, pipeline_module):
                    patch.setattr(module, "move", dying(real_move))
                patch.setattr(folder_module, "write_whole", dying(real_write))
                try:
                    synthesise(PIPELINE, items(6), out, model=Echo())
                except Killed:
                    pass
                else:
                    assert n > 10  # more writes than there are: all were tried
                    return
            found = synthesise(PIPELINE, items(6), out, model=Echo())
            assert contents(out) == wanted
            assert found.examples == whole.examples


KILLED = """
    import os, signal, sys
    sys.path.insert(0, {here!r})
    from pathlib import Path
    from scripted_backend import Scripted
    from test_pipeline import PIPELINE, Step, STEPS, half, items, written
    from viva.synthesis import synthesise
    from viva.synthesis.calling import open_caller

    STEPS["half"], STEPS["written"] = Step("half", half), Step("written", written, True)
    out, at = Path(sys.argv[1]), int(sys.argv[2])
    asked = []

    def say(request):
        asked.append(1)
        if len(asked) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return request.messages[-1].content + " Answer: A"

    with open_caller(Scripted(say), out.with_suffix(".calls"), connections=1) as caller:
        synthesise(PIPELINE, items(), out, model=caller)
    print(len(asked))
"""


def test_a_process_killed_amid_calls_makes_none_twice(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(KILLED).format(here=str(Path(__file__).parent)))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]),
                                                               *sys.path])}  # fmt: skip

    def run(out: str, at: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(script), str(tmp_path / out), str(at)],
            capture_output=True, text=True, env=environment, timeout=120,
        )  # fmt: skip

    whole = run("whole", 0)
    assert whole.returncode == 0, whole.stderr
    killed = run("out", 20)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "out" / "01-half.jsonl.gz").exists()
    assert not (tmp_path / "out" / "02-written.jsonl.gz").exists()
    resumed = run("out", 0)
    assert resumed.returncode == 0, resumed.stderr
    assert int(whole.stdout) - 20 <= int(resumed.stdout) <= int(whole.stdout) - 19 < 20
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_another_pipeline_other_data_or_a_changed_file_is_refused(tmp_path):
    out = tmp_path / "out"
    synthesise(PIPELINE[:1], items(), out)
    for steps, data, why in (
        ([{"step": "half", "part": 0.7}], items(), r"another pipeline \(step 1 half: settings"),
        (PIPELINE[:1] * 2, items(), r"another pipeline \(1 entries, not 2\)"),
        ([{"step": "compares"}], items(), "step 1 is 'compares', was 'half'"),
        (PIPELINE[:1], items(41), r"other data \(rows has changed\)"),
    ):
        with pytest.raises(InputError, match=why) as raised:
            synthesise(steps, data, out)
        assert "another --out" in str(raised.value)
    with pytest.raises(InputError, match="other evaluation items"):
        (tmp_path / "e.jsonl").write_text("{}")
        synthesise(PIPELINE[:1], items(), out, against=[tmp_path / "e.jsonl"])
    (out / "01-half.jsonl.gz").write_bytes((out / "00-read.jsonl.gz").read_bytes())
    with pytest.raises(InputError, match="changed after it was written"):
        synthesise(PIPELINE[:1], items(), out)
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(manifest | {"schema": 99}))
    with pytest.raises(InputError, match="later version"):
        synthesise(PIPELINE[:1], items(), out)


def test_a_file_that_a_setting_names_is_part_of_the_pipeline(tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text("one")
    steps = [{"step": "half", "words": [str(listed)]}]
    synthesise(steps, items(), tmp_path / "out")
    synthesise(steps, items(), tmp_path / "out")
    listed.write_text("two")
    with pytest.raises(InputError, match="half: files differ"):
        synthesise(steps, items(), tmp_path / "out")


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(InputError, match=r"holds no synthesis \(first: mine.txt\)"):
        synthesise([], items(), tmp_path)
    with pytest.raises(InputError, match="is a file"):
        synthesise([], items(), tmp_path / "mine.txt")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text('{"kind": "viva-run"}')
    with pytest.raises(InputError, match="no synthesis"):
        synthesise([], items(), tmp_path / "run")


def test_a_step_that_leaves_nothing_says_how_many_and_why(tmp_path):
    steps = [{"step": "half", "part": 0.9}, {"step": "half", "part": 0.0}]
    with pytest.raises(InputError) as raised:
        synthesise(steps, items(), tmp_path / "out")
    said = str(raised.value)
    kept = len(read_examples(tmp_path / "out" / "01-half.jsonl.gz"))
    assert f"step 2 (half) left none of {kept} examples: {kept} unlucky" in said
    assert "dropped-02-half.jsonl.gz" in said
    assert len(read_dropped(tmp_path / "out" / "dropped-02-half.jsonl.gz")) == kept
    assert not (tmp_path / "out" / "examples.jsonl.gz").exists()


def test_a_step_that_loses_examples_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"loses neither kept nor dropped 1 of 40 .*b/0"):
        synthesise([{"step": "loses"}], items(), tmp_path / "out")


def test_what_a_step_refuses_is_told_with_its_place(tmp_path):
    (tmp_path / "p.toml").write_text('seed = 1\n\n[[steps]]\nstep = "refuses"\n')
    with pytest.raises(InputError, match=r"p\.toml:4: deep inside: refuses: cannot do this\. Do"):
        synthesise(tmp_path / "p.toml", items(), tmp_path / "out")


def test_evaluation_items_reach_the_steps_that_take_them(tmp_path):
    for name in ("one.jsonl", "two.jsonl", "three.jsonl"):
        (tmp_path / name).write_text("{}")
    text = f'against = ["{tmp_path}/one.jsonl"]\n[[steps]]\nstep = "compares"\n'
    (tmp_path / "p.toml").write_text(text)
    made = synthesise(tmp_path / "p.toml", items(), tmp_path / "out",
                      against=[tmp_path / "two.jsonl"])  # fmt: skip
    assert made.manifest["steps"][0]["report"]["against"] == ["one.jsonl", "two.jsonl"]
    own = [{"step": "compares", "against": [str(tmp_path / "three.jsonl")]}]
    made = synthesise(own, items(), tmp_path / "own", against=[tmp_path / "two.jsonl"])
    assert made.manifest["steps"][0]["report"]["against"] == ["three.jsonl"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[steps]]\nstep = "halv"\n', r":2: no step 'halv'. Did you mean half"),
        ('[[steps]]\nstep = "half"\npart = 0.5\nprat = 1\n',
         r":4: half takes no setting 'prat'. Did you mean part"),
        ('[[steps]]\nstep = "half"\npart = "most"\n', r":3: half: part is 'most': input should"),
        ('[[steps]]\nstep = "half"\nwords = "abc"\n', r":3: half: words is 'abc'"),
        ('[[steps]]\nstep = "half"\nmodel = "openai/x"\n', r":3: half asks no model"),
        ('[[steps]]\nstep = "written"\n', r":2: written needs a model. Give --model"),
        ('[[steps]]\nstep = "written"\nmodel = "none"\n', r":2: written needs a model"),
        ('[[steps]]\nstep = "written"\nmodel = 3\n', r":3: model is no text"),
        ("[[steps]]\npart = 0.5\n", r":1: a step without a name"),
        ("[steps]\n", r"steps are no tables"),
        ("[[stages]]\n", r":1: unknown key 'stages'"),
        ('seed = "x"\n', r":1: seed is no whole number"),
        ("against = 3\n", r":1: against is no list of texts"),
        ("steps = [\n", r"is not TOML"),
    ],
)  # fmt: skip
def test_slips_of_a_pipeline_are_told_with_their_line(tmp_path, text, why):
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=why) as raised:
        synthesise(path, items(), tmp_path / "out")
    assert str(raised.value).startswith(str(path))
    assert not (tmp_path / "out").exists()


def test_slips_of_a_list_are_told_with_their_number():
    with pytest.raises(InputError, match="step 2: no step 'nope'"):
        read_plan([{"step": "half"}, {"step": "nope"}])


def test_a_plan_knows_models_and_seeds():
    plan = read_plan(
        [{"step": "half"}, {"step": "written"}, {"step": "written", "model": "hf/x", "seed": 5}],
        model="openai/y", seed=2,
    )  # fmt: skip
    assert [(p.model, p.seed) for p in plan.steps] == [
        (None, 2), ("openai/y", 2), ("hf/x", 5),
    ]  # fmt: skip


def test_every_step_of_the_table_can_be_loaded_and_called_by_the_pipeline():
    for name, step in STEPS.items():
        function = find_step(name).load()
        assert callable(function), name
        assert step.description, name
        for setting, parameter in settings_of(step).items():
            assert parameter.default is not parameter.empty, f"{name}: {setting} has no default"
        assert "model" not in settings_of(step) or "responses" in settings_of(step), name


def test_two_sources_keep_their_counts(tmp_path):
    for name, ids in (("a.jsonl", range(5)), ("b.jsonl", range(5, 12))):
        rows = [
            {"benchmark": "m", "item_id": str(i), "question": f"Q{i}?", "options": ["x", "y"],
             "answer": 0}
            for i in ids
        ]  # fmt: skip
        rows.append({"benchmark": "m", "item_id": f"bad {name}", "question": "Q?",
                     "options": ["x", "y"], "answer": 7})  # fmt: skip
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    made = synthesise([], [tmp_path / "a.jsonl", tmp_path / "b.jsonl"], tmp_path / "out")
    assert made.card["sources"] == {"b.jsonl": 7, "a.jsonl": 5}
    assert [each["n"] for each in made.card["data"]] == [5, 7]
    assert all(sum(each["left_out"].values()) == 1 for each in made.card["data"])
    with pytest.raises(InputError, match="two examples are m/"):
        synthesise([], [tmp_path / "a.jsonl", tmp_path / "a.jsonl"], tmp_path / "twice")


def test_the_card_says_what_is_known_and_what_is_not(tmp_path):
    made = synthesise(PIPELINE, items(), tmp_path / "out", model=Echo())
    card, page = made.card, (tmp_path / "out" / "README.md").read_text()
    assert card["n"] == len(made.examples) and card["content"] == {"completions": card["n"]}
    assert card["models"] == {"echo": {"written": card["n"]}}
    limits = " ".join(card["limits"])
    assert "licence" in limits and "not compared with any evaluation items" in limits
    assert "echo wrote or measured" in limits
    assert [step["kept"] for step in card["steps"]][-1] == card["n"]
    for told in ("| `half` |", "unlucky", card["hashes"]["content"], "viva"):
        assert told in page
    assert json.loads((tmp_path / "out" / "card.json").read_text()) == card
