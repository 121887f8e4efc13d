"""Keys and values that rows keep when their batch is broken up and another is made of them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch

__all__ = ["empty_cache", "join_caches"]


def empty_cache(model: Any) -> Any:
    """A cache whose rows can be taken out and put beside others, or None.

    None for models with sliding windows, states or caches of their own, for those that are not
    told positions, and for releases of transformers before caches had layers: their rows stay
    together to the end.
    """
    try:
        from transformers.cache_utils import DynamicCache, DynamicLayer

        told = "position_ids" in inspect.signature(model.forward).parameters
        if not told or not model._supports_default_dynamic_cache():
            return None
        cache = DynamicCache(config=model.config.get_text_config(decoder=True))
        layers = cache.layers
    except (ImportError, AttributeError, TypeError):
        return None
    plain = layers and all(type(layer) is DynamicLayer for layer in layers)
    return cache if plain else None


def join_caches(model: Any, parts: Sequence[tuple[Any, Sequence[int], int]], width: int) -> Any:
    """One cache for rows of several.

    Keys hold their positions already (counted without padding), so a row may stand further to
    the left or right than before: it keeps its last columns, with masked zeros before them.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    parts : sequence of (cache, rows, columns)
        Rows to keep of each, and how many of its last columns they need.
    width : int
        Columns of the new cache, at least as many as any part needs.
    """
    joined = empty_cache(model)
    for number, _ in enumerate(parts[0][0].layers):
        pieces = []
        for name in ("keys", "values"):
            rows = []
            for cache, kept, columns in parts:
                whole = getattr(cache.layers[number], name)
                index = torch.tensor(list(kept), device=whole.device)
                piece = whole[:, :, whole.shape[2] - columns :].index_select(0, index)
                rows.append(torch.nn.functional.pad(piece, (0, 0, width - columns, 0)))
            pieces.append(torch.cat(rows) if len(rows) > 1 else rows[0])
        joined.update(*pieces, number)
        for cache, _, _ in parts:  # not twice the memory: what is copied is let go
            cache.layers[number].keys = cache.layers[number].values = None
    return joined
