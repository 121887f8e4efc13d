"""Parameters of methods: read off their signatures, set from text, and named in records."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from viva.errors import InputError, did_you_mean
from viva.methods.prompts import Prompt
from viva.methods.table import default_prompt, find_method

__all__ = ["Parameter", "method_label", "parameters", "set_parameters"]

_ENGINE = ("item", "client", "sampling", "prompt")
"""What the engine passes: not set by name."""


class Parameter(NamedTuple):
    """One parameter of a method."""

    name: str
    kind: str
    """``int``, ``float``, ``bool``, ``str``, or the words it can be: ``fixed | similar``."""
    default: Any
    about: str
    """What it means, from the method's docstring."""
    annotation: Any
    """Its type with its range."""


@cache
def _parameters(name: str) -> Mapping[str, Parameter]:
    ask = find_method(name).ask
    types = get_type_hints(ask, include_extras=True)
    about = _described(inspect.getdoc(ask) or "")
    return {
        p.name: Parameter(
            p.name, _kind(types.get(p.name, str)), p.default, about.get(p.name, ""),
            types.get(p.name, str),
        )
        for p in inspect.signature(ask).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.name not in _ENGINE
    }  # fmt: skip


def parameters(name: str) -> Mapping[str, Parameter]:
    """The parameters of a method by name, in the order of its signature.

    Raises
    ------
    InputError
        An unknown method.
    """
    find_method(name)  # an error is not worth keeping
    return _parameters(name)


def set_parameters(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a method, typed: what was given, and defaults for the rest.

    Parameters
    ----------
    name : str
        The method.
    given : mapping
        Values by parameter, of their type or as text: ``{"k": "9"}``. ``none`` as text is None
        where the parameter may be None.

    Returns
    -------
    dict
        Every parameter, in the order of the signature.

    Raises
    ------
    InputError
        An unknown parameter ("did you mean"), a value of the wrong type or outside its range.
    """
    known = parameters(name)
    for unknown in sorted(given.keys() - known.keys()):
        mend = did_you_mean(unknown, known, listed="It has")
        raise InputError(f"{name} has no parameter {unknown!r}", mend=mend)
    return {n: _typed(name, p, given[n]) if n in given else p.default for n, p in known.items()}


def _typed(method: str, parameter: Parameter, value: Any) -> Any:
    if value == "none" and type(None) in get_args(parameter.annotation):
        return None
    try:
        return TypeAdapter(parameter.annotation).validate_python(value)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"]
        raise InputError(
            f"{parameter.name}={value!r} of {method}: {problem}",
            mend=f"{parameter.name} is {parameter.kind}",
        ) from None


def method_label(name: str, given: Mapping[str, Any], prompt: Prompt | None = None) -> str:
    """The name of a method in records: with each parameter that is not at its default.

    Parameters
    ----------
    name : str
        The method.
    given : mapping
        Its parameters, all or those that were given, typed.
    prompt : Prompt, optional
        The prompt in use; it is named where it is not the method's own.

    Returns
    -------
    str
        ``cot``, ``self_consistency(k=9)``: parameters ascending by name. A text that is long or
        holds other than plain characters is shown by its hash.
    """
    known = parameters(name)
    shown = {n: v for n, v in given.items() if n in known and v != known[n].default}
    if prompt is not None:
        own = default_prompt(name, {n: p.default for n, p in known.items()} | dict(given))
        if own is None or own.hash != prompt.hash:
            shown["prompt"] = f"#{prompt.hash[:8]}"
    if not shown:
        return name
    return f"{name}({','.join(f'{n}={_shown(shown[n])}' for n in sorted(shown))})"


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) or value is None else str(value)
    if re.fullmatch(r"#?[\w.:+-]{1,40}", text):
        return text
    return f"#{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _kind(annotation: Any) -> str:
    """A type as one reads it, without ranges."""
    origin = get_origin(annotation)
    if origin is Literal:
        return " | ".join(map(str, get_args(annotation)))
    if hasattr(annotation, "__metadata__"):
        return _kind(annotation.__origin__)
    if origin is not None:
        return " | ".join(_kind(part) for part in get_args(annotation))
    return "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def _described(docstring: str) -> dict[str, str]:
    """Parameter -> its description, from the section ``Parameters`` of a numpy-style docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", docstring, re.S | re.M)
    if section is None:
        return {}
    entry = r"^(\w+(?:, \w+)*) : [^\n]*\n((?:[ \t]+[^\n]*\n?|\n)+)"
    found = re.findall(entry, section[1] + "\n", re.M)
    return {name: " ".join(text.split()) for names, text in found for name in names.split(", ")}
