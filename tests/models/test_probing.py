"""What a probe concludes, against servers of which it is known what they do with a prefix."""

from __future__ import annotations

import asyncio

import pytest
from chat_template_cases import TEMPLATES

from servers import Setting, fault_server, mock_server, prompt_of
from tiny import tiny_model
from viva.errors import InputError
from viva.models import (
    Backend,
    CallFailed,
    Completion,
    Failure,
    Message,
    ModelOptions,
    Prefill,
    Request,
    Sampling,
    open_model,
    probing,
)


def probed(url, name="mock", **options):
    """The back-end after a probe, closed."""

    async def work():
        backend = open_model(f"openai/{name}", ModelOptions(base_urls=(url,), **options))
        try:
            await backend.probe()
        finally:
            await backend.close()
        return backend

    return asyncio.run(work())


def asked(backend, request):
    async def work():
        try:
            return await backend.generate(request)
        finally:
            await backend.close()

    return asyncio.run(work())


QUESTION = (Message("user", "Which one?"),)

KNOWN = {
    "flags": (Prefill.CONTINUED, "flags"),
    "plain": (Prefill.CONTINUED, "last message"),
    "prefix": (Prefill.CONTINUED, "prefix field"),
    "new turn": (Prefill.NEW_TURN, None),
    "closed": (Prefill.NEW_TURN, None),
    "ignored": (Prefill.IGNORED, None),
    "refused": (Prefill.REFUSED, None),
}


@pytest.mark.parametrize("tokenizer", ["words", "characters"])
@pytest.mark.parametrize("mode", KNOWN)
def test_token_counts_tell_what_became_of_a_prefix(mode, tokenizer):
    with mock_server(prefill=mode, tokenizer=tokenizer) as server:
        backend = probed(server.url)
        assert (backend.capabilities.prefill, backend.prefill_mode) == KNOWN[mode]
        assert server.calls <= 32
        request = Request(QUESTION, prefix="The answer is")
        if backend.prefill_mode is None:
            with pytest.raises(CallFailed, match="not shown to continue") as caught:
                asked(backend, request)
            assert caught.value.failure is Failure.REFUSED
        else:
            asked(backend, request)
            found = prompt_of(server.setting, server.exchanges[-1].payload)
            assert found[1] == "The answer is", "the server continued it"


@pytest.mark.parametrize("thinking", [1, 2, 4, 9])
@pytest.mark.parametrize("mode", ["flags", "prefix", "new turn", "closed", "ignored"])
def test_thinking_that_only_the_generation_prompt_opens_deceives_no_count(mode, thinking):
    """With two tokens, a closed turn costs as many as the opened thinking: nothing is left over."""
    with mock_server(prefill=mode, opens_thinking=thinking) as server:
        backend = probed(server.url)
        assert (backend.capabilities.prefill, backend.prefill_mode) == KNOWN[mode]


@pytest.mark.parametrize("mode", KNOWN)
def test_without_counts_only_behaviour_shows_a_prefill(mode):
    with mock_server(prefill=mode, usage=False) as server:
        backend = probed(server.url)
        expected = KNOWN[mode][0]
        if expected in (Prefill.NEW_TURN, Prefill.IGNORED):
            expected = Prefill.UNKNOWN
        assert backend.capabilities.prefill is expected
        if expected is Prefill.CONTINUED:
            assert "thiazide" in backend.capabilities.evidence["prefill"]


def test_counts_that_never_change_are_no_evidence():
    """A server that always reports the same number does not thereby ignore the prefix."""

    async def ask(request):
        return Completion("so", input_tokens=10)

    found = asyncio.run(probing.prefill(ask))
    assert found.prefill is Prefill.UNKNOWN
    assert "no token counts" in found.evidence


def test_counts_that_jump_are_no_evidence():
    counts = iter([10, 22, 34, 40, 30, 60, 61] + [3] * 20)

    async def ask(request):
        return Completion("so", input_tokens=next(counts))

    found = asyncio.run(probing.prefill(ask))
    assert found.prefill is Prefill.UNKNOWN
    assert "do not grow evenly" in found.evidence


