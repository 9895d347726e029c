"""How well vectors of translations join their languages: measures of one direction or one language.

Two matrices of vectors of length one hold the same items in the same order, in two languages, so
that row i of one is the translation of row i of the other. Measures of single queries are given as
an array, so that a caller may average, compare and resample them.

Legend: N items, D features, K neighbours, R resamples, C languages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Doubles = NDArray[np.float64]
    Ints = NDArray[np.integer[Any]]

SHRINKAGE = 0.1
"""How far a discriminant's covariance is drawn towards a sphere."""


def first_hits(similarity: Floats) -> Doubles:
    """Whether each query's translation comes first: precision at one (Conneau et al. 2018).

    Args:
        similarity: Of queries (rows) and pool, translations on the diagonal, ``[N, N]``.

    Returns:
        1 or 0, ``[N]``; of equals the translation comes first.
    """
    right = np.diagonal(similarity)
    return np.asarray((similarity > right[:, None]).sum(axis=1) == 0, dtype=np.float64)


def csls(similarity: Floats, k: int) -> Floats:
    """Cross-domain similarity local scaling (Conneau et al., ICLR 2018, equation 3).

    ``2 cos(x, y) - r(x) - r(y)``, where ``r`` is the mean of the ``k`` largest cosines with the
    other language: vectors that are near to everything lose by it.
    """
    rows = _largest(similarity, k).mean(axis=1)
    columns = _largest(similarity.T, k).mean(axis=1)
    return np.asarray(2 * similarity - rows[:, None] - columns[None, :])


def neighbour_table(similarity: Floats, k: int) -> NDArray[np.float32]:
    """Which ``k`` of the pool are nearest to each query: 1 or 0, ``[N, N]``.

    Its column sums are the k-occurrences ``N_k`` of the pool (Radovanovic et al., JMLR 2010).
    """
    nearest = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    table = np.zeros(similarity.shape, dtype=np.float32)
    np.put_along_axis(table, nearest, 1.0, axis=1)
    return table


def skewness(occurrences: Floats) -> Doubles:
    """Third standardised moment over the last axis: of k-occurrences, how uneven they are.

    ``E (N_k - mean)^3 / sd^3`` (Radovanovic et al., JMLR 2010, section 2). 0: no hubs; several:
    a few vectors stand in many lists. 0 where all are equal.
    """
    centred = occurrences - occurrences.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, dtype=np.float64))
    third = (centred**3).mean(axis=-1, dtype=np.float64)
    return np.asarray(np.divide(third, spread**3, out=np.zeros_like(third), where=spread > 1e-9))


def rivals_before(within: Floats, right: Floats) -> Doubles:
    """Whether a text of the query's own language outranks the query's translation.

    Args:
        within: Similarity of the queries with each other, ``[N, N]``; a query is no rival of
            itself.
        right: Similarity of each query and its translation, ``[N]``.

    Returns:
        1 or 0, ``[N]``: whether at least one of the N - 1 others does.
    """
    others = within > right[:, None]
    np.fill_diagonal(others, val=False)
    return np.asarray(others.any(axis=1), dtype=np.float64)


def mean_cosine(vectors: Floats, counts: Floats) -> Doubles:
    """Mean cosine of two different texts (Ethayarajh, EMNLP 2019): 0 where all directions are used.

    Args:
        vectors: Of length one, ``[N, D]``.
        counts: How often each was drawn, ``[R, N]``; a text is never paired with itself.

    Returns:
        ``[R]``.
    """
    sums = (counts @ vectors).astype(np.float64)
    own = (counts.astype(np.float64) ** 2).sum(axis=1)
    total = counts.sum(axis=1, dtype=np.float64)
    return np.asarray(((sums**2).sum(axis=1) - own) / np.maximum(total**2 - own, 1e-12))


def partition_isotropy(vectors: Floats, counts: Floats) -> Doubles:
    """How even the partition function is (Mu and Viswanath, ICLR 2018, section 2.2).

    ``min Z(c) / max Z(c)`` with ``Z(c) = sum_x exp(c . x)`` over the eigenvectors ``c`` of
    ``X^T X``, both signs of each: 1 if no direction is preferred. The directions are those of all
    vectors, in resamples too.

    Args:
        vectors: ``[N, D]``.
        counts: How often each was drawn, ``[R, N]``.

    Returns:
        ``[R]``.
    """
    directions = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)[1]
    products = vectors @ directions.astype(vectors.dtype)
    sums = counts @ np.exp(np.concatenate([products, -products], axis=1))
    return np.asarray(sums.min(axis=1) / sums.max(axis=1), dtype=np.float64)


def read_language(vectors: Floats, languages: Ints, folds: Ints) -> Doubles:
    """Whether a linear classifier that never saw a text tells its language (cross-validated).

    Fisher's linear discriminant with equal priors (Hastie, Tibshirani and Friedman 2009, section
    4.3); the covariance within languages, ``S``, is drawn to a sphere: ``(1 - a) S + a tr(S)/D I``.

    Args:
        vectors: ``[N, D]``.
        languages: In ``[0, C)``, ``[N]``.
        folds: The part each text is held out in, ``[N]``; translations belong to one part.

    Returns:
        1 or 0, ``[N]``.
    """
    x = vectors.astype(np.float64)
    hits = np.zeros(len(x))
    classes = int(languages.max()) + 1
    for fold in np.unique(folds):
        held = folds == fold
        seen, tags = x[~held], languages[~held]
        counts = np.bincount(tags, minlength=classes)
        sums = np.zeros((classes, x.shape[1]))
        np.add.at(sums, tags, seen)
        means = sums / np.maximum(counts, 1)[:, None]
        centred = seen - means[tags]
        within = centred.T @ centred / max(len(seen) - classes, 1)
        sphere = np.trace(within) / len(within)
        within = (1 - SHRINKAGE) * within + SHRINKAGE * sphere * np.eye(len(within))
        weights = np.linalg.solve(within + 1e-12 * np.eye(len(within)), means.T)
        scores = x[held] @ weights - 0.5 * (means.T * weights).sum(axis=0)
        scores[:, counts == 0] = -np.inf
        hits[held] = scores.argmax(axis=1) == languages[held]
    return hits


def _largest(similarity: Floats, k: int) -> Floats:
    return -np.partition(-similarity, k - 1, axis=1)[:, :k]
