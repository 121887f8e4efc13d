"""Make the pages of docs/ that follow from the code and from docs/papers.toml.

``python tools/build_docs.py`` writes them; ``--check`` compares instead, prints the pages that
differ and exits with 1 if there is any, so that no page can fall behind the code.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import random
import re
import sys
import textwrap
import tomllib
import types
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from itertools import zip_longest
from pathlib import Path
from typing import Any

import typer.main

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

NOTE = "<!-- Made by tools/build_docs.py: change {source}, then run `make docs`. -->"

STATES = ("works", "adapter only", "not yet")

ROOMS = (
    "viva",
    "viva.records",
    "viva.targets",
    "viva.errors",
    "viva.benchmarks",
    "viva.formats",
    "viva.models",
    "viva.answers",
    "viva.scoring",
    "viva.scoring.calculators",
    "viva.judging",
    "viva.strata",
    "viva.worlds",
    "viva.probes",
    "viva.methods",
    "viva.runs",
    "viva.analysis",
    "viva.report",
    "viva.synthesis",
    "viva.training",
    "viva.training.rewards",
)
"""Rooms of the reference, in reading order."""


def first_line(thing: object) -> str:
    """The first sentence of a docstring, on one line."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")


def cell(text: str) -> str:
    """Text for a cell of a Markdown table; what looks like HTML stays text."""
    parts = text.replace("|", "\\|").split("`")
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]  # outside of code
    return " ".join("`".join(parts).split())


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


# The command line ------------------------------------------------------------------------------
# Only what every version of typer gives a command and a parameter is used.


def _parameters(command: Any) -> list[list[str]]:
    rows = []
    for parameter in command.params:
        if getattr(parameter, "hidden", False) or parameter.name == "help":
            continue
        if parameter.opts[0].startswith("-"):
            names = ", ".join(f"`{n}`" for n in [*parameter.opts, *parameter.secondary_opts])
            names += ", repeatable" if getattr(parameter, "multiple", False) else ""
        else:
            names = f"`{parameter.name.upper()}`" + (" ..." if parameter.nargs == -1 else "")
        default = parameter.default
        empty = default is None or default is False or default in ((), [])
        shown = "" if empty or callable(default) else f"`{default}`"
        shown = "required" if parameter.required else shown
        rows.append([names, getattr(parameter, "help", None) or "", shown])
    return rows


def _example(match: re.Match[str]) -> str:
    lines = [line.strip() for line in match[1].splitlines() if line.strip()]
    return "\n".join(["```text", *lines, "```", "", ""])


def _command(command: Any, path: str, depth: int) -> list[str]:
    help_ = inspect.cleandoc(command.help or "").replace("\b", "").split("\f")[0].strip()
    help_ = re.sub(r"(?m)((?:^ {4}.*\n*)+)", _example, help_).strip()
    parts = [f"{'#' * min(depth, 4)} `{path}`", help_]
    if rows := _parameters(command):
        parts.append(table(("argument", "meaning", "default"), rows))
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            parts += _command(inner, f"{path} {name}", depth + 1)
    return parts


def cli() -> str:
    """Every command, its arguments and what they mean, from the program itself."""
    app = importlib.import_module("viva.cli.main").app
    command = typer.main.get_command(app)
    parts = [NOTE.format(source="src/viva/cli"), "# The command line"]
    parts += _command(command, "viva", 2)
    return "\n\n".join(part for part in parts if part) + "\n"


# Extension points ------------------------------------------------------------------------------

