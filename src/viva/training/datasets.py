"""What the trainers read: prompts as the methods of evaluation write them, and token ids.

A prompt is the conversation that the method would send, under the model's own chat template, up to
where the model goes on: the very tokens that the back-end ``hf`` gives it. A start (the beginning
of an answer) is put behind it as there. What is learned are the tokens behind both, with the one
that ends the turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from viva.errors import InputError
from viva.formats.item_json import item_to_json
from viva.models import CallFailed, Request
from viva.models._thinking import thinking_opened
from viva.models._turns import Turn, Turns
from viva.synthesis import Example
from viva.synthesis.export_rows import requests_of

if TYPE_CHECKING:
    import datasets

    from viva.training.recipes import Recipe

__all__ = [
    "PLAIN_TEMPLATE",
    "Rows",
    "Writer",
    "fitted",
    "rows_of",
    "to_dpo",
    "to_grpo",
    "to_sft",
    "usable",
]

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['content'] }}"
    "{% if not loop.last or add_generation_prompt %}{{ '\\n\\n' }}{% endif %}{% endfor %}"
)
"""How a model without a chat template is asked: turns as plain text, a blank line between them."""
_IGNORED = -100
"""The label of a token that is not in the loss."""


class Rows(NamedTuple):
    """What a trainer reads, and what it was made from."""

    rows: list[dict[str, Any]]
    """``prompt`` (a text) and, by trainer: ``completion``, ``input_ids``, ``labels``; ``chosen``,
    ``rejected`` and their ids; or ``item``, ``start`` and ``start_kind``."""
    examples: list[Example]
    """Of each row."""
    left_out: Mapping[str, int]
    """Examples that make no row, by reason."""
    thinking_open: bool
    """Whether the chat template opens the thinking."""


class Writer:
    """Writes prompts and completions for one model.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        One without a chat template is given :data:`PLAIN_TEMPLATE`.
    recipe : Recipe
        Its method, parameters, prompt and variables of the chat template.
    ends : iterable of int
        Tokens with which the model ends a turn, beside the tokenizer's own.
    """

    def __init__(self, tokenizer: Any, recipe: Recipe, ends: Iterable[int] = ()) -> None:
        if not tokenizer.chat_template:
            first = tokenizer("a")["input_ids"][:1]
            has_bos = tokenizer.bos_token_id is not None and first == [tokenizer.bos_token_id]
            tokenizer.chat_template = ("{{ bos_token }}" if has_bos else "") + PLAIN_TEMPLATE
        self._tokenizer = tokenizer
        self._ends = frozenset({*ends, tokenizer.eos_token_id} - {None})
        self._turns = Turns(tokenizer, None, self._ends)
        self._recipe = recipe
        self._options = dict(recipe.chat_template_kwargs)
        self.end = self._end()

    def _end(self) -> int | None:
        """The token that ends a turn of the assistant, as the chat template writes one."""
        mark = "Viva"
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": mark}]
        try:
            text = self._tokenizer.apply_chat_template(turns, tokenize=False, **self._options)
        except Exception:  # a template that fails is refused with the first prompt
            text = ""
        behind = str(text).rpartition(mark)[2]
        ids = self._tokenizer(behind, add_special_tokens=False)["input_ids"] if behind else []
        own: int | None = self._tokenizer.eos_token_id
        return next((token for token in ids if token in self._ends), own)

    def prompt(self, request: Request, start: str = "") -> Turn:
        """What the model reads before it writes.

        Raises
        ------
        InputError
            The chat template does not take the conversation, or the start ends the turn.
        """
        try:
            return self._turns.open(request.messages, start or None, self._options)
        except CallFailed as error:
            raise InputError(
                f"a prompt cannot be written ({error})", mend="Mend the template, or the start"
            ) from None

    def said(self, turn: Turn, start: str, completion: str) -> tuple[str, list[int]]:
        """What is to be learned behind a prompt: its text, and its tokens with that of the end.

        A marker of thinking that the template has opened is not written twice.
        """
        if opened := thinking_opened(turn.text, start or None).strip():
            completion = completion.removeprefix(opened).lstrip("\n")
        whole = self._ids(turn.text + completion)
        # Behind half a sentence a tokenizer may write a word otherwise than at a beginning. Where
        # the last token of the prompt would change, the model must go on from the one it reads.
        whole_fits = whole[: len(turn.ids)] == turn.ids and len(whole) > len(turn.ids)
        ids = whole[len(turn.ids) :] if whole_fits else self._ids(completion)
        if self.end is not None and (not ids or ids[-1] not in self._ends):
            ids = [*ids, self.end]
        return completion, ids

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def _requests(examples: Sequence[Example], recipe: Recipe) -> list[Request | InputError]:
    """What the method would send for each item, or why it would not."""
    items = [example.item for example in examples]
    found = requests_of(items, recipe.method, recipe.parameters, recipe.prompt)
    shown = InputError("its question shows images, audio or video")
    return [shown if item.media else each for item, each in zip(items, found, strict=True)]


_LEARNS = {"sft": ("completion",), "dpo": ("completion", "rejected"), "grpo": ()}
"""Fields of an example that a trainer cannot do without."""


def rows_of(
    examples: Sequence[Example],
    trainer: str,
    recipe: Recipe,
    tokenizer: Any,
    *,
    ends: Iterable[int] = (),
) -> Rows:
    """What a trainer reads of examples.

    Parameters
    ----------
    examples : sequence of Example
    trainer : str
        ``sft`` learns completions, ``dpo`` what sets a completion apart from a rejected one,
        ``grpo`` is given the prompt and the item, one prompt (with its start) once.
    recipe : Recipe
        Its method, prompt and chat template variables.
    tokenizer : transformers.PreTrainedTokenizerBase
        Of the model; one without a chat template is given a plain one.
    ends : iterable of int
        Tokens with which the model ends a turn, beside the tokenizer's own.

    Returns
    -------
    Rows
        In the order of the examples.

    Raises
    ------
    InputError
        No row is left (with the most frequent reason), or a prompt that cannot be written.
    """
    writer = Writer(tokenizer, recipe, ends)
    rows: list[dict[str, Any]] = []
    kept: list[Example] = []
    fit, lost = usable(examples, trainer)
    left_out = Counter(lost)
    opened = False
    for example, request in zip(fit, _requests(fit, recipe), strict=True):
        if isinstance(request, InputError):
            left_out[request.what] += 1
            continue
        turn = writer.prompt(request, example.start)
        opened = opened or bool(thinking_opened(turn.text, example.start or None))
        rows.append(_row(writer, turn, example, trainer))
        kept.append(example)
    if not rows:
        raise _nothing(len(examples), trainer, left_out)
    return Rows(rows, kept, dict(left_out), opened)


def usable(examples: Sequence[Example], trainer: str) -> tuple[list[Example], dict[str, int]]:
    """The examples that have what a trainer learns from, and how many have not, by reason.

    Raises
    ------
    InputError
        None has.
    """
    fit: list[Example] = []
    left_out: Counter[str] = Counter()
    seen: set[tuple[str, str, str]] = set()
    for example in examples:
        place = (example.item.benchmark, example.item.item_id, example.start)
        if missing := next((n for n in _LEARNS[trainer] if not getattr(example, n)), None):
            left_out[f"no {missing}"] += 1
        elif trainer == "grpo" and example.item.target is None:
            left_out["no key"] += 1
        elif trainer == "grpo" and place in seen:
            left_out["the same prompt again"] += 1
        else:
            seen.add(place)
            fit.append(example)
    if not fit:
        raise _nothing(len(examples), trainer, left_out)
    return fit, dict(left_out)


def _nothing(examples: int, trainer: str, left_out: Counter[str]) -> InputError:
    reasons = "; ".join(f"{n} {reason}" for reason, n in left_out.most_common(2))
    return InputError(
        f"nothing to learn from: of {examples} examples none can be used by {trainer}"
        + (f" ({reasons})" if reasons else ""),
        mend=_MENDS[trainer],
    )


_MENDS = {
    "sft": "Give examples with completions, or make them: viva synthesise, step traces or starts",
    "dpo": "Give pairs, or make them: viva synthesise, step pairs",
    "grpo": "Give items with their key",
}


def fitted(rows: Rows, trainer: str, longest: int | None, mode: str = "keep_start") -> Rows:
    """The rows cut to a length; those of which nothing would be learned are left out.

    Parameters
    ----------
    rows : Rows
    trainer : {"sft", "dpo", "grpo"}
        Rows of ``sft`` are cut here; those of ``dpo`` the trainer cuts.
    longest : int or None
        Tokens of prompt and completion together, ``max_length``.
    mode : {"keep_start", "keep_end"}
        Which end stays.

    Returns
    -------
    Rows
        ``left_out`` counts those that are gone.

    Raises
    ------
    InputError
        None is left.
    """
    if longest is None or trainer == "grpo" or (trainer == "dpo" and mode == "keep_end"):
        return rows
    part = slice(None, longest) if mode == "keep_start" else slice(-longest, None)
    kept = []
    for row, example in zip(rows.rows, rows.examples, strict=True):
        if trainer == "sft":
            row = row | {name: row[name][part] for name in ("input_ids", "labels")}
            learns = any(label != _IGNORED for label in row["labels"])
        else:
            learns = len(row["prompt_ids"]) < longest
        if learns:
            kept.append((row, example))
    lost = len(rows.rows) - len(kept)
    if not kept:
        raise InputError(
            f"the prompts alone are longer than max_length = {longest}", mend="Raise max_length"
        )
    left_out = dict(rows.left_out) | ({"the prompt alone is too long": lost} if lost else {})
    return Rows([r for r, _ in kept], [e for _, e in kept], left_out, rows.thinking_open)


def _row(writer: Writer, turn: Turn, example: Example, trainer: str) -> dict[str, Any]:
    row: dict[str, Any] = {"prompt": turn.text}
    if trainer == "grpo":
        return row | {
            "item": item_to_json(example.item),
            "start": example.start,
            "start_kind": example.start_kind,
        }
    text, ids = writer.said(turn, example.start, example.completion or "")
    if trainer == "sft":
        return row | {
            "completion": text,
            "input_ids": turn.ids + ids,
            "labels": [_IGNORED] * len(turn.ids) + ids,
        }
    other, other_ids = writer.said(turn, example.start, example.rejected or "")
    return row | {
        "chosen": text,
        "rejected": other,
        "prompt_ids": turn.ids,
        "chosen_ids": ids,
        "rejected_ids": other_ids,
    }


def _dataset(
    examples: Sequence[Example], trainer: str, recipe: Recipe, tokenizer: Any
) -> datasets.Dataset:
    from datasets import Dataset

    return Dataset.from_list(rows_of(examples, trainer, recipe, tokenizer).rows)


def to_sft(examples: Sequence[Example], recipe: Recipe, tokenizer: Any) -> datasets.Dataset:
    """The data set of TRL's ``SFTTrainer``: ``prompt``, ``completion``, ``input_ids``, ``labels``.

    The labels of prompt and start are -100: they are not in the loss.

    Raises
    ------
    InputError
        As :func:`rows_of`.
    """
    return _dataset(examples, "sft", recipe, tokenizer)


def to_dpo(examples: Sequence[Example], recipe: Recipe, tokenizer: Any) -> datasets.Dataset:
    """The data set of TRL's ``DPOTrainer``: ``prompt``, ``chosen``, ``rejected``, and their ids.

    Raises
    ------
    InputError
        As :func:`rows_of`.
    """
    return _dataset(examples, "dpo", recipe, tokenizer)


def to_grpo(examples: Sequence[Example], recipe: Recipe, tokenizer: Any) -> datasets.Dataset:
    """The data set of TRL's ``GRPOTrainer``: ``prompt``, ``item``, ``start``, ``start_kind``.

    Raises
    ------
    InputError
        As :func:`rows_of`.
    """
    return _dataset(examples, "grpo", recipe, tokenizer)