def test_the_numbers_are_in_the_evidence():
    for mode, says in [
        ("plain", "12 tokens for 12 words, 0 left over: the turn was continued"),
        ("new turn", "5 left over: the turn was closed and a new one opened"),
        ("ignored", "0 tokens for 12 words, 0 left over: the text does not reach the model"),
        ("flags", "2 fewer than as a finished turn"),
    ]:
        with mock_server(prefill=mode) as server:
            assert says in probed(server.url).capabilities.evidence["prefill"]


@pytest.mark.parametrize("usage", [True, False])
@pytest.mark.parametrize("mode", ["flags", "plain", "prefix"])
def test_an_echoed_prefix_is_cut(mode, usage):
    with mock_server(prefill=mode, echo=True, usage=usage) as server:
        backend = probed(server.url)
        assert backend.capabilities.prefill is Prefill.CONTINUED
        completion = asked(backend, Request(QUESTION, prefix="I think so"))
        assert "I think so" not in completion.text
        assert completion.text.startswith(" w")


def test_without_an_echo_a_repeated_prefix_stays():
    with mock_server(prefill="plain", reply=lambda _: "I think so") as server:
        backend = probed(server.url)
        completion = asked(backend, Request(QUESTION, prefix="I think so"))
        assert completion.text == "I think so"


@pytest.mark.parametrize("bos", [False, True])
def test_raw_completions_are_used_where_chat_closes_the_turn(tmp_path, bos):
    (tmp_path / "t.jinja").write_text("{{ '<s>' }}" + TEMPLATES["chatml"])
    (tmp_path / "tokenizer_config.json").write_text('{"bos_token": "<s>"}')
    with mock_server(prefill="new turn", adds_bos=bos) as server:
        backend = probed(server.url, chat_template=str(tmp_path / "t.jinja"))
        assert backend.capabilities.prefill is Prefill.CONTINUED
        assert backend.prefill_mode == "completions"
        asked(backend, Request(QUESTION, prefix="So "))
        sent = server.exchanges[-1]
        assert sent.path == "/v1/completions"
        assert sent.payload["prompt"].endswith("<|im_start|>assistant\nSo ")
        asked(backend, Request(QUESTION))
        assert server.exchanges[-1].path == "/v1/chat/completions"


def test_chat_alone_never_sends_raw_completions(tmp_path):
    (tmp_path / "t.jinja").write_text(TEMPLATES["chatml"])
    with mock_server(prefill="new turn") as server:
        backend = probed(server.url, chat_template=str(tmp_path / "t.jinja"), api="chat")
        assert backend.capabilities.prefill is Prefill.NEW_TURN
        assert {e.path for e in server.exchanges} == {"/v1/chat/completions"}


def test_a_server_without_completions_cannot_use_the_template(tmp_path):
    (tmp_path / "t.jinja").write_text(TEMPLATES["chatml"])
    with mock_server(prefill="new turn", completions=False) as server:
        backend = probed(server.url, chat_template=str(tmp_path / "t.jinja"))
        assert backend.capabilities.prefill is Prefill.NEW_TURN
        assert backend.prefill_mode is None


def test_the_other_capabilities_are_found():
    with mock_server(reasoning="reasoning_content") as server:
        found = probed(server.url).capabilities
        assert (found.logprobs, found.seed, found.n, found.reasoning_field) == (True,) * 4
    with mock_server(logprobs=False, seed=False, n=False) as server:
        found = probed(server.url).capabilities
        assert (found.logprobs, found.seed, found.n) == (False,) * 3
        assert found.reasoning_field is None
        assert set(found.evidence) == {"prefill", "logprobs", "seed", "n", "reasoning_field"}
    with mock_server(refuses=("logprobs", "seed", "n")) as server:
        found = probed(server.url).capabilities
        assert (found.logprobs, found.seed, found.n) == (False,) * 3
    with mock_server(reply=lambda _: "always the same") as server:
        assert probed(server.url).capabilities.seed is None


def test_a_busy_moment_does_not_change_the_conclusion():
    """Every third call fails once."""
    script = ["500", None, None] * 40
    with fault_server(script, prefill="plain") as server:
        assert probed(server.url).capabilities.prefill is Prefill.CONTINUED


