"""Span F1 is seqeval's, and seqeval is the second source where it is installed."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest

from interlingua.tasks.metrics.resampled import means
from interlingua.tasks.metrics.spans import span_counts, span_scores, spans, token_accuracy

IOB = ["B-PER", "I-PER", "B-LOC", "I-LOC", "O"]
OTHER_SCHEMES = ["E-A", "S-A", "I-A", "B-A", "O", "I-B", "E-B", "."]
UPOS = [
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
    "O",
]
ODD = ["B-a-b", "I-a-b", "I-c-b", "B", "I", "O", "-", "B-", "ORG"]


def corpora(count, tags, seed=0):
    rng = random.Random(seed)
    for _ in range(count):
        gold = [rng.choices(tags, k=rng.randrange(6)) for _ in range(rng.randrange(1, 4))]
        yield gold, [[t if rng.random() < 0.6 else rng.choice(tags) for t in s] for s in gold]


def f1(gold, predicted, reading="seqeval"):
    return span_scores(span_counts(gold, predicted, reading=reading)).f1


@pytest.mark.parametrize("tags", [IOB, OTHER_SCHEMES, UPOS, ODD], ids=lambda tags: tags[0])
def test_equals_seqeval_to_the_last_bit(tags):
    seqeval = pytest.importorskip("seqeval.metrics")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for gold, predicted in corpora(2500, tags):
            ours = span_scores(span_counts(gold, predicted))
            assert ours.f1 == seqeval.f1_score(gold, predicted)
            assert ours.precision == seqeval.precision_score(gold, predicted)
            assert ours.recall == seqeval.recall_score(gold, predicted)


def test_the_strict_reading_equals_strict_seqeval():
    seqeval = pytest.importorskip("seqeval.metrics")
    scheme = pytest.importorskip("seqeval.scheme").IOB2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for gold, predicted in corpora(500, IOB, seed=1):
            theirs = seqeval.f1_score(gold, predicted, mode="strict", scheme=scheme)
            assert f1(gold, predicted, "iob2") == theirs


@pytest.mark.parametrize(
    ("tags", "reading", "expected"),
    [
        (["B-A", "I-A", "O"], "seqeval", {("A", 0, 1)}),
        (["I-A", "I-A", "O"], "seqeval", {("A", 0, 1)}),  # IOB1
        (["I-A", "I-A", "O"], "iob2", set()),
        (["B-A", "I-B"], "seqeval", {("A", 0, 0), ("B", 1, 1)}),
        (["B-A", "I-B"], "iob2", {("A", 0, 0)}),
        (["I-A", "B-A"], "seqeval", {("A", 0, 0), ("A", 1, 1)}),
        (["NOUN", "NOUN", "VERB"], "seqeval", {("OUN", 0, 1), ("ERB", 2, 2)}),
        (["NOUN", "NOUN", "VERB"], "seqeval-0", {("NOUN", 0, 1), ("VERB", 2, 2)}),
        (["CCONJ", "NOUN"], "seqeval", {("CONJ", 0, 0), ("OUN", 1, 1)}),
        (["SCONJ", "NOUN"], "seqeval", {("CONJ", 0, 0), ("OUN", 1, 1)}),
    ],
)
def test_what_a_span_is(tags, reading, expected):
    assert spans([tags], reading=reading) == [expected]


def test_conjunctions_are_confused_by_the_newer_seqeval_only():
    gold, predicted = [["CCONJ"]], [["SCONJ"]]
    assert (f1(gold, predicted), f1(gold, predicted, "seqeval-0")) == (1.0, 0.0)
    assert token_accuracy(gold, predicted) == 0.0


def test_f1_on_plain_tags_is_not_accuracy():
    gold = [["DET", "NOUN", "NOUN", "VERB", "ADP", "DET", "NOUN"]]
    predicted = [["DET", "NOUN", "VERB", "VERB", "ADP", "DET", "NOUN"]]
    assert token_accuracy(gold, predicted) == pytest.approx(6 / 7)
    assert f1(gold, predicted) == pytest.approx(2 / 3)


def test_resampled_means():
    values = np.array([0.0, 0.5, 1.0])
    assert means(values, np.array([[1.0, 1.0, 1.0], [0.0, 1.0, 3.0]])).tolist() == [0.5, 0.875]
