"""Recipes: a TOML file of the steps that make the data and the stages that train on it.

A recipe says what a published system does, or what one's own is to do; which model is trained on
which data is said when it is run. Nothing of a trainer is imported here: the settings of a stage
are checked against the trainer's own when it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from viva._files.toml import place_of, read_toml
from viva.errors import InputError, did_you_mean
from viva.training._overrides import override

__all__ = [
    "Adapter",
    "Curriculum",
    "Mining",
    "Recipe",
    "RewardPart",
    "Select",
    "Stage",
    "SynthesisStep",
    "Uncertainty",
    "find_recipe",
    "read_recipe",
    "recipes",
]

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=1)]
_Range = Annotated[
    list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=2, max_length=2)
]
_Text = Annotated[str, Field(min_length=1)]
StartKind = Literal["wrong", "correct", "irrelevant", "absent"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SynthesisStep(BaseModel):
    """``[[synthesis]]``: a step that makes the data; further keys are its settings."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    step: _Text
    """A name of :data:`viva.synthesis.STEPS`."""

    @property
    def settings(self) -> dict[str, Any]:
        """What the step is called with."""
        return dict(self.model_extra or {})


class Select(_Entry):
    """Which examples a stage learns from; ranges are closed, and all conditions hold together."""

    p_reasoning: _Range | None = None
    """Least and greatest probability of asking for reasoning."""
    pass_rate: _Range | None = None
    """Share of a model's answers that were right."""
    hops: _Range | None = None
    difficulty: _Range | None = None
    informativeness: _Range | None = None
    words: _Range | None = None
    """Of the question."""
    kinds: Annotated[list[_Text], Field(min_length=1)] | None = None
    """Kinds of answer, of :data:`viva.targets.KINDS`."""
    strata: Annotated[list[_Text], Field(min_length=1)] | None = None
    """Given strata."""
    sources: Annotated[list[_Text], Field(min_length=1)] | None = None
    """Files or benchmarks that the examples came from."""
    starts: dict[StartKind, _Share] | None = None
    """Shares of the kinds of start put before the model; they sum to 1."""
    part: _Range | None = None
    """A part of the items, as ``[0.0, 0.5]``: each item has a place in 0..1 that its name alone
    decides, so that two stages learn from different items."""
    hard_ratio: _Share | None = None
    """Share of hard examples, those with a pass rate below ``hard_below``."""
    hard_below: _Share = 0.5
    mix: dict[_Text, _Share] | None = None
    """Shares of domains (``meta.domain``, else the source); they sum to 1."""
    reasoning_share: _Share | None = None
    """Share of examples with ``p_reasoning`` at least ``reasoning_from``."""
    reasoning_from: _Share = 0.5
    limit: _Count | None = None
    """Most examples, drawn after everything else."""

    @model_validator(mode="after")
    def _consistent(self) -> Select:
        for name in ("p_reasoning", "pass_rate", "hops", "difficulty", "informativeness", "words",
                     "part"):  # fmt: skip
            limits = getattr(self, name)
            if limits is not None and limits[0] > limits[1]:
                raise ValueError(f"{name}: the least value is above the greatest")
        for name in ("starts", "mix"):
            shares = getattr(self, name)
            if shares is not None and abs(sum(shares.values()) - 1) > 1e-6:
                raise ValueError(f"{name}: the shares sum to {sum(shares.values()):g}, not to 1")
        return self


class Curriculum(_Entry):
    """In which order a stage learns."""

    order: Literal["none", "pass_rate", "hops", "closed_to_open", "difficulty"] = "none"
    """``none`` shuffles; the others go from easy to hard."""
    phases: _Count = 1
    """Parts that follow each other, each shuffled inside; 1 is strictly from easy to hard."""
    descending: bool = False
    """From hard to easy."""
    cumulative: bool = False
    """Each phase keeps what the ones before it had."""


