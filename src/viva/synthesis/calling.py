"""How a step asks a model: many requests at once, each finished call on disk before it is used.

A call is known by its content: the model's settings, the conversation, the sampling, the seed and
the number of the draw. A step that was killed goes on where it was, a second pass over the same
examples calls nobody, and equal prompts are one call.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from viva._files.documents import without_surrogates
from viva._progress import Advance
from viva.errors import InputError
from viva.formats.journal import journal_lines, parse_line
from viva.judging.asking import Asker
from viva.judging.journal import VerdictJournal
from viva.models import Backend, CallFailed, Capabilities, Completion, Message, Request, Sampling
from viva.models.asked import ASKED, Asked
from viva.models.budget import Budget, Prices
from viva.models.failures import Failure
from viva.models.retrying import Retry
from viva.models.specs import ModelOptions, open_model

if TYPE_CHECKING:
    from viva.records import Item
    from viva.runs.session import Limits

__all__ = ["CALLS", "LONGEST_REPLY", "Caller", "JournaledCaller", "Reply", "open_caller"]

CALLS = "calls.jsonl"
"""The journal's usual name."""

LONGEST_REPLY = 200_000
"""Characters; a longer reply is a model that does not stop, and none."""

TOO_LONG = "too long"

_NOBODY = frozenset({Failure.CONNECTION, Failure.BUDGET, Failure.STOPPED})
"""Failures that say nothing of a request: what was not asked must not be dropped for it."""


class Reply(NamedTuple):
    """What one draw of one request brought."""

    text: str | None
    """As one text: thinking that came in a field of its own stands first, in ``<think>`` tags.
    None where the call failed."""
    finish_reason: str | None = None
    """``length`` where it was cut."""
    failure: str | None = None
    """Why there is no text, one of :class:`viva.models.Failure` or ``too long``."""


class Caller(Protocol):
    """What a step sees of a model."""

    @property
    def spec(self) -> str:
        """The model, for provenance."""
        ...

    def __call__(
        self, prompts: Sequence[str | Request], *, samples: int = 1,
        temperature: float | None = None, seed: int = 0,
    ) -> list[list[str | None]]:  # fmt: skip
        """Texts: one list for each prompt, one entry for each draw; None = the call failed."""
        ...

    def replies(
        self, prompts: Sequence[str | Request], *, samples: int = 1,
        temperature: float | None = None, seed: int = 0, items: Sequence[Item] | None = None,
    ) -> list[list[Reply]]:  # fmt: skip
        """The same with what became of each call."""
        ...


