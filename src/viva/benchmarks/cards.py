"""A card for each benchmark: where it comes from, under which terms, and what is wrong with it.

The cards are data: ``cards.toml`` beside this module. :func:`cards_page` makes the page
``docs/benchmarks.md`` of them.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from viva.errors import InputError

__all__ = [
    "ACCESS",
    "CARDS",
    "MODALITIES",
    "TASK_FAMILIES",
    "Card",
    "canonical_name",
    "cards_page",
    "find_name",
]

ACCESS = {
    "bundled": "travels with the package",
    "file": "read from the file that its authors publish",
    "hub": "read by name from the Hugging Face hub (`hub:NAME`), or from the same file",
    "on request": "not public as a file: ask its authors",
}

TASK_FAMILIES = (
    "exam",
    "clinical reasoning",
    "literature",
    "hallucination",
)
"""Kinds of task, after the task families of healthcare-LLM surveys; closed-answer kinds only."""

MODALITIES = ("text", "image+text")


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of one benchmark."""

    name: str
    title: str
    source: str
    """Where the original file is published: repository and path."""
    licence: str
    access: str
    """One of :data:`ACCESS`."""
    url: str
    citation: str
    items: int | None
    """Items that the original file yields; None where the file was not read."""
    ids: str
    """What an item's id is."""
    options: str
    """How many options, and how the key is given."""
    in_splitter_domain: bool
    """Whether the splitter has labels of this kind of question."""
    domain_reason: str
    task_family: str
    modality: str
    language: str
    sha256: tuple[tuple[str, str], ...] = ()
    """(file, SHA-256) of the original files that the adapter is tested on."""
    known_defects: tuple[str, ...] = ()
    hub: str | None = None
    """The name to read it by from the hub: ``hub:NAME``."""
    aliases: tuple[str, ...] = ()
    """Names that other tools give it."""


def _load() -> dict[str, Card]:
    raw = tomllib.loads(Path(__file__).with_name("cards.toml").read_text(encoding="utf-8"))
    cards = {}
    for name, fields in raw.items():
        fields["sha256"] = tuple(sorted(fields.pop("sha256", {}).items()))
        for several in ("known_defects", "aliases"):
            fields[several] = tuple(fields.pop(several, ()))
        cards[name] = Card(name=name, items=fields.pop("items", None), **fields)
    return cards


CARDS: dict[str, Card] = _load()
"""Every card, by the benchmark's name."""


def _bare(name: str) -> str:
    """A name without case, organisation, separators: ``openai/MedQA-USMLE`` -> ``medqausmle``."""
    return re.sub(r"[^a-z0-9]", "", name.rsplit("/", 1)[-1].casefold())


_BY_ALIAS = {_bare(alias): card.name for card in CARDS.values() for alias in card.aliases}
_BY_ALIAS |= {_bare(name): name for name in CARDS}


def find_name(alias: str) -> str | None:
    """The name that a benchmark has here, from a name that another tool gives it, or None."""
    return _BY_ALIAS.get(_bare(alias))


def canonical_name(alias: str) -> str:
    """The name that a benchmark has here, from a name that another tool gives it.

    Case and separators do not matter: ``MedQA-4options`` is ``medqa_4options`` is ``medqa``.

    Raises
    ------
    InputError
        An unknown name; the nearest known ones are suggested.
    """
    import difflib

    found = find_name(alias)
    if found is not None:
        return found
    near = difflib.get_close_matches(_bare(alias), _BY_ALIAS, n=3, cutoff=0.6)
    names = list(dict.fromkeys(_BY_ALIAS[n] for n in near))
    mend = f"Did you mean {' or '.join(names)}?" if names else f"Known: {', '.join(CARDS)}"
    raise InputError(f"unknown benchmark {alias!r}", mend=mend)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def cards_page() -> str:
    """The page ``docs/benchmarks.md``: every card and every format, from the code."""
    from viva.benchmarks.adapters import ADAPTERS
    from viva.benchmarks.fields import __doc__ as fields_doc
    from viva.benchmarks.hub import HUB

    out = [
        "# Benchmarks",
        "",
        "Made from the cards and the table of adapters by `viva.benchmarks.cards_page()`; "
        "a check compares the two.",
        "",
        "| name | title | items | item_id | options | access | licence | splitter |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for card in CARDS.values():
        row = [
            f"[`{card.name}`](#{card.name})",
            card.title,
            "" if card.items is None else f"{card.items:,}",
            card.ids,
            card.options,
            card.access,
            card.licence,
            "in domain" if card.in_splitter_domain else "out of domain",
        ]
        out.append("| " + " | ".join(_cell(c) for c in row) + " |")
    out += ["", "Access: " + "; ".join(f"*{k}*: {v}" for k, v in ACCESS.items()) + ".", ""]
    out += ["## Formats", "", "Found from the fields of a file, in this order, or named with "
            "`adapter=`.", "", "| adapter | reads | fields |", "|---|---|---|"]  # fmt: skip
    for name, adapter in ADAPTERS.items():
        fields = " ".join(f"`{f}`" for f in sorted(adapter.required))
        if adapter.shape != "rows":
            fields += f" (made from a file of the shape *{adapter.shape}*)"
        out.append(f"| `{name}` | {_cell(adapter.about)} | {fields} |")
    out += ["", "## The answer of a generic items file", ""]
    table = [line for line in (fields_doc or "").splitlines() if re.match(r"\S.*?\s{2,}\S", line)]
    rows = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in table]
    rows = [row for row in rows if len(row) == 2 and not row[0].startswith("=")]
    out += ["The first rule that applies decides.", "", f"| {rows[0][0]} | {rows[0][1]} |",
            "|---|---|"]  # fmt: skip
    out += [f"| {_cell(a)} | {_cell(b.replace('``', '`'))} |" for a, b in rows[1:]]
    out += ["", "## Hub", "", "| `hub:NAME` | path | adapter |", "|---|---|---|"]
    out += [f"| `{h.name}` | `{h.path}` | `{h.adapter}` |" for h in HUB.values()]
    out += ["", "## Cards", ""]
    for card in CARDS.values():
        out += [f"### {card.name}", "", f"{card.title}. {card.citation}", ""]
        out += [
            f"- source: {card.source} ({card.url})",
            f"- licence: {card.licence}; access: {card.access}",
            f"- options: {card.options}",
            f"- kind: {card.task_family}, {card.modality}, {card.language}",
            f"- splitter: {'in' if card.in_splitter_domain else 'out of'} domain, "
            f"{card.domain_reason}",
        ]
        out += [f"- on the hub: `hub:{card.hub}`"] if card.hub else []
        if card.aliases:
            out.append(f"- also called: {', '.join(f'`{a}`' for a in card.aliases)}")
        out += [f"- known defect: {d}" for d in card.known_defects]
        out += [f"- SHA-256 of `{file}`: `{digest}`" for file, digest in card.sha256]
        out.append("")
    return "\n".join(out).rstrip() + "\n"
