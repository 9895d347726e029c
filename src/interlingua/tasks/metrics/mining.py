"""How good a miner of translations is: BUCC's F1 over pairs, and Tatoeba's accuracy.

The two have nothing in common: BUCC asks which sentences of two large texts are translations, at a
threshold that was tuned on other data; Tatoeba gives each English sentence exactly one partner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Pair = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MiningScores:
    """Of mined pairs, each in ``[0, 1]``; all are 0 when no pair is right."""

    precision: float
    recall: float
    f1: float


def bucc_scores(gold: Collection[Pair], mined: Collection[Pair]) -> MiningScores:
    """Precision, recall and F1 of mined pairs of ids (Zweigenbaum et al. 2018; LASER, XTREME).

    Pairs are sets: one that is given twice counts once.
    """
    right, found = set(gold), set(mined)
    hits = len(right & found)
    if hits == 0:
        return MiningScores(0.0, 0.0, 0.0)
    precision, recall = hits / len(found), hits / len(right)
    return MiningScores(precision, recall, 2 * precision * recall / (precision + recall))


def bucc_threshold(candidates: Mapping[Pair, float], gold: Collection[Pair]) -> float:
    """The threshold with the best F1 on pairs whose gold is known, to be used on others.

    As LASER's ``bucc.py``: half way between the last pair kept and the next; the first of equals.
    After the last candidate it is that one's score, where the script fails. 0 if no pair is right.

    Args:
        candidates: Scored pairs, the higher the better.
        gold: Right pairs.
    """
    right = set(gold)
    ranked = sorted(candidates.items(), key=lambda item: -item[1])
    best = threshold = 0.0
    hits = 0
    for i, (pair, score) in enumerate(ranked):
        hits += pair in right
        if hits == 0:
            continue
        precision, recall = hits / (i + 1), hits / len(right)
        f1 = 2 * precision * recall / (precision + recall)
        if f1 > best:
            best = f1
            threshold = (score + ranked[i + 1][1]) / 2 if i + 1 < len(ranked) else score
    return threshold


def mined_at(candidates: Mapping[Pair, float], *, threshold: float) -> list[Pair]:
    """The pairs that score ``threshold`` or more."""
    return [pair for pair, score in candidates.items() if score >= threshold]


def tatoeba_accuracy(gold: Sequence[str], found: Sequence[str]) -> float:
    """Share of queries whose nearest sentence is the right one, by its index.

    XTREME's English sentences search the foreign pool, so one direction only; LASER gives the error
    rate, other suites F1 or the mean of both directions. 0 without queries.
    """
    assert len(gold) == len(found), (len(gold), len(found))
    return sum(g == f for g, f in zip(gold, found, strict=True)) / len(gold) if gold else 0.0