@pytest.mark.parametrize(
    ("fault", "says"), [("401", "OPENAI_API_KEY"), ("404", "no such model"), ("403", "authorised")]
)
def test_a_model_that_cannot_be_asked_cannot_be_probed(fault, says):
    with fault_server([fault], repeat=True) as server, pytest.raises(InputError, match=says):
        probed(server.url)


def test_any_back_end_can_be_probed():
    """The functions need a way of asking only; here a model that counts characters."""
    setting = Setting(prefill="plain", tokenizer="characters")

    async def ask(request):
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        if request.prefix is not None:
            messages.append({"role": "assistant", "content": request.prefix})
        return Completion("", input_tokens=prompt_of(setting, {"messages": messages})[2])

    assert asyncio.run(probing.prefill(ask)).prefill is Prefill.CONTINUED
    setting.prefill = "new turn"
    assert asyncio.run(probing.prefill(ask)).prefill is Prefill.NEW_TURN


def test_a_continuation_filed_as_thinking_is_said():
    """Servers that part the thinking off may file what follows a prefix as thinking."""
    setting = Setting(prefill="plain")

    async def ask(request):
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        if request.prefix is not None:
            messages.append({"role": "assistant", "content": request.prefix})
        tokens = prompt_of(setting, {"messages": messages})[2]
        return Completion("", reasoning="so", input_tokens=tokens)

    found = asyncio.run(probing.prefill(ask))
    assert found.prefill is Prefill.CONTINUED
    assert found.evidence.endswith("what follows comes as reasoning")


# A real server ------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["chatml", "mistral", "qwen3", "deepseek_r1"])
def test_transformers_serve_opens_a_new_turn_and_raw_completions_do_not(
    transformers_server, tmp_path, style
):
    folder = tiny_model(tmp_path / style, template=style)
    chat = probed(transformers_server, str(folder), api="chat")
    assert chat.capabilities.prefill is Prefill.NEW_TURN
    backend: Backend = probed(transformers_server, str(folder))
    found = backend.capabilities
    assert (found.prefill, backend.prefill_mode) == (Prefill.CONTINUED, "completions")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    prefix = "The answer is"
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Which one?"}], add_generation_prompt=True, tokenize=False
    )
    expected = tokenizer(text + prefix, add_special_tokens=False).input_ids
    sampling = Sampling(max_completion_tokens=3)
    completion = asked(backend, Request(QUESTION, prefix=prefix, sampling=sampling))
    assert completion.input_tokens == len(expected), "one beginning, and nothing behind the prefix"


def test_what_raw_completions_say_is_what_the_model_says(transformers_server, tmp_path):
    """Token ids of the greedy continuation, against generate() on the rendered prompt."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tiny_model(tmp_path / "m", seed=3, template="qwen3")
    backend = probed(transformers_server, str(folder))
    request = Request(
        QUESTION,
        prefix="The patient",
        sampling=Sampling(temperature=0.0, max_completion_tokens=8),
    )
    said = asked(backend, request).text
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Which one?"}], add_generation_prompt=True, tokenize=False
    )
    ids = tokenizer(text + "The patient", add_special_tokens=False, return_tensors="pt").input_ids
    with torch.no_grad():
        out = model.generate(ids, max_new_tokens=8, do_sample=False)
    assert said == tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


@pytest.mark.parametrize("style", ["llama3", "deepseek_r1", "chatml"])
def test_one_token_of_beginning_stands_before_a_raw_prompt(transformers_server, tmp_path, style):
    """Whether the server puts it there or not, and without a probe."""
    from transformers import AutoTokenizer

    folder = tiny_model(tmp_path / style, template=style)
    options = ModelOptions(base_urls=(transformers_server,), api="completions")

    async def work():
        backend = open_model(f"openai/{folder}", options)
        await backend.check()
        try:
            sampling = Sampling(max_completion_tokens=1)
            return await backend.generate(Request(QUESTION, sampling=sampling))
        finally:
            await backend.close()

    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Which one?"}], add_generation_prompt=True, return_dict=True
    )["input_ids"]
    assert asyncio.run(work()).input_tokens == len(expected)