class Mining(_Entry):
    """Hard mining: before the stage, the model that it starts from answers every item."""

    right: _Weight = 1.0
    wrong: _Weight = 2.0
    """So many wrongly answered items for ``right`` rightly answered ones."""
    samples: _Count = 1
    """Answers to each item; it counts as wrong where most are."""
    temperature: _Weight = 1.0
    max_completion_tokens: _Count = 1024


class Adapter(_Entry):
    """A low-rank adapter instead of full fine-tuning; merged into the weights after the stage."""

    rank: _Count = 16
    alpha: _Positive = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    dora: bool = False
    """Magnitude and direction apart (DoRA, 2402.09353)."""
    rslora: bool = False
    """Scale alpha / sqrt(rank) instead of alpha / rank (rsLoRA, 2312.03732)."""
    targets: _Text | Annotated[list[_Text], Field(min_length=1)] = "all-linear"
    """Names of the modules that get one."""


class RewardPart(_Entry):
    """One part of a reward."""

    name: _Text
    """Of :data:`viva.training.rewards.REWARDS`."""
    weight: _Positive = 1.0


class Uncertainty(_Entry):
    """Depth of exploration by uncertainty (GRPO): how much a sure and an unsure item may think."""

    weight: Annotated[float, Field(gt=0, le=1 / 3)] = 0.1
    """Of the part of the reward that depth decides on."""
    scale: (
        Annotated[list[Annotated[float, Field(gt=0, le=10)]], Field(min_length=2, max_length=2)]
        | None
    ) = None
    """Least and greatest factor on the advantages of a group: where all answers agree, and where
    they differ as much as they can."""

    @model_validator(mode="after")
    def _consistent(self) -> Uncertainty:
        if self.scale is not None and self.scale[0] > self.scale[1]:
            raise ValueError("scale: the least factor is above the greatest")
        return self


class Stage(_Entry):
    """``[[stages]]``: one training, from the model of an earlier one or from the base."""

    name: _Name
    trainer: Literal["sft", "dpo", "grpo"]
    after: str | None = None
    """``base``, or the name of an earlier stage; by default the stage before."""
    select: Select = Select()
    curriculum: Curriculum = Curriculum()
    mining: Mining | None = None
    adapter: Adapter | None = None
    """None is full fine-tuning."""
    reward: _Text | Annotated[list[RewardPart], Field(min_length=1)] | None = None
    """A name of :data:`viva.training.rewards.REWARDS`, or parts with weights."""
    normalise: bool = False
    """Each part is normalised within its group before the sum (GDPO, 2601.05242)."""
    judge: str | None = None
    """Spec of the model that rewards which need a verdict ask."""
    uncertainty: Uncertainty | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    """Fields of TRL's configuration of the trainer."""

    @model_validator(mode="after")
    def _consistent(self) -> Stage:
        if self.trainer == "grpo" and self.reward is None:
            raise ValueError("a grpo stage needs a reward")
        if self.trainer != "grpo":
            for name in ("reward", "judge", "uncertainty", "mining"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} is of grpo stages alone")
        return self


