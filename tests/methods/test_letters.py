from __future__ import annotations

import asyncio

import pytest

from viva.errors import InputError
from viva.methods import METHODS
from viva.models import Capabilities, Completion
from viva.probes import variants
from viva.records import Choice, Item

ITEM = Item("b", "1", "A patient has P waves. What is it?", ("asthma", "gout", "angina"), Choice(1))


class Says:
    """A caller that always says the same, and keeps what it was asked."""

    capabilities = Capabilities()

    def __init__(self, text):
        self.text, self.asked = text, []

    async def generate(self, request):
        self.asked.append(request.messages[-1].content)
        return Completion(self.text, finish_reason="stop")


def relettered():
    (variant,) = variants([ITEM], ["options.letters"], seed=0).variants
    return variant.item


@pytest.mark.parametrize("method", ["direct", "cot"])
@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Answer: Q", "B"),
        ("The P waves are normal. The answer is R.", "C"),
        ("Answer: gout", "B"),
        ("Answer: B", None),  # a letter that no option has
        ("I cannot tell.", None),
    ],
)
def test_options_are_shown_and_read_under_their_letters(method, text, letter):
    caller = Says(text)
    answer = asyncio.run(METHODS[method].ask(relettered(), caller))
    assert "P. asthma\nQ. gout\nR. angina" in caller.asked[0]
    assert "P, Q or R" in caller.asked[0]
    assert (answer.decided, answer.prediction) == (True, letter)


@pytest.mark.parametrize("method", ["self_consistency", "ensemble", "option_logprob"])
def test_methods_that_read_the_usual_letters_refuse(method):
    with pytest.raises(InputError, match="direct and cot"):
        asyncio.run(METHODS[method].ask(relettered(), Says("Answer: Q")))
