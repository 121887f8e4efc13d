"""How the next token of each row of a batch is drawn: independently of the rows beside it.

A draw at temperature T from logits z is the largest of ``z / T + g``, where every candidate has
its own standard Gumbel noise g (the Gumbel-max trick: Gumbel 1954, Statistical Theory of Extreme
Values; Yellott 1977, J. Math. Psychol. 15:109-144): exact sampling from softmax(z / T). The noise
of a row comes from the row's own generator, seeded with the request's seed, so that a text does
not depend on what else is in the batch, and rows of different temperatures share one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

__all__ = ["Drawing", "Rule", "keep_likely"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How one row's tokens are drawn."""

    temperature: float = 0.0
    """0 = the most likely token."""
    top_k: int = 0
    """Candidates kept; 0 = all."""
    top_p: float = 1.0
    """Share of probability kept, 0..1: the smallest set of likely tokens that reaches it."""
    min_p: float = 0.0
    """Least probability of a candidate, as a share of the most likely one's."""
    repetition_penalty: float = 1.0
    """Divides positive and multiplies negative logits of tokens seen (Keskar et al. 2019,
    arXiv:1909.05858); 1 = none."""
    seed: int = field(default_factory=lambda: secrets.randbits(31))
    top_logprobs: int = 0
    """Candidates whose log-probabilities are kept at each token."""


def keep_likely(scores: Any, top_k: Any, top_p: Any, min_p: Any) -> Any:
    """Scores with -inf at the candidates that a row's rule leaves out.

    Parameters
    ----------
    scores : Tensor, (rows, candidates)
        Logits over temperature.
    top_k, top_p, min_p : Tensor, (rows,)
        One rule for each row; 0, 1 and 0 keep all. Applied in this order, each to the
        distribution that the one before leaves (as transformers and vLLM do).

    Returns
    -------
    Tensor, (rows, candidates)
        The most likely candidate is always kept.
    """
    if bool(((top_k > 0) | (top_p < 1)).any()):
        ordered, index = scores.sort(dim=-1, descending=True, stable=True)
        place = torch.arange(ordered.shape[-1], device=scores.device)
        cut = (top_k[:, None] > 0) & (place >= top_k[:, None])
        ordered = ordered.masked_fill(cut, -torch.inf)
        share = ordered.softmax(dim=-1)
        # What stands before a candidate decides: the one that crosses the mark is kept.
        before = share.cumsum(dim=-1) - share
        cut |= (top_p[:, None] < 1) & (before >= top_p[:, None])
        cut[:, 0] = False
        scores = scores.masked_fill(cut.scatter(-1, index, cut), -torch.inf)
    if bool((min_p > 0).any()):
        least = scores.amax(dim=-1, keepdim=True) + min_p[:, None].log()
        scores = scores.masked_fill(scores < least, -torch.inf)
    return scores


class Drawing:
    """A logits processor after which the largest score is the token drawn.

    Parameters
    ----------
    rules : sequence of Rule
        One for each row.
    generators : sequence of torch.Generator or None
        The rows' own sources of noise, on the device of the logits; kept by the caller, so that
        a row taken up again in another batch goes on with its own draws.
    input_ids : Tensor, (rows, length)
        What the rows begin with, for the repetition penalty.
    mask : Tensor, (rows, length)
        1 where a token is no padding.
    """

    def __init__(
        self, rules: Sequence[Rule], generators: Sequence[Any], input_ids: Any, mask: Any
    ) -> None:
        device = input_ids.device
        self.stopped = False
        self.noted: tuple[Any, Any] | None = None
        """Log-probabilities and ids of the likeliest candidates at the latest step."""
        self._mask = mask
        self._most = max(rule.top_logprobs for rule in rules)
        self._drawn = [i for i, rule in enumerate(rules) if rule.temperature > 0]
        self._generators = [generators[i] for i in self._drawn]
        self._rows = torch.tensor(self._drawn, device=device, dtype=torch.long)

        def column(values: list[float]) -> Any:
            return torch.tensor(values, device=device, dtype=torch.float32)

        drawn = [rules[i] for i in self._drawn]
        self._temperature = column([rule.temperature for rule in drawn])[:, None]
        self._limits = (
            column([rule.top_k for rule in drawn]),
            column([rule.top_p for rule in drawn]),
            column([rule.min_p for rule in drawn]),
        )
        self._limited = any(r.top_k > 0 or r.top_p < 1 or r.min_p > 0 for r in drawn)
        self._penalty: Any = None
        self._seen: Any = None
        if any(rule.repetition_penalty != 1 for rule in rules):
            self._penalty = column([rule.repetition_penalty for rule in rules])[:, None]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores whose largest entry in each row is the token drawn."""
        if self.stopped:
            return scores
        scores = scores.float()
        if self._most:
            values, ids = scores.topk(min(self._most, scores.shape[-1]), dim=-1)
            self.noted = (values - scores.logsumexp(dim=-1, keepdim=True), ids)
        if self._penalty is not None:
            scores = self._penalised(input_ids, scores)
        if not self._drawn:
            return scores
        every = len(self._drawn) == scores.shape[0]
        drawn = (scores if every else scores[self._rows]) / self._temperature
        if self._limited:
            drawn = keep_likely(drawn, *self._limits)
        noise = torch.empty_like(drawn)
        for row, generator in zip(noise, self._generators, strict=True):
            row.exponential_(generator=generator)
        # The negative logarithm of an exponential variate is a standard Gumbel variate.
        drawn = drawn - noise.clamp_min_(torch.finfo(noise.dtype).tiny).log_()
        return drawn if every else scores.index_copy(0, self._rows, drawn)

    def _penalised(self, input_ids: Any, scores: Any) -> Any:
        if self._seen is None:
            # Padding is written to a column of its own, which is then dropped.
            own = torch.where(self._mask.bool(), input_ids, scores.shape[-1])
            seen = torch.zeros(
                scores.shape[0], scores.shape[-1] + 1, dtype=torch.bool, device=scores.device
            )
            self._seen = seen.scatter_(1, own, value=True)[:, :-1]
        else:
            self._seen.scatter_(1, input_ids[:, -1:], value=True)
        punished = torch.where(scores < 0, scores * self._penalty, scores / self._penalty)
        return torch.where(self._seen, punished, scores)
