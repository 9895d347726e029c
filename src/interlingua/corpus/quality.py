"""Quality of a text, judged by what is usual in its own language.

No threshold is written down anywhere: a measure's fences lie ``reach`` times as far from the
language's median as its tenth and its ninetieth percentile do,

    low = q50 - reach (q50 - q10),   high = q50 + reach (q90 - q50),

so that what is common in a language is never thrown out of it, whatever is common in English, and
a clean language loses nothing. (FineWeb2 derives thresholds from each language's statistics too:
Penedo et al. 2025, arXiv 2506.20920, section 3.2.) A language with few documents has no fences.

Legend: ``N`` texts, ``M`` measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from interlingua.base.config import Config
from interlingua.corpus.tokens import (
    DIGIT,
    LETTER,
    NEWLINE,
    SPACE,
    UPPER,
    Rows,
    character_classes,
    code_points,
    runs,
)

Measures = NDArray[np.float32]
_REPEATED_RUN = 3  # tokens
_FEW = (
    20  # characters, or runs, that any text has besides: a sign or two of a short one is no share
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a text.

    Attributes:
        name: What it is called, and the reason of a drop.
        low: Whether a text may have too little of it.
        high: Whether a text may have too much of it.
        least: Least distance of a fence from the median, in the unit of the measure: smaller
            differences mean nothing even where all texts are alike.
    """

    name: str
    low: bool
    high: bool
    least: float


MEASURES = (
    Measure("few letters", low=True, high=False, least=0.25),
    Measure("many digits", low=False, high=True, least=0.25),
    Measure("many signs", low=False, high=True, least=0.25),
    Measure("many capitals", low=False, high=True, least=0.4),
    Measure("odd word lengths", low=True, high=True, least=0.7),
    Measure("repeated tokens", low=False, high=True, least=0.35),
    Measure("repeated lines", low=False, high=True, least=0.3),
    Measure("short lines", low=True, high=False, least=1.5),
)
"""The columns of `measure`: shares of the characters that are no blanks (letters, digits, signs);
of the letters (capitals); the logarithm of the mean run between blanks and signs; shares of runs of
three tokens, and of lines, that stood in the text before; the logarithm of the mean line."""


class QualityRules(Config):
    """How far from its language's median a document may lie."""

    reach: float = Field(4.0, gt=1)
    """Times the distance of the tenth or ninetieth percentile."""

    min_documents: int = Field(1000, ge=10)
    """A language with fewer documents is not judged: its percentiles are not known."""


def measure(texts: Sequence[str], tokens: Rows) -> Measures:
    """The measures of texts: float32 ``[N, M]``.

    Args:
        texts: The texts; an empty one has 0 of everything.
        tokens: Theirs, from `hash_tokens`.
    """
    found = np.zeros((len(texts), len(MEASURES)), np.float32)
    if not texts:
        return found
    codes, offsets = code_points(texts)
    classes = character_classes()[codes]
    starts = offsets[:-1]

    def total(flags: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.add.reduceat(flags, starts, dtype=np.int64).astype(np.float64)

    letters = (classes & LETTER) > 0
    inside = (classes & (LETTER | DIGIT)) > 0
    shown = total((classes & SPACE) == 0)
    begin = inside & ~np.roll(inside, 1)
    begin[starts] = inside[starts]
    lettered = total(letters)
    lines = total((classes & NEWLINE) > 0)  # a text is followed by a line end
    found[:, 0] = 1 - (shown - lettered) / (shown + _FEW)
    found[:, 1] = total((classes & DIGIT) > 0) / (shown + _FEW)
    found[:, 2] = total((classes & (LETTER | DIGIT | SPACE)) == 0) / (shown + _FEW)
    found[:, 3] = total((classes & UPPER) > 0) / (lettered + _FEW)
    found[:, 4] = np.log1p(total(inside) / np.maximum(total(begin), 1))
    found[:, 5] = _repeated(runs(tokens, _REPEATED_RUN))
    found[:, 6] = [_repeated_lines(text) for text in texts]
    found[:, 7] = np.log1p(shown / np.maximum(lines, 1))
    return found


def _repeated(rows: Rows) -> NDArray[np.float64]:
    """The share of a row's numbers that stood in it before."""
    row = np.repeat(np.arange(len(rows)), rows.counts())
    order = np.lexsort((rows.values, row))
    values, owners = rows.values[order], row[order]
    again = np.zeros(len(values), bool)
    again[1:] = (values[1:] == values[:-1]) & (owners[1:] == owners[:-1])
    return np.bincount(owners[again], minlength=len(rows)) / (rows.counts() + _FEW)


def _repeated_lines(text: str) -> float:
    if text.count("\n") < 2:
        return 0.0
    lines = [line for line in text.split("\n") if line]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


def fences(measures: Measures, rules: QualityRules) -> NDArray[np.float64] | None:
    """The least and the greatest value of each measure in a language: ``[M, 2]``.

    Args:
        measures: Of all its documents, float32 ``[N, M]``.
        rules: How far.

    Returns:
        Infinite where a measure has no fence on that side; None where there are too few documents.
    """
    if len(measures) < rules.min_documents:
        return None
    low, median, high = np.quantile(measures, [0.1, 0.5, 0.9], axis=0).astype(np.float64)
    least = np.array([one.least for one in MEASURES])
    down = median - np.maximum(rules.reach * (median - low), least)
    up = median + np.maximum(rules.reach * (high - median), least)
    has_low = np.array([one.low for one in MEASURES])
    has_high = np.array([one.high for one in MEASURES])
    return np.stack([np.where(has_low, down, -np.inf), np.where(has_high, up, np.inf)], axis=1)


def outside(measures: Measures, limits: NDArray[np.float64]) -> NDArray[np.int64]:
    """The first measure by which each text lies outside the fences, -1 if by none: ``[N]``."""
    beyond = (measures < limits[:, 0]) | (measures > limits[:, 1])
    return np.where(beyond.any(axis=1), beyond.argmax(axis=1), -1)


def described(limits: NDArray[np.float64] | None) -> dict[str, Any] | None:
    """Fences as JSON values: ``[low, high]`` by measure, None on a side without a fence."""
    if limits is None:
        return None
    return {
        one.name: [round(float(x), 4) if np.isfinite(x) else None for x in pair]
        for one, pair in zip(MEASURES, limits, strict=True)
    }


__all__ = ["MEASURES", "Measure", "QualityRules", "described", "fences", "measure", "outside"]
