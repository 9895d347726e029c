"""A resample's metric is the metric of the rows it drew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.base.errors import UnknownNameError
from interlingua.tasks.metrics.classification import accuracy, macro_f1
from interlingua.tasks.metrics.resampled import RESAMPLED, of_rows

CLASSES = 4


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 2**32))
def test_resamples_equal_the_metric_of_the_repeated_rows(rows, resamples, seed):
    rng = np.random.default_rng(seed)
    gold, predicted = rng.integers(CLASSES, size=(2, rows))
    counts = rng.multinomial(rows, np.ones(rows) / rows, size=resamples)
    for number in (np.float32, np.float64):
        drawn = counts.astype(number)
        accuracies = RESAMPLED.get("accuracy")(gold, predicted, drawn, CLASSES)
        f1s = RESAMPLED.get("macro_f1")(gold, predicted, drawn, CLASSES)
        for r in range(resamples):
            g, p = np.repeat(gold, counts[r]), np.repeat(predicted, counts[r])
            assert accuracies[r] == pytest.approx(accuracy(g, p))
            assert f1s[r] == pytest.approx(macro_f1(g, p, classes=CLASSES))


def test_the_rows_themselves():
    gold, predicted = np.array([0, 1, 2, 2]), np.array([0, 1, 2, 1])
    assert of_rows("accuracy", gold, predicted, classes=3) == 0.75
    expected = macro_f1(gold, predicted, classes=3)
    assert of_rows("macro_f1", gold, predicted, classes=3) == pytest.approx(expected)


def test_an_unknown_metric_names_near_ones():
    with pytest.raises(UnknownNameError, match="macro_f1"):
        of_rows("macro-f1", np.array([0]), np.array([0]), classes=1)