POINTS = (
    (
        "Formats of answers files",
        "viva.formats",
        "FORMATS",
        "Each is a `viva.formats.Format`: it recognises a file and reads it as responses.",
    ),
    (
        "Adapters of benchmark files",
        "viva.benchmarks",
        "ADAPTERS",
        "Each is a `viva.benchmarks.Adapter`: the fields it needs, and how a row becomes an item.",
    ),
    (
        "Benchmarks",
        "viva.benchmarks",
        "CARDS",
        "A card in `src/viva/benchmarks/cards.toml`; all of them: [Benchmarks](benchmarks.md).",
    ),
    (
        "Benchmarks that are made",
        "viva.benchmarks",
        "MADE",
        "Each is a `viva.benchmarks.Maker`: from a seed to endless items; read as `made:NAME`.",
    ),
    (
        "Formats that answers go out in",
        "viva.formats",
        "EXPORTS",
        "Each is a `viva.formats.Export`: it writes items, responses and scores as "
        "another tool does.",
    ),
    (
        "Back-ends",
        "viva.models",
        "BACKENDS",
        "Each is a `viva.models.BackendKind`: it makes a `viva.models.Backend` of what follows its "
        "name in `--model`.",
    ),
    (
        "Arms of a start",
        "viva.models",
        "ARMS",
        "How a given start is put before a model; each has its own name in records.",
    ),
    (
        "Methods",
        "viva.methods",
        "METHODS",
        "Each is a `viva.methods.Method`: an asynchronous function from an item and a client to an "
        "answer, and what it needs of the client. Its keyword parameters are those of `--set`.",
    ),
    (
        "Probes",
        "viva.probes",
        "PROBES",
        "Each is a `viva.probes.Probe`: a function from an item and a source of random numbers to "
        "its variants, and the relation they must keep.",
    ),
    (
        "Readers by kind of target",
        "viva.answers",
        "TARGETS",
        "A function from a text and the form of the answer to what was answered, or why nothing "
        "was read.",
    ),
    (
        "Metrics",
        "viva.scoring",
        "METRICS",
        "Each is a `viva.scoring.Metric`: a pure function from an item and the value read to "
        "marks, what an unread answer costs, and how items are put together. More names are made "
        "by rule: [Scoring](scoring.md).",
    ),
    (
        "Profiles of judged reasoning",
        "viva.judging",
        "PROFILES",
        "Each is a `viva.judging.Profile`, a TOML file in `src/viva/judging/profiles`: units, "
        "labels and ratios.",
    ),
    (
        "Judges by rule",
        "viva.judging",
        "RULES",
        "For tests and offline use, as `--judge rule/NAME`.",
    ),
    (
        "Steps of synthesis",
        "viva.synthesis",
        "STEPS",
        "Each is a `viva.synthesis.Step`: a function from examples to those kept and those dropped "
        "with a reason; its keyword parameters are its settings. Entry points are named "
        "`synthesis.NAME`; all of it: [Synthesis](synthesis.md).",
    ),
    (
        "Trainers that examples are written for",
        "viva.synthesis",
        "TRAINERS",
        "Each is a `viva.synthesis.Trainer`: it writes rows as another project's trainer reads "
        "them, as `--to NAME`.",
    ),
    (
        "Readers of other tools",
        "viva.answers.peers",
        "PEERS",
        "For comparison only: how far an accuracy moves with the reader.",
    ),
)
"""Title, module, name of the table in it, how to add to it."""


def _entries(table_: Any) -> list[tuple[str, object]]:
    if isinstance(table_, Mapping):
        return [(str(name), value) for name, value in table_.items()]
    return [(str(getattr(value, "name", value)), value) for value in table_]


def _says(value: object) -> str:
    if isinstance(value, str):
        return value
    for field in ("about", "title", "summary", "in_words", "description", "source"):
        text = getattr(value, field, None)
        if isinstance(text, str):
            return text
    if callable(value) and not inspect.isclass(value):
        return first_line(value)
    for field in ("read", "function", "estimate"):
        inner = getattr(value, field, None)
        if callable(inner):
            return first_line(inner)
    return first_line(type(value))


def extending() -> str:
    """Every table that can be added to, with what is in it."""
    from viva import _plugins

    kinds = ", ".join(f"`{kind}.NAME`" for kind in _plugins.KINDS)
    parts = [
        NOTE.format(source="the tables it lists"),
        "# Extension points",
        "Each kind of part is a table in the code: a name, and a function or a record of a fixed "
        "shape. A new part is one entry more, and its test.",
        "A package outside Viva adds parts without a change to Viva, through entry points of the "
        f"group `{_plugins.GROUP}`, named {kinds}:",
        '```toml\n[project.entry-points.viva]\n"format.mytool" = "mypackage.viva:FORMAT"\n```',
        "They are imported when they are looked up, not before. One that cannot be loaded is "
        "reported with its name and left out.",
    ]
    for title, module, name, how in POINTS:
        entries = _entries(getattr(importlib.import_module(module), name))
        parts += [
            f"## {title}",
            f"`{module}.{name}`. {how}",
            table(("name", "what"), [[f"`{key}`", _says(value)] for key, value in entries]),
        ]
    return "\n\n".join(parts) + "\n"


# Reference -------------------------------------------------------------------------------------


class _Bare(str):
    """An annotation that was written down as text, shown without quotes."""

    def __repr__(self) -> str:
        return str(self)


def _bare(annotation: Any) -> Any:
    return _Bare(annotation) if isinstance(annotation, str) else annotation


def _signature(thing: object) -> str:
    if not inspect.isfunction(inspect.unwrap(thing)):  # type: ignore[arg-type]
        return ""
    signature = inspect.signature(thing)
    parameters = [
        p.replace(annotation=_bare(p.annotation), default=_default(p.default))
        for p in signature.parameters.values()
    ]
    return str(
        signature.replace(
            parameters=parameters, return_annotation=_bare(signature.return_annotation)
        )
    )


