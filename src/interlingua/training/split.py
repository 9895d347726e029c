"""Parts of a training set: alike in labels, and never the same text in two parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def folds(
    texts: Sequence[str], labels: Sequence[int], *, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Divide rows into parts of like label shares.

    Rows with an identical text go to one part together, so that no part repeats another. Every
    class with at least one text per part is in every part; a rarer one fills the first parts.

    Args:
        texts: The texts [N].
        labels: Their classes [N].
        count: How many parts.
        rng: Where the order comes from.

    Returns:
        The part of each row, int64 [N].
    """
    members: dict[int, list[str]] = {}
    first: dict[str, int] = {}
    for text, label in zip(texts, labels, strict=True):
        if text not in first:
            first[text] = label
            members.setdefault(label, []).append(text)
    part: dict[str, int] = {}
    for label in sorted(members):
        distinct = members[label]
        for place, i in enumerate(rng.permutation(len(distinct))):
            part[distinct[i]] = place % count
    return np.array([part[text] for text in texts], dtype=np.int64)
