"""What a stage is about to do, as the checks before it see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from viva.records import Item
from viva.synthesis.examples import Example
from viva.training._rendering import Rendered, render
from viva.training.rewards import item_from_json

if TYPE_CHECKING:
    import polars as pl

    from viva.training._sampling import Sampled

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """A stage, its data and its model."""

    trainer: str
    """``sft``, ``dpo`` or ``grpo``."""
    rows: Sequence[Mapping[str, Any]]
    """What the trainer gets: ``prompt`` (a text, or messages) and ``completion``, ``chosen`` and
    ``rejected``, or ``item``."""
    tokenizer: Any
    model: Any = None
    """Loaded, in which the stage begins; None where it is not to be asked."""
    examples: Sequence[Example] = ()
    """What the rows were made of, in their order; empty where that is not known."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the trainer's configuration, defaults included."""
    lora: bool = False
    thinking: str = "none"
    reward_functions: Sequence[Callable[..., Any]] = ()
    """As TRL calls them."""
    evaluation: pl.DataFrame | None = None
    needs_gpu: bool = False
    allow_cpu: bool = False
    seed: int = 0
    probe_prompts: int = 32
    probe_seconds: float = 900.0

    @cached_property
    def rendered(self) -> list[Rendered]:
        """The rows as the model reads them."""
        return [render(row, self.tokenizer, self.variables) for row in self.rows]

    @property
    def variables(self) -> Mapping[str, Any]:
        """Variables of the chat template."""
        return self.settings.get("chat_template_kwargs") or {}

    @cached_property
    def items(self) -> list[Item | None]:
        """The item of each row; None where none is known."""
        if len(self.examples) == len(self.rows):
            return [example.item for example in self.examples]
        return [item_from_json(row["item"]) if row.get("item") else None for row in self.rows]

    @cached_property
    def starts(self) -> list[str]:
        """The start of each row; empty where there is none."""
        if len(self.examples) == len(self.rows):
            return [example.start for example in self.examples]
        return [""] * len(self.rows)

    @cached_property
    def parameters(self) -> int | None:
        """Parameters of the model."""
        return None if self.model is None else sum(p.numel() for p in self.model.parameters())

    @cached_property
    def context(self) -> int | None:
        """Tokens that the model can read and write in all, where its configuration says."""
        config = getattr(self.model, "config", None)
        if config is None:
            return None
        text = config.get_text_config() if hasattr(config, "get_text_config") else config
        return int(getattr(text, "max_position_embeddings", 0) or 0) or None

    @cached_property
    def ends(self) -> frozenset[int]:
        """Ids at which the model stops writing: the tokenizer's, and what the model declares."""
        name = self.settings.get("eos_token")
        own = self.tokenizer.convert_tokens_to_ids(name) if name else self.tokenizer.eos_token_id
        declared = getattr(getattr(self.model, "generation_config", None), "eos_token_id", None)
        given = declared if isinstance(declared, (list, tuple)) else [declared]
        return frozenset({own, *given} - {None})

    @cached_property
    def sampled(self) -> list[tuple[int, list[Sampled]]]:
        """A probe: some rows, each with as many completions as the trainer draws of it."""
        from viva.training._sampling import sample

        return sample(self)

    @cached_property
    def groups(self) -> list[list[list[float]]]:
        """What the probe is paid: group, reward function, completion."""
        from viva.training._paying import groups_paid

        return groups_paid(self)
