"""Chat templates: the same strings as transformers makes, and code of others kept in its cage."""

from __future__ import annotations

import datetime
import json
import time

import pytest
from chat_template_cases import TEMPLATES
from hypothesis import given
from hypothesis import strategies as st

from viva.errors import InputError
from viva.models import CallFailed, Failure, Message
from viva.models.templates import ChatTemplate, find_template, load_template

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

CONVERSATIONS = [
    (Message("user", "Which drug is it?"),),
    (Message("system", "You are a physician. "), Message("user", " A man, 54,\nwith pain. ")),
    (
        Message("user", "Hello"),
        Message("assistant", "<think>\nHm.\n</think>\n\nGood day."),
        Message("user", "{{ 7 * 7 }} {% raw %} <|im_end|> é 𝄞"),
    ),
]

PREFIX = "The answer is B, because "


@pytest.fixture(scope="module")
def tokenizer():
    """A tokenizer of transformers that renders any template; its vocabulary does not matter."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {"<s>": 0, "</s>": 1, "a": 2}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="a"))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>"
    )


def dicts(messages):
    return [{"role": m.role, "content": m.content} for m in messages]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("messages", CONVERSATIONS, ids=["one", "system", "three"])
@pytest.mark.parametrize("prefix", [None, PREFIX], ids=["bare", "prefix"])
def test_the_prompt_is_what_transformers_makes(tokenizer, name, messages, prefix):
    ours = ChatTemplate(TEMPLATES[name], name, TOKENS).prompt(messages, prefix)
    theirs = tokenizer.apply_chat_template(
        dicts(messages), chat_template=TEMPLATES[name], add_generation_prompt=True, tokenize=False
    )
    # With a finished turn behind it, Mistral's template leaves the system message out.
    moved = name == "mistral" and messages[0].role == "system"
    blank = " " if prefix and name in BEGIN_WITH_A_SPACE and not moved else ""
    assert ours == theirs + blank + (prefix or "")


BEGIN_WITH_A_SPACE = {"mistral", "vicuna"}
"""Their finished turns have a space before the text, which the model writes by itself."""


@pytest.mark.parametrize(
    "name", ["chatml", "llama", "gemma", "qwen3", "zephyr", "vicuna", "mistral"]
)
def test_where_continuing_differs_is_known(tokenizer, name):
    """Where transformers' continue_final_message makes another string, it is for this reason."""
    messages, prefix = CONVERSATIONS[0], "The answer is B, because"
    ours = ChatTemplate(TEMPLATES[name], name, TOKENS).prompt(messages, prefix)
    theirs = tokenizer.apply_chat_template(
        [*dicts(messages), {"role": "assistant", "content": prefix}],
        chat_template=TEMPLATES[name],
        continue_final_message=True,
        tokenize=False,
    )
    reasons = {"qwen3": "<think>\n\n</think>\n\n"}  # put into a finished turn, not an open one
    assert theirs == ours.removesuffix(prefix) + reasons.get(name, "") + prefix


def test_thinking_that_the_prompt_opens_holds_the_prefix():
    prompt = ChatTemplate(TEMPLATES["r1"], "r1", TOKENS).prompt(CONVERSATIONS[0], PREFIX)
    assert prompt.endswith("<｜Assistant｜><think>\n" + PREFIX)
    opens_itself = ChatTemplate(TEMPLATES["r1"], "r1", TOKENS).prompt(
        CONVERSATIONS[0], "<think>\nHm"
    )
    assert opens_itself.endswith("<｜Assistant｜><think>\nHm")


def test_variables_reach_the_template():
    template = ChatTemplate(TEMPLATES["qwen3"], "qwen3")
    prompt = template.prompt(CONVERSATIONS[0], "B", {"enable_thinking": False})
    assert prompt.endswith("<think>\n\n</think>\n\nB")
    assert "26 Jul" in ChatTemplate(TEMPLATES["llama"], "", TOKENS).prompt(CONVERSATIONS[0])
    own = {"date_string": "1 Jan 2026", "messages": [], "add_generation_prompt": False}
    prompt = ChatTemplate(TEMPLATES["llama"], "", TOKENS).prompt(CONVERSATIONS[0], None, own)
    assert "1 Jan 2026" in prompt
    assert "Which drug" in prompt, "what is asked cannot be replaced"


def test_the_date_is_today():
    today = datetime.datetime.now().strftime("%d %b %Y")
    assert today in ChatTemplate(TEMPLATES["dated"], "").prompt(CONVERSATIONS[0])


@given(st.text(max_size=40), st.text(max_size=20))
def test_the_prefix_ends_the_prompt_as_it_is(text, prefix):
    template = ChatTemplate(TEMPLATES["chatml"], "chatml")
    prompt = template.prompt((Message("user", text),), prefix)
    assert prompt == f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n{prefix}"


