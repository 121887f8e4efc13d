"""The back-end for OpenAI-compatible servers, against servers that misbehave by script."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import ssl
import subprocess
import time
import traceback

import pytest
from chat_template_cases import TEMPLATES
from hypothesis import given
from hypothesis import strategies as st

from servers import CONTEXT_WORDINGS, FAULTS, fault_server, free_port, mock_server
from viva.errors import InputError
from viva.models import (
    CallFailed,
    Client,
    Failure,
    Message,
    ModelOptions,
    Request,
    Retry,
    Sampling,
    _http,
    _refusals,
    _wire,
    open_model,
)
from viva.models._replicas import replicas_of
from viva.models.openai import OpenAIBackend

QUESTION = Request((Message("system", "Be short."), Message("user", "Which one?")))
SECRET = "sk-viva-0123456789abcdef"


def backend_at(*urls, name="mock", **options):
    return OpenAIBackend(name, ModelOptions(base_urls=urls, **options))


def asked(backend, *requests):
    """Completions or failures of requests asked one after another."""

    async def one(request):
        try:
            return await backend.generate(request)
        except CallFailed as failure:
            return failure

    async def work():
        try:
            return [await one(request) for request in requests]
        finally:
            await backend.close()

    return asyncio.run(work())


def refused(backend):
    """What the check before a run says."""

    async def work():
        try:
            await backend.check()
        finally:
            await backend.close()

    with pytest.raises(InputError) as caught:
        asyncio.run(work())
    return str(caught.value)


def checked(backend):
    async def work():
        await backend.check()
        await backend.close()

    asyncio.run(work())


# What is sent ---------------------------------------------------------------------------------


def test_what_is_not_given_is_not_sent():
    payload = _wire.chat_payload("m", QUESTION)
    assert payload == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "Which one?"},
        ],
    }


FULL = Request(
    QUESTION.messages,
    sampling=Sampling(0.0, 0.9, 20, ("\n\n",), {"chat_template_kwargs": {"a": 1}, "top_k": 5}),
    top_logprobs=4,
    seed=0,
)


def test_what_is_given_is_sent_in_the_shape_of_each_endpoint():
    chat = _wire.chat_payload("m", FULL)
    assert chat["temperature"] == 0.0
    assert chat["seed"] == 0
    assert (chat["logprobs"], chat["top_logprobs"]) == (True, 4)
    assert (chat["stop"], chat["max_tokens"], chat["top_p"]) == (["\n\n"], 20, 0.9)
    assert (chat["top_k"], chat["chat_template_kwargs"]) == (5, {"a": 1})
    raw = _wire.completions_payload("m", FULL, "prompt")
    assert (raw["logprobs"], raw["prompt"], raw["max_tokens"]) == (4, "prompt", 20)
    assert not {"messages", "top_logprobs", "chat_template_kwargs"} & set(raw)
    newer = _wire.chat_payload("m", FULL, length_field="max_completion_tokens")
    assert newer["max_completion_tokens"] == 20
    assert "max_tokens" not in newer


@given(st.dictionaries(st.sampled_from(["model", "messages", "stream", "prompt", "x"]), st.just(0)))
def test_further_fields_replace_nothing_of_ours(extra):
    request = Request(QUESTION.messages, sampling=Sampling(extra=extra))
    for payload in (
        _wire.chat_payload("m", request),
        _wire.completions_payload("m", request, "p"),
    ):
        assert payload["model"] == "m"
        assert payload.get("prompt", "p") == "p"
        assert payload.get("messages") != 0
        assert "stream" not in payload
        assert payload.get("x") == extra.get("x")


@pytest.mark.parametrize(
    ("mode", "message", "fields"),
    [
        ("flags", {}, {"continue_final_message": True, "add_generation_prompt": False}),
        ("last message", {}, {}),
        ("prefix field", {"prefix": True}, {}),
    ],
)
def test_a_prefix_is_the_last_message(mode, message, fields):
    request = Request(QUESTION.messages, prefix="So ")
    payload = _wire.chat_payload("m", request, mode=mode)
    assert payload["messages"][-1] == {"role": "assistant", "content": "So ", **message}
    bare = _wire.chat_payload("m", QUESTION)
    assert {k: v for k, v in payload.items() if k not in bare} == fields


def test_half_a_surrogate_pair_can_be_asked():
    with mock_server() as server:
        (completion,) = asked(backend_at(server.url), Request((Message("user", "\ud83d?"),)))
        assert completion.finish_reason == "stop"


# What comes back ------------------------------------------------------------------------------


def test_a_completion_is_read():
    with mock_server(tokens=20, reasoning="reasoning") as server:
        (said,) = asked(backend_at(server.url), FULL)
        assert said.text
        assert said.reasoning == "Let me think."
        assert said.finish_reason in {"stop", "length"}
        assert (said.input_tokens, said.served_model) == (5 * 2 + 6 + 3, "mock")
        assert said.output_tokens > 0
        assert 0 < said.seconds < 5
        assert (said.attempts, said.cost) == (1, None)
        assert said.logprobs[0][" other"] == -1.75
        assert max(said.logprobs[0].values()) == -0.25


def test_raw_completions_are_read(tmp_path):
    (tmp_path / "t.jinja").write_text(TEMPLATES["chatml"])
    with mock_server() as server:
        options = {"api": "completions", "chat_template": str(tmp_path / "t.jinja")}
        backend = backend_at(server.url, **options)
        said, begun = asked(backend, FULL, Request(FULL.messages, prefix="B"))
        assert said.logprobs[0][" other"] == -1.75
        assert begun.text
        assert server.exchanges[0].payload["prompt"].endswith("<|im_start|>assistant\n")
        assert server.exchanges[1].payload["prompt"].endswith("<|im_start|>assistant\nB")
        assert {e.path for e in server.exchanges} == {"/v1/completions"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, None),
        ({"content": None}, None),
        ({"content": []}, ()),
        ({"content": [None, {"token": 3}]}, ({}, {})),
        (
            {
                "content": [
                    {"token": "a", "logprob": -1, "top_logprobs": [{"token": "a", "logprob": -2}]}
                ]
            },
            ({"a": -1.0},),
        ),
        ({"tokens": ["a"], "token_logprobs": [None], "top_logprobs": None}, ({},)),
        (
            {"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"b": -1.0, "c": "x"}]},
            ({"a": -0.5, "b": -1.0},),
        ),
        ({"tokens": ["a"], "token_logprobs": [float("-inf")]}, ({},)),
        ({"tokens": "a", "token_logprobs": 3}, None),
    ],
)
def test_log_probabilities_of_both_endpoints(said, expected):
    body = {"choices": [{"text": "a", "logprobs": said}]}
    found = _wire.read_completion("application/json", json.dumps(body).encode())
    assert found.logprobs == expected


OUTCOMES = {
    "429": Failure.RATE_LIMIT,
    "429 date": Failure.RATE_LIMIT,
    "429 quota": Failure.KEY,
    "400": Failure.REFUSED,
    "401": Failure.KEY,
    "402": Failure.KEY,
    "403": Failure.KEY,
    "404": Failure.NO_MODEL,
    "404 path": Failure.NO_MODEL,
    "408": Failure.TIME_OUT,
    "409": Failure.SERVER_ERROR,
    "422": Failure.REFUSED,
    "500": Failure.SERVER_ERROR,
    "502": Failure.SERVER_ERROR,
    "503": Failure.SERVER_ERROR,
    "529": Failure.SERVER_ERROR,
    "reset": Failure.CONNECTION,
    "closed": Failure.CONNECTION,
    "half headers": Failure.CONNECTION,
    "half body": Failure.MALFORMED,
    "never": Failure.TIME_OUT,
    "slow": Failure.TIME_OUT,
    "half json": Failure.MALFORMED,
    "html": Failure.MALFORMED,
    "html 502": Failure.SERVER_ERROR,
    "text": Failure.MALFORMED,
    "empty reply": Failure.MALFORMED,
    "no choices": Failure.MALFORMED,
    "null": Failure.MALFORMED,
    "deep": Failure.MALFORMED,
    "array": Failure.MALFORMED,
    "stream": Failure.MALFORMED,
    "huge": Failure.MALFORMED,
    "redirect": Failure.MALFORMED,
    "empty": Failure.EMPTY,
    "null content": Failure.EMPTY,
    "filtered": Failure.FILTERED,
    "azure filter": Failure.FILTERED,
    "error in 200": Failure.SERVER_ERROR,
    "echo key": Failure.KEY,
    "wants max_completion_tokens": Failure.REFUSED,  # it was not sent here
    "reasoning only": "",
    "length": "The answer",
    "length empty": "",
    "filtered text": "The",
    "refusal": "I cannot help with that.",
    "parts": "The answer is B.",
    "duplicates": "good",
    "reversed": "good",
    "surrogate": "The answer is �B.",
    **{f"context {name}": Failure.CONTEXT for name in CONTEXT_WORDINGS},
}


def test_every_fault_has_an_outcome():
    assert set(OUTCOMES) == set(FAULTS)


@pytest.mark.parametrize("fault", OUTCOMES)
def test_a_fault_is_one_failure_or_one_completion(fault):
    with fault_server([fault, None], reply=lambda _: "good") as server:
        limited = fault in ("never", "slow")
        backend = backend_at(server.url, timeout=0.4 if limited else 60)
        first, second = asked(backend, QUESTION, QUESTION)
        expected = OUTCOMES[fault]
        if isinstance(expected, Failure):
            assert isinstance(first, CallFailed)
            assert first.failure is expected, first
            assert len(first.detail) <= 400
            assert first.detail.isprintable()
        else:
            assert not isinstance(first, CallFailed), first
            assert first.text == expected
        assert second.text == "good", "the next call is not harmed"
        assert server.calls == 2, "one try per call"


def test_a_reply_cut_by_length_says_so():
    with fault_server(["length", "length empty", "filtered text", "reasoning only"]) as server:
        length, empty, filtered, thought = asked(backend_at(server.url), *[QUESTION] * 4)
        assert length.finish_reason == empty.finish_reason == "length"
        assert filtered.finish_reason == "content_filter"
        assert thought.reasoning == "Hm. So B."


def test_after_a_prefix_saying_nothing_more_is_an_answer():
    body = {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}
    data = json.dumps(body).encode()
    assert _wire.read_completion("application/json", data, began=True).text == ""
    with pytest.raises(CallFailed):
        _wire.read_completion("application/json", data)


def test_the_time_to_wait_is_read():
    with fault_server(["429", "429 date", "503", "500"]) as server:
        seconds, date, busy, error = asked(backend_at(server.url), *[QUESTION] * 4)
        assert (seconds.retry_after, busy.retry_after, error.retry_after) == (1.0, 1.0, None)
        assert 0 <= date.retry_after <= 2


def test_a_date_is_taken_against_the_servers_own_clock():
    headers = {
        "Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT",
        "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
    }
    assert _refusals.retry_after(headers) == 30
    assert _refusals.retry_after({"Retry-After": headers["Retry-After"]}) == 0
    assert _refusals.retry_after({"retry-after-ms": "250", "Retry-After": "9"}) == 0.25
    assert _refusals.retry_after({"retry-after-ms": "soon", "Retry-After": "9"}) == 9
    for said in ("nan", "inf", "-5", "soon", "", "9" * 400):
        assert _refusals.retry_after({"Retry-After": said}) in (None, 0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "text",
                    "error",
                    "index",
                    "usage",
                    "logprobs",
                    "reasoning_content",
                    "finish_reason",
                    "code",
                    "detail",
                    "tokens",
                    "token_logprobs",
                    "top_logprobs",
                    "token",
                    "logprob",
                    "prompt_tokens",
                    "model",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(json_values)
def test_whatever_the_reply_it_is_a_completion_or_a_failure(value):
    body = json.dumps(value).encode()
    for wrapped in (body, json.dumps({"choices": [value]}).encode()):
        try:
            said = _wire.read_completion("application/json", wrapped)
        except CallFailed as failure:
            assert failure.detail.isprintable()
        else:
            said.text.encode()
            (said.reasoning or "").encode()
    failure = _refusals.failed(400, {}, body)
    assert len(failure.detail) <= 300
    assert _wire.listed_models(body) is not None


@given(st.binary(max_size=200), st.sampled_from(["", "application/json", "text/html; charset=x"]))
def test_bytes_that_are_no_reply_are_a_failure(body, kind):
    with pytest.raises(CallFailed):
        _wire.read_completion(kind, body)


@pytest.mark.parametrize("name", CONTEXT_WORDINGS)
def test_a_context_that_is_too_long_is_known_by_its_wording(name):
    status, body = CONTEXT_WORDINGS[name]
    assert _refusals.failed(status, {}, json.dumps(body).encode()).failure is Failure.CONTEXT


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (400, "temperature must be between 0 and 2", Failure.REFUSED),
        (400, "Invalid value for 'input' tokens", Failure.REFUSED),
        (400, "Model Not Exist", Failure.NO_MODEL),
        (400, "Server is pinned to 'a'; requested 'b'.", Failure.NO_MODEL),
        (400, "gpt is not a valid model ID", Failure.NO_MODEL),
        (400, "the role `tool` does not exist in this chat template", Failure.REFUSED),
        (404, "The model `x` does not exist.", Failure.NO_MODEL),
        (429, "Request too large: maximum context length", Failure.RATE_LIMIT),
        (401, "maximum context length", Failure.KEY),
        (500, "CUDA out of memory", Failure.SERVER_ERROR),
    ],
)
def test_other_wordings_are_not_taken_for_it(status, text, expected):
    body = json.dumps({"error": {"message": text}}).encode()
    assert _refusals.failed(status, {}, body).failure is expected


def test_a_server_that_wants_the_other_field_gets_it():
    def script(exchange):
        old = "max_tokens" in exchange.payload
        return "wants max_completion_tokens" if old else None

    request = Request(QUESTION.messages, sampling=Sampling(max_completion_tokens=5))
    with fault_server(script) as server:
        first, second, third = asked(backend_at(server.url), *[request] * 3)
        assert first.failure is Failure.SERVER_ERROR, "worth another try"
        assert second.output_tokens == third.output_tokens == 5
        assert server.calls == 3

    async def at_once(backend):
        client = Client(backend, retry=Retry(base=0.01))
        await asyncio.gather(*(client.generate(request) for _ in range(30)))
        await backend.close()

    with fault_server(script, latency=0.05) as server:
        asyncio.run(at_once(backend_at(server.url)))
        assert server.served == 30, "calls that were in flight meanwhile are tried again too"


def test_a_server_that_takes_no_seed_is_asked_without():
    with mock_server(refuses=("seed",)) as server:
        first, second = asked(backend := backend_at(server.url), *[FULL] * 2)
        assert first.failure is Failure.SERVER_ERROR, "worth another try"
        assert second.text
        assert "seed" not in server.exchanges[-1].payload
        assert backend.capabilities.seed is False


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"],
                     "msg": "Extra inputs are not permitted", "input": 1}]},
        {"object": "error", "message": {"detail": [{"type": "extra_forbidden",
                    "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}},
        {"object": "error", "code": 400, "message": "[{'type': 'extra_forbidden', "
                    "'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted'}]"},
        {"error": {"message": "Unrecognized request argument supplied: seed"}},
        {"error": {"message": "Unsupported parameter: 'seed' is not supported."}},
    ],
)  # fmt: skip
def test_a_field_that_is_not_known_is_found_in_what_servers_say(body):
    failure = _refusals.failed(422, {}, json.dumps(body).encode())
    assert _refusals.refuses_field(failure, "seed")
    assert not _refusals.refuses_field(failure, "top_p")


def test_a_seed_in_a_question_is_no_refused_field():
    said = b'{"error": {"message": "cannot be read: radioactive seed in the prostate"}}'
    assert not _refusals.refuses_field(_refusals.failed(400, {}, said), "seed")


@pytest.mark.parametrize("charset", ["iso-8859-1", '"windows-1252"', "UTF-8", "utf8"])
def test_a_reply_in_the_charset_it_names_is_read(charset):
    body = json.dumps({"choices": [{"message": {"content": "naïve: B"}}]}, ensure_ascii=False)
    encoding = charset.strip('"')
    read = _wire.read_completion(f"application/json; charset={charset}", body.encode(encoding))
    assert read.text == "naïve: B"


def test_a_charset_that_nobody_knows_is_a_failure():
    with pytest.raises(CallFailed, match="unknown charset klingon"):
        _wire.read_completion("application/json; charset=klingon", b"{}")


@pytest.mark.parametrize("count", [2**31, 2**53, 2**63, -1, 1.5, True, "3"])
def test_a_number_of_tokens_that_can_be_none_is_not_taken(count):
    body = {"choices": [{"message": {"content": "B"}}], "usage": {"prompt_tokens": count}}
    assert _wire.read_completion("", json.dumps(body).encode()).input_tokens is None


def test_a_compressed_reply_is_read():
    with mock_server(compressed=True) as server:
        assert asked(backend_at(server.url), QUESTION)[0].text


def test_a_reply_that_is_bounded_ends_early():
    with fault_server(["huge"]) as server:
        (failure,) = asked(backend_at(server.url), QUESTION)
        assert str(_http.LARGEST_REPLY) in failure.detail


# Connections ----------------------------------------------------------------------------------


def test_connections_are_kept_and_as_many_as_there_are_calls():
    async def work(backend):
        for _ in range(3):
            await asyncio.gather(*(backend.generate(QUESTION) for _ in range(150)))
        await backend.close()

    with mock_server(latency=0.2) as server:
        started = time.monotonic()
        asyncio.run(work(backend_at(server.url)))
        assert server.most_at_once == 150
        assert time.monotonic() - started < 450 * 0.2 / 2  # one after another: 90 seconds


def test_an_idle_connection_that_the_server_closed_harms_no_call():
    async def work(backend):
        for pause in (0.3, 0.5, 0.3):
            await asyncio.gather(*(backend.generate(QUESTION) for _ in range(20)))
            await asyncio.sleep(pause)
        await backend.generate(QUESTION)
        await backend.close()

    with mock_server(closes_idle=0.1) as server:
        asyncio.run(work(backend_at(server.url)))
        assert server.served == 61


@pytest.mark.parametrize("seconds", [0, 0.001])
def test_a_server_that_closes_every_connection_at_once_costs_no_item(seconds):
    """What is closed before anything is sent is replaced; what is closed later is tried again."""

    async def work(backend):
        client = Client(backend, retry=Retry(base=0.01))
        for _ in range(100):
            await client.generate(QUESTION)
        await backend.close()

    with mock_server(closes_idle=seconds) as server:
        asyncio.run(work(backend_at(server.url)))
        assert 100 <= server.calls <= 130


def test_an_error_does_not_leave_a_connection_that_the_server_will_close():
    with fault_server(["500", None] * 10, repeat=True) as server:
        found = asked(backend_at(server.url), *[QUESTION] * 20)
        assert [isinstance(f, CallFailed) for f in found] == [True, False] * 10


def test_an_empty_prefix_is_none():
    with mock_server() as server:
        request = Request(QUESTION.messages, prefix="")
        assert asked(backend_at(server.url), request)[0].text
        assert server.exchanges[0].payload["messages"][-1]["role"] == "user"


def test_a_back_end_lives_through_several_loops(caplog):
    with mock_server() as server:
        backend = backend_at(server.url)
        for _ in range(3):
            asyncio.run(backend.generate(QUESTION))
        assert asked(backend, QUESTION)[0].text
        asyncio.run(backend.close())
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_calls_go_where_the_fewest_are_in_flight():
    async def work(backend):
        await asyncio.gather(*(backend.generate(QUESTION) for _ in range(90)))
        await backend.close()

    with mock_server(latency=0.1) as one, mock_server(latency=0.1) as two, mock_server() as three:
        backend = backend_at(one.url, two.url, three.url)
        assert backend.connections == 192
        asyncio.run(work(backend))
        assert [s.calls for s in (one, two, three)] == [30, 30, 30]


def test_a_server_that_is_down_is_not_asked_again_and_again():
    """It has the fewest calls in flight, because each fails at once."""

    async def work(backend):
        failures = 0
        for _ in range(60):
            try:
                await backend.generate(QUESTION)
            except CallFailed as failure:
                assert failure.failure is Failure.CONNECTION
                failures += 1
        await backend.close()
        return failures

    with mock_server() as server:
        down = f"http://127.0.0.1:{free_port()}"
        assert asyncio.run(work(backend_at(down, server.url))) <= 3
        assert server.calls >= 57


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1/v1"),
        ("h:1", "http://h:1/v1"),
        ("http://h:1/v1/", "http://h:1/v1"),
        ("http://h:1/v1/chat/completions", "http://h:1/v1"),
        ("https://h/openai/v1", "https://h/openai/v1"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
        ("https://h/v1?api-version=2", "https://h/v1"),
    ],
)
def test_base_urls_are_taken_in_each_form(given_url, expected):
    (replica,) = replicas_of([given_url, given_url])
    assert replica.shown == expected
    if "?" in given_url:
        assert replica.address("/models") == "https://h/v1/models?api-version=2"


@pytest.mark.parametrize("url", ["", "ftp://h", "http://", "http://h:port", "http://a b"])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(InputError, match="no base URL"):
        replicas_of([url])


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(InputError) as caught:
        replicas_of(["http://me:hunter22@h/v1"])
    assert "hunter22" not in str(caught.value)


def test_proxies_are_for_others_only(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("https_proxy", "proxy:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    urls = ["http://localhost:1", "http://127.0.0.1:1", "http://a.example", "https://a.example",
            "http://inside.example"]  # fmt: skip
    proxies = [r.proxy for r in replicas_of(urls)]
    assert proxies == [None, None, "http://proxy:3128", "http://proxy:3128", None]


# Keys -----------------------------------------------------------------------------------------


def test_a_missing_key_is_named_where_the_server_is_not_local(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(InputError, match="MY_KEY"):
        backend_at("https://api.example.com/v1", api_key_env="MY_KEY")
    for url in ("http://localhost:1", "http://10.0.0.7:8000", "http://node7:8000", "http://[::1]"):
        backend_at(url)


@pytest.mark.parametrize("value", ["sk\nx", "sk-é"])
def test_a_key_that_no_header_carries_is_refused(monkeypatch, value):
    monkeypatch.setenv("OPENAI_API_KEY", value)
    with pytest.raises(InputError, match="OPENAI_API_KEY") as caught:
        backend_at("http://localhost:1")
    assert value not in str(caught.value)


def test_the_key_goes_into_the_header_and_nowhere_else(monkeypatch, caplog):
    monkeypatch.setenv("OPENAI_API_KEY", f" {SECRET}\n")
    caplog.set_level(logging.DEBUG)
    with mock_server(key=SECRET) as server:
        backend = backend_at(server.url)
        assert asked(backend, QUESTION)[0].text
        assert server.exchanges[0].headers["authorization"] == f"Bearer {SECRET}"
        assert SECRET not in json.dumps(server.exchanges[0].payload)
        shown = [repr(backend), str(backend), json.dumps(backend.settings()), caplog.text]
        assert not [text for text in shown if SECRET in text]


@pytest.mark.parametrize("fault", ["echo key", "reset", "half body", "never", "401", "half json"])
def test_no_failure_holds_the_key(monkeypatch, fault):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with fault_server([fault]) as server:

        async def work():
            backend = backend_at(server.url, timeout=0.5)
            try:
                await backend.generate(QUESTION)
            finally:
                await backend.close()

        try:
            asyncio.run(work())
        except CallFailed as failure:
            shown = "".join(traceback.format_exception(failure)) + repr(failure) + failure.detail
            seen, chain = failure, []
            while seen is not None:
                chain.append(repr(seen))
                seen = seen.__cause__ or seen.__context__
            assert SECRET not in shown + "".join(chain)
            if fault == "echo key":
                assert "Bearer ***" in failure.detail
        else:
            pytest.fail("the fault did not fail")


def test_a_completion_that_echoes_the_key_does_not_hold_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with mock_server(reply=lambda _: f"Your key is {SECRET}.", model=SECRET) as server:
        backend = backend_at(server.url)
        (said,) = asked(backend, QUESTION)
        assert (said.text, said.served_model) == ("Your key is ***.", "***")
        found = asyncio.run(backend.probe())
        assert SECRET not in repr(found)
        asyncio.run(backend.close())


def test_a_placeholder_for_a_key_is_no_secret(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    with mock_server(reply=lambda _: "EMPTY") as server:
        assert asked(backend_at(server.url), QUESTION)[0].text == "EMPTY"


# Before a run ---------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_said_with_what_to_start():
    url = f"http://127.0.0.1:{free_port()}"
    said = refused(backend_at(url, name="org/model"))
    assert url in said
    assert "vllm serve org/model" in said


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for 127.0.0.1, in force for a day, and its key."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl makes the certificate")
    path, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1".split()
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(path)]
    subprocess.run([openssl, *made], check=True, capture_output=True)
    return path, key


def said_over_tls(certificate, key):
    """What the check says of a server of its own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def work():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
        backend = backend_at(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            await backend.check()
        finally:
            await backend.close()
            server.close()

    with pytest.raises(InputError) as caught:
        asyncio.run(work())
    return str(caught.value)


def test_a_certificate_that_is_not_trusted_is_said_with_what_to_set(certificate):
    said = said_over_tls(*certificate)
    assert "certificate is not trusted: self" in said
    assert "SSL_CERT_FILE" in said
    assert "vllm serve" not in said, "the server runs"


def test_https_to_a_server_of_plain_http_is_said():
    async def work():
        async def plain(reader, writer):  # what is no HTTP is answered as uvicorn does, at once
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        backend = backend_at(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            await backend.check()
        finally:
            await backend.close()
            server.close()

    with pytest.raises(InputError, match=r"no TLS.*Write http://"):
        asyncio.run(work())


def test_one_of_several_servers_that_is_not_there_is_said():
    with mock_server() as server:
        url = f"http://127.0.0.1:{free_port()}"
        assert url in refused(backend_at(server.url, url))


def test_an_unknown_model_is_said_with_the_nearest():
    with mock_server(model="org/llama-3-8b", models=("org/other",), strict_model=True) as server:
        said = refused(backend_at(server.url, name="org/lama-3-8b"))
        assert "Did you mean openai/org/llama-3-8b?" in said
        said = refused(backend_at(server.url, name="zzz"))
        assert "The server has org/llama-3-8b, org/other" in said


def test_a_model_that_is_not_listed_but_answers_is_taken():
    with mock_server(model="alias") as server:
        checked(backend_at(server.url, name="/models/folder"))
        assert server.calls == 1
        checked(backend_at(server.url, name="alias"))
        assert server.calls == 1, "a model that is listed costs no call"


def test_a_key_that_is_refused_is_said(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-wrong-000000")
    with mock_server(key=SECRET) as server:
        said = refused(backend_at(server.url, api_key_env="MY_KEY"))
        assert "MY_KEY" in said
        assert "sk-wrong" not in said
        monkeypatch.setenv("MY_KEY", SECRET)
        checked(backend_at(server.url, api_key_env="MY_KEY"))


def test_raw_completions_need_a_template():
    with pytest.raises(InputError, match="chat template"):
        backend_at("http://localhost:1", api="completions")


def test_settings_hold_what_determines_the_completions(tmp_path):
    (tmp_path / "t.jinja").write_text(TEMPLATES["chatml"])
    one = backend_at("http://localhost:1", name="org/m", chat_template=str(tmp_path / "t.jinja"))
    two = backend_at("http://localhost:2", name="org/m", timeout=5)
    assert one.settings() != two.settings(), "the template"
    assert (one.model, one.base_urls) == ("m", ("http://localhost:1/v1",))
    assert open_model("openai/org/m", ModelOptions(name="M")).model == "M"
    json.dumps(one.settings())


def test_without_a_base_url_nothing_leaves_this_machine(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert open_model("openai/m").base_urls == ("http://localhost:8000/v1",)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://node:9/v1")
    assert open_model("openai/m").base_urls == ("http://node:9/v1",)


def test_who_names_no_server_hears_how_to_name_a_vendor(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr("viva.models.openai.DEFAULT_URL", "http://127.0.0.1:9/v1")
    said = refused(OpenAIBackend("gpt-4o", ModelOptions(api_key_env="MY_KEY")))
    assert "--base-url" in said
    assert "MY_KEY" in said
