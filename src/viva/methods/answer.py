"""What a method brings back for one item."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Answer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a method to an item; calls, tokens and cost are counted by who runs it."""

    text: str | None = None
    """What is read for the answer; where ``decided``, what the user may look at."""
    prediction: str | None = None
    """The letter a method decided on by itself, such as by a vote."""
    decided: bool = False
    """Whether ``prediction`` stands for the answer; then None is an abstention (unparsed)."""
    confidence: float | None = None
    """What the method says of its answer, 0..1."""
    probabilities: tuple[float, ...] | None = None
    """Probability of each option, in the item's order."""
    reasoning: str | None = None
    """Thinking that came apart from the text."""
    finish_reason: str | None = None
    """Of the completion that the text ends with."""
    graded: bool = True
    """False: the text is no answer to the question, such as the continuation of half of it."""
