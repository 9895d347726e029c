"""Parts of a training set: alike in labels, and never the same text in two parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from interlingua.base.optional import require


def groups(texts: Sequence[str], pairs: Sequence[str] | None = None) -> NDArray[np.int64]:
    """The group of each row, int64 [N]: rows that share a text, directly or over others, are one.

    Args:
        texts: The texts [N].
        pairs: Second texts [N], if rows are pairs.
    """
    index: dict[str, int] = {}
    firsts = [index.setdefault(text, len(index)) for text in texts]
    if pairs is None:
        return np.array(firsts, dtype=np.int64)
    seconds = [index.setdefault(text, len(index)) for text in pairs]
    sparse = require("scipy.sparse", extra="text")
    links = sparse.coo_matrix((np.ones(len(firsts)), (firsts, seconds)), shape=[len(index)] * 2)
    _, group = sparse.csgraph.connected_components(links, directed=False)
    return np.asarray(group[firsts], dtype=np.int64)


def folds(
    groups: NDArray[np.int64], labels: Sequence[int], *, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Divide rows into parts of like label shares.

    Rows of one group go to one part together, so that no part repeats another. Every class with at
    least one group per part is in every part; a rarer one fills the first parts.

    Args:
        groups: The group of each row [N].
        labels: Their classes [N].
        count: How many parts.
        rng: Where the order comes from.

    Returns:
        The part of each row, int64 [N].
    """
    members: dict[int, list[int]] = {}
    first: dict[int, int] = {}
    for group, label in zip(groups.tolist(), labels, strict=True):
        if group not in first:
            first[group] = label
            members.setdefault(label, []).append(group)
    part: dict[int, int] = {}
    for label in sorted(members):
        distinct = members[label]
        for place, i in enumerate(rng.permutation(len(distinct))):
            part[distinct[i]] = place % count
    return np.array([part[group] for group in groups.tolist()], dtype=np.int64)
