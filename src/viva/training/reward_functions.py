"""The reward of a GRPO stage as functions that TRL calls, and what became of every batch.

One completion is read once, whatever number of components look at it. What TRL does not tell is
counted here: how many completions no reward applies to, how many could not be read, and in how
many groups all rewards are equal. (TRL's ``frac_reward_zero_std`` misses such groups: eight times
1.2 has a deviation of 1.3e-7 in single precision.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.answers.region import answer_region
from viva.errors import InputError
from viva.formats.item_json import item_from_json
from viva.judging.questions import Judge
from viva.records import Item, Status
from viva.training._composing import Part, composed
from viva.training.rewards.adapters import completion_of
from viva.training.rewards.completions import Completion, read_answer
from viva.training.uncertainty import check_scaling, most_answers, shape, uncertainty

if TYPE_CHECKING:
    from viva.training.recipes import Stage, Uncertainty

__all__ = ["Counts", "RewardFunctions", "reward_functions", "within_thinking"]


@dataclass
class Counts:
    """What became of the completions of a stage, added up over batches."""

    completions: int = 0
    none: int = 0
    """No reward applied to them: they teach nothing."""
    unread: int = 0
    """No answer could be read from them."""
    truncated: int = 0
    """Their last token is none that ends a turn; only where the ends are known."""
    groups: int = 0
    """Of at least two completions to one prompt."""
    equal: int = 0
    """Groups whose rewards, as the trainer sums them in single precision, are all equal, or of
    which at most one has a reward: no advantage comes from them."""
    seconds: float = 0.0
    """Spent in the reward functions, waiting for a judge included."""
    cpu_seconds: float = 0.0
    """Processor time of the thread that calls them."""
    parts: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Of each component by itself: sum, and number of completions to which it applies."""

    def since(self, before: Counts) -> Counts:
        """What was added since an earlier copy."""
        added = Counts(*(getattr(self, n) - getattr(before, n) for n in _NUMBERS))
        for name, (total, n) in self.parts.items():
            known = before.parts.get(name, (0.0, 0))
            added.parts[name] = (total - known[0], n - known[1])
        return added

    def copy(self) -> Counts:
        """As it is now."""
        copied = Counts(*(getattr(self, name) for name in _NUMBERS))
        copied.parts |= self.parts
        return copied

    def shares(self) -> dict[str, float]:
        """What there is as shares and means.

        ``share_none``, ``share_unread``, ``share_truncated`` of completions, ``share_equal`` of
        groups (each where there are any), ``seconds``, ``cpu_seconds``, and the mean of each
        component as ``part/NAME``.
        """
        told: dict[str, float] = {}
        if self.completions:
            told |= {f"share_{n}": getattr(self, n) / self.completions for n in _OF_COMPLETIONS}
        if self.groups:
            told["share_equal"] = self.equal / self.groups
        told |= {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}
        return told | {f"part/{name}": s / n for name, (s, n) in self.parts.items() if n}


_NUMBERS = ("completions", "none", "unread", "truncated", "groups", "equal", "seconds",
            "cpu_seconds")  # fmt: skip
_OF_COMPLETIONS = ("none", "unread", "truncated")


class RewardFunctions(NamedTuple):
    """What a GRPO stage is paid by."""

    functions: list[Callable[..., list[float | None]]]
    """``reward_funcs`` of TRL's ``GRPOTrainer``."""
    settings: Mapping[str, Any]
    """The settings of TRL that they need, to be laid over the stage's."""
    counts: Counts
    """Added to by every call of a trainer (with its ``trainer_state``), once for all functions:
    checks before training that call the functions leave no trace."""