class _Named:
    """A default that is a function: its name, without the address it has in this process."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


def _default(value: object) -> object:
    return _Named(value.__name__) if inspect.isfunction(value) else value


def _constant(value: object) -> str:
    """A value that is short enough, or the names in a table."""
    if isinstance(value, Mapping):
        names = [f"`{name}`" for name in list(value)[:12]]
        return "table: " + ", ".join(names) + (" ..." if len(value) > 12 else "")
    if isinstance(value, types.UnionType):
        return "any of " + ", ".join(f"`{kind.__name__}`" for kind in value.__args__)
    text = repr(value)
    if isinstance(value, Set):  # a set's own order is another in every process
        text = "{" + ", ".join(sorted(map(repr, value))) + "}"
    return f"`{text}`" if len(text) <= 100 and " at 0x" not in text else type(value).__name__


def reference() -> str:
    """The public names of every room."""
    parts = [
        NOTE.format(source="the docstrings"),
        "# Reference",
        "The public names, by room. `help(name)` in Python shows the whole of each description: "
        "parameters with shapes, units and ranges, errors, and the source of a formula.",
    ]
    for room in ROOMS:
        module = importlib.import_module(room)
        parts += [f"## `{room}`", first_line(module)]
        rows = []
        for name in module.__all__:
            thing = getattr(module, name)
            if name.startswith("__"):
                continue
            is_part = inspect.isfunction(inspect.unwrap(thing)) or inspect.isclass(thing)
            says = first_line(thing) if is_part else _constant(thing)
            rows.append([f"`{name}{_signature(thing)}`", says])
        parts.append(table(("name", "what"), rows))
    return "\n\n".join(parts) + "\n"


# Published systems -----------------------------------------------------------------------------


def papers() -> str:
    """What of the published systems works today, from docs/papers.toml."""
    listed = tomllib.loads((DOCS / "papers.toml").read_text("utf-8"))["paper"]
    for paper in listed:
        if paper["state"] not in STATES:
            sys.exit(f"docs/papers.toml: {paper['id']}: state {paper['state']!r}")
        if (paper["state"] == "works") != ("command" in paper):
            sys.exit(f"docs/papers.toml: {paper['id']}: `works` and `command` go together")
    counts = Counter(paper["state"] for paper in listed)
    parts = [
        NOTE.format(source="docs/papers.toml"),
        "# Published systems",
        f"Viva is to cover {len(listed)} published systems. Each has one sentence that can be "
        "tested. *works*: it holds today, and the command shows it. *adapter only*: its files can "
        "be read and a part of the sentence holds. A `*` after a year: from memory.",
        table(("state", "systems"), [[state, str(counts[state])] for state in STATES]),
    ]
    for state in STATES:
        rows = [
            [
                f"`{p['id']}`",
                f"{p['title']}, {p['year']} ({p['kind']})",
                p["works_when"],
                " ".join([f"`{p['command']}`" if "command" in p else "", p.get("note", "")]),
            ]
            for p in listed
            if p["state"] == state
        ]
        if rows:
            parts.append(f"## {state[0].upper()}{state[1:]}")
            parts.append(table(("id", "system", "works when", "today"), rows))
    return "\n\n".join(parts) + "\n"


# Recipes ---------------------------------------------------------------------------------------

_NAMED = ("name", "trainer", "settings")


def _plain_value(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain_value(value)}" for name, value in values.items())


def _stage(stage: Any) -> list[str]:
    """The rows of a stage: what is asked of it, and its settings."""
    told = stage.model_dump(exclude_defaults=True)
    asked = "; ".join(
        f"{name}: {_listed(value) if isinstance(value, dict) else _plain_value(value)}"
        for name, value in told.items()
        if name not in _NAMED
    )
    return [f"`{stage.name}`", stage.trainer, asked, _listed(stage.settings)]


def recipes() -> str:
    """The shipped recipes, and where each departs from its paper."""
    from viva.training.recipes import read_recipe
    from viva.training.recipes import recipes as shipped

    read = [read_recipe(name) for name in shipped()]
    rows = [
        [
            f"[`{each.id}`](#{slug(each.id)})",
            each.paper.replace(":", " ") if each.paper else "none: a beginning for your own",
            ", ".join(stage.trainer for stage in each.stages),
            each.summary,
        ]
        for each in read
    ]
    parts = [
        NOTE.format(source="src/viva/recipes"),
        "# Recipes",
        "What published systems train, as files of this package (`src/viva/recipes`): steps that "
        "make the data, stages, rewards, settings. `viva train ID` trains by one, "
        "[Training](training.md) says how. Each number says in its file whether it is the "
        "paper's, the nearest public recipe's or ours; what is not known of a paper, or done "
        "otherwise here, is listed below. None has been trained here at the size of its paper: "
        "the tests train tiny models.",
        table(("recipe", "paper", "stages", "what it does"), rows),
    ]
    for each in read:
        parts += [f"## {each.id}", f"{each.title}. {each.summary}"]
        facts = [f"written for `{each.base}`"] if each.base else []
        facts += [f"method `{each.method}`, thinking `{each.thinking}`"]
        if each.needs_gpu:
            facts.append("refused without a GPU, unless with `--allow-cpu`")
        steps = [
            f"`{step.step}`" + (f" ({_listed(step.settings)})" if step.settings else "")
            for step in each.synthesis
        ]
        facts += [f"data: {', '.join(steps)}"] if steps else []
        parts.append("\n".join(f"- {fact}" for fact in facts))
        parts.append(table(("stage", "kind", "asks for", "settings"), map(_stage, each.stages)))
        if each.departs:
            parts.append("Where it departs:\n\n" + "\n".join(f"- {one}" for one in each.departs))
    return "\n\n".join(parts) + "\n"


def schema() -> str:
    """The JSON Schema of summary.json."""
    from viva import _summary

    return json.dumps(_summary.json_schema(), indent=2, ensure_ascii=False) + "\n"


def robustness_schema() -> str:
    """The JSON Schema of the summary.json of `viva probe analyse`."""
    from viva import _probe_summary

    return json.dumps(_probe_summary.json_schema(), indent=2, ensure_ascii=False) + "\n"


# Benchmarks ------------------------------------------------------------------------------------


def _domain(card: Any) -> str:
    return "in domain" if card.in_splitter_domain else "out of domain"


def _card(card: Any) -> str:
    lines = [
        f"source: {card.source} ({card.url})",
        f"licence: {card.licence}; access: {card.access}",
        f"options: {card.options}",
        f"kind: {card.task_family}, {card.modality}, {card.language}",
        f"splitter: {_domain(card)}, {card.domain_reason}",
    ]
    lines += [f"on the hub: `hub:{card.hub}`"] if card.hub else []
    aliases = ", ".join(f"`{alias}`" for alias in card.aliases)
    lines += [f"also called: {aliases}"] if aliases else []
    lines += [f"known defect: {defect}" for defect in card.known_defects]
    lines += [f"SHA-256 of `{file}`: `{digest}`" for file, digest in card.sha256]
    return f"{card.title}. {card.citation}\n\n" + "\n".join(f"- {line}" for line in lines)


def _rules() -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table in the docstring of :mod:`viva.benchmarks.fields`."""
    text = importlib.import_module("viva.benchmarks.fields").__doc__ or ""
    lines = [re.split(r"\s{2,}", line, maxsplit=1) for line in text.splitlines()]
    head, *rows = [line for line in lines if len(line) == 2 and not line[0].startswith("=")]
    return head, [[rule, meaning.replace("``", "`")] for rule, meaning in rows]


