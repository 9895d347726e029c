r"""InfoNCE: of many candidates, choose the one that belongs to the query.

With s_ij the cosine of query i and candidate j, of which candidate i is the right one,

    L = - 1 / P sum_i log( e_i / (e_i + sum_(j in N_i) exp(s_ij / t)) )
    e_i = exp((s_ii - m) / t)

(van den Oord et al., 2018, equation 4, with exp(cosine / t) as the score of their equation 3). t is
the temperature, m an additive margin by which the right one has to win (Yang et al., IJCAI 2019),
and N_i the negatives of query i: all other candidates, except

- those left out by the caller, such as the same text once more (`duplicates`);
- false negatives: candidates that score above ``f s_ii`` or above ``s_ii - d`` and are probably
  right too (Moreira et al., NV-Retriever, 2024, TopK-PercPos and TopK-MarginPos; Solatorio,
  GISTEmbed, 2024).

The candidates are the batch's own targets, to which any `Further` ones may be added: mined hard
negatives, texts that a frozen encoder has encoded once for all steps, or a queue of earlier ones
(`momentum_queue`). Symmetric means that sources also choose among
targets and targets among sources, and the loss is the mean of both.

A learned temperature is a scalar l = log(1 / t), kept at or below log 100 after every step (Radford
et al., CLIP, ICML 2021, section 2.5).

Its siblings: `cross_lingual_contrastive` chooses translations, `contrastive_predictive` segments of
one document. Legend: P pairs, C candidates, N further negatives, D width.

Example:
    >>> import torch
    >>> x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> round(float(info_nce(x, x, temperature=1.0)), 4)  # log(1 + exp(-1))
    0.3133
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

LARGEST_SCALE = 100.0
"""Bound of a learned 1 / t."""


@dataclass(frozen=True, slots=True)
class FalseNegatives:
    """Which candidates are too good to be wrong.

    Attributes:
        rule: ``ratio``: those above ``value`` times the right one's cosine; ``difference``: those
            above that cosine minus ``value``.
        value: f or d of the module's text.
    """

    rule: Literal["ratio", "difference"]
    value: float

    def ceiling(self, right: Tensor) -> Tensor:
        """The cosine above which a candidate is ignored, of right ones' cosines [P]."""
        return right * self.value if self.rule == "ratio" else right - self.value


@dataclass(frozen=True, slots=True)
class Further:
    """More candidates than the batch's own.

    Attributes:
        vectors: [N, D].
        ignored: Which of them are no negatives of a query [P, N]; none: all are.
    """

    vectors: Tensor
    ignored: Tensor | None = None


def cosines(queries: Tensor, candidates: Tensor) -> Tensor:
    """Cosines [P, C] of queries [P, D] and candidates [C, D], in float32."""
    unit = nn.functional.normalize
    return unit(queries.float(), dim=-1) @ unit(candidates.float(), dim=-1).T


def duplicates(groups: Tensor, candidates: Tensor) -> Tensor:
    """Which candidates are the query's right answer once more.

    Args:
        groups: A number for each distinct right answer [P].
        candidates: The same of the candidates [C].

    Returns:
        A mask [P, C]; it holds the right answer's own place too, which `contrast` never ignores.
    """
    return groups.unsqueeze(1) == candidates.unsqueeze(0)


def contrast(
    queries: Tensor,
    candidates: Tensor,
    *,
    temperature: float | Tensor,
    margin: float = 0.0,
    ignored: Tensor | None = None,
    false_negatives: FalseNegatives | None = None,
) -> Tensor:
    """The loss of each query among candidates, of which the first P are the right ones in order.

    Args:
        queries: [P, D].
        candidates: [C, D], C at least P.
        temperature: t, above 0.
        margin: m, in cosine.
        ignored: Candidates that are not negatives of a query [P, C].
        false_negatives: Which candidates are ignored because of their cosine.

    Returns:
        Negative log-probabilities in nats, float32 [P].
    """
    scores = cosines(queries, candidates)
    own = torch.eye(*scores.shape, dtype=torch.bool, device=scores.device)
    absent = torch.zeros_like(own) if ignored is None else ignored
    if false_negatives is not None:
        found = scores.detach()
        absent = absent | (found > false_negatives.ceiling(found.diagonal()).unsqueeze(1))
    logits = (scores - margin * own) / temperature
    logits = logits.masked_fill(absent & ~own, -torch.inf)
    places = torch.arange(len(queries), device=scores.device)
    return nn.functional.cross_entropy(logits, places, reduction="none")


def info_nce(
    sources: Tensor,
    targets: Tensor,
    *,
    temperature: float | Tensor,
    symmetric: bool = True,
    margin: float = 0.0,
    ignored: Tensor | None = None,
    further: tuple[Further | None, Further | None] = (None, None),
    false_negatives: FalseNegatives | None = None,
) -> Tensor:
    """Mean InfoNCE of pairs, each target among all.

    Args:
        sources: [P, D].
        targets: [P, D]; target i belongs to source i.
        temperature: t, above 0.
        symmetric: Whether targets choose among sources too.
        margin: m, in cosine.
        ignored: Pairs (i, j) of which target j is no negative of source i, and source j none of
            target i: a symmetric mask [P, P].
        further: More candidates for every source, and for every target.
        false_negatives: Which candidates are ignored because of their cosine.

    Returns:
        A scalar in nats, float32.
    """

    def mean(queries: Tensor, among: Tensor, more: Further | None) -> Tensor:
        candidates, without = among, ignored
        if more is not None:
            candidates = torch.cat([among, more.vectors])
            without = _joined(ignored, more, len(queries))
        return contrast(
            queries,
            candidates,
            temperature=temperature,
            margin=margin,
            ignored=without,
            false_negatives=false_negatives,
        ).mean()

    loss = mean(sources, targets, further[0])
    return (loss + mean(targets, sources, further[1])) / 2 if symmetric else loss


def _joined(ignored: Tensor | None, more: Further, rows: int) -> Tensor:
    """The mask [P, P + N] of the batch's own candidates and of further ones."""
    device = more.vectors.device
    own = torch.zeros(rows, rows, dtype=torch.bool, device=device) if ignored is None else ignored
    if more.ignored is None:
        return nn.functional.pad(own, (0, len(more.vectors)), value=False)
    return torch.cat([own, more.ignored], dim=1)


def log_scale(temperature: float) -> Tensor:
    """A temperature as the scalar l = log(1 / t) that is learned."""
    return torch.tensor(-math.log(temperature))


def clamp_log_scale(learned: Tensor) -> None:
    """Keep a learned l within [0, log 100], in place."""
    with torch.no_grad():
        learned.clamp_(0.0, math.log(LARGEST_SCALE))