class Recipe(_Entry):
    """A recipe file."""

    id: _Name
    title: _Text
    summary: _Text
    """One sentence."""
    paper: str | None = None
    """Such as ``arXiv:2505.17952``."""
    departs: list[_Text] = Field(default_factory=list)
    """What is not known of the paper's training, and what is done otherwise here."""
    base: str | None = None
    """The model that the paper trained."""
    needs_gpu: bool = False
    method: _Text = "cot"
    """The method of :data:`viva.methods.METHODS` whose prompt is learned with and examined with."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Of the method, such as ``system``."""
    prompt: str | None = None
    """Another prompt than the method's own: a name, or a file."""
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Variables of the model's chat template, such as ``enable_thinking``."""
    thinking: Literal["tags", "open", "none"] = "none"
    """``tags``: the model writes ``<think>`` itself; ``open``: the chat template opens it."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    synthesis: list[SynthesisStep] = Field(default_factory=list)
    stages: Annotated[list[Stage], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        names: list[str] = ["base"]
        for stage in self.stages:
            if stage.name in names:
                raise ValueError(f"two stages are called {stage.name!r}")
            if stage.after is not None and stage.after not in names:
                raise ValueError(
                    f"stage {stage.name!r} comes after {stage.after!r}, which is none of "
                    f"{', '.join(names)}"
                )
            names.append(stage.name)
        return self


def recipes() -> Mapping[str, Path]:
    """The files of the recipes that are shipped, by their ids in alphabetical order."""
    folder = Path(str(resources.files("viva"))) / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_recipe(name: str) -> Path:
    """The file of a recipe: of a shipped one by its id, else the path itself.

    Raises
    ------
    InputError
        There is neither; the nearest ids are suggested.
    """
    known = recipes()
    if name in known:
        return known[name]
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.suffix == ".toml" or len(path.parts) > 1:
        raise InputError("no such recipe file", where=name, mend="viva train --list shows the ids")
    raise InputError(f"unknown recipe {name!r}", mend=did_you_mean(name, known))


def read_recipe(
    source: str | Path, overrides: Mapping[str, Any] | Sequence[str] | None = None
) -> Recipe:
    """Read and check a recipe; nothing is loaded or run.

    Parameters
    ----------
    source : str or pathlib.Path
        The id of a shipped recipe, or a file.
    overrides : mapping or sequence of str, optional
        Values in place of those of the file: dotted key to value, or texts ``KEY=VALUE`` with the
        value as in TOML (a word that is no TOML is a text). Stages and steps are named by their
        place (0 is the first) or, stages, by their name: ``stages.0.settings.learning_rate``.

    Raises
    ------
    InputError
        With the line, where a key is unknown ("did you mean"), missing or of a wrong value.
    """
    path = find_recipe(str(source))
    text, given = read_toml(path, "recipe")
    where: Path | str = path
    if overrides:
        override(given, overrides)
        where = f"{path} with --set"
    try:
        return Recipe.model_validate(given)
    except ValidationError as error:
        raise _explain(error, where, text) from None


_TABLES: dict[str, type[BaseModel]] = {
    "select": Select,
    "curriculum": Curriculum,
    "mining": Mining,
    "adapter": Adapter,
    "uncertainty": Uncertainty,
    "reward": RewardPart,
    "stages": Stage,
    "synthesis": SynthesisStep,
}
_RECIPE: type[BaseModel] = Recipe
_KEYS = {name for table in [_RECIPE, *_TABLES.values()] for name in table.model_fields} | set(
    get_args(StartKind)
)


def _explain(error: ValidationError, path: Path | str, text: str) -> InputError:
    """The first defect, as one line that says where it is and what would be right."""
    # An unknown key is why another is missing; of the branches of a union the deepest was meant.
    first = min(
        error.errors(include_url=False),
        key=lambda each: (each["type"] != "extra_forbidden", -len(each["loc"])),
    )
    *above, last = first["loc"] or ("",)
    found = tuple(part for part in above if isinstance(part, int) or part in _KEYS)
    if first["type"] == "extra_forbidden" or isinstance(last, int) or last in _KEYS:
        found = (*found, last)
    where = place_of(path, text, found)
    key = str(next((part for part in reversed(found) if isinstance(part, str)), ""))
    around = [part for part in found[:-1] if isinstance(part, str)]
    table = [_RECIPE, *(_TABLES[part] for part in around if part in _TABLES)][-1]
    if first["type"] == "extra_forbidden":
        mend = did_you_mean(key, list(table.model_fields))
        return InputError(f"unknown key {key!r}", where=where, mend=mend)
    if first["type"] == "missing":
        name = f"[[{around[-1]}]]" if around else "the recipe"
        return InputError(f"{name} has no {key}", where=where, mend=f"Add {key} = ...")
    said = first["msg"].removeprefix("Value error, ")
    return InputError(f"{key}: {said}" if key else said, where=where, mend="Mend the value")
