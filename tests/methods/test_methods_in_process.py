"""Methods that need more than text, against real weights: tokens counted, prefixes continued."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise

import pytest
from scripted_caller import item

from tiny import ABSENT, tiny_model
from viva.methods import METHODS, check_needs
from viva.methods.budget_forcing import budget_forcing
from viva.methods.option_logprob import option_logprob
from viva.methods.self_consistency import self_consistency
from viva.models import Completion, Request, Sampling
from viva.models.specs import ModelOptions, open_model

torch = pytest.importorskip("torch", reason=ABSENT)
pytest.importorskip("transformers", reason=ABSENT)


class Watched:
    """A back-end, and what passed between it and a method."""

    def __init__(self, backend):
        self.backend = backend
        self.seen: list[tuple[Request, Completion]] = []

    @property
    def capabilities(self):
        return self.backend.capabilities

    async def generate(self, request):
        completion = await self.backend.generate(request.with_seed(request.draw))
        self.seen.append((request, completion))
        return completion


@pytest.fixture(scope="module", params=["chatml", "qwen3", "deepseek_r1"])
def folder(request, tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("models") / request.param, template=request.param)


@pytest.fixture
def asked(folder):
    """Puts the item to the model by a method."""
    backend = open_model(f"hf/{folder}", ModelOptions())

    def ask(method, **given):
        watched = Watched(backend)
        answer = asyncio.run(method(item(), watched, **given))
        return answer, watched.seen

    ask.backend = backend
    yield ask
    asyncio.run(backend.close())


def test_the_back_end_has_what_every_method_needs(asked):
    for name in METHODS:
        check_needs(name, asked.backend.capabilities)


@pytest.mark.parametrize("most", [1, 24, 60])
def test_thinking_is_cut_and_drawn_out_within_the_budget(asked, most):
    answer, seen = asked(
        budget_forcing, sampling=Sampling(temperature=1.0), max_thinking=most, waits=3, max_answer=8
    )
    *thinking, (last, reply) = seen
    assert 1 <= len(thinking) <= 4
    assert sum(completion.output_tokens for _, completion in thinking) <= most
    assert reply.output_tokens <= 8
    assert last.prefix == f"<think>\n{answer.reasoning}\n</think>\n\nFinal Answer:"
    assert answer.text == f"Final Answer:{reply.text}"
    assert answer.reasoning.count("\nWait") == len(thinking) - 1
    written = "".join(re.sub(r"\s", "", completion.text) for _, completion in thinking)
    assert re.sub(r"\s", "", answer.reasoning.replace("\nWait", "")) == written
    for (_, before), (_, after) in pairwise(seen):
        assert after.input_tokens > before.input_tokens


def test_the_probability_of_an_option_is_the_model_s_own(asked):
    """Against a plain forward pass: softmax over the vocabulary, the letters' tokens summed."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    answer, ((request, completion),) = asked(option_logprob, top=400)
    folder = asked.backend.settings()["path"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    said = [{"role": "user", "content": request.messages[0].content}]
    header = tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
    ids = tokenizer(header + "Answer:", return_tensors="pt", add_special_tokens=False).input_ids
    assert completion.input_tokens == ids.shape[1]
    with torch.no_grad():
        logprobs = torch.log_softmax(model(ids).logits[0, -1].float(), dim=-1)
    best = torch.topk(logprobs, 400)
    mass = dict.fromkeys("ABCD", 0.0)
    for logprob, token in zip(best.values, best.indices, strict=True):
        letter = tokenizer.decode([int(token)]).strip(" ()").upper()
        if letter in mass:
            mass[letter] += float(logprob.exp())
    assert min(mass.values()) > 0
    wanted = [p / sum(mass.values()) for p in mass.values()]
    assert answer.probabilities == pytest.approx(wanted, abs=1e-4)
    assert answer.prediction == "ABCD"[wanted.index(max(wanted))]


def test_samples_of_a_real_model_differ_and_come_again(asked):
    one, seen = asked(self_consistency, k=4, sampling=Sampling(max_completion_tokens=16))
    two, again = asked(self_consistency, k=4, sampling=Sampling(max_completion_tokens=16))
    texts = {request.draw: completion.text for request, completion in seen}
    assert len(set(texts.values())) > 1
    assert texts == {request.draw: completion.text for request, completion in again}
    assert one == two
