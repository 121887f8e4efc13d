"""Examples out, for the trainers that others wrote: each with its data card."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from viva.errors import InputError
from viva.models.templates import load_template
from viva.synthesis.card import CARD, PAGE, data_card, page_of
from viva.synthesis.example import Example
from viva.synthesis.export_rows import RowsMade, rows_to_export
from viva.synthesis.trainer_formats import Trainer, find_trainer

__all__ = ["Exported", "export_examples"]

_CHOOSE = "Name another --out"


class Exported(NamedTuple):
    """What was written."""

    folder: Path
    files: list[Path]
    content: str
    """``sft``, ``dpo`` or ``rl``."""
    n: int
    """Rows."""
    left_out: Mapping[str, int]
    """Examples that make no row, by reason."""


def export_examples(
    examples: Sequence[Example],
    to: str,
    folder: str | os.PathLike[str],
    *,
    content: str | None = None,
    method: str = "cot",
    parameters: Mapping[str, Any] | None = None,
    prompt: str | None = None,
    template: str | os.PathLike[str] | None = None,
    manifest: Mapping[str, Any] | None = None,
) -> Exported:
    """Write examples as a trainer reads them, with ``card.json`` and ``README.md``.

    The prompt is what ``viva eval`` sends with the same method. A start is never in the loss.

    Parameters
    ----------
    examples : sequence of Example
    to : str
        A name of :data:`viva.synthesis.TRAINERS`.
    folder : path
        New, empty, or of an earlier export, which it replaces when all is written.
    content : {"sft", "dpo", "rl"}, optional
        Completions, pairs or prompts to be rewarded; by default what all examples are.
    method, parameters, prompt
        As ``viva eval`` has them.
    template : path, optional
        A model's folder or chat template: rows are then texts under it, not conversations.
    manifest : mapping, optional
        Of the synthesis, for the card.

    Raises
    ------
    InputError
        A trainer that does not take such rows, or has no place for a start; no example that makes
        a row; a folder that holds something else.
    """
    trainer = find_trainer(to)
    target = Path(folder)
    _check(target)
    made = rows_to_export(
        examples, content=content, method=method, parameters=parameters, prompt=prompt,
        template=None if template is None else load_template(Path(template)),
    )  # fmt: skip
    _fits(trainer, to, made, template is not None)
    asked = {
        "to": to,
        "content": made.content,
        "method": method,
        "parameters": dict(parameters or {}),
        "prompt": prompt,
        "template": None if template is None else Path(template).name,
        "rows": len(made.rows),
        "left_out": dict(made.left_out),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=target.parent, prefix=".parts-"))
        try:
            use = trainer.write(made.rows, made.content, new)
            _write_card(new, examples, manifest, asked, use)
            new.chmod(0o755)
            if target.exists():
                shutil.rmtree(target)
            new.replace(target)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror or error})", where=str(target), mend=_CHOOSE
        ) from None
    return Exported(target, sorted(target.iterdir()), made.content, len(made.rows), made.left_out)


def _check(folder: Path) -> None:
    if folder.is_file():
        raise InputError("is a file, not a folder", where=str(folder), mend=_CHOOSE)
    inside = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if inside and (CARD not in inside or "manifest.json" in inside):
        raise InputError(
            f"is not empty and holds no export (first: {inside[0]})", where=str(folder),
            mend=_CHOOSE,
        )  # fmt: skip


def _fits(trainer: Trainer, to: str, made: RowsMade, templated: bool) -> None:
    """Refuse what the trainer would read otherwise than it is meant."""
    content = made.content
    if content not in trainer.contents:
        raise InputError(
            f"{to} takes no rows of {content}",
            mend=f"It takes {' and '.join(trainer.contents)}; trl takes all",
        )
    if templated and content not in trainer.templated:
        raise InputError(
            f"{to} renders {content} rows itself", mend="Leave the template out for it"
        )
    begun = sum(bool(row.example.start) for row in made.rows)
    if begun and not templated and content not in trainer.starts:
        mend = "Give --template MODEL: the start is then the end of the prompt"
        raise InputError(
            f"{to} has no place for the starts of {begun} of {len(made.rows)} {content} rows: "
            "they would be learned",
            mend=mend if content in trainer.templated else "Export to trl, or without starts",
        )


def _write_card(
    folder: Path,
    examples: Sequence[Example],
    manifest: Mapping[str, Any] | None,
    asked: Mapping[str, Any],
    use: str,
) -> None:
    from viva.synthesis._folder import write_json

    card = data_card(examples, manifest) | {"export": dict(asked)}
    files = sorted(path.name for path in folder.iterdir())
    page = page_of(card)
    lost = ", ".join(f"{n:,} {reason}" for reason, n in asked["left_out"].items())
    lines = [
        f"Rows for {asked['to']} ({asked['content']}): {asked['rows']:,}; prompts of the method "
        f"`{asked['method']}`.",
        *([f"Examples that make no row: {lost}."] if lost else []),
        "",
        f"Files: {', '.join(f'`{name}`' for name in files)}. {use}"
        if not use.startswith("```")
        else f"Files: {', '.join(f'`{name}`' for name in files)}.\n\n{use}",
        "",
    ]
    head, _, rest = page.partition("## Limits")
    write_json(folder / CARD, card)
    used = "## Use\n\n" + "\n".join(lines) + "\n## Limits"
    text = _front_matter(card, files) + head + used + rest
    (folder / PAGE).write_text(text, encoding="utf-8")


def _front_matter(card: Mapping[str, Any], files: Sequence[str]) -> str:
    """What a hub reads of a data set's page; one file is its configuration."""
    data = next((n for n in files if n.startswith(("train", "sharegpt", "alpaca"))), files[0])
    known = [name for name in card["licences"] if name != "not known"]
    one = known[0].lower() if len(known) == 1 and len(card["licences"]) == 1 else "other"
    plain = one if one.replace("-", "").replace(".", "").isalnum() else "other"
    return "\n".join(
        ["---", f"license: {plain}", "tags: [medical, viva]", "configs:",
         "- config_name: default", f"  data_files: {data}", "---", "", ""]
    )  # fmt: skip
