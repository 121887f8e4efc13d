"""What happens in a training: one line a logged step in ``log.jsonl``, and a live view of it.

Only numbers are written. A training that goes on from a checkpoint first takes away the lines
behind it, so that no step stands there twice.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from viva._files import parse_json
from viva.errors import InputError
from viva.training._view import Progress, live

if TYPE_CHECKING:
    import polars as pl
    from transformers import TrainerCallback

__all__ = [
    "COLUMNS",
    "LOG",
    "Counted",
    "Recorder",
    "log_line",
    "quiet",
    "read_log",
    "recording",
    "truncate_log",
]

LOG = "log.jsonl"
"""Name of the log in a stage's folder."""

_Own = TypeVar("_Own")


class Counted(Protocol):
    """What is counted beside the trainer: :class:`viva.training.reward_functions.Counts`."""

    def copy(self: _Own) -> _Own:
        """As it is now."""
        ...

    def since(self: _Own, before: _Own) -> _Own:
        """What was added since."""
        ...

    def shares(self) -> dict[str, float]:
        """Numbers by name."""
        ...


COLUMNS: Mapping[str, str] = {
    "step": "optimiser step, from 1",
    "epoch": "passes over the data",
    "loss": "mean over the steps since the line before",
    "learning_rate": "of the last step",
    "grad_norm": "norm of the gradient before it is clipped",
    "reward": "mean of the completions, GRPO",
    "reward_std": "standard deviation of the rewards",
    "share_none": "completions to which no reward applies, 0..1",
    "share_unread": "completions whose answer is not read, 0..1",
    "share_equal": "groups whose rewards are all equal, 0..1",
    "share_truncated": "completions that were cut, 0..1",
    "completion_length": "mean tokens of a completion",
    "kl": "divergence from the reference model",
    "entropy": "mean entropy of the next token, nats",
    "token_accuracy": "share of next tokens that are the likeliest, 0..1",
    "reward_margin": "implicit reward of the preferred side minus the other, DPO",
    "reward_accuracy": "share of pairs in which it is greater, 0..1",
    "tokens": "tokens read and written since the beginning",
    "tokens_per_second": "since the line before",
    "seconds": "since the line before",
    "own_seconds": "spent in rewards and in this log since the line before",
}
"""Columns of a log with their meaning. ``reward/NAME`` are means of single reward functions,
``part/NAME`` of the components that they are made of; ``trainer`` holds whatever else the trainer
logs, under its own names."""

_NAMES = {
    "loss": "loss",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "epoch": "epoch",
    "reward": "reward",
    "reward_std": "reward_std",
    "kl": "kl",
    "entropy": "entropy",
    "num_tokens": "tokens",
    "mean_token_accuracy": "token_accuracy",
    "completions/mean_length": "completion_length",
    "completions/clipped_ratio": "share_truncated",
    "rewards/margins": "reward_margin",
    "rewards/accuracies": "reward_accuracy",
}
"""Names of the trainer and ours."""
_LEFT_OUT = frozenset(("frac_reward_zero_std",))
"""Counted here instead, exactly."""
_LAST = ("train_runtime", "train_loss")
"""Keys of the summary that a trainer logs when it is done: no step."""