def benchmarks() -> str:
    """The cards, the formats and the rule by which an answer names an option."""
    from viva import benchmarks as room

    parts = [NOTE.format(source="the cards or adapters in src/viva/benchmarks"), "# Benchmarks"]
    head = ("name", "title", "items", "item_id", "options", "access", "licence", "splitter")
    rows = [
        [f"[`{c.name}`](#{c.name})", c.title, "" if c.items is None else f"{c.items:,}", c.ids,
         c.options, c.access, c.licence, _domain(c)]
        for c in room.CARDS.values()
    ]  # fmt: skip
    access = importlib.import_module("viva.benchmarks.cards").ACCESS.items()
    parts += [
        table(head, rows),
        "Access: " + "; ".join(f"*{name}*: {meaning}" for name, meaning in access) + ".",
        "## Formats",
        "Found from the fields of a file, in this order, or named with `adapter=`.",
    ]
    adapters = []
    for name, adapter in room.ADAPTERS.items():
        fields = " ".join(f"`{field}`" for field in sorted(adapter.required))
        if adapter.shape != "rows":
            fields += f" (made from a file of the shape *{adapter.shape}*)"
        adapters.append([f"`{name}`", adapter.about, fields])
    hub = [[f"`{h.name}`", f"`{h.path}`", f"`{h.adapter}`"] for h in room.HUB.values()]
    parts += [
        table(("adapter", "reads", "fields"), adapters),
        "## The answer of a generic items file",
        "The first rule that applies decides.",
        table(*_rules()),
        "## Hub",
        table(("`hub:NAME`", "path", "adapter"), hub),
        "## Cards",
    ]
    for card in room.CARDS.values():
        parts += [f"### {card.name}", _card(card)]
    return "\n\n".join(parts) + "\n"


