"""The table of methods, what is refused before the first call, and parameters from text."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
from scripted_caller import ABLE

from viva import _plugins
from viva.errors import InputError
from viva.methods import (
    METHODS,
    Answer,
    Method,
    check_needs,
    default_prompt,
    find_method,
    load_prompt,
    method_label,
    methods,
    parameters,
    prepare,
    set_parameters,
)
from viva.models import Capabilities, Prefill


def test_every_method_of_the_issue_is_there_under_its_name():
    # The tests of runs add methods of their own.
    ours = {name for name, each in METHODS.items() if each.ask.__module__.startswith("viva.")}
    assert ours == {
        "direct", "cot", "few_shot", "self_consistency", "budget_forcing", "answer_format",
        "option_logprob", "ensemble", "half_question",
    }  # fmt: skip
    assert {name: set(m.needs) for name, m in METHODS.items() if m.needs} == {
        "budget_forcing": {"prefill"},
        "option_logprob": {"logprobs"},
    }


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_the_shape_that_the_engine_calls(name):
    method = METHODS[name]
    found = inspect.signature(method.ask).parameters
    assert inspect.iscoroutinefunction(method.ask)
    assert list(found)[:4] == ["item", "client", "sampling", "prompt"]
    assert all(p.default is not p.empty for n, p in found.items() if n not in ("item", "client"))
    assert all(p.about and p.kind for p in parameters(name).values())
    assert default_prompt(name, set_parameters(name, {})) is not None


def test_an_unknown_method_is_met_with_the_nearest():
    with pytest.raises(InputError, match=r"'self-consistancy'\. Did you mean self_consistency\?"):
        find_method("self-consistancy")
    with pytest.raises(InputError, match="Known: direct, cot"):
        find_method("zzz")


@pytest.mark.parametrize("prefill", [p for p in Prefill if p is not Prefill.CONTINUED])
def test_budget_forcing_is_refused_where_a_prefill_is_not_continued(prefill):
    with pytest.raises(InputError, match=f"continues the assistant's turn .*{prefill.value}"):
        check_needs("budget_forcing", Capabilities(prefill=prefill, logprobs=True))
    check_needs("budget_forcing", ABLE)


@pytest.mark.parametrize("logprobs", [False, None])
def test_log_probabilities_are_needed_and_shown(logprobs):
    with pytest.raises(InputError, match="needs log-probabilities"):
        check_needs("option_logprob", Capabilities(Prefill.CONTINUED, logprobs=logprobs))
    check_needs("option_logprob", ABLE)


@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if not m.needs])
def test_other_methods_need_nothing(name):
    check_needs(name, Capabilities())


def test_parameters_are_read_off_the_signature_and_its_docstring():
    known = parameters("self_consistency")
    assert list(known) == ["k", "ties", "minimum_share", "system"]
    assert (known["k"].kind, known["k"].default, known["k"].about) == ("int", 5, "Samples drawn.")
    assert known["ties"].kind == "abstain | first"
    assert parameters("budget_forcing")["min_thinking"].kind == "int | none"


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("self_consistency", {"k": "9"}, 9),
        ("self_consistency", {"minimum_share": "0.5"}, 0.5),
        ("self_consistency", {"ties": "first"}, "first"),
        ("few_shot", {"cot": "true"}, True),
        ("few_shot", {"cot": False}, False),
        ("budget_forcing", {"min_thinking": "none"}, None),
        ("budget_forcing", {"min_thinking": "0"}, 0),
        ("cot", {"system": "Be brief."}, "Be brief."),
        ("budget_forcing", {"wait": "none"}, "none"),
    ],
)
def test_parameters_are_set_from_text(name, given, wanted):
    (key,) = given
    value = set_parameters(name, given)[key]
    assert (value, type(value)) == (wanted, type(wanted))


def test_parameters_not_given_are_at_their_defaults():
    assert set_parameters("ensemble", {"k": 3}) == {
        "k": 3, "seed": 0, "ties": "abstain", "minimum_share": 0.0, "system": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("cot", {"sytem": "x"}, "no parameter 'sytem'. Did you mean system?"),
        ("self_consistency", {"q": 1}, "It has: k, ties, minimum_share, system"),
        ("self_consistency", {"k": "many"}, "k='many' of self_consistency: .*integer.*k is int"),
        ("self_consistency", {"k": "0"}, "greater than or equal to 1"),
        ("self_consistency", {"minimum_share": "1.5"}, "less than or equal to 1"),
        ("self_consistency", {"minimum_share": "nan"}, "less than or equal to 1"),
        ("answer_format", {"format": "essay"}, "format is choice | short_text | ranked"),
        ("self_consistency", {"item": "x"}, "no parameter 'item'"),
        ("self_consistency", {"sampling": "x"}, "no parameter 'sampling'"),
    ],
)
def test_a_parameter_that_cannot_be(name, given, message):
    with pytest.raises(InputError, match=message):
        set_parameters(name, given)


def test_a_label_names_what_is_not_at_its_default():
    label = method_label
    assert label("self_consistency", {"k": 5, "ties": "abstain"}) == "self_consistency"
    assert (
        label("self_consistency", {"ties": "first", "k": 9}) == "self_consistency(k=9,ties=first)"
    )
    assert label("answer_format", {"format": "ranked"}) == "answer_format(format=ranked)"
    assert label("few_shot", {"cot": True}) == "few_shot(cot=true)"


def test_long_or_odd_texts_are_labelled_by_a_hash_so_that_labels_differ():
    one, two = (method_label("cot", {"system": f"You are a doctor, {n}"}) for n in (1, 2))
    assert one != two
    assert one.startswith("cot(system=#")
    assert len(one) == len("cot(system=#12345678)")


def test_a_prompt_other_than_the_method_s_own_is_part_of_the_label():
    assert method_label("cot", {}, load_prompt("cot")) == "cot"
    other = load_prompt("direct")
    assert method_label("cot", {}, other) == f"cot(prompt=#{other.hash[:8]})"
    assert method_label("few_shot", {"cot": True}, load_prompt("cot")) == "few_shot(cot=true)"


def test_few_shot_says_before_the_first_call_that_it_has_no_examples():
    with pytest.raises(InputError, match=r"no examples\. Set examples="):
        prepare("few_shot", set_parameters("few_shot", {}))
    assert prepare("cot", set_parameters("cot", {})) == {}


async def _foreign(item, client, *, sampling=None, prompt=None, depth: int = 2) -> Answer:
    """A method of another package."""
    return Answer("B")


FOREIGN = Method("of another package", _foreign, needs=frozenset({"prefill"}))


@pytest.mark.filterwarnings("ignore:method.cot")
def test_other_packages_add_methods_but_take_no_name_of_ours(monkeypatch):
    entries = [
        EntryPoint(f"method.{name}", f"{__name__}:FOREIGN", "viva") for name in ("deep", "cot")
    ]
    monkeypatch.setattr(_plugins, "entry_points", lambda group: entries)
    _plugins._found.cache_clear()
    _plugins._object.cache_clear()
    try:
        assert methods()["cot"] is METHODS["cot"]
        assert find_method("deep") is FOREIGN
        assert set_parameters("deep", {"depth": "3"}) == {"depth": 3}
        assert method_label("deep", {"depth": 3}) == "deep(depth=3)"
        assert default_prompt("deep", {}) is None
        with pytest.raises(InputError, match="deep needs"):
            check_needs("deep", Capabilities())
    finally:
        _plugins._found.cache_clear()
        _plugins._object.cache_clear()


def test_importing_the_methods_is_light():
    code = "import viva.methods, sys; print(*{m.split('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"polars", "sklearn", "scipy", "torch", "numpy"} & set(done.stdout.split())
