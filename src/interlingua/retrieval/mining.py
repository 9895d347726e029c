"""Translations found among the sentences of two languages, by their vectors.

The margin of Artetxe and Schwenk (ACL 2019, equations 1 to 3) compares the cosine of two sentences
with those of their neighbours, since some vectors are near to everything.

Legend: N sources, M targets, D features, K neighbours, P pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import DataError, UsageError
from interlingua.base.progress import track
from interlingua.base.registry import did_you_mean

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Margin = Literal["ratio", "distance", "absolute"]
Retrieval = Literal["forward", "backward", "intersection", "max"]
Match: TypeAlias = Callable[[Ints, Ints], Floats]
"""Similarities [P] of sources and targets, given by their rows [P] each."""

NEIGHBOURS = 4
"""K of the paper and of LASER."""
COMMON_FROM = 100
"""Sentences that `isotropic` needs to tell what they share."""
_ROWS, _COLUMNS = 2048, 16_384


def _ratio(cosine: Floats, mean: Floats) -> Floats:
    return np.asarray(cosine / np.maximum(mean, 1e-6), dtype=np.float32)


def _distance(cosine: Floats, mean: Floats) -> Floats:
    return np.asarray(cosine - mean, dtype=np.float32)


def _absolute(cosine: Floats, mean: Floats) -> Floats:
    del mean
    return cosine


_MARGINS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "ratio": _ratio,
    "distance": _distance,
    "absolute": _absolute,
}


@dataclass(frozen=True, slots=True)
class Mined:
    """Candidate pairs, best first; equals by source, then target.

    Attributes:
        source: Rows of the sources [P].
        target: Rows of the targets [P].
        score: Margins [P].
    """

    source: Ints
    target: Ints
    score: Floats

    def __len__(self) -> int:
        """How many pairs there are, P."""
        return len(self.source)

    def above(self, threshold: float) -> Mined:
        """The pairs that score ``threshold`` or more."""
        kept = self.score >= threshold
        return Mined(self.source[kept], self.target[kept], self.score[kept])


def isotropic(vectors: Floats) -> Floats:
    """Vectors of one language without what most of them share: all but the top.

    Their mean is taken off, then their first ``D / 100`` principal directions (Mu and Viswanath,
    ICLR 2018, algorithm 1 and its rule of thumb); what is left is made of length one. A language
    has a mean and a cone of its own, and translations lie nearer to each other without them.

    Args:
        vectors: Of sentences of one language ``[N, D]``; fewer than `COMMON_FROM` tell too little
            of what they share, and are left as they are.

    Returns:
        ``[N, D]``, of length one.
    """
    if len(vectors) < COMMON_FROM:
        return vectors
    x = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    count = round(x.shape[1] / 100)
    if count:
        top = np.linalg.eigh(x.T @ x)[1][:, -count:]
        x -= (x @ top) @ top.T
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.maximum(lengths, 1e-12), dtype=np.float32)


def nearest(queries: Floats, pool: Floats, k: int) -> tuple[Floats, Ints]:
    """The ``k`` rows of ``pool`` with the largest inner product, for each query, best first.

    It is done in blocks: the table of all products is never in memory.

    Args:
        queries: Vectors [N, D].
        pool: Vectors [M, D].
        k: How many; at most M are given.

    Returns:
        Products and rows, each [N, min(k, M)].
    """
    import torch

    k = min(k, len(pool))
    scores = np.zeros((len(queries), k), dtype=np.float32)
    rows = np.zeros((len(queries), k), dtype=np.int64)
    other = torch.from_numpy(np.ascontiguousarray(pool, dtype=np.float32))
    with track("Comparing", len(queries), unit="sentences") as bar:
        for start in range(0, len(queries), _ROWS):
            part = np.ascontiguousarray(queries[start : start + _ROWS], dtype=np.float32)
            block = torch.from_numpy(part)
            best: torch.Tensor | None = None
            place: torch.Tensor | None = None
            for column in range(0, len(pool), _COLUMNS):
                products = block @ other[column : column + _COLUMNS].T
                found = torch.topk(products, min(k, products.shape[1]), dim=1)
                if best is None or place is None:
                    best, place = found.values, found.indices
                    continue
                best = torch.cat([best, found.values], dim=1)
                place = torch.cat([place, found.indices + column], dim=1)
                best, order = torch.topk(best, min(k, best.shape[1]), dim=1)
                place = torch.gather(place, 1, order)
            assert best is not None and place is not None
            scores[start : start + len(part)] = best.numpy()
            rows[start : start + len(part)] = place.numpy()
            bar.advance(len(part))
    return scores, rows


def check_rules(margin: str, retrieval: str) -> None:
    """See that a margin and a retrieval are known.

    Raises:
        UsageError: One is not.
    """
    for name, value, known in (
        ("--margin", margin, get_args(Margin)),
        ("--retrieval", retrieval, get_args(Retrieval)),
    ):
        if value not in known:
            raise UsageError(f"{name} {value} is unknown", remedy=did_you_mean(value, known))


def mine(
    source: Floats,
    target: Floats,
    *,
    k: int = NEIGHBOURS,
    margin: str = "ratio",
    retrieval: str = "max",
    match: Match | None = None,
) -> Mined:
    """Candidate translations among N sources and M targets, scored by margin.

    Args:
        source: Vectors of length one [N, D].
        target: Vectors of length one [M, D].
        k: Neighbours that a cosine is compared with.
        margin: ``ratio``: cosine over the neighbours' mean; ``distance``: less that mean;
            ``absolute``: the cosine alone.
        retrieval: ``forward``: each source's best target; ``backward``: each target's best source;
            ``intersection``: where both agree; ``max``: the best of both, every sentence once.
        match: Another similarity, such as `WordMatch`. That of neighbours is then the mean of it
            and of the cosine, which alone tells who they are.

    Raises:
        UsageError: There is no such margin or retrieval.
        DataError: The vectors are of different width.
    """
    check_rules(margin, retrieval)
    if source.ndim != 2 or target.ndim != 2 or source.shape[1:] != target.shape[1:]:
        raise DataError(
            f"vectors of shape {list(source.shape)} and {list(target.shape)} cannot be compared",
            remedy="Embed both sides with one model",
        )
    if not len(source) or not len(target):
        return _pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    ahead, ahead_rows = nearest(source, target, k)
    back, back_rows = nearest(target, source, k)
    if match is not None:
        more = _matched(match, ahead_rows, back_rows)
        ahead, back = (
            np.asarray((a + b) / 2, np.float32) for a, b in zip((ahead, back), more, strict=True)
        )
    means = ahead.mean(axis=1), back.mean(axis=1)
    score = _MARGINS[margin]
    # [N, K] and [M, K]: the margins of every sentence with its neighbours.
    forward = score(ahead, (means[0][:, None] + means[1][ahead_rows]) / 2)
    backward = score(back, (means[1][:, None] + means[0][back_rows]) / 2)
    best, best_back = forward.argmax(axis=1), backward.argmax(axis=1)
    rows, columns = np.arange(len(source)), np.arange(len(target))
    there = _pairs(rows, ahead_rows[rows, best], forward[rows, best])
    return_ = _pairs(back_rows[columns, best_back], columns, backward[columns, best_back])
    if retrieval == "forward":
        return there
    if retrieval == "backward":
        return return_
    if retrieval == "intersection":
        both = set(zip(return_.source.tolist(), return_.target.tolist(), strict=True))
        pairs = zip(there.source.tolist(), there.target.tolist(), strict=True)
        kept = np.array([pair in both for pair in pairs], dtype=np.bool_)
        return Mined(there.source[kept], there.target[kept], there.score[kept])
    return _greedy(
        _pairs(
            np.concatenate([there.source, return_.source]),
            np.concatenate([there.target, return_.target]),
            np.concatenate([there.score, return_.score]),
        )
    )


def _matched(match: Match, ahead: Ints, back: Ints) -> tuple[Floats, Floats]:
    """What ``match`` says of neighbours [N, K] and [M, K], every pair asked for once."""
    count = len(back)
    there = np.arange(len(ahead))[:, None] * count + ahead
    return_ = back * count + np.arange(count)[:, None]
    asked, places = np.unique(np.concatenate([there, return_], axis=None), return_inverse=True)
    found = match(asked // count, asked % count)[places]
    return found[: there.size].reshape(there.shape), found[there.size :].reshape(return_.shape)


def _pairs(source: Ints, target: Ints, score: Floats) -> Mined:
    order = np.lexsort((target, source, -score))
    return Mined(source[order], target[order], score[order].astype(np.float32))


def _greedy(pairs: Mined) -> Mined:
    """The best pairs such that no sentence is in two of them."""
    kept, sources, targets = [], set(), set()
    for i, (a, b) in enumerate(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True)):
        if a not in sources and b not in targets:
            kept.append(i)
            sources.add(a)
            targets.add(b)
    return Mined(pairs.source[kept], pairs.target[kept], pairs.score[kept])


def first_of_equals(texts: Sequence[str]) -> tuple[list[str], Ints]:
    """Texts without repetitions, and the row of each one's first occurrence.

    A sentence that stands twice is its own best neighbour, which no margin survives.
    """
    rows: dict[str, int] = {}
    for row, text in enumerate(texts):
        rows.setdefault(" ".join(text.split()), row)
    places = np.fromiter(rows.values(), dtype=np.int64, count=len(rows))
    return [texts[row] for row in places], places
