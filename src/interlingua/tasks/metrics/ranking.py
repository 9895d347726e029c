"""How good a ranking is: MRR, MAP, nDCG, precision and recall at a depth.

A ranking is given as the gains of its documents, best first; `ranked_gains` makes that from scores
and judgments as trec_eval does. Figures are of one query, in ``[0, 1]``; `mean_over` averages.

Two figures called nDCG live here. `ndcg` is trec_eval's: linear gain, ties broken by document id.
`ndcg_averaged_ties` is scikit-learn's ``ndcg_score``, which XGLUE uses: linear gain, and tied
documents share the mean of their gains. Many papers mean a third, with gain ``2^rel - 1`` (Burges
et al. 2005): pass ``gain="exponential"``.

Shapes: ``D`` documents, ``Q`` queries.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Gain = Literal["linear", "exponential"]


def ranked_gains(scores: Mapping[str, float], judgments: Mapping[str, float]) -> list[float]:
    """Relevance of the retrieved documents, best first; documents nobody judged have none.

    As trec_eval: scores are rounded to 32 bits, and of equal scores the larger id comes first.

    Args:
        scores: By document id.
        judgments: Relevance by document id.
    """
    ids = sorted(scores, reverse=True)
    ids.sort(key=lambda name: -float(np.float32(scores[name])))
    return [judgments.get(name, 0.0) for name in ids]


def reciprocal_rank(gains: Sequence[float], *, depth: int | None = None) -> float:
    """One over the rank of the first relevant document; 0 when there is none down to ``depth``."""
    return next((1 / rank for rank, gain in enumerate(gains[:depth], 1) if gain > 0), 0.0)


def average_precision(gains: Sequence[float], *, relevant: int, depth: int | None = None) -> float:
    """Mean over the relevant documents of the precision at their ranks; MAP is its mean.

    Args:
        gains: Of the retrieved documents, best first.
        relevant: Relevant documents there are, retrieved or not; none: the figure is 0.
        depth: Documents below it count as not retrieved.
    """
    hits, total = 0, 0.0
    for rank, gain in enumerate(gains[:depth], 1):
        if gain > 0:
            hits += 1
            total += hits / rank
    return total / relevant if relevant else 0.0


def precision_at(gains: Sequence[float], *, depth: int) -> float:
    """Share of the first ``depth`` documents that are relevant; ranks left empty count as not."""
    return sum(gain > 0 for gain in gains[:depth]) / depth


def recall_at(gains: Sequence[float], *, relevant: int, depth: int) -> float:
    """Share of the relevant documents among the first ``depth``; 0 when none is relevant."""
    return sum(gain > 0 for gain in gains[:depth]) / relevant if relevant else 0.0


def ndcg(gains: Sequence[float], *, ideal: Sequence[float], depth: int | None = None) -> float:
    """trec_eval's nDCG: ``DCG = sum_r gain_r / log2(r + 1)``, over that of the ideal order.

    Jaervelin and Kekaelaeinen 2002, with the discount from the first rank on; 0 when no document
    is relevant.

    Args:
        gains: Of the retrieved documents, best first.
        ideal: Relevance of every judged document, in any order.
        depth: Ranks to look at, in both orders.
    """
    best = _dcg(sorted(ideal, reverse=True)[:depth])
    return _dcg(gains[:depth]) / best if best > 0 else 0.0


def ndcg_averaged_ties(gold: Floats, scores: Floats, *, gain: Gain = "linear") -> float:
    """The nDCG of a whole list, where tied documents share the mean of their gains.

    scikit-learn's ``ndcg_score`` (McSherry and Najork 2008 on ties); the expected nDCG if ties were
    broken by chance. 0 when no document is relevant.

    Args:
        gold: Relevance, ``[D]``, none negative.
        scores: ``[D]``.
        gain: What a relevance is worth: itself, or ``2^rel - 1``.
    """
    assert gold.shape == scores.shape and gold.ndim == 1, (gold.shape, scores.shape)
    gains = np.exp2(gold) - 1 if gain == "exponential" else gold
    discounts = 1 / (np.log(np.arange(len(gains)) + 2) / np.log(2))
    best = float(discounts.dot(np.sort(gains)[::-1]))
    if best == 0:
        return 0.0
    _, group, sizes = np.unique(-scores, return_inverse=True, return_counts=True)
    means = np.bincount(group, weights=gains) / sizes
    last = np.cumsum(sizes) - 1
    group_discounts = np.diff(np.cumsum(discounts)[last], prepend=0.0)
    return float((means * group_discounts).sum()) / best


def mean_over(figures: Mapping[str, float], queries: Sequence[str]) -> float:
    """Mean over ``queries``; one that was not answered counts 0 (``trec_eval -c``).

    NaN without queries.
    """
    if not queries:
        return math.nan
    return math.fsum(figures.get(query, 0.0) for query in queries) / len(queries)


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1) if gain > 0)
