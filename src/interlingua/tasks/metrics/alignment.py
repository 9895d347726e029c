"""How good an alignment of words is: precision, recall and error rate of links."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

Link = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """Counts over sentences; sums of them are counts too.

    Attributes:
        found: Links that were made.
        sure: Links that have to be there.
        hits_sure: Links made that have to be there.
        hits_possible: Links made that may be there, sure ones included.
    """

    found: int
    sure: int
    hits_sure: int
    hits_possible: int

    @property
    def error_rate(self) -> float:
        """Och and Ney 2003: ``1 - (|A & S| + |A & P|) / (|A| + |S|)``; 0 where there is nothing."""
        whole = self.found + self.sure
        return 1 - (self.hits_sure + self.hits_possible) / whole if whole else 0.0

    @property
    def precision(self) -> float:
        """Share of the links made that may be there; 0 without links."""
        return self.hits_possible / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of the sure links that were made; 0 without any."""
        return self.hits_sure / self.sure if self.sure else 0.0


def count_links(
    found: Collection[Link], sure: Collection[Link], possible: Collection[Link] = ()
) -> LinkCounts:
    """Counts of one sentence pair.

    Args:
        found: Links that were made.
        sure: Links that have to be there.
        possible: Links that may be there besides.
    """
    made, must = set(found), set(sure)
    return LinkCounts(len(made), len(must), len(made & must), len(made & (must | set(possible))))
