"""Which texts must lie in one split: those that share a group, and near-duplicates of those.

A random split of package descriptions measures memory: a library and its ``-dev``, ``-doc`` and
``-dbg`` packages share their text, and so do versions of one program from different sources.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import regex

from interlingua.base.optional import require

_WORD = regex.compile(r"\w+")
_SHINGLE = 3  # words
_PERMUTATIONS = 128
_BANDS = 16  # of 8 rows: the curve is steepest at a similarity of about 0.71
_SIMILAR = 0.75  # estimated Jaccard similarity of shingles
_SEED = 1


class _Forest:
    """Disjoint sets (Tarjan 1975)."""

    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def root(self, item: int) -> int:
        while self.parent[item] != item:
            self.parent[item] = self.parent[self.parent[item]]
            item = self.parent[item]
        return item

    def join(self, left: int, right: int) -> None:
        low, high = sorted((self.root(left), self.root(right)))
        self.parent[high] = low


def _shingles(text: str) -> list[str]:
    words = _WORD.findall(text.casefold())
    spans = range(max(1, len(words) - _SHINGLE + 1))
    return sorted({" ".join(words[start : start + _SHINGLE]) for start in spans})


def clusters(texts: Sequence[str], groups: Sequence[str]) -> list[str]:
    """A cluster of each text: the finest parts that split neither a group nor near-duplicates.

    Args:
        texts: The texts, in one language.
        groups: What each text belongs to, such as its source package.

    Returns:
        Sixteen hexadecimal digits for each text, the hash of the first group of its cluster; the
        order of the texts does not change them.

    Raises:
        MissingExtraError: rensa is not installed.
    """
    rensa = require("rensa", extra="corpus")
    assert len(texts) == len(groups)
    forest = _Forest(len(texts))
    first: dict[str, int] = {}
    for number, group in enumerate(groups):
        forest.join(first.setdefault(group, number), number)
    index = rensa.RMinHashLSH(_SIMILAR, _PERMUTATIONS, _BANDS)
    hashes: dict[int, Any] = {}
    for text, number in {text: number for number, text in enumerate(texts)}.items():
        made = rensa.RMinHash(_PERMUTATIONS, _SEED)
        made.update(_shingles(text))
        for other in index.query(made):
            if made.jaccard(hashes[other]) >= _SIMILAR:
                forest.join(other, number)
        index.insert(number, made)
        hashes[number] = made
    same: dict[str, int] = {}
    for number, text in enumerate(texts):
        forest.join(same.setdefault(text, number), number)
    names: dict[int, str] = {}
    for number, group in enumerate(groups):
        root = forest.root(number)
        names[root] = min(names.get(root, group), group)
    return [
        hashlib.sha256(names[forest.root(number)].encode()).hexdigest()[:16]
        for number in range(len(texts))
    ]


__all__ = ["clusters"]
