"""The model card: front matter that the Hub's own library reads, and text that stays text."""

from __future__ import annotations

import json
import random

import pytest
from markdown_it import MarkdownIt

from viva.errors import InputError
from viva.records import Choice, Item
from viva.synthesis import Example, Provenance
from viva.training._curve_numbers import curve_numbers
from viva.training._markdown import code, escaped, redacted
from viva.training.card import write_card
from viva.training.journal import read_log

HOSTILE = 'x"; ---\n# Heading <script>alert(1)</script> | `a` [l](javascript:1) \x1b[31m\u202eabc'

RECIPE = {
    "id": "alphamed",
    "title": "Rule reward only",
    "summary": "GRPO from the base model, a letter right or wrong.",
    "paper": "arXiv:2505.17952",
    "departs": ["The batch size is not given."],
    "base": "Qwen/Qwen2.5-7B-Instruct",
    "method": "cot",
    "thinking": "tags",
    "seed": 7,
    "stages": [
        {
            "name": "sft",
            "trainer": "sft",
            "settings": {"learning_rate": 1e-5, "hub_token": "hf_abcdefghijklmnopqrstuvwx"},
            "adapter": {"rank": 16, "alpha": 32, "dora": True},
        },
        {
            "name": "grpo",
            "trainer": "grpo",
            "reward": [{"name": "choice", "weight": 1.0}, {"name": "length", "weight": 0.1}],
            "select": {"pass_rate": [0.1, 0.9], "limit": None},
        },
    ],
}


