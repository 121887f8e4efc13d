"""The public function: what it accepts, what it returns, and what never changes its result."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from viva.answers import REASONS, TARGETS, Reading, read
from viva.errors import InputError
from viva.records import LETTERS, Status

OPTIONS = ("Aspirin", "Ketamine", "Ibuprofen", "Morphine", "Naloxone")
SPEECH = (
    "The answer is {}.",
    "The correct answer is option {}.",
    "Answer: {}",
    "**Final answer:** {}",
    "It is a hard case. I would choose {}.",
    "\\boxed{{{}}}",
    "<answer>{}</answer>",
    '{{"answer": "{}"}}',
    "{}",
    "Option {} is correct.",
    "正确答案是{}。",
    "La respuesta correcta es {}.",
)
pieces = st.sampled_from(
    [
        *"ABCDEIabi",
        "Option ",
        "the answer is ",
        "answer: ",
        "not ",
        " or ",
        " and ",
        "\n",
        ". ",
        ", ",
        "Aspirin",
        "ketamine",
        "<think>",
        "</think>",
        "\\boxed{",
        "}",
        '{"answer": "',
        '"}',
        "(",
        ")",
        "is correct",
        "is wrong",
        "none of the above",
        "therefore ",
        "wait, ",
        "*",
        "User: ",
        "</s>",
        "hepatitis ",
        "because ",
        "?",
        "答案",
        "選",
        "是",
        "：",
        "Ｂ",
        "\u200b",
        "\ud800",
        "I think ",
    ]
)
texts = st.one_of(st.text(max_size=200), st.lists(pieces, max_size=25).map("".join))
letters = st.sampled_from(LETTERS[: len(OPTIONS)])


@given(
    text=texts,
    options=st.one_of(st.integers(2, 26), st.lists(st.text(max_size=12), min_size=2, max_size=26)),
)
@example(text="\u0130 The answer is \uff22", options=4)
@settings(max_examples=400, deadline=None)
def test_any_text_gives_a_sound_reading(text, options):
    reading = read(text, options=options)
    count = options if isinstance(options, int) else len(options)
    if reading.status is Status.PARSED:
        start, end = reading.span
        assert reading.value in LETTERS[:count]
        assert reading.reason is None
        assert 0 <= start < end <= len(text)
    else:
        assert reading.status in (Status.UNPARSED, Status.AMBIGUOUS)
        assert (reading.value, reading.span) == (None, None)
        assert reading.reason in REASONS


@given(text=texts)
@settings(max_examples=400, deadline=None)
def test_the_span_supports_the_value(text):
    reading = read(text, options=OPTIONS)
    if reading.value is None:
        return
    said = text[slice(*reading.span)].translate(str.maketrans("Ｂ", "B")).casefold()
    named = " ".join(said.split())
    assert named in (reading.value.casefold(), OPTIONS[LETTERS.index(reading.value)].casefold())


@given(letter=letters, speech=st.sampled_from(SPEECH), small=st.booleans())
def test_clear_speech_is_read(letter, speech, small):
    assume(not (small and "Option" in speech and letter == "A"))
    text = speech.format(letter.lower() if small else letter)
    assert read(text, options=OPTIONS).value == letter
    assert read(text, options=len(OPTIONS)).value == letter


@given(letter=letters, speech=st.sampled_from(SPEECH))
def test_clear_speech_with_the_text_is_read(letter, speech):
    text = OPTIONS[LETTERS.index(letter)]
    if speech != "Option {} is correct.":
        assert read(speech.format(text), options=OPTIONS).value == letter
    assert read(speech.format(f"{letter}. {text}"), options=OPTIONS).value == letter
    assert read(speech.format(f"{letter}) {text}"), options=OPTIONS).value == letter


@given(
    letter=letters,
    speech=st.sampled_from(SPEECH),
    dress=st.sampled_from(
        ["({})", "[{}]", "**{}**", "*{}*", "'{}'", "`{}`", "({}).", "{}:", "{} "]
    ),
)
def test_dress_does_not_matter(letter, speech, dress):
    assume(not ('"' in speech and "'" in dress))
    assert read(speech.format(dress.format(letter)), options=OPTIONS).value == letter


TAILS = [
    "",
    " ",
    "\n\n",
    "<|im_end|>",
    "</s>",
    "<|eot_id|>\n",
    "<end_of_turn>",
    "<|endoftext|>",
    "\u200b",
    "\n\n\n  ",
]


@given(
    letter=letters,
    speech=st.sampled_from(SPEECH),
    tail=st.lists(st.sampled_from(TAILS), max_size=3),
)
def test_what_closes_a_turn_does_not_matter(letter, speech, tail):
    assert read(speech.format(letter) + "".join(tail), options=OPTIONS).value == letter


@given(text=texts, tail=st.sampled_from(["\n", "  ", "<|im_end|>", "</s>"]))
@settings(max_examples=200, deadline=None)
def test_closing_any_text_changes_nothing(text, tail):
    assert read(text + tail, options=OPTIONS).value == read(text, options=OPTIONS).value


THINKING = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("", "</think>"),
    ("## Thinking\n\n", "\n\n## Final Response\n\n"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
]
thoughts = st.lists(
    st.sampled_from(
        [
            "The answer is A. ",
            "\\boxed{C}",
            "D",
            "\n\n",
            "Option B is correct. ",
            "Aspirin ",
            "User: hi\n",
            '{"answer": "E"}',
            "\nQuestion: what? ",
            "<answer>A</answer>",
        ]
    ),
    max_size=6,
).map("".join)


@given(
    letter=letters,
    marks=st.sampled_from(THINKING),
    thought=thoughts,
    speech=st.sampled_from(SPEECH),
)
def test_thinking_never_changes_the_result(letter, marks, thought, speech):
    text = marks[0] + thought + marks[1] + speech.format(letter)
    reading = read(text, options=OPTIONS)
    assert reading.value == letter
    assert reading.span[0] >= len(marks[0] + thought + marks[1])


@given(
    marks=st.sampled_from(THINKING[:-3]),
    thought=thoughts,
    finish=st.sampled_from([None, "length", "stop"]),
)
def test_a_text_cut_inside_thinking_is_unparsed(marks, thought, finish):
    reading = read(marks[0] + thought, options=OPTIONS, finish_reason=finish)
    assert (reading.status, reading.reason) == (Status.UNPARSED, "cut inside the thinking")


@given(thought=thoughts, letter=letters)
def test_thinking_opened_by_the_template(thought, letter):
    assert read(thought + "</think>" + letter, options=OPTIONS, thinking_open=True).value == letter
    assert read(thought + "The answer is A.", options=OPTIONS, thinking_open=True).value is None


@given(
    order=st.permutations(OPTIONS), wanted=st.sampled_from(OPTIONS), speech=st.sampled_from(SPEECH)
)
def test_option_texts_follow_their_option(order, wanted, speech):
    assume(speech != "Option {} is correct.")
    assert read(speech.format(wanted), options=order).value == LETTERS[order.index(wanted)]


prose = st.lists(
    st.sampled_from(
        ["Aspirin ", "ketamine ", "is the best. ", "not ", "or ", "The drug is ", "\n", "wrong, "]
    ),
    max_size=10,
).map("".join)


@given(text=prose, order=st.permutations(range(len(OPTIONS))))
@settings(max_examples=200, deadline=None)
def test_texts_without_letters_do_not_depend_on_the_order(text, order):
    first = read(text, options=OPTIONS)
    second = read(text, options=[OPTIONS[i] for i in order])
    assert first.status == second.status
    if first.value:
        assert order[LETTERS.index(second.value)] == LETTERS.index(first.value)


@given(text=st.text(alphabet="uvwxyz .,;:!?\n0123456789", max_size=120))
def test_nothing_is_read_where_nothing_is_said(text):
    assert read(text, options=OPTIONS).value is None


@pytest.mark.parametrize("count", range(2, 27))
def test_every_letter_of_every_number_of_options(count):
    for letter in LETTERS[:count]:
        assert read(f"The answer is {letter}.", options=count).value == letter
        assert read(letter, options=count).value == letter
    for letter in LETTERS[count:]:
        reading = read(f"The answer is {letter}.", options=count)
        assert (reading.value, reading.reason) == (None, "answer is not on the list")


def test_unknown_target_names_the_known():
    with pytest.raises(InputError, match="choice"):
        read("B", target="nonsense", options=4)
    assert "choice" in TARGETS


@pytest.mark.parametrize(
    "options", [None, 1, 27, 0, (), ("a",), "abcd", True, [str(i) for i in range(27)]]
)
def test_options_out_of_range(options):
    with pytest.raises(InputError):
        read("B", options=options)


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_no_text(text):
    assert read(text, options=4) == Reading(Status.UNPARSED, None, None, "no answer text")


def test_a_reading_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        read("B", options=4).value = "C"


def test_the_span_is_in_the_original_text():
    text = "<think>A</think>\n\nThe answer is **Ｂ**.<|im_end|>"
    start, end = read(text, options=4).span
    assert text[start:end] == "Ｂ"


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("<think>hm", 4, "cut inside the thinking"),
        ("The case is hard.", 4, "no commitment"),
        ("I cannot determine the answer.", 4, "refused"),
        ("The answer is F.", 4, "answer is not on the list"),
        ("None of the above.", 4, "answer is not on the list"),
        ("A or B", 4, "two live candidates"),
        ("A. Ketamine", OPTIONS, "letter and text in conflict"),
        ("The answer is B. Wait, that is wrong.", 4, "commitment withdrawn"),
        ("</think>", 4, "no answer text"),
    ],
)
def test_reasons(text, options, reason):
    assert read(text, options=options).reason == reason


def test_thinking_never_closed():
    assert read("It is B.", options=4, thinking_open=True).reason == "thinking never closed"
    cut = read("It is B.", options=4, thinking_open=True, finish_reason="length")
    assert cut.reason == "cut inside the thinking"
