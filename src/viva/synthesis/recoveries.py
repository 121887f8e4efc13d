"""Wrong starts and recovery, always mixed with correct, irrelevant and absent ones.

The "adversarial and backtracking" data of BioMed-R1 (2505.11462): an answer that begins wrong is
taken back at the point of error and comes to the right answer. A model that was taught with wrong
starts alone learns to distrust every start, so the other kinds stand beside them, in the same
forms, in shares that are kept to rounding; and some forms never train (see ``start_forms``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from viva.errors import InputError
from viva.models.backend import Prefill
from viva.synthesis import continuations
from viva.synthesis._generated import FAILED, judge, made, own_prompt, stepped
from viva.synthesis.calling import Caller
from viva.synthesis.continuations import RECOVERIES, from_gold, from_reply, put_together
from viva.synthesis.examples import Example, seeded
from viva.synthesis.start_forms import KINDS, Opening, WorldItems, check_forms, gold_steps, openings
from viva.synthesis.start_shares import check_shares, deal, within_shares
from viva.synthesis.steps import Dropped, Made

__all__ = ["starts"]

NO_START = "no start of a kind that is wanted"
NO_STEPS = "no gold steps, and no model to go on"
NOT_READ = "the continuation does not read as the key"
NONE_RIGHT = "no continuation passes the checks"
SURPLUS = "beyond the shares"

_PREFILL = "prefill"
_WAYS = ("told", _PREFILL)


class _Slot(NamedTuple):
    """One example to be made."""

    at: int
    """Place of the input."""
    number: int
    opening: Opening


def starts(
    examples: Sequence[Example],
    *,
    shares: Mapping[str, float] | None = None,
    forms: Sequence[str] | None = None,
    each: int = 1,
    recovery: str = "point",
    thinking: str = "none",
    by: str = "told",
    samples: int = 4,
    temperature: float | None = 0.7,
    prompt: str | None = None,
    organs: int = 12,
    plain: bool = False,
    force: bool = False,
    seed: int = 0,
    caller: Caller | None = None,
) -> Made:
    """Put starts before answers, and make the answers go on from them.

    Items with gold steps (those of worlds, or ``meta["steps"]``) need no model; for others a model
    goes on, and what it writes is kept where the checks of :mod:`viva.synthesis.continuations`
    pass. An item of a world has the starts of its world (its wrong one is the line of thought of
    its twin); any other has those of the probes.

    Parameters
    ----------
    examples : sequence of Example
        With choices of one option; a completion that is there is replaced.
    shares : mapping of str to float, optional
        Share of each kind (``wrong``, ``correct``, ``irrelevant``, ``absent``) among the examples
        made; they are made to sum to 1. Default: a quarter each.
    forms : sequence of str, optional
        Of :data:`viva.synthesis.start_forms.TRAINING_FORMS`; default all.
    each : int
        Starts for each example, 1..4, every one of another kind.
    recovery : {"point", "rederive"}
        From gold steps: go on at the point of error, or work the case out before saying whether
        the start was right.
    thinking : {"none", "tags"}
        Whether start and reasoning stand in ``<think>`` tags.
    by : {"told", "prefill"}
        A model is told of what kind the start is; or the start is put before it as the beginning
        of its own turn, so that what it writes is its own.
    samples, temperature, prompt
        Of the model: draws for each start, of which the first that passes is kept; another prompt.
    organs, plain
        Of the worlds that items come from.
    force : bool
        Allow shares without correct or absent starts.
    seed : int
    caller : Caller, optional

    Returns
    -------
    Made
        With ``start``, ``start_kind`` and ``completion``; the form is in the provenance. Shares
        are within rounding: what is beyond them is dropped.

    Raises
    ------
    InputError
        Shares without correct or absent starts, unless forced; a form kept for examination; no
        example of a kind that is wanted; a model that does not continue a prefill.
    """
    wanted = check_shares(shares, force=force)
    chosen = check_forms(forms)
    for name, value, known in (("recovery", recovery, RECOVERIES), ("by", by, _WAYS)):
        if value not in known:
            raise InputError(f"{name} is {value!r}", mend=f"One of {', '.join(known)}")
    if not 1 <= each <= len(KINDS):
        raise InputError(f"{each} starts for each example", mend=f"Give 1 to {len(KINDS)}")
    _check_prefill(caller, by)
    settings = {
        "shares": wanted, "forms": chosen, "each": each, "recovery": recovery,
        "thinking": thinking,
    }  # fmt: skip
    dropped: list[Dropped] = []
    worlds = WorldItems((one.item for one in examples), organs=organs, plain=plain)
    possible: dict[int, dict[str, Opening]] = {}
    for at, example in enumerate(examples):
        found = openings(example.item, chosen, seed, worlds)
        if isinstance(found, str):
            dropped.append(Dropped(example, found))
            continue
        if not gold_steps(example.item) and caller is None:
            dropped.append(Dropped(example, NO_STEPS))
            continue
        rng = seeded(example, "starts", seed)
        # One form for all kinds of an example where it can be: kinds differ in content alone.
        possible[at] = _one_form(found, rng)
    dealt = deal(
        {at: [k for k in KINDS if k in kinds and wanted[k]] for at, kinds in possible.items()},
        wanted,
        each,
        order=sorted(possible, key=lambda at: seeded(examples[at], "deal", seed).random()),
    )
    slots = [
        _Slot(at, examples[at].number * each + number, possible[at][kind])
        for at in possible
        for number, kind in enumerate(dealt[at])
    ]
    finished, failed, rejected = _continued(
        examples, slots, settings, seed, caller,
        recovery=recovery, thinking=thinking, by=by, samples=samples, temperature=temperature,
        prompt=prompt,
    )  # fmt: skip
    there = {one.start_kind for _, one in finished}
    if any(share * len(slots) >= 1 and kind not in there for kind, share in wanted.items()):
        finished = []  # a kind is missing altogether: what is left would be another mixture
    kept, surplus = within_shares(finished, wanted, seed)
    left = {at for at, _ in kept}
    for at, example in enumerate(examples):
        if at in left or at not in possible:
            continue
        reasons = [reason for place, reason in failed if place == at]
        reason = reasons[0] if reasons else SURPLUS if at in surplus else NO_START
        dropped.append(Dropped(example, reason))
    if examples and not kept:
        told = Counter(one.reason for one in dropped).most_common(1)[0]
        raise InputError(
            f"no starts in these shares could be made of {len(examples)} examples",
            mend=f"Most often: {told[0]} ({told[1]}). Give other examples, shares or forms",
        )
    done = [one for _, one in kept]
    return made(
        examples, done, dropped,
        model=None if caller is None else caller.spec,
        kinds={kind: sum(one.start_kind == kind for one in done) for kind in KINDS},
        forms=_forms_of(done), failed=_counted(reason for _, reason in failed),
        rejected_continuations=_counted(rejected.elements()),
        beyond_shares=len(finished) - len(kept),
    )  # fmt: skip


def _check_prefill(caller: Caller | None, by: str) -> None:
    if caller is None or by != _PREFILL:
        return
    able = getattr(caller, "capabilities", None)
    if able is None or able.prefill is not Prefill.CONTINUED:
        raise InputError(
            f"{caller.spec} has not been shown to continue a prefill",
            mend="Use hf/PATH, or by told",
        )


def _one_form(found: Mapping[str, list[Opening]], rng: Any) -> dict[str, Opening]:
    """One start of each kind, of the form that most kinds have; drawn among these."""
    forms: Counter[str] = Counter(
        one.form for each in found.values() for one in each if one.form is not None
    )
    most = max(forms.values(), default=0)
    best = sorted(form for form, count in forms.items() if count == most)
    form = rng.choice(best) if best else None
    chosen: dict[str, Opening] = {}
    for kind, each in found.items():
        same = [one for one in each if one.form in (form, None)]
        if same or each:
            chosen[kind] = (same or each)[0]
    return chosen


def _continued(
    examples: Sequence[Example],
    slots: Sequence[_Slot],
    settings: Mapping[str, Any],
    seed: int,
    caller: Caller | None,
    *,
    recovery: str,
    thinking: str,
    by: str,
    samples: int,
    temperature: float | None,
    prompt: str | None,
) -> tuple[list[tuple[int, Example]], list[tuple[int, str]], Counter[str]]:
    """The examples made, the reasons of those that were not, each with the place of its input, and
    why continuations of a model were rejected.
    """
    rejected: Counter[str] = Counter()
    done: dict[int, Example] = {}
    failed: list[tuple[int, str]] = []

    def finish(
        n: int, parts: tuple[str, str], model: str | None = None, asked: str | None = None
    ) -> None:
        slot = slots[n]
        start, completion = put_together(slot.opening, *parts, thinking)
        item = examples[slot.at].item
        # The reader has the last word: on the whole turn and on what is learned of it.
        if any(judge(item, text).status != "right" for text in (start + completion, completion)):
            failed.append((slot.at, NOT_READ))
            return
        told = dict(settings) | {"form": slot.opening.form, "cue": slot.opening.cue}
        if model is not None:
            told |= {"by": by, "samples": samples, "temperature": temperature}
        done[n] = stepped(
            examples[slot.at], "starts", told, seed=seed, model=model, prompt_hash=asked,
            completion=completion, rejected=None, start=start, start_kind=slot.opening.kind,
            number=slot.number,
        )  # fmt: skip

    by_model: list[int] = []
    for n, slot in enumerate(slots):
        item = examples[slot.at].item
        gold = gold_steps(item)
        if not gold:
            by_model.append(n)
            continue
        rng = seeded(examples[slot.at], "recovery", slot.number, seed)
        parts = from_gold(item, gold, slot.opening, recovery, rng)
        if parts is None:
            failed.append((slot.at, continuations.NO_ANSWER))
        else:
            finish(n, parts)
    if by_model and caller is not None:
        template = own_prompt("recovery", prompt)
        prefilled = by == _PREFILL
        requests = [
            continuations.request_to_continue(
                examples[slots[n].at].item, slots[n].opening, template, prefilled=prefilled
            )
            for n in by_model
        ]
        items = [examples[slots[n].at].item for n in by_model]
        found = caller.replies(
            requests, samples=samples, temperature=temperature, seed=seed, items=items
        )
        for n, item, draws in zip(by_model, items, found, strict=True):
            reasons: Counter[str] = Counter()
            for reply in draws:
                parts_or = from_reply(item, slots[n].opening, reply, prefilled=prefilled)
                if isinstance(parts_or, str):
                    reasons[parts_or] += 1
                    continue
                finish(n, parts_or, caller.spec, template.hash)
                break
            else:
                only_failed = set(reasons) == {FAILED}
                failed.append((slots[n].at, FAILED if only_failed else NONE_RIGHT))
            rejected += reasons
    return [(slots[n].at, done[n]) for n in sorted(done)], failed, rejected


def _forms_of(done: Sequence[Example]) -> dict[str, int]:
    return _counted(str(one.provenance[-1].settings.get("form", "none")) for one in done)


def _counted(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
