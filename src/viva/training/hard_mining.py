"""Hard mining: a stage learns mostly from what the model it begins with gets wrong.

Fleming-R1 (2509.15279) trains its second stage on twice as many wrongly as rightly answered items.
The rates are measured of the model as it is now: those of the data are of another model, or of
this one before it learned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.synthesis import Example
from viva.training.selection import Selected, select

if TYPE_CHECKING:
    from viva.synthesis.calling import Caller
    from viva.training.recipes import Mining, Select

__all__ = ["mine"]

_MOSTLY_WRONG = 0.5
"""An item with a pass rate below counts as wrong: most of its answers are."""


def mine(
    examples: Sequence[Example],
    mining: Mining,
    caller: Caller,
    chosen: Select | None = None,
    *,
    method: str = "cot",
    prompt: str | None = None,
    system: str | None = None,
    seed: int = 0,
) -> Selected:
    """Measure the model that a stage begins with, and select by what it gets wrong.

    Parameters
    ----------
    examples : sequence of Example
    mining : Mining
        Ratio of right to wrong, and how often each item is asked.
    caller : Caller
        The model that the stage begins with. Calls that are in its journal are not made again.
    chosen : Select, optional
        The stage's ``select``: its filters come first, so that only what can be chosen is asked;
        ``pass_rate`` filters by the new rates; its shares hold beside the ratio.
    method, prompt, system : str
        As in training.
    seed : int

    Returns
    -------
    Selected
        Examples with the new ``pass_rate``; the report has ``mined`` as well: what the step
        ``pass_rate`` told, and how many it dropped by reason.

    Raises
    ------
    InputError
        A ratio without numbers above 0; no wrong ones (or no right ones) where the ratio asks for
        them; as :func:`viva.training.select`.
    """
    from viva.synthesis.pass_rates import pass_rate
    from viva.training.recipes import Select

    parts = mining.right + mining.wrong
    if parts <= 0:
        raise InputError("mining: right and wrong are both 0", mend="Give right = 1, wrong = 2")
    chosen = chosen or Select()
    unshared: dict[str, Any] = dict.fromkeys(
        ("starts", "mix", "reasoning_share", "hard_ratio", "limit", "pass_rate")
    )
    before = select(examples, chosen.model_copy(update=unshared), seed=seed)
    made = pass_rate(
        before.examples, samples=mining.samples, temperature=mining.temperature, method=method,
        prompt=prompt, system=system, seed=seed, caller=caller,
    )  # fmt: skip
    if not made.kept:
        reasons = Counter(one.reason for one in made.dropped).most_common(1)
        raise InputError(
            f"mining: of {len(before.examples)} examples none was measured ({reasons[0][0]})",
            mend="Look at the model's answers, or take mining out",
        )
    by_ratio = {"hard_ratio": mining.wrong / parts, "hard_below": _MOSTLY_WRONG}
    after = select(made.kept, chosen.model_copy(update=by_ratio), seed=seed)
    mined = {
        "asked": len(before.examples),
        "measured": len(made.kept),
        "dropped": dict(Counter(one.reason for one in made.dropped)),
        "pass_rate": dict(made.report),
    }
    dropped = Counter(before.report["dropped"]) + Counter(after.report["dropped"])
    report = {**after.report, "given": len(examples), "dropped": dict(dropped), "mined": mined}
    return Selected(after.examples, report)