def reward_functions(
    stage: Stage,
    *,
    judge: Judge | None = None,
    group_size: int | None = None,
    thinking_open: bool = False,
    end_ids: Sequence[int] = (),
) -> RewardFunctions:
    """The reward functions of a stage.

    Parameters
    ----------
    stage : Stage
        Of trainer ``grpo``.
    judge : Judge, optional
        Who is asked by the part ``judged``, once for each batch and only where no rule finds the
        answer right. Needed where there is such a part.
    group_size : int, optional
        Completions of one prompt, ``num_generations``. Where it is not given, or does not fit, a
        group is a run of equal prompts.
    thinking_open : bool
        The chat template opens the thinking.
    end_ids : sequence of int
        Tokens that end a turn, padding among them: a completion that ends with another was cut.

    Returns
    -------
    RewardFunctions
        One function of the whole reward; with ``stage.normalise`` one for each part, which TRL
        normalises. Each is ``f(prompts, completions, completion_ids=None, *, item, start=None,
        trainer_state=None, log_metric=None, **columns)``; ``item`` is the column of
        :func:`viva.formats.item_json.item_to_json`, ``start`` that of the beginnings put before
        the model. None is returned where the reward does not apply.

    Raises
    ------
    InputError
        An unknown reward; parts beside the outcome that weigh more than a third; a part
        ``judged`` without a judge, or a judge without it; uncertainty with a scaling that undoes
        it.
    """
    parts = composed(stage, judge)
    if stage.uncertainty is not None:
        check_scaling(stage.uncertainty, stage.settings, normalise=stage.normalise)
    batches = _Batches(
        len(parts), [part.weight for part in parts], stage.uncertainty,
        group_size, thinking_open, frozenset(end_ids), stage.normalise,
    )  # fmt: skip
    functions = [batches.function(i, part) for i, part in enumerate(parts)]
    settings: dict[str, Any] = {"reward_weights": [part.weight for part in parts]}
    if stage.normalise:
        settings["multi_objective_aggregation"] = "normalize_then_sum"
    return RewardFunctions(functions, settings, batches.counts)


@dataclass
class _Batch:
    """Completions of one call of the trainer; equal ones of one item are one."""

    given: Sequence[Any]
    """As the trainer holds them: the same object for each of the functions."""
    pairs: list[tuple[Item, Completion]]
    """Different ones."""
    at: list[int]
    """For each completion, which of the pairs it is."""
    groups: list[range]
    lengths: list[int]
    truncated: list[bool]
    values: dict[int, list[float | None]] = field(default_factory=dict)
    """Of each function, by its number."""