def _number(value: Any) -> float | int | None:
    """A finite number; None for all else, so that no text gets into the log."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def log_line(
    step: int,
    logs: Mapping[str, Any],
    counted: Mapping[str, float] | None = None,
    **more: float | None,
) -> dict[str, Any]:
    """One line of the log.

    Parameters
    ----------
    step : int
    logs : mapping
        What the trainer logs; texts are left out, numbers that are not finite are null.
    counted : mapping, optional
        What was counted beside it; ``seconds`` there becomes ``own_seconds``.
    **more : float
        ``seconds``, ``tokens_per_second`` and ``phase``.
    """
    line: dict[str, Any] = {"step": step}
    rest: dict[str, float | int | None] = {}
    for name, value in logs.items():
        if name in _LEFT_OUT or isinstance(value, str):
            continue
        if name in _NAMES:
            line[_NAMES[name]] = _number(value)
        elif name.startswith("rewards/") and name.endswith("/mean"):
            line[f"reward/{name[8:-5]}"] = _number(value)
        else:
            rest[name] = _number(value)
    for name, value in (counted or {}).items():
        known = {"seconds": "own_seconds", "cpu_seconds": "own_cpu_seconds"}
        line[known.get(name, name)] = _number(value)
    line |= {name: _number(value) for name, value in more.items() if value is not None}
    if rest:
        line["trainer"] = rest
    return line


def truncate_log(path: Path, step: int) -> int:
    """Take away the lines behind a step, and one that was cut when its process was killed.

    Parameters
    ----------
    path : pathlib.Path
        There need be none.
    step : int
        Of the checkpoint; 0 empties the log.

    Returns
    -------
    int
        Lines that were taken away.
    """
    if not path.exists():
        return 0
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if line.endswith(b"\n") and _step_of(line) <= step]
    if len(kept) == len(lines):
        return 0
    new = path.with_name(f".new-{path.name}")
    with new.open("wb") as stream:
        stream.writelines(kept)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)
    return len(lines) - len(kept)


def _step_of(line: bytes) -> float:
    try:
        found = json.loads(line)
        return float(found["step"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return math.inf


def read_log(path: str | os.PathLike[str]) -> pl.DataFrame:
    """The log of a stage as a frame, one row a logged step, in order.

    Parameters
    ----------
    path : path
        ``log.jsonl``, or the folder that it lies in.

    Returns
    -------
    polars.DataFrame
        The columns of :data:`COLUMNS` that occur, ``reward/NAME`` and ``part/NAME``; what the
        trainer alone logs as ``trainer/NAME``. All are numbers; null where a line has none.

    Raises
    ------
    InputError
        There is none, or a whole line is no JSON object of a step.
    """
    import polars as pl

    file = Path(path)
    file = file / LOG if file.is_dir() else file
    if not file.is_file():
        raise InputError("there is no log of a training", where=str(path))
    rows: list[dict[str, Any]] = []
    lines = file.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if number == len(lines) or not line.strip():
            continue  # a line without its end is still being written, or was cut
        found = parse_json(line.decode("utf-8", "replace"), where=f"{file}:{number}")
        if not isinstance(found, dict) or not isinstance(found.get("step"), int):
            raise InputError("not a line of a training's log", where=f"{file}:{number}")
        rest = found.pop("trainer", None) or {}
        rows.append(found | {f"trainer/{name}": value for name, value in rest.items()})
    names = dict.fromkeys(name for row in rows for name in row)
    order = [name for name in COLUMNS if name in names] + [n for n in names if n not in COLUMNS]
    data = {name: [_number(row.get(name)) for row in rows] for name in order or ["step"]}
    schema = {name: pl.Int64 if name == "step" else pl.Float64 for name in data}
    return pl.DataFrame(data, schema=schema, strict=False).sort("step", maintain_order=True)


class Recorder:
    """Writes the log and keeps the view up to date. It knows nothing of a trainer.

    Parameters
    ----------
    path : pathlib.Path
        Of the log.
    progress : Progress, optional
        What the live view shows.
    counted : Counted, optional
        What is counted beside the trainer.
    first_step : int
        Steps of phases before, when each phase is a training of its own.
    phase : int, optional
        Written to every line.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        path: Path,
        progress: Progress | None = None,
        *,
        counted: Counted | None = None,
        first_step: int = 0,
        phase: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._progress, self._counted = path, progress, counted
        self._first, self._phase, self._clock = first_step, phase, clock
        self._before: Any = None
        self._at = clock()
        self._tokens: float | None = None
        self._own = 0.0
        self._file: Any = None

    def begin(self, step: int, total: int) -> None:
        """A training begins, or goes on behind a step."""
        truncate_log(self._path, self._first + step)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab")
        self._before = self._counted.copy() if self._counted is not None else None
        self._at, self._tokens = self._clock(), 0.0 if step == 0 else None
        if self._progress is not None:
            self._progress.begin(self._first + step, self._first + total)

    def step(self, step: int) -> None:
        """A step is done, logged or not."""
        if self._progress is not None:
            self._progress.stepped(self._first + step)

    def log(self, step: int, logs: Mapping[str, Any]) -> None:
        """The trainer logs a step."""
        if self._file is None or any(name in logs for name in _LAST):
            return
        began = self._clock()
        seconds = began - self._at
        counted: dict[str, float] = {}
        if self._counted is not None:
            now = self._counted.copy()
            counted, self._before = now.since(self._before).shares(), now
        tokens = _number(logs.get("num_tokens"))
        rate = None
        if tokens is not None and self._tokens is not None and seconds > 0:
            rate = (tokens - self._tokens) / seconds
        line = log_line(self._first + step, logs, counted, seconds=seconds,
                        tokens_per_second=rate, phase=self._phase)  # fmt: skip
        line["own_seconds"] = (line.get("own_seconds") or 0.0) + self._own
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        if self._progress is not None:
            self._progress.logged(line)
        self._at, self._tokens = began, tokens if tokens is not None else self._tokens
        self._own = self._clock() - began

    def end(self) -> None:
        """The training is over, whatever ended it."""
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


@contextmanager
def recording(
    folder: Path,
    title: str,
    *,
    counted: Counted | None = None,
    first_step: int = 0,
    phase: int | None = None,
    show: bool = True,
) -> Iterator[TrainerCallback]:
    """Record a training while the block runs: ``log.jsonl``, and a live view on standard error.

    Parameters
    ----------
    folder : pathlib.Path
        Of the stage.
    title : str
        Of the view.
    counted : Counted, optional
        What is counted beside the trainer: what it adds between two lines is written.
    first_step : int
        Steps of the phases before this one, when each phase is a training of its own.
    phase : int, optional
        Written to every line.
    show : bool
        Whether there is a view.

    Yields
    ------
    transformers.TrainerCallback
        For the trainer; only its main process writes.
    """
    from viva.training._callback import Callback

    progress = Progress(title)
    recorder = Recorder(folder / LOG, progress, counted=counted, first_step=first_step,
                        phase=phase)  # fmt: skip
    try:
        if show and int(os.environ.get("RANK") or 0) == 0:
            with live(progress):
                yield Callback(recorder)
        else:
            yield Callback(recorder)
    finally:
        recorder.end()


def quiet(trainer: Any) -> None:
    """Take the progress bar and the printed dictionaries of transformers from a trainer."""
    from transformers import PrinterCallback, ProgressCallback

    for kind in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(kind)
