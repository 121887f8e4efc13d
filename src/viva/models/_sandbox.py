"""Where chat templates run: jinja2's immutable sandbox, with bounds on steps, time and texts."""

from __future__ import annotations

import datetime
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2
    import jinja2.nodes
    from jinja2.parser import Parser

__all__ = ["MOST_SECONDS", "MOST_STEPS", "begin", "compiled", "errors"]

MOST_STEPS = 200_000
"""Rounds of loops and calls of macros in one rendering."""

MOST_SECONDS = 5.0
"""Time of one rendering."""

_LONGEST = 64 * 2**20
_MOST_BITS = 4096
_STEPS_BETWEEN_LOOKS = 1024


def errors() -> tuple[type[Exception], ...]:
    """What a template can raise when it is compiled or rendered."""
    import jinja2

    return (
        jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError,
        RecursionError, MemoryError,
    )  # fmt: skip


class _Meter:
    """Counts the steps of a rendering and ends it where it takes too many or too long."""

    def __init__(self) -> None:
        self.steps = 0
        self.until = 0.0

    def begin(self) -> None:
        self.steps = 0
        self.until = time.monotonic() + MOST_SECONDS

    def step(self) -> str:
        import jinja2

        self.steps += 1
        late = self.steps % _STEPS_BETWEEN_LOOKS == 0 and time.monotonic() > self.until
        if late or self.steps > MOST_STEPS:
            raise jinja2.TemplateError("it takes too long")
        return ""


def _bounded(operator: str, left: Any, right: Any) -> None:
    """Refuse an operation whose result would be beyond all use; before it is made."""
    import jinja2

    size = 0
    if operator == "**" and isinstance(left, int) and isinstance(right, int):
        size = left.bit_length() * max(right, 0) // _MOST_BITS * _LONGEST
    elif operator == "*":
        for one, other in ((left, right), (right, left)):
            if isinstance(one, str | list | tuple) and isinstance(other, int):
                size = len(one) * max(other, 0)
        if isinstance(left, int) and isinstance(right, int):
            size = (left.bit_length() + right.bit_length()) // _MOST_BITS * _LONGEST
    elif operator == "+" and isinstance(left, str | list | tuple):
        size = len(left) + (len(right) if isinstance(right, str | list | tuple) else 0)
    if size >= _LONGEST:
        raise jinja2.TemplateError("it makes too long a text or too large a number")


def _environment() -> jinja2.Environment:
    import jinja2
    import jinja2.nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        """The sandbox that transformers uses, which also measures."""

        intercepted_binops = frozenset({"*", "**", "+"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            _bounded(operator, left, right)
            return super().call_binop(context, operator, left, right)

    class Generation(Extension):
        """``{% generation %}`` marks what the assistant says; for a prompt it means nothing."""

        tags = {"generation"}  # noqa: RUF012  jinja's own shape

        def parse(self, parser: Parser) -> list[jinja2.nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def raise_exception(message: object) -> None:
        raise jinja2.TemplateError(str(message))

    def tojson(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(
            value,
            ensure_ascii=ensure_ascii,
            indent=indent if indent is None else min(indent, 16),
            separators=separators,
            sort_keys=sort_keys,
        )

    def strftime_now(form: str) -> str:
        return datetime.datetime.now().strftime(form)  # local time, as transformers takes it

    environment = Sandbox(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    meter = _Meter()

    def joined(*values: Any) -> str:
        texts = [str(value) for value in values]
        _bounded("+", texts[0], "".join(texts[1:]) if sum(map(len, texts)) < _LONGEST else
                 ["x"] * _LONGEST)  # fmt: skip
        return "".join(texts)

    environment.extend(viva_meter=meter, viva_step=meter.step, viva_joined=joined)
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = strftime_now
    return environment


def _call(name: str, arguments: list[jinja2.nodes.Expr]) -> jinja2.nodes.Call:
    """A call of an attribute of the environment, which no variable can stand before."""
    from jinja2 import nodes

    return nodes.Call(nodes.EnvironmentAttribute(name), arguments, [], None, None)


def compiled(source: str) -> jinja2.Template:
    """A chat template, every loop and macro of which counts its steps.

    Parameters
    ----------
    source : str
        The template.

    Raises
    ------
    Exception
        One of :func:`errors`.
    """
    import jinja2
    from jinja2 import nodes
    from jinja2.visitor import NodeTransformer

    class Measured(NodeTransformer):
        """Puts a step into the body of what can repeat, and a bound on what joins texts."""

        def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  jinja's name
            self.generic_visit(node)
            node.body.insert(0, nodes.ExprStmt(_call("viva_step", [])))
            return node

        def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
            self.generic_visit(node)
            node.body.insert(0, nodes.ExprStmt(_call("viva_step", [])))
            return node

        def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
            self.generic_visit(node)
            return _call("viva_joined", node.nodes)

    environment = _environment()
    tree = Measured().visit(environment.parse(source))
    for node in tree.iter_child_nodes():
        node.set_environment(environment)
    code = environment.compile(tree)
    return jinja2.Template.from_code(environment, code, environment.make_globals(None))


def begin(template: jinja2.Template) -> None:
    """Set the meter of a template's sandbox to nothing, before a rendering."""
    template.environment.viva_meter.begin()  # type: ignore[attr-defined]
