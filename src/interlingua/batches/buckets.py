"""Batches of texts of like length, under a budget of padded tokens.

Legend: N texts, B rows of a batch, L padded length.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def padded_length(length: int, multiple: int) -> int:
    """``length`` rounded up to the next multiple, at least one multiple."""
    return max(1, -(-length // multiple)) * multiple


def plan(
    lengths: Sequence[int] | IntArray,
    *,
    token_budget: int,
    multiple: int = 8,
    max_rows: int = 256,
) -> list[IntArray]:
    """Divide texts into batches of like length, the longest first.

    A batch of B rows costs B times its padded length; that product stays within the budget, except
    that a single text longer than the budget is a batch of its own. The longest batch comes first,
    so that too little memory shows at once, and equal lengths keep their order.

    Args:
        lengths: Tokens of each text [N].
        token_budget: Padded tokens a batch may hold.
        multiple: Lengths are padded to a multiple of this.
        max_rows: Texts a batch may hold.

    Returns:
        Arrays of positions into ``lengths``; together they hold each of 0..N-1 once.
    """
    assert token_budget > 0 and multiple > 0 and max_rows > 0
    sizes = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(-sizes, kind="stable")
    batches: list[IntArray] = []
    start = 0
    while start < len(order):
        longest = padded_length(int(sizes[order[start]]), multiple)
        rows = max(1, min(max_rows, token_budget // longest))
        batches.append(order[start : start + rows])
        start += rows
    return batches


def least_padding(lengths: Sequence[int] | IntArray, *, each: int) -> list[IntArray]:
    """Divide texts into rectangles so that padded tokens, and ``each`` a rectangle, are least.

    Texts are taken by length, and a cut lies between two different lengths: with c_j texts of at
    most d_j tokens, d_1 < d_2 < ..., the least cost of the first j lengths is

        best_j = min over i < j of best_i + (c_j - c_i) d_j + each

    Args:
        lengths: Tokens of each text [N].
        each: What a rectangle costs besides, in tokens.

    Returns:
        Arrays of positions into ``lengths``, the longest first; together they hold each of 0..N-1
        once.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    distinct, counts = np.unique(sizes, return_counts=True)
    below = np.concatenate([[0], np.cumsum(counts)])
    best = np.zeros(len(below), dtype=np.int64)
    cut = np.zeros(len(below), dtype=np.int64)
    for j, length in enumerate(distinct.tolist(), 1):
        costs = best[:j] + (below[j] - below[:j]) * length + each
        cut[j] = int(np.argmin(costs))
        best[j] = costs[cut[j]]
    order = np.argsort(sizes, kind="stable")
    rectangles: list[IntArray] = []
    j = len(distinct)
    while j:
        rectangles.append(order[below[cut[j]] : below[j]])
        j = int(cut[j])
    return rectangles


def plan_equal(
    lengths: Sequence[int] | IntArray, *, token_budget: int, max_rows: int = 256
) -> list[IntArray]:
    """Batches whose texts all have the same length, so that nothing is padded.

    Slower than `plan`, but a text's vector then does not depend on its companions' lengths.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    batches: list[IntArray] = []
    for size in np.unique(sizes)[::-1]:
        rows = max(1, min(max_rows, token_budget // max(1, int(size))))
        members = np.flatnonzero(sizes == size)
        batches.extend(members[i : i + rows] for i in range(0, len(members), rows))
    return batches


def shuffled_plan(
    lengths: Sequence[int] | IntArray,
    *,
    token_budget: int,
    rng: np.random.Generator,
    multiple: int = 8,
    max_rows: int = 256,
    window: int = 4096,
) -> list[IntArray]:
    """One epoch of training batches: like lengths together, yet another order every epoch.

    Texts are shuffled, cut into windows, bucketed by length inside each window, and the batches of
    all windows are shuffled again. The window keeps batches from being the same every epoch.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    order = rng.permutation(len(sizes))
    batches: list[IntArray] = []
    for start in range(0, len(order), window):
        members = order[start : start + window]
        local = plan(
            sizes[members], token_budget=token_budget, multiple=multiple, max_rows=max_rows
        )
        batches.extend(members[rows] for rows in local)
    return [batches[i] for i in rng.permutation(len(batches))]