def test_an_exception_of_the_template_is_a_refusal():
    template = ChatTemplate(TEMPLATES["mistral"], "mistral", TOKENS)
    with pytest.raises(CallFailed, match="must alternate") as caught:
        template.prompt((Message("user", "a"), Message("user", "b")))
    assert caught.value.failure is Failure.REFUSED


HOSTILE = {
    "attributes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ raise_exception.__globals__['os'] }}",
    "format": "{{ '{0.__class__.__mro__}'.format(messages) }}",
    "concatenation": "{% set ns = namespace(t='x' * 1000) %}" + "{% set ns.t = ns.t ~ ns.t %}" * 40,
    "addition": "{% set ns = namespace(t='x' * 1000) %}" + "{% set ns.t = ns.t + ns.t %}" * 40,
    "own step": "{% set viva_step = 1 %}{% for i in range(99999) %}{% for j in range(99999) %}"
    "{% endfor %}{% endfor %}",
    "changes": "{{ messages.append(1) }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "namespace": "{% set ns = namespace() %}{% set ns.__class__ = 1 %}{{ ns.__init__.__globals__ }}",
    "range": "{% for i in range(999999999) %}x{% endfor %}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "text": "{{ 'a' * 99999999999 }}",
    "division": "{{ 1 // 0 }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "call": "{{ messages() }}",
    "import": "{% import 'os' as os %}",
    "include": "{% include '/etc/passwd' %}",
    "loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_refused_soon(name):
    started = time.process_time()
    try:
        said = ChatTemplate(HOSTILE[name], name).prompt(CONVERSATIONS[0])
    except CallFailed as refused:
        assert refused.failure is Failure.REFUSED
    else:  # what the sandbox hides reads as nothing
        assert (name, said) == ("format", "")
    assert time.process_time() - started < 8


def test_a_prompt_is_bounded():
    long = "{% set t = 'x' * 1000000 %}{% for i in range(100) %}{{ t }}{% endfor %}"
    with pytest.raises(CallFailed, match="too long a prompt"):
        ChatTemplate(long, "").prompt(CONVERSATIONS[0])


# Where templates are -------------------------------------------------------------------------


def write(folder, **files):
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text, "utf-8")


def test_a_template_is_found_in_each_place(tmp_path):
    spelled = {"bos_token": {"content": "<s>", "lstrip": False}, "eos_token": "</s>"}
    write(tmp_path, tokenizer_config__json=spelled | {"chat_template": "A{{ bos_token }}"})
    for place in (tmp_path, tmp_path / "tokenizer_config.json"):
        found = load_template(place)
        assert (found.source, dict(found.tokens)) == ("A{{ bos_token }}", TOKENS)
        assert found.prompt(()) == "A<s>"
    write(tmp_path, chat_template__jinja="B")
    assert load_template(tmp_path).source == "B", "its own file goes before the configuration"
    assert load_template(tmp_path / "chat_template.jinja").tokens == TOKENS
    assert find_template(str(tmp_path)).source == "B"
    assert find_template("org/model") is None


def test_of_named_templates_the_default_is_taken(tmp_path):
    named = [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]
    write(tmp_path, tokenizer_config__json={"chat_template": named})
    assert load_template(tmp_path).source == "D"


def test_a_configuration_beside_its_template(tmp_path):
    write(tmp_path, tokenizer_config__json={"bos_token": "<s>"}, chat_template__jinja="B")
    assert load_template(tmp_path / "tokenizer_config.json").source == "B"


@pytest.mark.parametrize(
    ("files", "path", "says"),
    [
        ({}, "absent.jinja", "no such chat template"),
        ({}, ".", "no chat template in this folder"),
        ({"x.jinja": "{% if %}"}, "x.jinja", "not a chat template"),
        ({"x.json": "{"}, "x.json", "not JSON"),
        ({"x.json": "[" * 100_000}, "x.json", "not JSON"),
        ({"x.json": "[]"}, "x.json", "not a JSON object"),
        ({"x.json": "{}"}, "x.json", "holds no chat_template"),
        ({"tokenizer_config.json": "{}"}, "tokenizer_config.json", "holds no chat_template"),
        ({"x.jinja": "x" * (2**20 + 1)}, "x.jinja", "too large"),
    ],
)
def test_a_template_that_cannot_be_read_is_said(tmp_path, files, path, says):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=says):
        load_template(tmp_path / path)


def test_a_template_that_is_not_text(tmp_path):
    (tmp_path / "x.jinja").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        load_template(tmp_path / "x.jinja")


def test_the_token_of_beginning_is_not_doubled():
    template = ChatTemplate(TEMPLATES["r1"], "r1", TOKENS)
    prompt = template.prompt(CONVERSATIONS[0])
    assert prompt.startswith("<s>")
    assert template.without_bos(prompt) == prompt[3:]
    assert ChatTemplate("x", "").without_bos("x") == "x"


def test_the_hash_is_of_source_and_tokens():
    hashes = {ChatTemplate(s, w, t).hash for s in "ab" for w in "xy" for t in ({}, TOKENS)}
    assert len(hashes) == 4
