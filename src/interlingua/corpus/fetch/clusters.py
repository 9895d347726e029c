"""Which texts must lie in one split: those that share a group, and near-duplicates of those.

A random split of package descriptions measures memory: a library and its ``-dev``, ``-doc`` and
``-dbg`` packages share their text, and so do versions of one program from different sources.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from interlingua.corpus.near_duplicates import (
    NearDuplicates,
    components,
    equal_pairs,
    similar,
    text_signatures,
)

_SIMILAR = NearDuplicates(run=3, bands=16, rows=8)
"""Runs of three words, since many descriptions are short; a match at a similarity of 0.75."""


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
    assert len(texts) == len(groups)
    signed = text_signatures(texts, _SIMILAR)
    near = similar(signed, np.zeros(len(texts), np.int64), _SIMILAR)
    same = [equal_pairs(_numbered(texts)), equal_pairs(_numbered(groups))]
    labels = components(len(texts), np.concatenate([near, *same])).tolist()
    names: dict[int, str] = {}
    for label, group in zip(labels, groups, strict=True):
        names[label] = min(names.get(label, group), group)
    return [hashlib.sha256(names[label].encode()).hexdigest()[:16] for label in labels]


def _numbered(values: Sequence[str]) -> NDArray[np.int64]:
    """The place where each value stands first."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(value, place) for place, value in enumerate(values)], int)


__all__ = ["clusters"]
