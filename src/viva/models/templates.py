"""The model's own chat template, rendered as transformers renders it.

A template is code of whoever published the weights: it runs in a sandbox, sees plain data only,
and its source, its output, its steps and its time are bounded.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viva.errors import InputError
from viva.models import _sandbox
from viva.models.failures import CallFailed, Failure
from viva.models.requests import Message

if TYPE_CHECKING:
    import jinja2

__all__ = ["ChatTemplate", "find_template", "load_template"]

LARGEST_SOURCE = 2**20
"""Characters of a template."""

LARGEST_PROMPT = 64 * 2**20
"""Characters of a rendered prompt."""

_LARGEST_CONFIG = 64 * 2**20
_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token",
            "mask_token")  # fmt: skip


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template and the special tokens it may name."""

    source: str
    where: str
    """The file it was read from."""
    tokens: Mapping[str, str] = field(default_factory=dict)
    """``bos_token`` and its like, by name."""

    @property
    def hash(self) -> str:
        """First 32 hex digits of SHA-256 over the source and the tokens."""
        said = json.dumps([self.source, sorted(self.tokens.items())])
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @functools.cached_property
    def _compiled(self) -> jinja2.Template:
        try:
            return _sandbox.compiled(self.source)
        except _sandbox.errors() as error:
            raise InputError(f"not a chat template: {error}", where=self.where) from None

    def prompt(
        self,
        messages: Sequence[Message],
        prefix: str | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> str:
        """Everything up to where the model goes on.

        The prefix stands behind the generation prompt as it is. This is what the model itself
        would have before it had written the prefix: a template that opens ``<think>`` in the
        generation prompt has the prefix inside the thinking. ``continue_final_message`` of
        transformers renders a finished turn instead and cuts it: there ``<think>`` is missing,
        or an empty block is put in, and spaces at the ends of the text are lost.

        Parameters
        ----------
        messages : sequence of Message
            The conversation, up to the user's turn.
        prefix : str, optional
            How the assistant's turn begins.
        kwargs : mapping, optional
            Further variables, such as ``enable_thinking``.

        Raises
        ------
        CallFailed
            REFUSED, where the template raises an exception or makes too long a text.
        """
        variables: dict[str, Any] = {**self.tokens, **_plain(kwargs or {})}
        variables |= {
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "add_generation_prompt": True,
        }
        variables.setdefault("tools", None)
        variables.setdefault("documents", None)
        parts, size = [], 0
        compiled = self._compiled
        try:
            _sandbox.begin(compiled)
            for part in compiled.generate(variables):
                size += len(part)
                if size > LARGEST_PROMPT:
                    raise CallFailed(Failure.REFUSED, "the chat template makes too long a prompt")
                parts.append(part)
        except _sandbox.errors() as error:
            said = " ".join(f"{type(error).__name__}: {error}"[:300].split())
            raise CallFailed(Failure.REFUSED, f"the chat template refuses: {said}") from None
        return "".join(parts) + (prefix or "")

    def without_bos(self, prompt: str) -> str:
        """The prompt without the token of beginning, which servers put before it themselves."""
        bos = self.tokens.get("bos_token")
        return prompt.removeprefix(bos) if bos else prompt


def _plain(value: Any) -> Any:
    """Plain JSON data: a template must see no object of ours."""
    return json.loads(json.dumps(value, default=str))


def _token(value: Any) -> str | None:
    """A special token as configurations spell it: a text, or an object with its content."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _read(path: Path) -> str:
    if path.stat().st_size > _LARGEST_CONFIG:
        raise InputError("too large for a chat template", where=str(path))
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8: {error.reason}", where=str(path)) from None


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where=str(path)) from None
    if not isinstance(config, dict):
        raise InputError("not a JSON object", where=str(path))
    return config


def _chosen(value: Any) -> str | None:
    """Of several named templates the one called ``default``."""
    if isinstance(value, list):
        named = {t.get("name"): t.get("template") for t in value if isinstance(t, dict)}
        value = named.get("default")
    return value if isinstance(value, str) else None


def _in_folder(folder: Path) -> ChatTemplate | None:
    config_file = folder / "tokenizer_config.json"
    config = _config(config_file) if config_file.is_file() else {}
    tokens_file = folder / "special_tokens_map.json"
    special = _config(tokens_file) if tokens_file.is_file() else {}
    tokens = {n: t for n in _SPECIAL if (t := _token(config.get(n)) or _token(special.get(n)))}
    jinja = folder / "chat_template.jinja"
    older = folder / "chat_template.json"
    for path, source in (
        (jinja, _read(jinja) if jinja.is_file() else None),
        (older, _chosen(_config(older).get("chat_template")) if older.is_file() else None),
        (config_file, _chosen(config.get("chat_template"))),
    ):
        if source is not None:
            return _made(source, path, tokens)
    return None


def _made(source: str, path: Path, tokens: Mapping[str, str]) -> ChatTemplate:
    if len(source) > LARGEST_SOURCE:
        raise InputError("too large for a chat template", where=str(path))
    template = ChatTemplate(source, str(path), tokens)
    template._compiled  # noqa: B018  an error in it is said now, not at the first call
    return template


def load_template(path: str | Path) -> ChatTemplate:
    """The chat template of a file or folder.

    Parameters
    ----------
    path : str or Path
        A folder with ``chat_template.jinja`` or ``tokenizer_config.json``, one of these files,
        or a jinja file of any name. Special tokens are read from the ``tokenizer_config.json``
        beside it.

    Raises
    ------
    InputError
        No such file, no template in it, or one that is no jinja.
    """
    path = Path(path)
    if path.is_dir():
        template = _in_folder(path)
        if template is None:
            raise InputError("no chat template in this folder", where=str(path))
        return template
    if not path.is_file():
        raise InputError("no such chat template", where=str(path))
    if path.suffix == ".json":
        config = _config(path)
        source = _chosen(config.get("chat_template"))
        if source is None:
            beside = _in_folder(path.parent) if path.name == "tokenizer_config.json" else None
            if beside is None:
                raise InputError("it holds no chat_template", where=str(path))
            return beside
        return _made(source, path, {n: t for n in _SPECIAL if (t := _token(config.get(n)))})
    beside_file = path.parent / "tokenizer_config.json"
    config = _config(beside_file) if beside_file.is_file() else {}
    return _made(_read(path), path, {n: t for n in _SPECIAL if (t := _token(config.get(n)))})


def find_template(name: str) -> ChatTemplate | None:
    """The chat template of a model whose name is a folder on this machine, where it has one."""
    folder = Path(name).expanduser()
    return _in_folder(folder) if folder.is_dir() else None
