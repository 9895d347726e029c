"""Rankings against trec_eval and scikit-learn."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from interlingua.tasks.metrics.ranking import (
    average_precision,
    mean_over,
    ndcg,
    ndcg_averaged_ties,
    precision_at,
    ranked_gains,
    recall_at,
    reciprocal_rank,
)


def test_equals_trec_eval():
    pytrec_eval = pytest.importorskip("pytrec_eval")
    rng = random.Random(0)
    judgments, runs = {}, {}
    for q in range(10_000):
        docs = [f"d{i}" for i in range(rng.randrange(1, 30))]
        judged, found = rng.sample(docs, -(-len(docs) // 2)), rng.sample(docs, -(-len(docs) // 2))
        judgments[f"q{q}"] = {d: rng.choice([0, 0, 1, 2, -1]) for d in judged}
        # Ties, and scores that are equal in 32 bits only.
        scores = [0.5, 0.1, rng.random(), 0.3 + 1e-10 * rng.random()]
        runs[f"q{q}"] = {d: rng.choice(scores) for d in found}
    wanted = {"map", "recip_rank", "ndcg", "ndcg_cut.10", "recall.5", "P.5", "map_cut.5"}
    theirs = pytrec_eval.RelevanceEvaluator(judgments, wanted).evaluate(runs)
    for query, expected in theirs.items():
        gains = ranked_gains(runs[query], judgments[query])
        ideal = list(judgments[query].values())
        relevant = sum(gain > 0 for gain in ideal)
        assert {
            "map": average_precision(gains, relevant=relevant),
            "map_cut_5": average_precision(gains, relevant=relevant, depth=5),
            "recip_rank": reciprocal_rank(gains),
            "ndcg": ndcg(gains, ideal=ideal),
            "ndcg_cut_10": ndcg(gains, ideal=ideal, depth=10),
            "recall_5": recall_at(gains, relevant=relevant, depth=5),
            "P_5": precision_at(gains, depth=5),
        } == pytest.approx(expected, abs=1e-12)


def test_ties_are_averaged_as_scikit_learn_does():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for _ in range(2000):
        gold, scores = rng.integers(0, 5, size=(2, rng.integers(2, 12))).astype(float)
        assert ndcg_averaged_ties(gold, scores) == metrics.ndcg_score([gold], [scores])


def test_exponential_gain_by_hand():
    gold, scores = np.array([1.0, 2.0]), np.array([2.0, 1.0])
    best = 3 + 1 / math.log2(3)
    expected = (1 + 3 / math.log2(3)) / best
    assert ndcg_averaged_ties(gold, scores, gain="exponential") == pytest.approx(expected)
    assert ndcg_averaged_ties(np.zeros(2), scores) == 0


def test_a_query_without_an_answer_counts_zero():
    assert mean_over({"a": 1.0}, ["a", "b"]) == 0.5
    assert math.isnan(mean_over({}, []))
    assert reciprocal_rank([0, 0, 1], depth=2) == 0
