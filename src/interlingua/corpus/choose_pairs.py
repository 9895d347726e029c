"""A balanced choice of pairs: of two languages not too many, and none of those with too few.

Which pairs stay is decided by a hash of the source text, so that the same sentences stay in all
languages: with English sources, few English texts then have very many translations.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from interlingua.base.config import Config
from interlingua.corpus.rows import open_bytes


class PairChoice(Config):
    """How many pairs of two languages stay."""

    most: int | None = Field(None, ge=1)
    """At most so many; all, if not given."""
    least: int = Field(1, ge=1)
    """None, where there are fewer."""

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.most is None and self.least == 1


def chosen_rows(path: Path, choice: PairChoice) -> Iterator[dict[str, Any]]:
    """The rows of a file of pairs that stay, in their order; the file is read twice.

    Args:
        path: Pairs as `corpus.pairs.gather_pairs` writes them, compressed or not.
        choice: How many stay.

    Raises:
        DataError: The file cannot be read.
    """
    counts: Counter[tuple[str, str]] = Counter()
    smallest: dict[tuple[str, str], list[int]] = {}  # heaps of negated hashes
    for row in _rows(path):
        pair = _languages(row)
        counts[pair] += 1
        if choice.most is None:
            continue
        heap, number = smallest.setdefault(pair, []), -_hash(row)
        if len(heap) < choice.most:
            heapq.heappush(heap, number)
        elif number > heap[0]:
            heapq.heapreplace(heap, number)
    bounds = {pair: -heap[0] for pair, heap in smallest.items()}
    left = {pair: choice.most or count for pair, count in counts.items()}
    for row in _rows(path):
        pair = _languages(row)
        small = pair not in bounds or _hash(row) <= bounds[pair]
        if counts[pair] >= choice.least and small and left[pair]:
            left[pair] -= 1  # sources recur, so that hashes do
            yield row


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with open_bytes(path) as stream:
        for line in stream:
            yield json.loads(line)


def _languages(row: dict[str, Any]) -> tuple[str, str]:
    return row["source_lang"], row["target_lang"]


def _hash(row: dict[str, Any]) -> int:
    digest = hashlib.blake2b(str(row["source"]).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


__all__ = ["PairChoice", "chosen_rows"]
