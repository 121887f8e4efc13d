"""The steps of synthesis: the one table of what can be done to examples, and their shape."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from viva import _plugins
from viva.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from viva.synthesis.example import Example

__all__ = ["STEPS", "Dropped", "Made", "Step", "find_step", "settings_of", "steps"]


class Dropped(NamedTuple):
    """An example that a step left out, and why."""

    example: Example
    reason: str
    """One of a closed list of phrases of the step, so that they can be counted."""


class Made(NamedTuple):
    """What a step made of its examples."""

    kept: list[Example]
    dropped: list[Dropped]
    report: Mapping[str, Any]
    """What the step tells of itself in plain JSON values, counts per source among them."""


class Step(NamedTuple):
    """One step of synthesis."""

    description: str
    """One line for the docs."""
    function: Callable[..., Made] | str
    """``f(examples, *, <settings with defaults>, seed=0, caller=None) -> Made``, pure but for the
    caller; or ``module:name`` of it, imported when it is first asked for."""
    needs_model: bool = False
    """Whether it cannot do without a model."""
    source: str = ""
    """The papers that it follows."""

    def load(self) -> Callable[..., Made]:
        """The function itself."""
        if callable(self.function):
            return self.function
        module, _, name = self.function.partition(":")
        found: Callable[..., Made] = getattr(importlib.import_module(module), name)
        return found


STEPS: dict[str, Step] = {
    "decontaminate": Step(
        "leave out what holds an evaluation item, with its group; tests itself on planted copies",
        "viva.synthesis.decontamination:decontaminate",
        source="Brown et al. 2020, HuatuoGPT-o1, m1 (2504.00869)",
    ),
    "dedup": Step(
        "keep one of the items that ask the same, or nearly the same with the same answer",
        "viva.synthesis.deduplication:dedup",
        source="Broder 1997; Indyk and Motwani 1998",
    ),
    "licence": Step(
        "keep what is under an allowed licence; what has none goes, or is said to stay",
        "viva.synthesis.licences:licence",
    ),
    "language": Step(
        "keep what is written in the given scripts, or reads as English",
        "viva.synthesis.filters:language",
    ),
    "length": Step(
        "keep what is neither too short nor too long, in words, characters or tokens",
        "viva.synthesis.filters:length",
    ),
    "p_reasoning": Step(
        "how likely an item needs reasoning, under one named definition; keep a band of it",
        "viva.synthesis.reasoning_probability:p_reasoning",
        source="BioMed-R1 (2505.11462)",
    ),
    "pass_rate": Step(
        "how often a named model answers right; keep a band of it",
        "viva.synthesis.pass_rates:pass_rate",
        source="MedVLThinker (2508.02669), Open-Medical-R1 (2504.13950)",
    ),
    "traces": Step(
        "a teacher's reasoning and answer as the completion, right ones only",
        "viva.synthesis.teacher_traces:traces",
        needs_model=True,
        source="m1 (2504.00869), ReasonMed (2506.09513), MedReason (2504.00993)",
    ),
    "starts": Step(
        "wrong starts and recovery, mixed with correct, irrelevant and absent ones",
        "viva.synthesis.recoveries:starts",
        source="BioMed-R1 (2505.11462)",
    ),
    "mcq_to_open": Step(
        "choices asked as open questions, where the stem stands without its options",
        "viva.synthesis.open_questions:mcq_to_open",
        source="HuatuoGPT-o1 (2412.18925)",
    ),
    "answer_from_reasoning": Step(
        "keep what another model answers right from the reasoning alone",
        "viva.synthesis.reasoning_answers:answer_from_reasoning",
        needs_model=True,
        source="MedReason (2504.00993)",
    ),
    "pairs": Step(
        "a right completion against a wrong or unread one, near in length; reflection pairs",
        "viva.synthesis.preference_pairs:pairs",
        source="Med-REFL (2506.13793), Preferred-MedLLM",
    ),
    "case_to_item": Step(
        "case reports as diagnosis items with steps, the diagnosis kept out of what is presented",
        "viva.synthesis.case_reports:case_to_item",
        needs_model=True,
        source="MedCaseReasoning",
    ),
    "route": Step(
        "easy items keep their best traces, medium ones are refined, difficult ones made anew",
        "viva.synthesis.routing:route",
        needs_model=True,
        source="ReasonMed (2506.09513)",
    ),
    "leak_phrases": Step(
        "leave out completions that talk of the key, a graph, instructions or feedback",
        "viva.synthesis.leaks:leak_phrases",
        source="MedReason (2504.00993), EHR-R1, Med-RLVR (2502.19655)",
    ),
    "difficulty": Step(
        "fields for curricula: words, options, hops, informativeness and a rank of difficulty",
        "viva.synthesis.difficulty:difficulty",
        source="AlphaMed (2505.17952)",
    ),
}
"""Name -> step, in the order in which they are usually taken; :func:`steps` adds those of other
packages."""


def steps() -> dict[str, Step]:
    """Every step by name: ours, then those that other packages add under the kind ``synthesis``."""
    return STEPS | _plugins.added("synthesis", STEPS, Step)


def find_step(name: str) -> Step:
    """The step of a name.

    Raises
    ------
    InputError
        Where there is none; the mend names the nearest.
    """
    known = steps()
    if name not in known:
        raise InputError(f"no step {name!r}", mend=did_you_mean(name, known))
    return known[name]


def settings_of(step: Step) -> dict[str, inspect.Parameter]:
    """The settings that a step's function takes: its keyword arguments but the caller."""
    taken = inspect.signature(step.load()).parameters
    return {
        name: each
        for name, each in taken.items()
        if each.kind is inspect.Parameter.KEYWORD_ONLY and name != "caller"
    }
