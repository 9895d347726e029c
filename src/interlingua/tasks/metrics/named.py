"""Metrics by the name a task record gives them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlingua.tasks.metrics.classification import accuracy, macro_f1


def score(
    metric: str, gold: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> float:
    """The figure called ``metric`` of predictions [N] against gold classes [N], in [0, 1]."""
    if metric == "accuracy":
        return accuracy(gold, predicted)
    assert metric == "macro_f1", metric
    return macro_f1(gold, predicted, classes=classes)
