"""`viva eval` as a user meets it: exit codes, one line per error, runs that go on and are read."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from unittest import mock

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "audit"))
sys.path.insert(0, str(Path(__file__).parents[1]))
from made_answers import items, write_jsonl

import viva
from servers import fault_server, free_port, mock_server
from viva.cli import main
from viva.formats.run import read_run


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "viva", *map(str, arguments)]


ENVIRONMENT = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}


def process(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=300,
        env=ENVIRONMENT, check=False,
    )  # fmt: skip


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command in this process: what it prints, and with what it ends."""
    argv = ["viva", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", argv),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    assert isinstance(code, int)
    return subprocess.CompletedProcess(argv, code, out.getvalue(), err.getvalue())


def by_number(shift: int = 0):
    """Answers by the number in the question: right where it is no multiple of 3."""

    def reply(payload) -> str:
        text = payload["messages"][-1]["content"]
        number = int(text.partition("Question number ")[2].split(" ")[0])
        wrong = (number + shift) % 3 == 0
        return f"So it must be so. Answer: {'ABCD'[(number + wrong) % 4]}"

    return reply


@pytest.fixture
def made(tmp_path):
    write_jsonl(tmp_path / "made.jsonl", items(60))
    return tmp_path


@pytest.fixture
def server():
    with mock_server(reply=by_number(), models=("other",)) as running:
        yield running


def asked(server) -> Counter[str]:
    """How often each question reached the server, a probe's calls aside."""
    texts = [e.payload["messages"][-1]["content"] for e in server.exchanges]
    return Counter(text for text in texts if "Answer: " in text or "Question number" in text)


def test_a_run_prints_its_numbers_and_what_to_do_next(made, server):
    done = run(
        "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark", "made.jsonl",
        "--price-input", 1, "--price-output", 2, "--out", "run one", cwd=made,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "66.7 [54.1, 77.3]" in done.stdout and "cost" in done.stdout
    assert done.stdout.splitlines()[-1] == "Next: viva audit 'run one'"
    read = read_run(made / "run one")
    assert read.items.height == read.responses.height == server.calls == 60
    assert read.responses["cost"].sum() > 0


def test_the_same_command_without_out_goes_on_in_the_same_folder(made, server):
    arguments = (
        "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark", "made.jsonl",
        "--method", "direct",
    )  # fmt: skip
    first = run(*arguments, "--max-calls", 25, cwd=made)
    assert first.returncode == 0, first.stderr
    assert "Stopped: the budget of 25 calls is spent; 25 of 60 answered" in first.stdout
    assert [p.name for p in (made / "viva-runs").iterdir()] == ["mock--made--direct"]
    second = run(*arguments, cwd=made)
    assert second.returncode == 0 and "Stopped" not in second.stdout
    assert server.calls == 60 and set(asked(server).values()) == {1}
    other = run(*arguments, "--temperature", 0.5, cwd=made)
    assert other.returncode == 2 and "sampling.temperature was null, now 0.5" in other.stderr


def test_limit_takes_the_first_and_set_reaches_the_method(made, server):
    done = run(
        "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark", "made.jsonl",
        "--limit", 5, "--method", "self_consistency", "--set", "k=3", "--samples", 2,
        "--name", "mine", "--out", "run", cwd=made,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    read = read_run(made / "run")
    assert read.items["item_id"].to_list() == ["0", "1", "2", "3", "4"]
    assert server.calls == 5 * 3 * 2
    assert set(read.responses["method"]) == {"self_consistency(k=3)"}
    assert set(read.responses["model"]) == {"mine"}
    assert read.responses["confidence"].to_list() == [1.0] * 10


def test_options_reach_the_server(made, server):
    done = run(
        "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark", "made.jsonl",
        "--limit", 1, "--temperature", 0.5, "--top-p", 0.9, "--max-completion-tokens", 77,
        "--stop", "END", "--extra", '{"top_k": 20}', "--seed", 4, "--out", "run", cwd=made,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sent = server.exchanges[-1].payload
    assert (sent["temperature"], sent["top_p"], sent["top_k"]) == (0.5, 0.9, 20)
    assert sent["stop"] in ("END", ["END"])
    assert 77 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "openai/mock"), "no --benchmark given"),
        (("--benchmark", "medqa"), "no --model given"),
        (("--model", "opnai/mock", "--benchmark", "medqa"), "Did you mean openai/mock?"),
        (("--model", "openai/mock", "--benchmark", "medqaa"), "Did you mean medqa"),
        (("--model", "openai/mock", "--benchmark", "medqa", "--method", "self_consistancy"),
         "Did you mean self_consistency"),
        (("--model", "openai/mock", "--benchmark", "medqa", "--method", "cot", "--set", "k=3"),
         "cot has no parameter 'k'"),
        (("--model", "openai/mock", "--benchmark", "medqa", "--set", "k"), "'k' is not NAME=VALUE"),
        (("--model", "openai/mock", "--benchmark", "medqa", "--extra", "[1]"), "JSON object"),
        (("--model", "openai/mock", "--benchmark", "medqa", "--prompt", "no.jinja"), "no.jinja"),
        (("--model", "openai/mock", "--benchmark", "medqa", "--max-cost", "1"), "price"),
        (("--model", "openai/mok", "--benchmark", "medqa"), "Did you mean openai/mock"),
        (("--model", "replay/absent", "--benchmark", "medqa"), "absent"),
        (("suite.toml", "--limit", "3"), "--limit is given beside a suite"),
        (("absent.toml",), "absent.toml"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, arguments, said):
    with mock_server(strict_model=True) as server:
        done = run(
            "eval", *arguments, *(("--base-url", server.url) if "--model" in arguments else ()),
            cwd=tmp_path,
        )  # fmt: skip
        assert not asked(server)
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("viva: ") and said in lines[0], done.stderr
    assert done.stdout == ""


def test_a_server_that_is_not_there_is_named_with_what_to_start(made):
    url = f"http://127.0.0.1:{free_port()}/v1"
    done = process(
        "eval", "--model", "openai/qwen", "--base-url", url, "--benchmark", "made.jsonl", cwd=made
    )
    assert done.returncode == 2 and url in done.stderr and "vllm serve qwen" in done.stderr


def test_a_method_that_needs_more_than_the_server_has_asks_nothing(made):
    with mock_server(logprobs=False, prefill="new turn", completions=False) as server:
        for method, need in (("option_logprob", "log-probab"), ("budget_forcing", "continues")):
            done = run(
                "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark",
                "made.jsonl", "--method", method, cwd=made,
            )  # fmt: skip
            assert done.returncode == 2 and need in done.stderr, done.stderr
        assert not asked(server)


def test_responses_that_are_missing_are_said_and_counted(made):
    def script(exchange):
        return "400" if exchange.number % 6 == 5 else None

    with fault_server(script, reply=by_number()) as server:
        done = run(
            "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark",
            "made.jsonl", "--max-connections", 1, "--out", "run", cwd=made,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "10 of 60 responses are missing (ungraded)" in done.stdout
    audited = run("audit", "run", "--resamples", 100, "--out", "report", cwd=made)
    assert audited.returncode == 0, audited.stderr
    shown = " ".join(audited.stdout.split())
    assert shown.startswith("! Not every question has an answer ! mock: 10 of 60 responses are")
    page = (made / "report" / "report.html").read_text()
    assert page.index("10 of 60 responses are missing (bad request)") < page.index("<h1")


def test_interrupted_says_how_to_go_on_and_goes_on(made):
    with mock_server(latency=0.3, reply=by_number()) as server:
        arguments = (
            "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark",
            "made.jsonl", "--max-connections", 4, "--out", "run",
        )  # fmt: skip
        started = subprocess.Popen(
            command(*arguments), cwd=made, env=ENVIRONMENT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        while server.served < 8:
            time.sleep(0.02)
            assert started.poll() is None, started.communicate()
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
        assert started.returncode == 130, err
        assert "Stopped: interrupted" in out
        said = next(line for line in out.splitlines() if line.startswith("To continue: "))
        assert said.split(" ")[2:4] == ["viva", "eval"]
        before = server.calls
        assert 8 <= before < 60
        done = run(*said.split(" ")[3:], cwd=made)
        assert done.returncode == 0, done.stderr
        assert server.calls == 60 and set(asked(server).values()) == {1}  # in flight: finished


SUITE = """\
out = "runs"
limit = 20
[[models]]
spec = "openai/mock"
base_url = "{url}"
[[models]]
spec = "openai/absent"
base_url = "{gone}"
[[models]]
spec = "openai/other"
base_url = "{url}"
[[benchmarks]]
source = "made.jsonl"
[[methods]]
name = "direct"
[[methods]]
name = "self_consistency"
k = 3
"""


def test_a_suite_runs_what_can_be_run_and_says_what_could_not(made, server):
    gone = f"http://127.0.0.1:{free_port()}/v1"
    (made / "suite.toml").write_text(SUITE.format(url=server.url, gone=gone))
    planned = run("eval", "suite.toml", "--dry-run", cwd=made)
    assert planned.returncode == 0, planned.stderr
    assert "6 runs, 240 calls" in planned.stdout
    assert server.calls == 0 and not (made / "runs").exists()
    done = run("eval", "suite.toml", cwd=made)
    assert done.returncode == 2
    assert "Not run: absent--made--direct, absent--made--self_consistency-k=3" in done.stdout
    assert gone in done.stderr
    for name in ("mock--made--direct", "other--made--self_consistency-k=3"):
        assert read_run(made / "runs" / name).responses.height == 20
    assert server.calls == 2 * (20 + 60)
    again = run("eval", "suite.toml", cwd=made)
    assert again.returncode == 2 and server.calls == 2 * (20 + 60)
    # One folder of runs is audited as a whole: a run that nobody could be asked for left none.
    assert "Next: viva audit runs\n" in again.stdout
    complete = (made / "suite.toml").read_text().replace(gone, server.url)
    (made / "suite.toml").write_text(complete.replace("openai/absent", "openai/third"))
    assert "Next: viva audit runs\n" in run("eval", "suite.toml", cwd=made).stdout
    for folder in (made / "runs").glob("third*"):
        shutil.rmtree(folder)
    (made / "runs" / "notes.txt").touch()  # what is no run is listed
    several = run("compare", "runs", "runs", cwd=made)
    assert several.returncode == 2 and "holds 4 runs: mock--made--direct" in several.stderr
    audited = run("audit", "runs", "--resamples", 100, "--out", "report", cwd=made)
    assert audited.returncode == 0, audited.stderr
    summary = json.loads((made / "report" / "summary.json").read_text())
    listed = summary["data_quality"]["left_out"]
    assert [row["file"] for row in listed] == ["runs/notes.txt"]
    assert set(summary["models"]) == {
        f"{model}/{method}"
        for model in ("mock", "other")
        for method in ("direct", "self_consistency(k=3)")
    }


def test_dry_run_shows_the_first_prompt_and_writes_nothing(made):
    done = run(
        "eval", "--model", "openai/mock", "--benchmark", "made.jsonl", "--method", "ensemble",
        "--set", "k=4", "--samples", 3, "--dry-run", cwd=made,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 run, 720 calls if none is repeated" in done.stdout  # 60 x 3 x 4
    assert "Question number 0 of made" in done.stdout and "heparin" in done.stdout
    assert [p.name for p in made.iterdir()] == ["made.jsonl"]


def test_two_runs_of_one_model_are_told_apart(made, server):
    for out, more in (("a", ()), ("b", ("--temperature", 0.5, "--max-connections", 3))):
        done = run(
            "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark",
            "made.jsonl", "--out", out, *more, cwd=made,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    # Equal texts, but never the same seconds: two runs are never taken for one.
    clash = run("audit", "a", "b", "--resamples", 100, cwd=made)
    assert clash.returncode == 2 and "--name A --name B" in clash.stderr
    assert "diff-config" in clash.stderr
    named = run(
        "audit", "a", "b", "--name", "cold", "--name", "warm", "--resamples", 100,
        "--out", "report", cwd=made,
    )  # fmt: skip
    assert named.returncode == 0, named.stderr
    summary = json.loads((made / "report" / "summary.json").read_text())
    assert set(summary["models"]) == {"cold", "warm"}
    compared = run("compare", "a", "b", cwd=made)
    assert compared.returncode == 0, compared.stderr
    assert "A  mock (a)" in compared.stdout and "equal on 60" in compared.stdout
    differs = run("diff-config", "a", "b", "--format", "json", cwd=made)
    assert differs.returncode == 0
    rows = json.loads(differs.stdout)
    assert rows[0] == {"kind": "settings", "setting": "sampling.temperature", "a": None, "b": 0.5}
    assert [row["setting"] for row in rows[1:]] == ["operation.max_connections"]
    shown = run("diff-config", "a", "b", cwd=made).stdout
    assert shown.index("sampling.temperature") < shown.index("operation.max_connections")
    assert run("diff-config", "a", "a", cwd=made).stdout.strip() == "Same settings."
    wrong = run("diff-config", "a", "report", cwd=made)
    assert wrong.returncode == 2 and "manifest" in wrong.stderr


def test_of_two_prompts_the_lines_that_differ_are_shown(made, server):
    own = "{{ question }}\n{% for o in options %}{{ o.letter }}. {{ o.text }}\n{% endfor %}\n"
    for name, end in (("a", "Say the letter.\n"), ("b", "Say the letter, nothing else.\n")):
        (made / f"{name}.jinja").write_text(own + end)
        done = run(
            "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark",
            "made.jsonl", "--limit", 2, "--prompt", f"{name}.jinja", "--out", name, cwd=made,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    shown = run("diff-config", "a", "b", cwd=made).stdout
    assert "-Say the letter.\n+Say the letter, nothing else.\n" in shown
    assert "prompt.hash" in shown and "+{{ question }}" not in shown


def test_the_items_of_a_run_are_those_that_were_asked(tmp_path):
    """A benchmark under a known name, with options in another order and its own keys."""
    bundled = viva.benchmarks.bundled().items
    some = bundled.filter(pl.col("benchmark") == "medqa").head(30)
    rows = [
        {"benchmark": "medqa", "item_id": r["item_id"], "question": r["question"],
         "options": r["options"][::-1], "answer": len(r["options"]) - 1 - r["key"][0]}
        for r in some.iter_rows(named=True)
    ]  # fmt: skip
    write_jsonl(tmp_path / "turned.jsonl", rows)
    keys = {r["question"][:80]: "ABCDEFGHIJ"[r["answer"]] for r in rows}

    def knows(payload) -> str:
        return f"Answer: {keys[payload['messages'][-1]['content'].strip()[:80]]}"

    with mock_server(reply=knows) as server:
        done = run(
            "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark",
            "turned.jsonl", "--out", "run", cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "100.0 [" in done.stdout
    summary = viva.audit(answers=tmp_path / "run", resamples=100).summary
    assert summary["models"]["mock"]["accuracy"] == 1.0
    assert summary["settings"]["items"] == [f"asked in {tmp_path / 'run'}"]


def test_export_writes_what_other_tools_read(made, server):
    arguments = ("--base-url", server.url, "--benchmark", "made.jsonl", "--out", "run")
    assert run("eval", "--model", "openai/mock", *arguments, cwd=made).returncode == 0
    done = run("export", "run", "--to", "lm-eval", "--out", "lm", cwd=made)
    assert done.returncode == 0, done.stderr
    files = [made / line for line in done.stdout.splitlines()]
    samples = next(f for f in files if f.name.startswith("samples_"))
    assert len(samples.read_text().splitlines()) == 60
    again = viva.audit(answers=made / "lm", resamples=100).summary
    assert next(iter(again["models"].values()))["accuracy"] == pytest.approx(40 / 60)
    wrong = run("export", "run", "--to", "inspct", "--out", "x", cwd=made)
    assert wrong.returncode == 2 and "inspect" in wrong.stderr
    none = run("export", "lm", "--to", "lm-eval", "--out", "x", cwd=made)
    assert none.returncode == 2 and "no run folder" in none.stderr


def test_export_to_inspect_shows_the_prompt_that_was_asked(made, server):
    log = pytest.importorskip("inspect_ai.log", reason="the extra inspect is not installed")
    arguments = ("--base-url", server.url, "--benchmark", "made.jsonl", "--out", "run")
    assert run("eval", "--model", "openai/mock", *arguments, cwd=made).returncode == 0
    done = run("export", "run", "--to", "inspect", "--out", "logs", cwd=made)
    assert done.returncode == 0, done.stderr
    read = log.read_eval_log(str(made / done.stdout.strip()))
    assert len(read.samples) == 60
    sent = {e.payload["messages"][-1]["content"] for e in server.exchanges}
    assert {sample.messages[0].text for sample in read.samples} <= sent


def test_capabilities_are_probed_and_shown(made):
    with mock_server(prefill="new turn", completions=False, reasoning="reasoning") as server:
        arguments = ("capabilities", "--model", "openai/mock", "--base-url", server.url)
        shown = run(*arguments, cwd=made)
        assert shown.returncode == 0, shown.stderr
        found = json.loads(run(*arguments, "--format", "json", cwd=made).stdout)
    assert "new turn" in shown.stdout
    assert found["prefill"] == "new turn" and found["logprobs"] is True
    assert found["reasoning_field"] is True and found["evidence"]["prefill"]


def test_help_lists_models_and_methods(made):
    done = run("eval", "--help", cwd=made)
    assert done.returncode == 0
    for said in ("openai/NAME", "self_consistency", "k=5", "--max-tokens", "Budget"):
        assert said in done.stdout


def made_run(folder: Path, stopped: str | None) -> viva.Run:
    return viva.Run(
        folder=folder, planned=10, done=4, failed=0, ungraded=6, calls=4, tokens=40, cost=None,
        seconds=1.0, stopped=stopped,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stopped", "code"),
    [
        (None, 0),
        ("the budget of 4 calls is spent", 0),
        ("the server no longer answers: refused", 1),
        ("interrupted", 130),
    ],
)
def test_exit_codes_say_whether_all_was_asked(made, stopped, code):
    with mock.patch("viva.runs.evaluating.evaluate") as evaluate:
        evaluate.return_value = made_run(made / "run", stopped)
        done = run(
            "eval", "--model", "openai/x", "--benchmark", "made.jsonl", "--out", "run", cwd=made
        )
    assert done.returncode == code
    assert ("To continue: viva eval" in done.stdout) == (code in (1, 130))
    assert (f"Stopped: {stopped}; 4 of 10 answered." in done.stdout) == (stopped is not None)


def test_interrupting_a_suite_ends_it(made):
    (made / "suite.toml").write_text(SUITE.format(url="http://a/v1", gone="http://b/v1"))
    with mock.patch("viva.runs.evaluating.evaluate") as evaluate:
        evaluate.side_effect = [
            made_run(made / "one", None),
            made_run(made / "two", "interrupted"),
        ]
        done = run("eval", "suite.toml", cwd=made)
    assert done.returncode == 130 and evaluate.call_count == 2
    assert "To continue: viva eval suite.toml" in done.stdout
    assert "mock--made--self_consistency-k=3: Stopped: interrupted" in done.stdout


@pytest.mark.parametrize("method", ["direct", "cot", "self_consistency", "ensemble",
                                    "budget_forcing", "answer_format", "option_logprob"])  # fmt: skip
def test_every_method_can_be_rehearsed_without_a_model(made, method):
    done = run(
        "eval", "--model", "openai/x", "--benchmark", "made.jsonl", "--method", method,
        "--dry-run", cwd=made,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Nothing was called" in done.stdout and "Question number 0" in done.stdout


def test_a_narrow_terminal_keeps_the_benchmark_and_the_numbers_that_matter(made, server):
    with mock.patch.dict(os.environ, {"COLUMNS": "60"}):
        done = run(
            "eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark",
            "made.jsonl", "--out", "run", cwd=made,
        )  # fmt: skip
    head, _, row, *_ = done.stdout.splitlines()
    assert head.split() == ["benchmark", "n", "accuracy,", "%", "unread", "ungraded", "tokens"]
    assert row.startswith("made ") and "66.7 [54.1, 77.3]" in row


def test_a_key_in_the_address_is_kept_nowhere(made):
    key = "sk-viva-0123456789abcdef"

    def dead(exchange):
        return "reset" if exchange.number >= 3 else None

    with fault_server(dead) as broken:
        done = run(
            "eval", "--model", "openai/mock", "--benchmark", "made.jsonl", "--out", "run",
            "--base-url", f"{broken.url}?api-version=7&api_key={key}", "--max-calls", 8,
            "--retries", 0, "--max-connections", 2, cwd=made,
        )  # fmt: skip
    manifest = (made / "run/manifest.json").read_text()
    assert "api-version=7" in manifest
    kept = [path for path in (made / "run").rglob("*") if key.encode() in path.read_bytes()]
    assert not kept and key not in done.stdout + done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk without room is /dev/full")
def test_output_that_cannot_be_written_is_one_line(made, server):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("eval", "--model", "openai/mock", "--base-url", server.url, "--benchmark",
                    "made.jsonl", "--out", "run"),
            cwd=made, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300,
            env=ENVIRONMENT, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "viva: the output cannot be written (No space left on device)\n"
    assert read_run(made / "run").responses.height == 60, "the run itself is whole"
