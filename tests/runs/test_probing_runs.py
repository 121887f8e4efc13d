"""A run's model asked again under probes: same settings, paired rows, real prefills only."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import random
import signal
import time
from pathlib import Path

import made_runs
import polars as pl
import pytest

import viva
from servers import mock_server
from tiny import ABSENT, tiny_model
from viva.errors import InputError
from viva.formats.run import REFUSED, VARIANTS, read_manifest, read_run
from viva.models import Capabilities, Completion, Prefill, Sampling
from viva.models.specs import ModelOptions
from viva.models.starts import ARMS, with_start
from viva.runs.variants import choose_probes

CONTINUES = Capabilities(prefill=Prefill.CONTINUED, seed=True)
PROBE = "misleading_start.bare"


def fake(**more) -> made_runs.Fake:
    return made_runs.Fake(**({"capabilities": CONTINUES} | more))


def clean_run(out: Path, model=None, count: int = 6, **more) -> Path:
    given = {"method": "cot", "sampling": Sampling(temperature=0.5), "seed": 11} | more
    viva.evaluate(model=model or fake(), benchmark=made_runs.rows(count), out=out, **given)
    return out


def probed(clean: Path, out: Path, model=None, **more):
    more = {"model": model or fake(), "probes": PROBE} | more
    return viva.probe(run=clean, out=out, **more)


@pytest.fixture
def clean(tmp_path):
    return clean_run(tmp_path / "clean")


def test_the_model_goes_on_from_the_start_in_the_answering_call(clean, tmp_path):
    model = fake()
    run = probed(clean, tmp_path / "misled", model, with_controls=False)
    read = read_run(tmp_path / "misled")
    variants = pl.read_parquet(tmp_path / "misled" / VARIANTS)
    asked = read_run(clean)
    assert (run.planned, run.done, run.ungraded) == (6, 6, 0)
    assert {request.prefix for request in model.seen} == set(variants["start"])
    assert read.responses["probe"].unique().to_list() == [f"{PROBE}@prefill"]
    assert read.responses["cue"].to_list() == variants["cue"].to_list()
    # The text is what was written after the start, and rows pair with those of the clean run.
    key = ["benchmark", "item_id", "model", "method", "sample"]
    assert read.responses.select(key).equals(asked.responses.select(key))
    assert read.responses["text"].to_list() == asked.responses["text"].to_list()  # seeds are equal
    assert {request.sampling.temperature for request in model.seen} == {0.5}


def test_settings_prompt_and_samples_are_those_of_the_run(tmp_path):
    prompt = tmp_path / "own.jinja"
    prompt.write_text("Mine: {{ question }}\n{% for o in options %}{{ o }}\n{% endfor %}")
    clean = clean_run(tmp_path / "clean", prompt=prompt, samples=2, count=3)
    prompt.unlink()
    model = fake()
    run = probed(clean, tmp_path / "misled", model, with_controls=False)
    assert run.done == 6
    assert all(r.messages[-1].content.startswith("Mine: Which finding") for r in model.seen)
    before, after = (read_manifest(f)["identity"] for f in (clean, tmp_path / "misled"))
    same = ("model", "name", "method", "label", "parameters", "prompt", "sampling", "seed")
    assert [before[n] for n in same] == [after[n] for n in same]
    assert read_manifest(tmp_path / "misled")["operation"]["run"] == str(clean)


def test_controls_come_with_their_probe_and_can_be_left_out(clean, tmp_path):
    probed(clean, tmp_path / "with", probes=["misleading_start"], strengths=["bare"])
    names = set(read_run(tmp_path / "with").responses["probe"])
    assert names == {
        f"{name}@prefill"
        for name in (PROBE, "control_start.correct.bare", "control_start.irrelevant.bare",
                     "control_start.empty")
    }  # fmt: skip
    probed(clean, tmp_path / "without", probes=["misleading_start"], with_controls=False)
    assert read_run(tmp_path / "without").responses["probe"].n_unique() == 4


@pytest.mark.parametrize("arm", sorted(n for n, arm in ARMS.items() if not arm.continues))
def test_other_arms_need_no_prefill_and_have_their_own_name(clean, tmp_path, arm):
    model = fake(capabilities=Capabilities(prefill=Prefill.NEW_TURN))
    probed(clean, tmp_path / "out", model, arm=arm, with_controls=False)
    responses = read_run(tmp_path / "out").responses
    assert responses["probe"].unique().to_list() == [f"{PROBE}@{arm}"]
    starts = pl.read_parquet(tmp_path / "out" / VARIANTS)["start"].to_list()
    plain = made_runs.Fake()
    clean_run(tmp_path / "again", plain)
    for request in model.seen:
        assert request.prefix is None
        assert any(
            with_start(dataclasses.replace(other, seed=request.seed), start, arm) == request
            for other in plain.seen
            for start in starts
        )


@pytest.mark.parametrize("prefill", ["closed", "ignored", "refused"])
def test_a_server_without_a_real_prefill_is_refused_before_any_item(tmp_path, prefill):
    with mock_server(prefill=prefill, completions=False) as server:
        made_runs.ask(str(tmp_path / "clean"), server.url, 4, "cot")
        with pytest.raises(InputError) as refused:
            viva.probe(run=tmp_path / "clean", probes=PROBE, out=tmp_path / "misled")
        said = str(refused.value)
        assert "does not continue a prefill" in said
        assert "earlier_turn" in said and "user_suggestion" in said and "\n" not in said
        questions = [m["content"] for e in server.exchanges for m in e.payload.get("messages", ())]
        assert sum("Which finding" in text for text in questions) == 4  # those of the clean run
        # The folder is not in the way of another arm.
        run = viva.probe(
            run=tmp_path / "clean", probes=PROBE, out=tmp_path / "said", arm="user_suggestion"
        )
        assert run.ungraded == 0


def test_a_server_that_continues_gets_the_start_as_its_own_turn(tmp_path):
    with mock_server(prefill="flags") as server:
        made_runs.ask(str(tmp_path / "clean"), server.url, 4, "cot")
        before = len(server.exchanges)
        viva.probe(
            run=tmp_path / "clean", probes=PROBE, out=tmp_path / "misled", with_controls=False
        )
        starts = set(pl.read_parquet(tmp_path / "misled" / VARIANTS)["start"])
        sent = [
            e.payload for e in server.exchanges[before:]
            if "Which finding" in e.payload["messages"][0]["content"]
        ]  # fmt: skip
        assert {p["messages"][-1]["content"] for p in sent} == starts
        assert all(p["messages"][-1]["role"] == "assistant" for p in sent)
        assert all(p["continue_final_message"] for p in sent)
        assert read_manifest(tmp_path / "misled")["capabilities"]["prefill"] == "continued"


def test_tokens_that_weights_receive_end_in_the_start(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason=ABSENT)
    transformers = pytest.importorskip("transformers", reason=ABSENT)
    folder = tiny_model(tmp_path / "tiny")
    sampling = Sampling(temperature=0.0, max_completion_tokens=8)
    clean_run(tmp_path / "clean", f"hf/{folder}", count=3, sampling=sampling,
              options=ModelOptions(device="cpu"))  # fmt: skip
    received: list[list[int]] = []
    forward = torch.nn.Embedding.forward

    def watched(self, ids):
        received.extend(ids.reshape(-1, ids.shape[-1]).tolist())
        return forward(self, ids)

    monkeypatch.setattr(torch.nn.Embedding, "forward", watched)
    viva.probe(run=tmp_path / "clean", probes=PROBE, out=tmp_path / "misled", with_controls=False)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    told = [tokenizer.decode(ids) for ids in received]
    starts = pl.read_parquet(tmp_path / "misled" / VARIANTS)["start"].to_list()
    assert len(starts) == 3
    for start in starts:
        assert any(text.endswith(start) for text in told)


@pytest.mark.parametrize(
    "method", ["option_logprob", "budget_forcing", "ensemble", "answer_format"]
)
def test_methods_for_which_a_start_is_not_defined_are_refused(tmp_path, method, clean):
    told = json.loads((clean / "manifest.json").read_text())
    told["identity"]["method"] = method
    (clean / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match=f"not defined for the method {method}.*direct, cot"):
        probed(clean, tmp_path / "misled")


def test_every_draw_of_a_vote_has_the_start(tmp_path):
    clean = clean_run(tmp_path / "clean", method="self_consistency", parameters={"k": 3}, count=2)
    model = fake()
    probed(clean, tmp_path / "misled", model, with_controls=False)
    assert len(model.seen) == 6
    assert all(request.prefix for request in model.seen)


def test_changed_items_are_items_of_their_own_that_pair_by_group(clean, tmp_path):
    model = fake(capabilities=Capabilities())  # nothing is put before the model
    probed(clean, tmp_path / "out", model, probes="bias_cue.authority", with_controls=False)
    read = read_run(tmp_path / "out")
    changed = read.items.filter(pl.col("relation").is_not_null())
    assert read.items.height == 12  # with the originals
    assert changed["group"].to_list() == [f"made/i{n}" for n in range(6)]
    assert set(read.responses["item_id"]) == set(changed["item_id"])
    found = viva.analyse_probes(clean, tmp_path / "out", resamples=200).summary
    (model_,) = found["models"].values()
    pairing = model_["probes"]["bias_cue.authority"]["pairing"]
    assert (pairing["rows"], pairing["pairs"], pairing["without_original"]) == (6, 6, 0)


def test_items_to_which_a_probe_does_not_apply_are_counted_and_listed(tmp_path):
    rows = made_runs.rows(4)
    rows[1]["options"] = ["same", "same", "other", "more"]
    rows[1]["answer"] = "C"
    viva.evaluate(model=fake(), benchmark=rows, out=tmp_path / "clean")
    run = probed(tmp_path / "clean", tmp_path / "misled", with_controls=False)
    asked = read_run(tmp_path / "clean").items.height
    refused = pl.read_parquet(tmp_path / "misled" / REFUSED)
    assert run.planned + refused.height == asked == 4
    assert run.left_out == {f"{PROBE}@prefill: two equal options": 1}
    found = viva.analyse_probes(tmp_path / "clean", tmp_path / "misled", resamples=200).summary
    assert any("two equal options" in note for note in found["notes"])


def test_a_budget_leaves_what_was_not_asked_as_ungraded_answers_under_its_probe(clean, tmp_path):
    from viva.runs import Limits

    out = tmp_path / "misled"
    run = probed(clean, out, budget=Limits(max_calls=5), with_controls=True)
    assert run.stopped and run.done == 5 and run.planned == 24
    read = read_run(out).responses
    assert read.height == 24 and read["probe"].null_count() == 0
    missing = read.filter(pl.col("error").is_not_null())
    assert missing.height == 19 and missing["error"].str.starts_with("not asked").all()
    assert pl.read_parquet(out / "scores.parquet").height == 24
    more = probed(clean, out, with_controls=True)
    assert (more.done, more.stopped) == (24, None)
    assert read_run(out).responses["error"].null_count() == 24


def test_the_same_call_continues_another_is_refused(clean, tmp_path):
    out = tmp_path / "misled"
    probed(clean, out)
    model = fake()
    assert probed(clean, out, model).done == 24
    assert model.seen == []
    for other in ({"seed": 1}, {"with_controls": False}, {"parameters": {"distractor": "longest"}}):
        with pytest.raises(InputError, match="other settings"):
            probed(clean, out, **other)
    with pytest.raises(InputError, match="not that of the run"):
        probed(clean, tmp_path / "new", fake(settings={"kind": "another"}))
    with pytest.raises(InputError, match="itself a run of probes"):
        probed(out, tmp_path / "new")


def test_a_limit_can_be_raised(clean, tmp_path):
    out = tmp_path / "misled"
    assert probed(clean, out, limit=2, with_controls=False).done == 2
    model = fake()
    assert probed(clean, out, model, limit=5, with_controls=False).done == 5
    assert len(model.seen) == 3


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"probes": "misleading_strat"}, "Did you mean misleading_start"),
        ({"probes": []}, "no probe given"),
        ({"arm": "prefil"}, "no arm"),
        ({"probes": "bias_cue.authority", "arm": "prefill"}, "no probe asked for has arms"),
        ({"probes": "bias_cue.authority@prefill"}, "has no arms"),
        ({"probes": "misleading_start", "strengths": ["huge"]}, "strength 'huge'"),
        ({"parameters": {"distracter": "random"}}, "no probe asked for has the parameter"),
        ({"parameters": {"distractor": "nearest"}}, "distractor is 'nearest'"),
        ({"writer": "openai/w"}, "no probe asked for is written by a model"),
        ({"probes": "written_trace"}, "is written by a model, and none is named"),
        ({"seed": -1}, "negative"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(clean, tmp_path, given, says):
    with pytest.raises(InputError, match=says) as refused:
        probed(clean, tmp_path / "misled", **given)
    assert "\n" not in str(refused.value)


def test_the_run_itself_is_no_place_for_its_probes(clean):
    with pytest.raises(InputError, match="is the run itself"):
        probed(clean, clean)


def test_names_stand_for_probes_with_arms_and_controls():
    chosen = choose_probes(["misleading_start.long@user_suggestion", "bias_cue.authority"])
    assert list(chosen) == [
        "misleading_start.long@user_suggestion",
        "control_start.correct.long@user_suggestion",
        "control_start.irrelevant.long@user_suggestion",
        "control_start.empty@user_suggestion",
        "bias_cue.authority",
        "control_cue.correct.authority",
        "control_cue.irrelevant.authority",
    ]


def test_traces_written_by_a_model_are_kept_and_not_written_twice(clean, tmp_path):
    def writes(payload):
        said = payload["messages"][0]["content"]
        letter = said.rpartition("argue for option ")[2][:1]
        import re

        named = re.findall(r"\b([A-D])\. finding", said)
        wanted = letter if letter in named else named[-1]
        return f"The pattern of findings points one way. The answer is {wanted}."

    out = tmp_path / "misled"
    with mock_server(reply=writes) as server:
        options = ModelOptions(base_urls=(server.url,))
        more = {"probes": "written_trace.short", "writer": "openai/mock", "writer_options": options}
        run = probed(clean, out, with_controls=False, **more)
        written = (out / "writer.jsonl").read_text().splitlines()
        asked = server.calls
        assert len(written) >= 6 and asked >= len(written)
        assert run.planned + sum(run.left_out.values()) == 6
        again = probed(clean, out, with_controls=False, **more)
        assert again.done == run.done and server.calls == asked
        (out / VARIANTS).unlink()  # as if killed after writing: no text is asked for again
        probed(clean, out, with_controls=False, **more)
        assert server.calls == asked


def _ask_again(clean: str, out: str, url: str) -> None:
    viva.probe(
        run=clean, out=out, probes=["misleading_start.bare", "bias_cue.authority"],
        options=ModelOptions(base_urls=(url,), timeout=20), max_connections=4,
    )  # fmt: skip


def test_killed_and_continued_every_variant_ends_once(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["made_runs", "polars", "aiohttp", "viva.models.openai"])
    dice = random.Random(3)
    with mock_server(latency=0.02) as server:
        clean = tmp_path / "clean"
        made_runs.ask(str(clean), server.url, 12, "cot")
        _ask_again(str(clean), str(tmp_path / "whole"), server.url)
        out, kills = tmp_path / "misled", 0
        while True:
            process = context.Process(target=_ask_again, args=(str(clean), str(out), server.url))
            seen = server.calls
            process.start()
            if kills < 4:
                wanted = seen + 12 + dice.randrange(15)  # after the calls of the probing
                patience = time.monotonic() + 20
                while process.is_alive() and server.calls < wanted and time.monotonic() < patience:
                    time.sleep(0.002)
                process.kill()
            process.join(60)
            if process.exitcode == 0:
                break
            assert process.exitcode == -signal.SIGKILL
            kills += 1
        assert kills > 0
        drop = ["seconds"]
        assert (
            read_run(out)
            .responses.drop(drop)
            .equals(read_run(tmp_path / "whole").responses.drop(drop))
        )


def test_recorded_answers_of_a_probe_are_replayed_under_it(tmp_path):
    rows = made_runs.rows(3)
    answers = [
        {"benchmark": "made", "item_id": f"i{n}", "model": "m", "response": f"The answer is {x}.",
         **more}
        for n in range(3)
        for x, more in (("A", {}), ("B", {"probe": f"{PROBE}@user_suggestion"}))
    ]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    spec = f"replay/{tmp_path / 'a.jsonl'}"
    viva.evaluate(model=spec, benchmark=rows, out=tmp_path / "clean")
    viva.probe(run=tmp_path / "clean", probes=PROBE, arm="user_suggestion", with_controls=False,
               out=tmp_path / "misled")  # fmt: skip
    assert set(read_run(tmp_path / "clean").responses["text"]) == {"The answer is A."}
    assert set(read_run(tmp_path / "misled").responses["text"]) == {"The answer is B."}


def test_rows_of_probes_stay_out_of_accuracy(clean, tmp_path):
    wrong = fake(reply=lambda request: Completion("I cannot say.", None, "stop", 1, 1))
    probed(clean, tmp_path / "misled", wrong, with_controls=False)
    alone = viva.audit(answers=clean, resamples=100).summary
    both = viva.audit(answers=[clean, tmp_path / "misled"], resamples=100).summary
    (a,), (b,) = alone["models"].values(), both["models"].values()
    assert a["accuracy"] == b["accuracy"] and a["n"] == b["n"] == 6


@pytest.mark.parametrize(
    ("arm", "finish", "stands"),
    [("prefill", "stop", True), ("prefill", "length", False), ("user_suggestion", "stop", False)],
)
def test_a_turn_that_ends_at_once_lets_its_start_stand(clean, tmp_path, arm, finish, stands):
    model = fake(reply=lambda request: Completion("", finish_reason=finish))
    probed(clean, tmp_path / "misled", model, arm=arm, with_controls=False)
    starts = pl.read_parquet(tmp_path / "misled" / VARIANTS)["start"].to_list()
    texts = read_run(tmp_path / "misled").responses["text"].to_list()
    assert texts == (starts if stands else [""] * len(starts))
    read = pl.read_parquet(tmp_path / "misled" / "scores.parquet")["read"].to_list()
    cues = read_run(tmp_path / "misled").responses["cue"].to_list()
    assert read == (cues if stands else [None] * len(cues))


def test_variants_that_others_wrote_come_from_a_file(tmp_path):
    clean = clean_run(tmp_path / "clean")
    rows = [row | {"question": f"¿Y el caso {row['item_id']}?"} for row in made_runs.rows(4)]
    (tmp_path / "es.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = fake()
    run = probed(
        clean, tmp_path / "es", model, probes="language.es",
        parameters={"given": str(tmp_path / "es.jsonl")},
    )  # fmt: skip
    assert run.done == 4
    assert all("¿Y el caso" in request.messages[-1].content for request in model.seen)
    refused = pl.read_parquet(tmp_path / "es" / REFUSED)
    assert refused["reason"].to_list() == ["no variant given"] * 2
    with pytest.raises(InputError, match="nowhere"):
        probed(
            clean, tmp_path / "no", probes="language.es",
            parameters={"given": str(tmp_path / "nowhere.jsonl")},
        )  # fmt: skip
