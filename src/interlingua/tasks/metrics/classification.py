"""How good a classifier is: accuracy, macro-F1, per class, average precision, calibration.

Shapes: ``N`` rows, ``C`` classes. Classes are integers in ``[0, C)``. A figure that is not defined
(no rows, no positive row) is NaN here; whoever writes it down turns it into a reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.integer[Any]]
    Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class ClassReport:
    """How good a classifier is on one class; a ratio without a denominator is None.

    Attributes:
        precision: Share of the rows predicted to be of the class that are; None: none predicted.
        recall: Share of the rows of the class that were found; None: there are none.
        f1: Harmonic mean of both; None: the class occurs neither in gold nor in predictions.
        support: Rows of the class.
        predicted: Rows predicted to be of the class.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    predicted: int


def accuracy(gold: Ints, predicted: Ints) -> float:
    """Share of rows whose prediction is the gold label.

    Args:
        gold: ``[N]``.
        predicted: ``[N]``.

    Returns:
        A figure in ``[0, 1]``, or NaN without rows.
    """
    _check(gold, predicted)
    return float(np.mean(gold == predicted)) if len(gold) else math.nan


def macro_f1(gold: Ints, predicted: Ints, *, classes: int) -> float:
    """Plain mean of the F1 of every class that occurs in gold or in predictions.

    F1 of a class is ``2 hits / (support + predicted)`` (van Rijsbergen 1979). A class that never
    occurs has no F1 and is left out of the mean, as scikit-learn does by default; the mean over the
    whole label set would punish a test file for not holding a class.

    Args:
        gold: ``[N]``, in ``[0, classes)``.
        predicted: ``[N]``, in ``[0, classes)``.
        classes: Number of classes.

    Returns:
        A figure in ``[0, 1]``, or NaN without rows.
    """
    hits, support, guesses = _counts(gold, predicted, classes)
    occurs = support + guesses > 0
    if not occurs.any():
        return math.nan
    return float(np.mean(2 * hits[occurs] / (support + guesses)[occurs]))


def per_class(gold: Ints, predicted: Ints, *, classes: int) -> list[ClassReport]:
    """Precision, recall and F1 of every class.

    Args:
        gold: ``[N]``, in ``[0, classes)``.
        predicted: ``[N]``, in ``[0, classes)``.
        classes: Number of classes.

    Returns:
        One report per class, in the order of the classes.
    """
    return [
        ClassReport(
            precision=_ratio(hits, guesses),
            recall=_ratio(hits, support),
            f1=_ratio(2 * hits, support + guesses),
            support=support,
            predicted=guesses,
        )
        for hits, support, guesses in zip(
            *(column.tolist() for column in _counts(gold, predicted, classes)), strict=True
        )
    ]


def average_precision(gold_binary: Ints, scores: Floats) -> float:
    """Area under the precision-recall curve as a step function, not interpolated.

    ``AP = sum_n (R_n - R_{n-1}) P_n`` over the distinct thresholds, highest first: the definition
    of scikit-learn. Rows with equal scores fall together, so their order does not matter.

    Args:
        gold_binary: ``[N]``, 1 for the positive class, else 0.
        scores: ``[N]``, the higher the more positive.

    Returns:
        A figure in ``[0, 1]``, or NaN when no row is positive.
    """
    _check(gold_binary, scores)
    positives = int(np.count_nonzero(gold_binary))
    if positives == 0:
        return math.nan
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_threshold = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    hits = np.cumsum(gold_binary[order] != 0)[last_of_threshold]
    precision = hits / (last_of_threshold + 1)
    return float(np.sum(np.diff(hits, prepend=0) * precision) / positives)


def expected_calibration_error(gold: Ints, probabilities: Floats, *, bins: int = 10) -> float:
    """How far the probability of the predicted class is from the share of right answers.

    Rows are sorted by confidence (the highest probability) and cut into ``bins`` of equal mass;
    rows of equal confidence stay together, so bins may merge. Over the bins ``B_m``::

        ECE = sum_m |B_m| / N * | accuracy(B_m) - confidence(B_m) |

    This is Guo et al. 2017 (arXiv 1706.04599, equation 3) after Naeini et al. 2015 (AAAI), who cut
    ``[0, 1]`` into bins of equal width; bins of equal mass (Nguyen and O'Connor 2015, arXiv
    1508.05154) do not leave most rows in the last bin.

    Args:
        gold: ``[N]``.
        probabilities: ``[N, C]``.
        bins: At most so many bins.

    Returns:
        A figure in ``[0, 1]``, or NaN without rows.
    """
    rows = len(gold)
    assert probabilities.ndim == 2 and len(probabilities) == rows, probabilities.shape
    assert bins > 0, bins
    if rows == 0:
        return math.nan
    confidence = probabilities.max(axis=1).astype(np.float64)
    excess = confidence - (probabilities.argmax(axis=1) == gold)
    cuts = np.arange(1, min(bins, rows)) * rows // min(bins, rows)
    edges = np.unique(np.sort(confidence)[cuts])
    bin_of_row = np.searchsorted(edges, confidence, side="right")
    return float(np.abs(np.bincount(bin_of_row, weights=excess)).sum() / rows)


def _counts(
    gold: Ints, predicted: Ints, classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Hits, rows of the class and rows predicted to be of the class, each ``[C]``."""
    _check(gold, predicted)
    return (
        np.bincount(gold[gold == predicted], minlength=classes),
        np.bincount(gold, minlength=classes),
        np.bincount(predicted, minlength=classes),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _check(left: NDArray[Any], right: NDArray[Any]) -> None:
    assert left.ndim == 1 and left.shape == right.shape, (left.shape, right.shape)
