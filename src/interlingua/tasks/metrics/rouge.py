"""ROUGE-1, ROUGE-2 and ROUGE-L of summaries, in every script.

Lin 2004 (W04-1013). The usual packages keep ``[a-z0-9]`` only: Hindi, Chinese or Arabic score 0,
and French loses its accents. So the tokens are an argument:

- `segmentation.script_words`: words of any script, single characters where none puts spaces. Not
  comparable with published English figures.
- `english_words`: the definition of Google's ``rouge_score`` without its stemmer.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ENGLISH = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class RougeScore:
    """Of one summary, each in ``[0, 1]``."""

    precision: float
    recall: float
    f1: float


def english_words(text: str) -> list[str]:
    """Lower-cased runs of ``a`` to ``z`` and digits; every other letter is lost."""
    return _ENGLISH.findall(text.lower())


def rouge_n(
    summary: str, reference: str, *, n: int, tokens: Callable[[str], list[str]]
) -> RougeScore:
    """Overlap of n-grams, each counted as often as both texts have it.

    Args:
        summary: What was written.
        reference: What was wanted.
        n: 1 for ROUGE-1, 2 for ROUGE-2.
        tokens: How texts are cut.
    """
    assert n > 0, n
    found, wanted = _ngrams(tokens(summary), n), _ngrams(tokens(reference), n)
    return _score((found & wanted).total(), found.total(), wanted.total())


def rouge_l(summary: str, reference: str, *, tokens: Callable[[str], list[str]]) -> RougeScore:
    """Longest common subsequence of both texts, each taken as one sequence.

    Args:
        summary: What was written.
        reference: What was wanted.
        tokens: How texts are cut.
    """
    found, wanted = tokens(summary), tokens(reference)
    return _score(_common_subsequence(found, wanted), len(found), len(wanted))


def _ngrams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the longest common subsequence, a row of the table in one integer (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for i, word in enumerate(left):
        places[word] = places.get(word, 0) | 1 << i
    everywhere = (1 << len(left)) - 1
    row = everywhere
    for word in right:
        shared = row & places.get(word, 0)
        row = ((row + shared) | (row - shared)) & everywhere
    return len(left) - row.bit_count()


def _score(shared: int, found: int, wanted: int) -> RougeScore:
    precision = shared / found if found else 0.0
    recall = shared / wanted if wanted else 0.0
    total = precision + recall
    return RougeScore(precision, recall, 2 * precision * recall / total if total else 0.0)
