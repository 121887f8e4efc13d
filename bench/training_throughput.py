"""Tokens per second of a recipe's GRPO on random weights, as its own log counts them.

``python bench/training_throughput.py`` trains a tiny model on a CPU; ``--size 0.5b`` or ``1.5b``
has the sizes of Qwen2.5 and wants a GPU. Nothing is learned and nothing is downloaded.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from hf_throughput import SIZES, made


def main() -> None:
    """Write the weights, train some steps, read the log."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=["tiny", *SIZES], default="tiny")
    parser.add_argument("--recipe", default="alphamed")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--prompts", type=int, default=4, help="of a step; 8 completions each")
    parser.add_argument("--tokens", type=int, default=64, help="of a completion")
    given = parser.parse_args()

    from viva.training import read_recipe, train
    from viva.training.journal import read_log
    from viva.worlds import make_world

    recipe = read_recipe(given.recipe)
    stage = next(stage for stage in recipe.stages if stage.trainer == "grpo")
    settings = stage.settings | {
        "max_steps": given.steps, "per_device_train_batch_size": 8 * given.prompts,
        "gradient_accumulation_steps": 1, "steps_per_generation": 1, "num_generations": 8,
        "max_completion_length": given.tokens, "logging_steps": 1,
    }  # fmt: skip
    stage = stage.model_copy(update={"settings": settings, "after": None, "mining": None})
    recipe = recipe.model_copy(update={"stages": [stage], "synthesis": []})
    with tempfile.TemporaryDirectory() as folder:
        weights, tokenizer = made(given.size, "cpu")
        weights.save_pretrained(f"{folder}/base")
        tokenizer.save_pretrained(f"{folder}/base")
        done = train(
            recipe, data=list(make_world(1, 400).items), model=f"{folder}/base",
            out=f"{folder}/out", allow_cpu=True, quiet=True,
            accept=("completions_cut", "answers_read", "reward_spread"),
        )  # fmt: skip
        log = read_log(Path(folder) / "out" / f"01-{stage.name}" / "log.jsonl")
        device = done.manifest["identity"]["device"]
    parameters = sum(p.numel() for p in weights.parameters())
    rates = log["tokens_per_second"].drop_nulls().to_list()[1:]
    print(
        f"{given.recipe}, GRPO, {parameters / 1e6:,.1f}M parameters on {device}: "
        f"{statistics.median(rates):,.0f} tokens a second "
        f"({min(rates):,.0f} to {max(rates):,.0f} over {len(rates)} steps after the first)"
    )


if __name__ == "__main__":
    main()
