"""How good a tagger is: precision, recall and F1 over spans, and accuracy over tokens.

A span is a type and the tokens it covers; it is right only if all of it is right. What counts as a
span is where scorers differ, so the reading is an argument:

- ``seqeval``: the package of that name since 1.0, which is what the XTREME and XGLUE scripts run
  today. After conlleval.pl (Tjong Kim Sang 2002), so lenient: ``I-`` without ``B-`` begins a span,
  and a change of type begins another; IOB1, IOB2, IOBES and tags without a prefix all go through.
  The first letter is the prefix whatever it is: NOUN is prefix N with type OUN, CCONJ and SCONJ
  share the type CONJ, INTJ continues like ``I-``, and X has the type ``_`` that ``O`` has too, so
  its span keeps an older beginning, even one in an earlier sentence.
- ``seqeval-0``: the same before 1.0, with which the numbers of 2020 were made: the type is
  what follows the last hyphen, NOUN itself for NOUN. The two differ on tags without prefix only,
  and on types with a hyphen.
- ``iob2``: strict. A span begins with ``B-``; ``I-`` without a span of its type to continue is no
  entity.

Shapes: ``N`` sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Sentences = Sequence[Sequence[str]]
"""Tags of sentences."""
Span = tuple[str, int, int]
"""A type, and the first and last token."""

Reading = Literal["seqeval", "seqeval-0", "iob2"]


@dataclass(frozen=True, slots=True)
class SpanCounts:
    """Spans of every sentence, ``[N]`` each; a corpus figure needs only their sums.

    Attributes:
        hits: Spans predicted as they are in gold.
        predicted: Spans predicted.
        gold: Spans in gold.
    """

    hits: NDArray[np.int64]
    predicted: NDArray[np.int64]
    gold: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Micro-averaged over all spans, each in ``[0, 1]``; a ratio without a denominator is 0."""

    precision: float
    recall: float
    f1: float


def spans(sentences: Sentences, *, reading: Reading = "seqeval") -> list[set[Span]]:
    """The spans of every sentence, as ``(type, first, last)``.

    Positions count through the whole corpus, with one place for the end of each sentence, and a
    span belongs to the sentence it ends in: by ``seqeval`` one may begin before it.

    Args:
        sentences: Tags of ``N`` sentences; no tag is empty.
        reading: Which tags make a span.

    Returns:
        ``N`` sets.
    """
    return _strict(sentences) if reading == "iob2" else _lenient(sentences, reading)


def span_counts(
    gold: Sentences, predicted: Sentences, *, reading: Reading = "seqeval"
) -> SpanCounts:
    """Count the spans of every sentence.

    Args:
        gold: Tags of ``N`` sentences.
        predicted: As many tags in as many sentences.
        reading: Which tags make a span.
    """
    _check(gold, predicted)
    pairs = list(zip(spans(gold, reading=reading), spans(predicted, reading=reading), strict=True))
    return SpanCounts(
        hits=np.array([len(g & p) for g, p in pairs], dtype=np.int64),
        predicted=np.array([len(p) for _, p in pairs], dtype=np.int64),
        gold=np.array([len(g) for g, _ in pairs], dtype=np.int64),
    )


def span_scores(counts: SpanCounts) -> SpanScores:
    """Precision, recall and F1 of a corpus: ``F1 = 2 P R / (P + R)``, as seqeval computes it."""
    hits = int(counts.hits.sum())
    precision = _ratio(hits, int(counts.predicted.sum()))
    recall = _ratio(hits, int(counts.gold.sum()))
    return SpanScores(precision, recall, _ratio(2 * precision * recall, precision + recall))


def token_accuracy(gold: Sentences, predicted: Sentences) -> float:
    """Share of tokens with the gold tag; 0 without tokens.

    Args:
        gold: Tags of ``N`` sentences.
        predicted: As many tags in as many sentences.
    """
    _check(gold, predicted)
    pairs = [
        (g, p)
        for tags, others in zip(gold, predicted, strict=True)
        for g, p in zip(tags, others, strict=True)
    ]
    return _ratio(sum(g == p for g, p in pairs), len(pairs))


def _lenient(sentences: Sentences, reading: Reading) -> list[set[Span]]:
    """The state machine of conlleval: spans end and begin at changes from tag to tag."""
    found: list[set[Span]] = []
    before, type_before, first, place = "O", "", 0, 0
    for tags in sentences:
        ended: set[Span] = set()
        for tag in (*tags, "O"):
            prefix, type_ = tag[0], _type(tag, reading)
            changed = type_before != type_
            if before in "ES" or (before in "BI" and prefix in "BSO") or _inside(before) & changed:
                ended.add((type_before, first, place - 1))
            if prefix in "BS" or (before in "ESO" and prefix in "EI") or _inside(prefix) & changed:
                first = place
            before, type_before = prefix, type_
            place += 1
        found.append(ended)
    return found


def _type(tag: str, reading: Reading) -> str:
    if reading == "seqeval-0":
        return tag.rpartition("-")[2]
    rest = tag[1:]
    return (rest.partition("-")[2] if "-" in rest else rest) or "_"


def _inside(prefix: str) -> bool:
    return prefix not in "O."


def _strict(sentences: Sentences) -> list[set[Span]]:
    found: list[set[Span]] = []
    place = 0
    for tags in sentences:
        ended: set[Span] = set()
        open_type, first = None, 0
        for tag in (*tags, "O"):
            prefix, _, type_ = tag.partition("-")
            if open_type is not None and not (prefix == "I" and type_ == open_type):
                ended.add((open_type, first, place - 1))
                open_type = None
            if prefix == "B":
                open_type, first = type_, place
            place += 1
        found.append(ended)
    return found


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _check(gold: Sentences, predicted: Sentences) -> None:
    assert len(gold) == len(predicted), (len(gold), len(predicted))
    for tags, others in zip(gold, predicted, strict=True):
        assert len(tags) == len(others), (tags, others)
