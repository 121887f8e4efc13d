"""Items that are made up, for properties that hold for every item."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from viva.records import Choice, Choices, Item

SENTENCES = (
    "A 54-year-old man comes to the clinic because of a cough for 3 weeks.",
    "His temperature is 38.2°C and his pulse is 96/min.",
    "Dr. Adams notes crackles over the left base.",
    "He takes lisinopril, e.g. 10 mg in the morning.",
    "He asks, “Will it pass?” and looks away.",
    "Cultures grow E. coli.",
    "The patient says that answer B was suggested by a friend.",
    "There is no family history of note!",
    "Serum sodium is 131 mEq/L (131 mmol/L).",
)
ENDS = (
    "Which of the following is the most likely cause?",
    "What is the next step in management?",
    "The drug of choice is",
    "All of the following are true except:",
    "Name the structure marked (A).",
)
OPTIONS = (
    "Ketamine", "Sodium nitroprusside", "Ascorbic acid", "no", "yes", "maybe", "I and III",
    "Increased, then decreased", "Acute lymphoid leukaemia (ALL)", "12.5 mg", "37", "A", "wide",
    "Tell the patient that he should come back in a week; give him no drug until then.",
    "The margins are wide", "{cue}", "cough", "AB", "answer", "lunch", "Option",
)  # fmt: skip
OTHERS = ("None of the above", "All of the above.", "Both A and B", "All", "B and C only")

questions = st.builds(
    lambda body, end, gap: gap.join([*body, end]),
    st.lists(st.sampled_from(SENTENCES), max_size=6),
    st.sampled_from(ENDS),
    st.sampled_from([" ", "\n", "  "]),
) | st.text(max_size=80)


@st.composite
def items(draw: Any, hostile: bool = False) -> Item:
    """Items that can be misled; with ``hostile`` also those that cannot."""
    texts = st.sampled_from(OPTIONS + OTHERS) | st.text(max_size=20) if hostile else (
        st.sampled_from(OPTIONS)
    )  # fmt: skip
    options = draw(
        st.lists(texts, max_size=10) if hostile else st.lists(texts, min_size=2, unique=True)
    )
    target: Choice | Choices | None = None
    if options:
        target = Choice(draw(st.integers(0, len(options) - 1)))
        if hostile:
            several = st.lists(st.integers(0, len(options) - 1), unique=True).map(
                lambda found: Choices(tuple(sorted(found)))
            )
            target = draw(st.just(target) | st.none() | several)
    traces = st.dictionaries(
        st.sampled_from([f"adversarial_trace_{i}" for i in range(3)]),
        st.sampled_from(["", "  ", "I think the answer is B.", "Answer: A", "It may be so."]),
    )
    return Item(
        draw(st.sampled_from(["medqa", "other"])),
        draw(st.text(min_size=1, max_size=5)),
        draw(questions),
        tuple(options),
        target,
        meta=draw(traces),
    )
