"""A small transformer from nothing, and its first exercise: to repeat what it has read.

Layers of short convolutions and of attention alternate (LFM2): with attention alone, at this size,
copying a word from the question is learned far later. Before it reads anything of a world the model
repeats random sequences, until it can: without that, medicine is learned and letters are guessed.
"""

from __future__ import annotations

import random
from typing import Any

__all__ = ["make_network", "warm_up"]

_LAYERS = ["conv", "full_attention", "conv", "full_attention"]
_LENGTH = 64
_PERIODS = (4, 12)


def make_network(tokenizer: Any, *, width: int = 96, seed: int = 0) -> Any:
    """A model with random weights.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
    width : int
        Of the hidden states, a multiple of 4; 96 make half a million parameters.
    seed : int

    Returns
    -------
    transformers.Lfm2ForCausalLM
    """
    import torch
    from transformers import Lfm2Config, Lfm2ForCausalLM

    torch.manual_seed(seed)
    config = Lfm2Config(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=3 * width,
        block_auto_adjust_ff_dim=False, num_hidden_layers=len(_LAYERS), layer_types=_LAYERS,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=512,
        initializer_range=0.08, tie_word_embeddings=True,
        rope_parameters={"rope_theta": 1e4, "rope_type": "default"},
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )  # fmt: skip
    model = Lfm2ForCausalLM(config)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model


def warm_up(
    model: Any, *, least: int = 3, most: int = 600, enough: float = 0.1, batch: int = 40,
    learning_rate: float = 3e-3, seed: int = 0,
) -> tuple[int, float]:  # fmt: skip
    """Let a model repeat random sequences until it can.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Changed in place.
    least : int
        Lowest token that sequences hold: those below are not words.
    most : int
        Steps at most.
    enough : float
        The loss, in nats a token, at which it can.
    batch : int
        Sequences a step, each of 64 tokens with a period of 4 to 12.
    learning_rate : float
    seed : int

    Returns
    -------
    steps, loss : int, float
        Taken, and over the last 10 of them.
    """
    import torch
    from torch.nn.functional import cross_entropy

    rng = random.Random(seed)  # noqa: S311
    size = model.config.vocab_size
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    model.train()
    last: list[float] = []
    for step in range(1, most + 1):
        rows, wanted = [], []
        for _ in range(batch):
            period = rng.randint(*_PERIODS)
            words = [rng.randrange(least, size) for _ in range(period)]
            row = (words * (_LENGTH // period + 1))[:_LENGTH]
            rows.append(row)
            wanted.append([-100] * period + row[period:])
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * min(1.0, step / 20)
        logits = model(input_ids=torch.tensor(rows)).logits[:, :-1]
        loss = cross_entropy(
            logits.reshape(-1, size), torch.tensor(wanted)[:, 1:].reshape(-1), ignore_index=-100
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        last = [*last[-9:], float(loss.detach())]
        if len(last) == 10 and sum(last) / 10 < enough:
            break
    model.eval()
    return step, sum(last) / len(last)