# Probes ----------------------------------------------------------------------------------------

SHOWN = 20
"""Variants shown of each probe."""


def _plain(text: str) -> str:
    """Text on one line in which nothing is taken for Markdown."""
    return re.sub(r"([\\`*_\[\]<>#|~$])", r"\\\1", " ".join(text.split()))


def _mixed_items() -> list[Any]:
    """Bundled items in an order drawn once, the benchmarks taking turns."""
    from viva.benchmarks import bundled
    from viva.formats.run import items_of

    drawn = random.Random(20)
    turns = []
    for _, part in sorted(bundled().items.group_by("benchmark"), key=lambda pair: pair[0]):
        rows = drawn.sample(range(part.height), part.height)
        turns.append(list(items_of(part[rows])))
    return [item for turn in zip_longest(*turns) for item in turn if item is not None]


def _shown(name: str, items: list[Any]) -> list[tuple[Any, Any]]:
    """The first variants of a probe, one of each item, with their originals."""
    from viva.probes import variants

    found = []
    for item in items:
        if made := variants([item], name, seed=0).variants:
            found.append((item, made[0]))
        if len(found) == SHOWN:
            break
    return found


def probe_samples() -> str:
    """Twenty variants of each probe, made from the bundled items."""
    from viva.probes import PROBES
    from viva.records import LETTERS

    items = _mixed_items()
    used: dict[str, Any] = {}
    rows, sections = [], []
    for name, probe in PROBES.items():
        found = _shown(name, items)
        controls = ", ".join(f"`{control}`" for control in probe.control)
        rows.append([f"[`{name}`](#{slug(name)})" if found else f"`{name}`",
                     probe.description, str(probe.relation), controls])  # fmt: skip
        if not found:
            continue
        lines = []
        for item, variant in found:
            key = f"{item.benchmark}/{item.item_id}"
            used[key] = item
            cue = f", cue {variant.cue}" if variant.cue else ""
            text = variant.start.text if variant.start else variant.note or ""
            lines.append(f"1. {_plain(key)}{cue}: {_plain(text)}")
        sections += [f"### {name}", "\n".join(lines)]
    parts = [
        NOTE.format(source="the probes in src/viva/probes"),
        "# Variants, to be read",
        f"The first {SHOWN} variants of each probe with seed 0, over bundled items in an order "
        "that was drawn once. What the variants are for: [Probes](probes.md). The questions they "
        "belong to stand [at the end](#the-questions). Starts are shown for the arm `prefill`; of "
        "a changed item the change is shown.",
        "## The probes",
        table(("probe", "what", "the answer", "control arms"), rows),
        "Probes without a link apply to no bundled item: they need traces, parallel texts or "
        "other things that come with the items.",
        "## Variants",
        *sections,
        "## The questions",
    ]
    for key, item in sorted(used.items()):
        question = textwrap.shorten(item.question, 700, placeholder=" ...")
        right = set(getattr(item.target, "indices", None) or [item.target.index])
        bold = ["**" if i in right else "" for i in range(len(item.options))]
        options = "; ".join(
            f"{b}{letter}. {_plain(option)}{b}"
            for b, letter, option in zip(bold, LETTERS, item.options, strict=False)
        )
        parts.append(f"**{_plain(key)}** {_plain(question)} {options}")
    return "\n\n".join(parts) + "\n"


def slug(heading: str) -> str:
    """The anchor of a heading, as the common renderers make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


PAGES: dict[str, Callable[[], str]] = {
    "benchmarks.md": benchmarks,
    "cli.md": cli,
    "extending.md": extending,
    "papers.md": papers,
    "probe_samples.md": probe_samples,
    "recipes.md": recipes,
    "reference.md": reference,
    "robustness.schema.json": robustness_schema,
    "summary.schema.json": schema,
}
"""Generated files of docs/ and what makes them."""


def main() -> int:
    """Write the pages, or compare them with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=", ".join(PAGES))
    arguments = parser.parse_args()
    behind = []
    for name in arguments.pages or PAGES:
        path, text = DOCS / name, PAGES[name]()
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        if arguments.check:
            behind.append(name)
        else:
            path.write_text(text, "utf-8")
            print(f"wrote docs/{name}")
    for name in behind:
        print(f"docs/{name} is behind the code: run `make docs`")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main())