class _Batches:
    """Reads each batch once for all functions of a stage, and counts it after the last."""

    def __init__(
        self,
        functions: int,
        weights: Sequence[float],
        wanted: Uncertainty | None,
        group_size: int | None,
        thinking_open: bool,
        ends: frozenset[int],
        normalise: bool,
    ) -> None:
        self._functions = functions
        self._weights = weights
        self._wanted = wanted
        self._size = group_size
        self._open = thinking_open
        self._ends = ends
        self._normalise = normalise
        self._now: _Batch | None = None
        self.counts = Counts()

    def function(self, number: int, part: Part) -> Callable[..., list[float | None]]:
        """A function for TRL."""

        def score(
            prompts: Sequence[Any],
            completions: Sequence[Any],
            completion_ids: Sequence[Sequence[int]] | None = None,
            *,
            item: Sequence[str],
            start: Sequence[str | None] | None = None,
            trainer_state: Any = None,
            log_metric: Callable[[str, float], None] | None = None,
            **_: Any,
        ) -> list[float | None]:
            begin, spent = time.perf_counter(), time.thread_time()
            batch = self._now
            if batch is None or batch.given is not completions or number in batch.values:
                step = getattr(trainer_state, "global_step", None)
                batch = self._read(prompts, completions, completion_ids, item, start, step)
                self._now = batch
            before = self.counts.copy()
            values = self._values(part, batch, training=trainer_state is not None)
            batch.values[number] = values
            last = len(batch.values) == self._functions
            if last:
                self._now = None
                if trainer_state is not None:
                    self._count(batch)
                for single in part.singles.values():
                    single.forget()
            if trainer_state is not None:
                self.counts.cpu_seconds += time.thread_time() - spent
                self.counts.seconds += time.perf_counter() - begin
            if last and log_metric is not None:
                for name, value in self.counts.since(before).shares().items():
                    if "seconds" not in name:
                        log_metric(f"viva/{name}", value)
            return values

        score.__name__ = part.name
        return score

    def _read(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        ids: Sequence[Sequence[int]] | None,
        items: Sequence[str],
        starts: Sequence[str | None] | None,
        step: int | None,
    ) -> _Batch:
        """The batch, each different completion once."""
        begun = [text or "" for text in starts] if starts else [""] * len(items)
        truncated = [False] * len(items)
        if ids and self._ends:
            truncated = [bool(row) and row[-1] not in self._ends for row in ids]
        pairs: list[tuple[Item, Completion]] = []
        known: dict[tuple[str, str, str, bool, str | None], int] = {}
        at: list[int] = []
        for text, given, start, cut in zip(items, completions, begun, truncated, strict=True):
            said = completion_of(
                given,
                thinking_open=within_thinking(start, self._open),
                finish_reason="length" if cut else None,
                step=step,
            )
            if start and not cut and not said.text.strip():
                said.text = start  # it ended at once the turn begun for it: that is its answer
                said.thinking_open = self._open
            key = (text, start, said.text, cut, said.reasoning)
            if key not in known:
                known[key] = len(pairs)
                pairs.append((item_from_json(text), said))
            at.append(known[key])
        lengths = [len(row) for row in ids] if ids else [len(pairs[i][1].text.split()) for i in at]
        groups = _groups(prompts, items, self._size)
        return _Batch(completions, pairs, at, groups, lengths, truncated)

    def _values(self, part: Part, batch: _Batch, *, training: bool) -> list[float | None]:
        if part.prepare is not None:
            part.prepare(batch.pairs)
        once = [part.component(item, said) for item, said in batch.pairs]
        for name, single in part.singles.items() if training and self._functions == 1 else ():
            total, n = self.counts.parts.get(name, (0.0, 0))
            found = [single(item, said) for item, said in batch.pairs]
            known = [value for i in batch.at if (value := found[i]) is not None]
            self.counts.parts[name] = (total + sum(known), n + len(known))
        values = [once[i] for i in batch.at]
        if self._wanted is not None:
            values = self._shaped(values, batch, training=training)
        return values

    def _shaped(
        self, values: list[float | None], batch: _Batch, *, training: bool
    ) -> list[float | None]:
        assert self._wanted is not None
        if (
            training
            and self._size is not None
            and any(len(group) % self._size for group in batch.groups)
        ):
            raise InputError(
                "a group of completions is spread over batches, so its uncertainty is not known",
                mend="Make per_device_train_batch_size a multiple of num_generations",
            )
        shaped = list(values)
        for group in batch.groups:
            answers = [_answer(*batch.pairs[batch.at[i]]) for i in group]
            item = batch.pairs[batch.at[group[0]]][0]
            shaped[group.start : group.stop] = shape(
                values[group.start : group.stop],
                uncertainty(answers, most_answers(item)),
                batch.lengths[group.start : group.stop],
                weight=self._wanted.weight,
                scale=self._wanted.scale,
            )
        return shaped

    def _count(self, batch: _Batch) -> None:
        import numpy as np

        counts, n = self.counts, len(batch.at)
        rows = [batch.values[i] for i in range(self._functions)]
        given = np.array([[np.nan if v is None else v for v in row] for row in rows], np.float32)
        applies = ~np.isnan(given)
        none = [not any(row) for row in applies.T.tolist()]
        unread = [_answer(item, said) is None for item, said in batch.pairs]
        counts.completions += n
        counts.none += sum(none)
        counts.unread += sum(unread[i] for i in batch.at)
        counts.truncated += sum(batch.truncated)
        weights = np.array(self._weights, np.float32)[:, None]
        totals = given if self._normalise else np.nansum(given * weights, axis=0, keepdims=True)
        for group in batch.groups:
            if len(group) < 2:
                continue
            counts.groups += 1
            scored = [i for i in group if not none[i]]
            counts.equal += len(scored) < 2 or all(_flat(row) for row in totals[:, scored])


def _flat(row: Any) -> bool:
    known = row[row == row]
    return len(known) == 0 or bool((known == known[0]).all())


def _answer(item: Item, said: Completion) -> str | None:
    """What was read, in a form that can be compared; None where nothing was."""
    reading = read_answer(item, said)
    if reading.status is not Status.PARSED:
        return None
    value = reading.value
    return " ".join(value.casefold().split()) if isinstance(value, str) else repr(value)


@lru_cache(maxsize=4096)
def within_thinking(start: str, opened: bool) -> bool:
    """Whether what follows a start stands inside thinking."""
    if not start.strip():
        return opened
    reason = answer_region(start, thinking_open=opened).reason
    return reason is not None and "thinking" in reason


def _groups(prompts: Sequence[Any] | None, items: Sequence[str], size: int | None) -> list[range]:
    """The groups of a batch, by their size where it fits, else runs of equal prompts."""
    told = items if prompts is None else prompts
    n = len(items)
    if size is not None and n % size == 0:
        found = [range(i, i + size) for i in range(0, n, size)]
        if all(told[i] == told[group.start] for group in found for i in group):
            return found
    cuts = [0, *(i for i in range(1, n) if told[i] != told[i - 1]), n]
    return [range(a, b) for a, b in pairwise(cuts) if b > a]
