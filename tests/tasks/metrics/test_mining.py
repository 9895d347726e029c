"""Mined pairs, by hand and by trying every threshold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.tasks.metrics.mining import (
    bucc_scores,
    bucc_threshold,
    mined_at,
    tatoeba_accuracy,
)


def test_pairs_are_sets():
    gold = [("a", "1"), ("b", "2"), ("c", "3")]
    scores = bucc_scores(gold, [("a", "1"), ("a", "1"), ("b", "3")])
    assert (scores.precision, scores.recall) == (1 / 2, 1 / 3)
    assert scores.f1 == pytest.approx(0.4)
    assert bucc_scores(gold, []).f1 == 0


@given(
    st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), st.integers(0, 99))
)
def test_no_threshold_is_better(candidates):
    gold = [("a", "1"), ("b", "2"), ("c", "3")]
    scores = {pair: value + i / 1000 for i, (pair, value) in enumerate(candidates.items())}
    best = bucc_threshold(scores, gold)
    found = bucc_scores(gold, mined_at(scores, threshold=best)).f1
    for threshold in [0.0, *scores.values()]:
        assert bucc_scores(gold, mined_at(scores, threshold=threshold)).f1 <= found


def test_the_threshold_lies_half_way():
    scores = {("a", "1"): 0.9, ("b", "2"): 0.7, ("x", "y"): 0.5}
    assert bucc_threshold(scores, [("a", "1"), ("b", "2")]) == pytest.approx(0.6)
    assert bucc_threshold({("x", "y"): 0.5}, [("a", "1")]) == 0


def test_tatoeba():
    assert tatoeba_accuracy(["1", "2"], ["1", "3"]) == 0.5
    assert tatoeba_accuracy([], []) == 0
