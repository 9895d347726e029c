"""Classification metrics against scikit-learn, by hand, and by their properties."""

from __future__ import annotations

import math
import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.tasks.metrics.classification import (
    accuracy,
    average_precision,
    expected_calibration_error,
    macro_f1,
    per_class,
)

sklearn_metrics = pytest.importorskip("sklearn.metrics")

CLASSES = 5
labels = st.integers(0, CLASSES - 1)
answers = st.lists(st.tuples(labels, labels), min_size=1, max_size=60)


def columns(pairs):
    gold, predicted = np.array(pairs).T
    return gold, predicted


@given(answers)
def test_accuracy_and_macro_f1_agree_with_sklearn(pairs):
    gold, predicted = columns(pairs)
    assert accuracy(gold, predicted) == pytest.approx(
        sklearn_metrics.accuracy_score(gold, predicted)
    )
    assert macro_f1(gold, predicted, classes=CLASSES) == pytest.approx(
        sklearn_metrics.f1_score(gold, predicted, average="macro")
    )


@given(answers)
def test_per_class_agrees_with_sklearn_where_a_ratio_is_defined(pairs):
    gold, predicted = columns(pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sklearn_metrics.precision_recall_fscore_support(
            gold, predicted, labels=range(CLASSES), zero_division=np.nan
        )
    for c, report in enumerate(per_class(gold, predicted, classes=CLASSES)):
        ours = [report.precision, report.recall, report.f1]
        for value, column in zip(ours, expected, strict=False):
            assert (value is None) == math.isnan(column[c])
            assert value is None or value == pytest.approx(column[c])
        assert report.support == np.sum(gold == c)
        assert report.predicted == np.sum(predicted == c)


def test_macro_f1_by_hand():
    gold, predicted = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2])
    # class 0: 2*2/(3+2), class 1: 2*1/(2+2), class 2: 0/(0+1); class 3 occurs nowhere
    assert macro_f1(gold, predicted, classes=4) == pytest.approx((0.8 + 0.5 + 0.0) / 3)


def test_a_class_that_occurs_nowhere_does_not_count_however_many_there_are():
    gold, predicted = np.array([0, 1]), np.array([0, 0])
    assert macro_f1(gold, predicted, classes=2) == macro_f1(gold, predicted, classes=50)


scored = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=1, max_size=50)


@given(scored)
def test_average_precision_agrees_with_sklearn_ties_and_all(pairs):
    gold, scores = columns(pairs)
    ours = average_precision(gold, scores / 7)
    if not gold.any():
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(sklearn_metrics.average_precision_score(gold, scores / 7))


def test_average_precision_by_hand():
    gold, scores = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1])
    # found at ranks 1 and 3: recall rises by 1/2 at precision 1/1, and by 1/2 at precision 2/3
    assert average_precision(gold, scores) == pytest.approx((1 + 2 / 3) / 2)


def random_probabilities(rows, seed, *, decimals=16):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(CLASSES), size=rows).round(decimals)
    return rng.integers(CLASSES, size=rows), probabilities


def test_calibration_error_by_hand():
    gold = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6]])
    # two bins of two rows: {0.6 right, 0.7 wrong} and {0.8 right, 0.9 right}
    expected = (2 * abs(0.5 - 0.65) + 2 * abs(1 - 0.85)) / 4
    assert expected_calibration_error(gold, probabilities, bins=2) == pytest.approx(expected)


@given(st.integers(1, 80), st.integers(1, 12), st.integers(0, 2**32))
def test_calibration_error_agrees_with_the_plain_loop(rows, bins, seed):
    gold, probabilities = random_probabilities(rows, seed)
    confidence, right = probabilities.max(1), probabilities.argmax(1) == gold
    order = np.argsort(confidence)
    count = min(bins, rows)
    edges = [i * rows // count for i in range(count + 1)]
    plain = sum(
        abs(right[order[a:b]].mean() - confidence[order[a:b]].mean()) * (b - a) / rows
        for a, b in pairwise(edges)
    )
    ours = expected_calibration_error(gold, probabilities, bins=bins)
    assert ours == pytest.approx(plain, abs=1e-12)


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_calibration_error_does_not_depend_on_the_order_of_rows_with_equal_confidence(rows, seed):
    gold, probabilities = random_probabilities(rows, seed, decimals=1)
    shuffled = np.random.default_rng(seed).permutation(rows)
    error = expected_calibration_error(gold, probabilities)
    again = expected_calibration_error(gold[shuffled], probabilities[shuffled])
    assert again == pytest.approx(error, abs=1e-12)
    assert 0 <= error <= 1


def test_one_bin_is_the_distance_of_mean_confidence_from_accuracy():
    gold, probabilities = random_probabilities(200, 3)
    distance = abs(probabilities.max(1).mean() - (probabilities.argmax(1) == gold).mean())
    assert expected_calibration_error(gold, probabilities, bins=1) == pytest.approx(distance)


def test_a_model_that_knows_what_it_knows_is_calibrated():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, size=40_000)
    gold = (rng.random(40_000) >= sure).astype(int)  # class 0 with probability `sure`
    probabilities = np.stack([sure, 1 - sure], axis=1)
    assert expected_calibration_error(gold, probabilities) < 0.01
    assert expected_calibration_error(1 - gold, probabilities) > 0.4


def test_nothing_to_measure_is_not_a_number():
    none = np.array([], dtype=int)
    assert math.isnan(accuracy(none, none))
    assert math.isnan(macro_f1(none, none, classes=3))
    assert math.isnan(expected_calibration_error(none, np.zeros((0, 3))))
    assert math.isnan(average_precision(none, none))