class JournaledCaller:
    """A model behind a journal; made by :func:`open_caller`, usable in a ``with``.

    Parameters
    ----------
    spec : str
        The model's name in provenance.
    asker : Asker
        The way to the model; closed with the caller.
    journal : VerdictJournal
        Where finished calls are; closed with the caller.
    sampling : Sampling, optional
        What is set for every call that does not say otherwise.

    Attributes
    ----------
    calls : int
        Requests that went to the model, those that failed too.
    kept : int
        Requests that the journal had answered already.
    advance : callable
        Told of each request that came back from the model, for a bar.
    failures : collections.Counter
        Why requests have no reply, by kind.
    """

    def __init__(
        self,
        spec: str,
        asker: Asker,
        journal: VerdictJournal,
        sampling: Sampling | None = None,
    ) -> None:
        self.spec = spec
        self.calls = self.kept = 0
        self.advance: Advance = lambda _: None
        self.failures: Counter[str] = Counter()
        self._asker = asker
        self._journal = journal
        self._sampling = sampling or Sampling()
        self._identity = _identity(asker.backend)
        # Answers of a file are to items, whatever was asked of them.
        self._by_item = self._identity["backend"].get("kind") == "replay"

    def __enter__(self) -> JournaledCaller:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def capabilities(self) -> Capabilities:
        """What the model is known to be able to do; nothing is probed."""
        return self._asker.backend.capabilities

    def __call__(
        self, prompts: Sequence[str | Request], *, samples: int = 1,
        temperature: float | None = None, seed: int = 0,
    ) -> list[list[str | None]]:  # fmt: skip
        """Texts of the replies; see :meth:`replies`."""
        found = self.replies(prompts, samples=samples, temperature=temperature, seed=seed)
        return [[reply.text for reply in draws] for draws in found]

    def replies(
        self, prompts: Sequence[str | Request], *, samples: int = 1,
        temperature: float | None = None, seed: int = 0, items: Sequence[Item] | None = None,
    ) -> list[list[Reply]]:  # fmt: skip
        """Put every prompt to the model as often as wanted, but for what the journal holds.

        Parameters
        ----------
        prompts : sequence of str or Request
            A text is a conversation of one user's turn.
        samples : int
            Draws of each prompt, at least 1.
        temperature : float, optional
            Where the prompt is a text or a request that sets none.
        seed : int
            From which, with the request itself, the seed of each draw is derived.
        items : sequence of Item, optional
            The item of each prompt: answers of a file (``replay/FILE``) are looked up by it.

        Returns
        -------
        list of list of Reply
            In the order of the prompts; ``samples`` draws of each.

        Raises
        ------
        InputError
            Where no call can work (no server, no key, no such model), where the budget ends or the
            server goes away before everything is asked: what is answered is kept, and the same
            call goes on. Several greedy draws of one prompt, which would be one.
        """
        if samples < 1:
            raise InputError(f"{samples} samples of a prompt", mend="Give 1 or more")
        if items is not None and len(items) != len(prompts):
            raise InputError(f"{len(items)} items for {len(prompts)} prompts")
        wanted: list[list[str]] = []
        missing: dict[str, tuple[Request, Asked | None]] = {}
        for at, prompt in enumerate(prompts):
            keys = []
            for draw in range(samples):
                request = self._request(prompt, temperature, seed, draw, samples)
                asked = None
                if items is not None:
                    asked = Asked(items[at].benchmark, items[at].item_id, draw)
                key = self._key(request, asked)
                keys.append(key)
                if key in missing:
                    continue
                if key in self._journal:
                    self.kept += 1
                else:
                    missing[key] = request, asked
            wanted.append(keys)
        failed = self._ask(missing) if missing else {}
        return [[failed.get(key) or self._recorded(key) for key in keys] for keys in wanted]

    def _request(
        self, prompt: str | Request, temperature: float | None, seed: int, draw: int, samples: int
    ) -> Request:
        asked = Request((Message("user", prompt),)) if isinstance(prompt, str) else prompt
        sampling = _filled(_filled(asked.sampling, temperature=temperature), **_set(self._sampling))
        if samples > 1 and sampling.temperature == 0:
            raise InputError(
                f"{samples} samples at temperature 0 are one and the same",
                mend="Raise the temperature, or take one sample",
            )
        asked = replace(asked, sampling=sampling, draw=draw, seed=None)
        if sampling.temperature == 0:
            return asked
        derived = int(_hash([seed, asked.hash()])[:8], 16) % 2**31
        return asked.with_seed(derived)

    def _key(self, request: Request, asked: Asked | None) -> str:
        item = list(asked[:3]) if asked is not None and self._by_item else None
        return _hash([self._identity, request.hash(), item])

    def _ask(self, missing: Mapping[str, tuple[Request, Asked | None]]) -> dict[str, Reply]:
        """Ask what the journal has not; the replies that it does not keep."""
        order = list(missing)
        failed: dict[str, Reply] = {}
        nobody: Counter[str] = Counter()

        def requests() -> Iterator[tuple[int, Request]]:
            # Taken by the worker that makes the call, in its own context: so the item in hand is
            # known to a back-end that looks answers up by it.
            for at, key in enumerate(order):
                request, asked = missing[key]
                ASKED.set(asked)
                yield at, request

        def told(at: int, said: Completion | CallFailed) -> None:
            key = order[at]
            self.calls += 1
            self.advance(1)
            row: dict[str, Any] = {"model": self.spec, "asked": missing[key][0].hash()}
            if isinstance(said, CallFailed):
                self.failures[str(said.failure)] += 1
                failed[key] = Reply(None, failure=str(said.failure))
                if said.failure in _NOBODY:
                    nobody[said.detail or str(said.failure)] += 1
                row |= {"error": str(said.failure), "detail": said.detail}
                if not said.attempts:
                    return
            else:
                row |= {
                    "text": said.text,
                    "reasoning": said.reasoning,
                    "finish_reason": said.finish_reason,
                    "input_tokens": said.input_tokens,
                    "output_tokens": said.output_tokens,
                    "cost": said.cost,
                    "seconds": said.seconds,
                }
            self._journal.put(key, row | {"attempts": said.attempts})

        try:
            self._asker.ask(requests(), told)
        except InputError as error:
            where = self.spec if error.where == "--judge" else error.where
            raise InputError(error.what, where=where, mend=error.mend) from None
        if nobody:
            reason = nobody.most_common(1)[0][0]
            raise InputError(
                f"{nobody.total()} of {len(order)} calls were not answered: {reason}",
                where=self.spec,
                mend="Mend it, then run the same again: what was answered is kept",
            )
        return failed

    def _recorded(self, key: str) -> Reply:
        row = self._journal.get(key)
        if row is None:
            return Reply(None, failure=str(Failure.STOPPED))
        if isinstance(row.get("error"), str):
            return Reply(None, failure=row["error"])
        text, thought, finish = (row.get(name) for name in ("text", "reasoning", "finish_reason"))
        said = text if isinstance(text, str) else ""
        if isinstance(thought, str) and thought.strip():
            said = f"<think>\n{thought.strip()}\n</think>\n\n{said.lstrip()}"
        if len(said) > LONGEST_REPLY:
            return Reply(None, failure=TOO_LONG)
        return Reply(without_surrogates(said), finish if isinstance(finish, str) else None)

    def close(self) -> None:
        """Let go of the model and the journal; a second time nothing happens."""
        try:
            self._asker.close()
        finally:
            journal, self._journal = self._journal, None  # type: ignore[assignment]
            if journal is not None:
                journal.close()


