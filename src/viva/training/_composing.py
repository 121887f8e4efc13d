"""The reward of a stage from the parts that its recipe names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from viva.errors import InputError
from viva.judging.questions import QUESTION_KEY, Judge, Question, Verdict
from viva.records import Item
from viva.targets import Text
from viva.training.rewards.combinators import gate, weighted
from viva.training.rewards.completions import Completion, Component, answer_text, as_completion
from viva.training.rewards.judged import judged, same_answer
from viva.training.rewards.table import find_reward, with_bonus

if TYPE_CHECKING:
    from viva.training.recipes import Stage

__all__ = ["JUDGED", "Part", "composed"]

JUDGED = "judged"
"""The part that asks the stage's judge whether the answer means the same as the key."""

Pairs = Sequence[tuple[Item, Completion]]


class Part(NamedTuple):
    """One function for the trainer."""

    name: str
    component: Component
    weight: float = 1.0
    singles: Mapping[str, Remembered] = {}
    """The components of the stage by name; a single function tells their means."""
    prepare: Callable[[Pairs], None] | None = None
    """Called with a batch before the component."""


def composed(stage: Stage, judge: Judge | None = None) -> list[Part]:
    """The functions of a stage: one of the whole reward, or with ``normalise`` one of each part.

    Outcomes that apply to an item are averaged by weight, and what is beside them (process and
    form) is paid only where they are above 0, as :func:`viva.training.rewards.with_bonus` has it.

    Raises
    ------
    InputError
        An unknown reward, bonuses that weigh more than a third, a judge that no part asks, or a
        part that asks one where there is none.
    """
    if stage.reward is None:
        raise InputError(f"stage {stage.name!r} has no reward", mend="Name one in reward")
    if isinstance(stage.reward, str):
        named = [(stage.reward, 1.0)]
    else:
        named = [(part.name, part.weight) for part in stage.reward]
    names = [name for name, _ in named]
    if len(set(names)) < len(names):
        raise InputError(f"reward: {', '.join(names)}", mend="Name each part once")
    if (JUDGED in names) != (judge is not None):
        raise _no_judge() if judge is None else _not_asked()
    found = {name: find_reward(name) for name in names if name != JUDGED}
    if len(named) == 1 and judge is None:
        return [Part(names[0], found[names[0]].function)]
    kept = {name: Remembered(reward.function) for name, reward in found.items()}
    main = [(n, w) for n, w in named if n in found and found[n].family in _OUTCOMES]
    beside = [(n, w) for n, w in named if n in found and found[n].family not in _OUTCOMES]
    outcome: Component | None = weighted(*((w, kept[n]) for n, w in main)) if main else None
    prepare = None
    if judge is not None:
        asked = Asked(judge, outcome)
        outcome, prepare = asked.component, asked.prepare
    if stage.normalise:
        return _apart(named, kept, outcome, beside, prepare)
    parts = [(w, kept[n]) for n, w in beside]
    if outcome is None:
        whole = weighted(*parts)
    else:
        total = sum(weight for _, weight in named)
        whole = with_bonus(outcome, *((w / total, part) for w, part in parts))
    return [Part("reward", whole, 1.0, kept, prepare)]


_OUTCOMES = ("outcome", "composed")


def _no_judge() -> InputError:
    return InputError(
        f"the reward has a part {JUDGED!r}, and there is no judge", mend='Give judge = "SPEC"'
    )


def _not_asked() -> InputError:
    return InputError(
        "there is a judge, and no part of the reward asks it",
        mend=f'Add {{ name = "{JUDGED}" }} to the reward, or take the judge out',
    )


def _apart(
    named: Sequence[tuple[str, float]],
    kept: Mapping[str, Remembered],
    outcome: Component | None,
    beside: Sequence[tuple[str, float]],
    prepare: Callable[[Pairs], None] | None,
) -> list[Part]:
    """A function for each part, for a trainer that normalises each within its group."""
    if prepare is not None and outcome is not None:  # rules and judge make one outcome
        weight = sum(w for n, w in named if (n, w) not in beside)
        parts = [Part("outcome", outcome, weight, kept, prepare)]
    else:
        parts = [Part(n, kept[n], w, kept) for n, w in named if (n, w) not in beside]
    for name, weight in beside:
        part = kept[name]
        parts.append(Part(name, part if outcome is None else gate(outcome, part), weight, kept))
    return parts


class Remembered:
    """A component that gives its value for a completion once, until a batch is over."""

    def __init__(self, component: Component) -> None:
        self._component = component
        self._values: dict[int, tuple[Completion, float | None]] = {}

    def __call__(self, item: Item, completion: Completion | str) -> float | None:
        said = as_completion(completion)
        known = self._values.get(id(said))
        if known is None or known[0] is not said:
            known = self._values[id(said)] = said, self._component(item, said)
        return known[1]

    def forget(self) -> None:
        """Begin another batch."""
        self._values.clear()


class Asked:
    """An outcome by rules, and by a judge where no rule finds the answer right.

    Rules decide on every kind of answer but free text: of that, what they find right is right, and
    the judge has the last word on the rest. All that a batch needs is asked at once.
    """

    def __init__(self, judge: Judge, rules: Component | None) -> None:
        self._judge = judge
        self._rules = rules
        self._verdicts: dict[str, Verdict] = {}
        self._judged = judged(self)

    @property
    def name(self) -> str:
        """Of the judge."""
        return self._judge.name

    @property
    def family(self) -> str | None:
        """Of the judge."""
        return self._judge.family

    def close(self) -> None:
        """The judge is closed by whoever opened it."""

    def verdicts(
        self, questions: Sequence[Question], advance: Callable[[int], None] = lambda _: None
    ) -> list[Verdict]:
        """What the judge said of the batch; what it was not asked yet, it is asked now."""
        missing = {q.prompt: q for q in questions if q.prompt not in self._verdicts}
        if missing:
            told = self._judge.verdicts(list(missing.values()), advance)
            self._verdicts |= dict(zip(missing, told, strict=True))
        return [
            replace(self._verdicts[q.prompt], **{n: getattr(q, n) for n in QUESTION_KEY})
            for q in questions
        ]

    def prepare(self, pairs: Pairs) -> None:
        """Ask all that a batch needs."""
        self._verdicts.clear()
        questions = [
            same_answer(item, said)
            for item, said in pairs
            if not self._settled(item, self._by_rule(item, said)) and answer_text(said).strip()
        ]
        if questions:
            self.verdicts(questions)

    def component(self, item: Item, completion: Completion | str) -> float | None:
        """The outcome."""
        said = as_completion(completion)
        value = self._by_rule(item, said)
        if self._settled(item, value):
            return value
        verdict = self._judged(item, said)
        return value if verdict is None else verdict

    def _by_rule(self, item: Item, said: Completion) -> float | None:
        return None if self._rules is None else self._rules(item, said)

    @staticmethod
    def _settled(item: Item, value: float | None) -> bool:
        return value is not None and (value >= 1 or not isinstance(item.target, Text))
