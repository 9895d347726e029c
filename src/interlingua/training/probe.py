r"""The probe: a frozen encoder and a regularised logistic head, in seconds.

For features x_i in R^D with labels y_i, their mean m and a fixed matrix A (see `whitening`), the
head minimises over W and b

    C * sum_i w_i -log softmax(W A (x_i - m) + b)_{y_i}  +  1/2 ||W||^2

with w_i = 1, or, for macro-averaged metrics, N / (C n_{y_i}) so that every class weighs the same
(multinomial logistic regression; Bishop 2006, section 4.3.4), and is saved with weight W A. C is
chosen by cross-validation: the smallest whose balanced accuracy is less than one standard error of
the paired difference below the best (Hastie, Tibshirani and Friedman 2009, section 7.10), because a
head that leans on fine points of the source language carries over to fewer languages. Such a head
is too modest, so that its logits are then divided by the temperature that makes the held-out labels
most probable (Guo et al., ICML 2017, section 4.2). Legend: N rows, D features, C classes.
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

STRENGTHS = tuple(float(10.0**exponent) for exponent in np.arange(0.0, 3.01, 0.5))
"""Values of C that are tried, strongest regularisation first."""
_TEMPERATURES = np.exp(np.linspace(np.log(0.05), np.log(20.0), 241))
_NEVER = -30.0

Doubles = NDArray[np.float64]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Probe:
    """A fitted head, and how it came about.

    Attributes:
        head: The head, ready for unwhitened features.
        strength: The C that was chosen.
        temperature: What its logits were divided by.
        accuracy: Cross-validated accuracy.
        log_loss: Cross-validated log-loss after the temperature, in nats.
    """

    head: Head
    strength: float
    temperature: float
    accuracy: float
    log_loss: float


def fit_probe(
    features: NDArray[np.float32],
    label_ids: Ids,
    labels: tuple[str, ...],
    *,
    parts: Ids,
    matrix: Doubles | None = None,
    balanced: bool = False,
) -> Probe:
    """Fit the head and choose its regularisation.

    Args:
        features: Pooled vectors [N, D].
        label_ids: Classes [N], positions in ``labels``.
        labels: The label set.
        parts: The cross-validation part of each row [N].
        matrix: A [D, D], symmetric; None: the identity.
        balanced: Whether every class weighs the same, however rare: right for macro-averaged
            metrics; probabilities then tell of classes that are equally frequent.

    Raises:
        DataError: All rows hold the same text.
    """
    used = np.unique(parts)
    if len(used) < 2:
        raise DataError("all training rows hold the same text", remedy="Give more rows")
    mean = features.mean(axis=0)
    x = (features - mean).astype(np.float64)
    if matrix is not None:
        x = x @ matrix
    held_out = np.zeros((len(STRENGTHS), len(x), len(labels)))
    with track("Choosing the regularisation", len(STRENGTHS) * len(used), unit="fits") as bar:
        for i, strength in enumerate(STRENGTHS):
            for part in used:
                held = parts == part
                weight, bias = _fit(
                    x[~held], label_ids[~held], strength, len(labels), balanced=balanced
                )
                held_out[i, held] = x[held] @ weight.T + bias
                bar.advance()
    right = held_out.argmax(axis=2) == label_ids
    chosen = _choose(right, label_ids)
    temperature, log_loss = _temperature(held_out[chosen], label_ids)
    head = fit_head(
        features,
        label_ids,
        labels,
        strength=STRENGTHS[chosen],
        temperature=temperature,
        matrix=matrix,
        balanced=balanced,
    )
    accuracy = float(right[chosen].mean())
    return Probe(head, STRENGTHS[chosen], temperature, accuracy, log_loss)


def fit_head(
    features: NDArray[np.float32],
    label_ids: Ids,
    labels: tuple[str, ...],
    *,
    strength: float,
    temperature: float,
    matrix: Doubles | None = None,
    balanced: bool = False,
) -> Head:
    """Fit the head with a regularisation and temperature that are known; see `fit_probe`."""
    mean = features.mean(axis=0)
    x = (features - mean).astype(np.float64)
    if matrix is not None:
        x = x @ matrix
    weight, bias = _fit(x, label_ids, strength, len(labels), balanced=balanced)
    weight = weight if matrix is None else weight @ matrix
    return Head(
        (weight / temperature).astype(np.float32),
        (bias / temperature).astype(np.float32),
        labels,
        mean.astype(np.float32),
    )


def _choose(right: NDArray[np.bool_], label_ids: Ids) -> int:
    """The first row of ``right`` [settings, N] not clearly below the best in balanced accuracy."""
    counts = np.bincount(label_ids)
    weights = len(label_ids) / (np.count_nonzero(counts) * counts[label_ids])
    gains = right * weights
    best = int(gains.mean(axis=1).argmax())
    lost = gains[best] - gains
    error = lost.std(axis=1, ddof=1) / np.sqrt(len(label_ids))
    return int(np.flatnonzero(lost.mean(axis=1) <= error)[0])


def _temperature(logits: Doubles, label_ids: Ids) -> tuple[float, float]:
    """The temperature under which held-out labels are most probable, and their log-loss."""
    losses = [_log_loss(logits / temperature, label_ids) for temperature in _TEMPERATURES]
    best = int(np.argmin(losses))
    return float(_TEMPERATURES[best]), losses[best]


def _log_loss(logits: Doubles, label_ids: Ids) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    return float((log_total - shifted[np.arange(len(logits)), label_ids]).mean())


def _fit(
    features: Doubles, label_ids: Ids, strength: float, classes: int, *, balanced: bool
) -> tuple[Doubles, Doubles]:
    """Weight [C, D] and bias [C]; a class without a row gets a bias nobody reaches."""
    weight = np.zeros((classes, features.shape[1]))
    bias = np.full(classes, _NEVER)
    present = np.unique(label_ids)
    if len(present) == 1:
        bias[present] = 0.0
        return weight, bias
    linear = require("sklearn.linear_model", extra="text")
    limits = require("threadpoolctl", extra="text").threadpool_limits
    model = linear.LogisticRegression(
        C=strength, max_iter=1000, tol=1e-5, class_weight="balanced" if balanced else None
    )
    # Matrices this small are multiplied thirty times faster by one thread than by two.
    with limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(features, label_ids)
    if len(present) == 2:  # sklearn keeps one row for two classes
        weight[present] = np.concatenate([-model.coef_, model.coef_]) / 2
        bias[present] = np.concatenate([-model.intercept_, model.intercept_]) / 2
    else:
        weight[present] = model.coef_
        bias[present] = model.intercept_
    return weight, bias
