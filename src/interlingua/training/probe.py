r"""The probe: a frozen encoder and a regularised logistic head, in seconds.

For features x_i in R^D with labels y_i the head minimises

    C * sum_i -log softmax(W (x_i - m) + b)_{y_i}  +  1/2 ||W||^2

(multinomial logistic regression; Bishop 2006, section 4.3.4) with m the mean of the training
features. C is chosen by cross-validation: the smallest whose mean log-loss is within one standard
error of the best (Hastie, Tibshirani and Friedman 2009, section 7.10), because a head that leans
on few directions of English carries over to fewer languages. Legend: N rows, D features, C classes.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import DataError
from interlingua.base.optional import require
from interlingua.base.progress import track
from interlingua.models.heads import Head

STRENGTHS = tuple(float(10.0**exponent) for exponent in np.arange(-1.0, 3.01, 0.5))
"""Values of C that are tried, strongest regularisation first."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A fitted head, the C that was chosen, and its cross-validated accuracy and log-loss."""

    head: Head
    strength: float
    accuracy: float
    log_loss: float


def fit_probe(
    features: NDArray[np.float32],
    label_ids: NDArray[np.int64],
    labels: tuple[str, ...],
    *,
    parts: NDArray[np.int64],
) -> Probe:
    """Fit the head and choose its regularisation.

    Args:
        features: Pooled vectors [N, D].
        label_ids: Classes [N], positions in ``labels``.
        labels: The label set.
        parts: The cross-validation part of each row [N].

    Raises:
        DataError: A class has too few rows to be in training and validation at once.
    """
    mean = features.mean(axis=0)
    centred = (features - mean).astype(np.float64)
    losses = np.zeros((len(STRENGTHS), len(features)))
    right = np.zeros((len(STRENGTHS), len(features)), dtype=bool)
    used = np.unique(parts)
    if len(used) < 2:
        raise DataError("all training rows hold the same text", remedy="Give more rows")
    with track("Choosing the regularisation", len(STRENGTHS) * len(used), unit="fits") as bar:
        for i, strength in enumerate(STRENGTHS):
            for part in used:
                held = parts == part
                log_p = _log_probabilities(centred, label_ids, ~held, held, strength, len(labels))
                losses[i, held] = -log_p[np.arange(held.sum()), label_ids[held]]
                right[i, held] = log_p.argmax(axis=1) == label_ids[held]
                bar.advance()
    chosen = _one_standard_error(losses)
    weight, bias = _fit(centred, label_ids, STRENGTHS[chosen], len(labels))
    head = Head(weight.astype(np.float32), bias.astype(np.float32), labels, mean.astype(np.float32))
    return Probe(head, STRENGTHS[chosen], float(right[chosen].mean()), float(losses[chosen].mean()))


def _one_standard_error(losses: NDArray[np.float64]) -> int:
    means = losses.mean(axis=1)
    best = int(means.argmin())
    error = losses[best].std(ddof=1) / np.sqrt(losses.shape[1])
    return int(np.flatnonzero(means <= means[best] + error)[0])


def _log_probabilities(
    features: NDArray[np.float64],
    label_ids: NDArray[np.int64],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    strength: float,
    classes: int,
) -> NDArray[np.float64]:
    if len(np.unique(label_ids[train])) < 2:
        return np.full((int(test.sum()), classes), -np.log(classes))
    weight, bias = _fit(features[train], label_ids[train], strength, classes)
    logits = features[test] @ weight.T + bias
    logits -= logits.max(axis=1, keepdims=True)
    logits = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return np.asarray(
        np.maximum(logits, -30.0)
    )  # a class that the part lacks is unlikely, not impossible


def _fit(
    features: NDArray[np.float64], label_ids: NDArray[np.int64], strength: float, classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight [C, D] and bias [C]; classes without a row get a bias nobody reaches."""
    linear = require("sklearn.linear_model", extra="text")
    limits = require("threadpoolctl", extra="text").threadpool_limits
    model = linear.LogisticRegression(C=strength, max_iter=1000, tol=1e-5)
    # Matrices this small are multiplied thirty times faster by one thread than by two.
    with limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(features, label_ids)
    weight = np.zeros((classes, features.shape[1]))
    bias = np.full(classes, -30.0)
    if len(model.classes_) == 2:  # sklearn keeps one row for two classes
        weight[model.classes_] = np.concatenate([-model.coef_, model.coef_]) / 2
        bias[model.classes_] = np.concatenate([-model.intercept_, model.intercept_]) / 2
    else:
        weight[model.classes_] = model.coef_
        bias[model.classes_] = model.intercept_
    return weight, bias