def training(folder, recipe=RECIPE, **more):
    """A folder as a training leaves it."""
    manifest = {
        "kind": "viva training",
        "identity": {
            "recipe": recipe,
            "data": {"examples": 40, "sha256": "d" * 64},
            "model": {"files": {"config.json": "a" * 64}, "weights": "b" * 64},
            "device": "cpu",
        },
        "base": "../private-folder/models/tiny-medical",
        "stages": {"02-grpo": {"examples": 40, "steps": 20, "seconds": 90.0}},
        "sessions": [{"pid": 4711, "host": "secret-host"}],
        "versions": {"viva": "1.2.3", "trl": "1.16.0"},
        "git": "c0ffee",
    } | more
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    stage = folder / "02-grpo"
    stage.mkdir(exist_ok=True)
    lines = [
        {"step": s, "loss": 1 / s, "reward": s / 20, "share_unread": 0.5 - s / 40}
        for s in range(1, 21)
    ]
    (stage / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    findings = [
        {"check": "data", "level": "ok", "value": 40, "what": "40 examples", "mend": None},
        {
            "check": "padding",
            "level": "warn",
            "value": None,
            "what": "no <pad> token",
            "mend": "Give one",
        },
    ]
    (stage / "preflight.json").write_text(json.dumps({"format": 1, "findings": findings}))
    return folder


def examples():
    items = [
        Item("medqa", str(i), f"Question {i}?", ("Aspirin", "Heparin"), Choice(i % 2))
        for i in range(6)
    ]
    made = [
        Example(item, "B", source="hub:bigbio/med_qa", licence="MIT", start_kind="wrong")
        for item in items[:4]
    ]
    step = Provenance("traces", model="openai/big-teacher")
    return [
        *made,
        *(
            Example(i, "A", source="/data/own.jsonl", number=1, provenance=(step,))
            for i in items[4:]
        ),
    ]


def answers(path, name, right, items=120):
    """Answers of a model that gets a share of the items right, and leaves some unread."""
    drawn = random.Random(name)
    rows = []
    for at in range(items):
        said = "I cannot tell." if drawn.random() < 0.1 else None
        letter = "A" if drawn.random() < right else "B"
        rows.append(
            {
                "benchmark": "made",
                "item_id": str(at),
                "model": name,
                "response": said or f"The answer is {letter}",
            }
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def questions(path, items=120):
    rows = [
        {
            "benchmark": "made",
            "item_id": str(at),
            "question": f"Patient {at}?",
            "options": ["Yes", "No"],
            "answer": 0,
            "stratum": "reasoning" if at % 2 else "knowledge",
        }
        for at in range(items)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("card")
    training(folder)
    before = answers(folder / "before.jsonl", "base", 0.4)
    after = answers(folder / "after.jsonl", "trained", 0.9)
    write_card(
        folder,
        examples=examples(),
        before=before,
        after=after,
        items=questions(folder / "items.jsonl"),
        resamples=500,
    )
    return folder


def test_the_hub_reads_the_front_matter(card):
    hub = pytest.importorskip("huggingface_hub")
    read = hub.ModelCard.load(card / "README.md")
    assert read.data.library_name == "transformers"
    assert read.data.datasets == ["bigbio/med_qa"]
    assert read.data.license == "other"
    assert {"sft", "grpo", "alphamed", "arxiv:2505.17952"} <= set(read.data.tags)
    result = read.data.eval_results[0]
    assert result.dataset_name == "made"
    assert result.metric_value == pytest.approx(
        100 * json.loads((card / "evaluation.json").read_text())["after"]["all"]["accuracy"],
        abs=0.01,
    )
    # What it wrote back is the same to it: nothing was dropped as unknown.
    again = hub.ModelCardData(**read.data.__dict__)
    assert again.to_dict() == read.data.to_dict()


def test_the_card_says_what_was_done_and_found(card):
    text = (card / "README.md").read_text()
    for said in (
        "arxiv.org/abs/2505.17952",
        "learning_rate = 1e-05",
        "rank = 16",
        "1 x `choice` + 0.1 x `length`",
        "pass_rate = [0.1, 0.9]",
        "no &lt;pad&gt; token",
        "openai/big-teacher",
        "must not be used to diagnose",
        "The batch size is not given",
        "1.5 min",
        "trl",
        "`1.16.0`",
        "own.jsonl",
        "bigbio/med",
        "d" * 64,
    ):
        assert said in text, said
    for kept in ("private-folder", "hf_abcdef", "secret-host", "4711", "/data/own"):
        assert kept not in text, kept


def test_differences_are_those_of_the_analysis(card, tmp_path):
    from viva import audit

    told = json.loads((card / "evaluation.json").read_text())
    made = audit(
        card / "items.jsonl",
        [card / "after.jsonl", card / "before.jsonl"],
        names=["x", "y"],
        resamples=500,
    )
    row = next(
        r
        for r in made.summary["comparisons"]
        if r["scope"] == "all" and {r["a"], r["b"]} == {"x", "y"}
    )
    sign = 1 if row["a"] == "x" else -1
    assert told["differences"]["all"]["difference"] == pytest.approx(sign * row["difference"])
    assert told["differences"]["all"]["difference"] > 30
    assert told["differences"]["all"]["verdict"] == "win"
    low, high = told["differences"]["all"]["low"], told["differences"]["all"]["high"]
    assert low < told["differences"]["all"]["difference"] < high
    both = told["both_read"]
    assert both["n"] < told["differences"]["all"]["n"] == 120
    frames = {
        name: dict(
            made.scores.filter(
                (made.scores["model"] == name) & (made.scores["status"] == "parsed")
            )["item_id", "value"].iter_rows()
        )
        for name in ("x", "y")
    }
    common = frames["x"].keys() & frames["y"].keys()
    assert both["n"] == len(common)
    assert both["difference"] == pytest.approx(
        100 * sum(frames["x"][i] - frames["y"][i] for i in common) / len(common)
    )


def test_a_card_can_be_made_again_without_the_runs(card):
    once = (card / "README.md").read_bytes()
    write_card(card, examples=examples())
    assert (card / "README.md").read_bytes() == once


def test_without_runs_the_card_says_that_nothing_is_known(tmp_path):
    text = write_card(training(tmp_path)).read_text()
    assert "nothing is known of what the training did" in text


def test_hostile_text_is_text(tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    recipe = RECIPE | {"title": HOSTILE, "summary": HOSTILE, "departs": [HOSTILE], "paper": HOSTILE}
    folder = training(tmp_path / "t", recipe, base=HOSTILE, versions={HOSTILE: HOSTILE})
    item = Item("b", "1", "?", (), None)
    path = write_card(folder, examples=[Example(item, source=HOSTILE, licence=HOSTILE)])
    text = path.read_text()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("\n---\n") == 1
    hub.ModelCard.load(path)
    page = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .render(text.partition("\n---\n")[2])
    )
    assert "<script" not in page
    assert 'javascript:1"' not in page
    assert page.count("<h1>") == 1


@pytest.mark.parametrize(
    "paper", ["2505.17952", "arXiv:2505.17952v2", "https://arxiv.org/abs/2505.17952"]
)
def test_papers_are_found_however_they_are_named(tmp_path, paper):
    recipe = RECIPE | {"paper": paper.removeprefix("https://")}
    text = write_card(training(tmp_path, recipe)).read_text()
    assert "(https://arxiv.org/abs/2505.17952)" in text


def test_the_licence_is_that_of_the_base_or_given(tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "README.md").write_text("---\nlicense: apache-2.0\ntags: [x]\n---\nlicense: mit\n")
    folder = training(tmp_path / "t", base=str(base))
    assert 'license: "apache-2.0"' in write_card(folder).read_text()
    assert 'license: "cc-by-nc-4.0"' in write_card(folder, licence="cc-by-nc-4.0").read_text()
    with pytest.raises(InputError, match="no licence"):
        write_card(folder, licence="my own: yes\nx")


def test_what_is_no_training_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="holds no training"):
        write_card(tmp_path)
    with pytest.raises(InputError, match="compares two runs"):
        write_card(training(tmp_path / "t"), before=tmp_path)


def test_two_models_on_one_side_are_refused(tmp_path):
    folder = training(tmp_path / "t")
    before = answers(tmp_path / "before.jsonl", "base", 0.4, 20)
    rows = before.read_text()
    before.write_text(rows + rows.replace('"base"', '"other"'))
    after = answers(tmp_path / "after.jsonl", "trained", 0.9, 20)
    with pytest.raises(InputError):
        write_card(
            folder, before=before, after=after, items=questions(tmp_path / "items.jsonl", 20),
            resamples=100,
        )  # fmt: skip


def test_numbers_of_a_curve(tmp_path):
    log = read_log(training(tmp_path) / "02-grpo")
    told = {row["name"]: row for row in curve_numbers(log)}
    assert told["reward"] == {
        "name": "reward", "n": 20, "window": 4, "first": pytest.approx(2.5 / 20),
        "last": pytest.approx(18.5 / 20), "best": pytest.approx(18.5 / 20), "best_step": 20,
    }  # fmt: skip
    assert told["loss"]["best"] == pytest.approx(sum(1 / s for s in (17, 18, 19, 20)) / 4)
    assert told["share_unread"]["best_step"] == 20


def test_secrets_are_taken_out_and_token_names_are_not():
    given = {
        "hub_token": "hf_x",
        "api_key": "k",
        "eos_token": "<|im_end|>",
        "max_tokens": 12,
        "note": "key is sk-abcdefghijklmnopqrst now",
        "inside": [{"wandb_api_key": "y", "password": None}],
    }
    assert redacted(given) == {
        "hub_token": "(not shown)",
        "api_key": "(not shown)",
        "eos_token": "<|im_end|>",
        "max_tokens": 12,
        "note": "key is (not shown) now",
        "inside": [{"wandb_api_key": "(not shown)", "password": None}],
    }


def test_markdown_of_text_shows_the_text():
    page = MarkdownIt("commonmark", {"html": True}).enable("table")
    for text in ("a|b`c`*d*_e_[f](g)<h>&amp;", "``x```", "1. # - x", "~~y~~"):
        shown = page.renderInline(escaped(text))
        assert not {"<em>", "<code>", "<a ", "<h>", "<s>"} & {
            part for part in ("<em>", "<code>", "<a ", "<h>", "<s>") if part in shown
        }
        inside = page.renderInline(code(text).replace("\\|", "|"))
        assert inside.startswith("<code>")
        assert inside.endswith("</code>")
