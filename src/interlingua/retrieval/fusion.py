"""Several rankings of the same passages made one.

Reciprocal-rank fusion looks at ranks alone: ``sum_r w_r / (60 + rank_r(d))`` (Cormack, Clarke and
Buettcher, SIGIR 2009). Score fusion adds scores that were brought to [0, 1] first (Bruch, Gai and
Ingber, TOIS 2023): it needs comparable scales, and keeps what ranks lose, such as that the best of
one ranking is hardly a match at all.
"""

from __future__ import annotations

from collections.abc import Sequence

Scored = Sequence[tuple[str, float]]
"""Ids with scores, best first."""

RRF_CONSTANT = 60
"""Of the paper; the larger, the less the first ranks stand out."""
CANDIDATES = 100
"""Passages of each ranking that are fused, or scored again."""
WORDS_WEIGHT = 0.5
"""Of BM25 in the fused score, chosen by ``recipes/search``; the rest is of the vectors."""


def reciprocal_rank(
    rankings: Sequence[Scored], *, weights: Sequence[float] = (), constant: int = RRF_CONSTANT
) -> list[tuple[str, float]]:
    """Fuse by ranks.

    Args:
        rankings: Best first; what a ranking does not hold gets nothing from it.
        weights: Of the rankings; none: 1 each.
        constant: Added to every rank, which counts from 1.

    Returns:
        Ids with fused scores, best first; equals by id.
    """
    totals: dict[str, float] = {}
    for ranking, weight in zip(rankings, _weights(rankings, weights), strict=True):
        for rank, (name, _) in enumerate(ranking, start=1):
            totals[name] = totals.get(name, 0.0) + weight / (constant + rank)
    return _ranked(totals)


def scores(rankings: Sequence[Scored], *, weights: Sequence[float] = ()) -> list[tuple[str, float]]:
    """Fuse by a weighted mean of scores in [0, 1]; what a ranking does not hold scores 0 there.

    Args:
        rankings: Scores in [0, 1].
        weights: Of the rankings; none: the same for each.
    """
    weights = _weights(rankings, weights)
    whole = sum(weights)
    totals: dict[str, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for name, score in ranking:
            totals[name] = totals.get(name, 0.0) + weight * score / whole
    return _ranked(totals)


def of_both(
    vectors: Scored, words: Scored, *, ceiling: float, weight: float = WORDS_WEIGHT
) -> list[tuple[str, float]]:
    """The fused score of vectors and words.

    Args:
        vectors: Ids with cosines, which are spread over their own range.
        words: Ids with BM25's scores.
        ceiling: The score of words that no passage can reach, see `BM25.ceiling`.
        weight: Of the words; the rest is of the vectors.
    """
    share = between(words, low=0.0, high=ceiling)
    return scores([between(vectors), share], weights=(1 - weight, weight))


def between(
    ranking: Scored, *, low: float | None = None, high: float | None = None
) -> list[tuple[str, float]]:
    """Scores brought to [0, 1], ``low`` becoming 0 and ``high`` 1.

    Args:
        ranking: Ids with scores.
        low: The least score there could be; None: the least there is.
        high: The greatest there could be; None: the greatest there is.

    Returns:
        The same ids; all 1 where least and greatest are equal.
    """
    if not ranking:
        return []
    values = [score for _, score in ranking]
    bottom = min(values) if low is None else low
    top = max(values) if high is None else high
    if top <= bottom:
        return [(name, 1.0) for name, _ in ranking]
    return [(name, min(1.0, max(0.0, (s - bottom) / (top - bottom)))) for name, s in ranking]


def _weights(rankings: Sequence[Scored], weights: Sequence[float]) -> Sequence[float]:
    assert not weights or len(weights) == len(rankings), (len(weights), len(rankings))
    return weights or [1.0] * len(rankings)


def _ranked(totals: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(totals.items(), key=lambda item: (-item[1], item[0]))