def open_caller(
    model: str | Backend,
    journal: Path,
    options: ModelOptions | None = None,
    *,
    sampling: Sampling | None = None,
    connections: int | None = None,
    budget: Limits | None = None,
    prices: Prices | None = None,
    retry: Retry | None = None,
) -> JournaledCaller:
    """Open a model for the steps of synthesis.

    Parameters
    ----------
    model : str or Backend
        ``openai/NAME``, ``hf/PATH``, ``replay/PATH``, a spec of another package, or any object
        that is a back-end; closed with the caller.
    journal : path
        The file of finished calls, made where there is none.
    options : ModelOptions, optional
        How the model is reached.
    sampling : Sampling, optional
        For every call that does not say otherwise.
    connections : int, optional
        Calls at once; by default what the back-end recommends.
    budget : Limits, optional
        Most calls, tokens and cost; what the journal records as spent counts.
    prices : Prices, optional
        For the cost of calls whose server does not say it.
    retry : Retry, optional
        When a failed try is repeated.

    Raises
    ------
    InputError
        No such back-end; a journal that cannot be read or written.
    """
    options = options or ModelOptions()
    place = Path(journal)
    kept = VerdictJournal.open(place)
    try:
        backend = open_model(model, options) if isinstance(model, str) else model
        asker = Asker(
            backend,
            connections=connections or options.connections,
            timeout=options.timeout,
            budget=None if budget is None else _left(budget, place),
            prices=prices,
            retry=retry,
        )
        spec = model if isinstance(model, str) else backend.model
        return JournaledCaller(spec, asker, kept, sampling)
    except BaseException:
        kept.close()
        raise


def _left(budget: Limits, journal: Path) -> Budget:
    """The budget, less what the calls of the journal have spent."""
    calls, tokens, cost = 0, 0, 0.0
    for _, _, line in journal_lines(journal):
        row = parse_line(line) or {}
        calls += _number(row.get("attempts"))
        tokens += _number(row.get("input_tokens")) + _number(row.get("output_tokens"))
        cost += float(row["cost"]) if isinstance(row.get("cost"), int | float) else 0.0
    return Budget(
        budget.max_calls, budget.max_tokens, budget.max_cost,
        spent_calls=calls, spent_tokens=tokens, spent_cost=cost,
    )  # fmt: skip


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _identity(backend: Backend) -> dict[str, Any]:
    """What determines the completions; the same model behind another address is the same."""
    settings = {
        name: value
        for name, value in backend.settings().items()
        if name not in ("base_url", "base_urls")
    }
    return {"name": backend.model, "backend": settings}


def _hash(value: Any) -> str:
    said = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _set(sampling: Sampling) -> dict[str, Any]:
    names = ("temperature", "top_p", "max_completion_tokens", "stop", "extra")
    return {name: value for name in names if (value := getattr(sampling, name))
            or (name == "temperature" and value is not None)}  # fmt: skip


def _filled(sampling: Sampling, **default: Any) -> Sampling:
    """The sampling, and a default for what it leaves open."""
    known = _set(sampling)
    return replace(sampling, **{name: v for name, v in default.items() if name not in known})
