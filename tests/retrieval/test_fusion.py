"""Fusion by hand-computed values; reranking by a fake head."""

from __future__ import annotations

import pytest

from interlingua.retrieval import fusion

DENSE = [("a", 0.9), ("b", 0.8), ("c", 0.7)]
WORDS = [("b", 12.0), ("d", 3.0)]


def test_reciprocal_rank() -> None:
    fused = fusion.reciprocal_rank([DENSE, WORDS])
    assert [name for name, _ in fused] == ["b", "a", "d", "c"]
    assert dict(fused) == pytest.approx(
        {"b": 1 / 62 + 1 / 61, "a": 1 / 61, "d": 1 / 62, "c": 1 / 63}
    )
    weighted = fusion.reciprocal_rank([DENSE, WORDS], weights=(1, 0))
    assert [name for name, _ in weighted[:3]] == ["a", "b", "c"]


def test_scores() -> None:
    fused = fusion.scores(
        [fusion.between(DENSE), fusion.between(WORDS, low=0.0, high=15.0)], weights=(3, 1)
    )
    assert dict(fused) == pytest.approx({"a": 0.75, "b": 0.375 + 0.2, "c": 0.0, "d": 0.05})
    assert fusion.between([]) == []
    assert fusion.between([("x", 2.0)]) == [("x", 1.0)]


def test_vectors_and_words_are_one_score() -> None:
    fused = fusion.of_both(DENSE, WORDS, ceiling=15.0, weight=0.25)
    assert dict(fused) == pytest.approx({"a": 0.75, "b": 0.375 + 0.2, "c": 0.0, "d": 0.05})


def test_a_poor_match_of_words_does_not_win() -> None:
    """The best of BM25 is a passage with one common word of the query's many."""
    stray = [("z", 0.4)]
    by_rank = fusion.reciprocal_rank([DENSE, stray])
    by_score = fusion.scores([fusion.between(DENSE), fusion.between(stray, low=0.0, high=15.0)])
    assert dict(by_rank)["z"] == dict(by_rank)["a"]
    assert by_score[0][0] == "a" and dict(by_score)["z"] < 0.02
