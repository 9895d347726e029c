"""The probe finds what is there, chooses sensibly, and its parts never share a text."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.training.probe import _choose, _temperature, fit_probe
from interlingua.training.split import folds, groups
from interlingua.training.whitening import whitening


def clusters(rows: int, classes: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(classes, 16))
    ids = rng.integers(0, classes, size=rows)
    return (centres[ids] + spread * rng.normal(size=(rows, 16))).astype(np.float32), ids


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_separable_classes_are_learned(classes: int) -> None:
    features, ids = clusters(200, classes, 0.2)
    labels = tuple(f"l{i}" for i in range(classes))
    parts = folds(np.arange(200), ids.tolist(), count=5, rng=np.random.default_rng(0))
    probe = fit_probe(features, ids, labels, parts=parts)
    assert (probe.head.logits(features).argmax(axis=1) == ids).mean() > 0.99
    assert probe.accuracy > 0.97


@pytest.mark.parametrize("whitened", [False, True])
def test_two_classes_give_the_probabilities_of_scikit_learn(whitened: bool) -> None:
    from sklearn.linear_model import LogisticRegression

    features, ids = clusters(120, 2, 1.0)
    rng = np.random.default_rng(0)
    parts = folds(np.arange(120), ids.tolist(), count=4, rng=rng)
    matrix = whitening(rng.normal(size=(3, 20, 16)).astype(np.float32)) if whitened else None
    probe = fit_probe(features, ids, ("a", "b"), parts=parts, matrix=matrix)
    x = features - features.mean(axis=0)
    x = x if matrix is None else x @ matrix
    reference = LogisticRegression(C=probe.strength, max_iter=1000, tol=1e-5).fit(x, ids)
    logits = probe.head.logits(features) * probe.temperature
    ours = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    np.testing.assert_allclose(ours, reference.predict_proba(x)[:, 1], atol=1e-4)


def test_the_temperature_makes_held_out_labels_most_probable() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ids = np.array([rng.choice(3, p=row) for row in p])
    assert _temperature(logits * 5, ids)[0] == pytest.approx(5, rel=0.1)


def test_the_smallest_strength_that_is_not_clearly_worse_is_chosen() -> None:
    ids = np.repeat([0, 1], 100)
    right = np.zeros((3, 200), dtype=bool)
    right[1, :180] = right[2, :181] = True
    right[0, :100] = True  # always the first class: balanced accuracy one half
    assert _choose(right, ids) == 1


def test_whitening_shrinks_what_differs_between_languages() -> None:
    rng = np.random.default_rng(0)
    meanings = rng.normal(size=(1, 50, 6))
    offsets = np.zeros((4, 1, 6))
    offsets[:, 0, 0] = [-3, -1, 1, 3]  # languages lie apart along the first axis only
    noise = 0.01 * rng.normal(size=(4, 50, 6))
    matrix = whitening((meanings + offsets + noise).astype(np.float32))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9)
    lengths = np.linalg.norm(matrix, axis=1)
    assert lengths[0] < 0.6 * lengths[1:].min()
    assert lengths[1:] == pytest.approx(2**-0.5, rel=0.05)


def test_a_label_without_rows_is_never_predicted() -> None:
    features, ids = clusters(60, 2, 0.3)
    parts = folds(np.arange(60), ids.tolist(), count=3, rng=np.random.default_rng(0))
    probe = fit_probe(features, ids, ("a", "b", "unseen"), parts=parts)
    assert set(probe.head.logits(features).argmax(axis=1)) <= {0, 1}


def test_a_class_of_one_row_does_not_break_it() -> None:
    features, ids = clusters(40, 2, 0.3)
    ids[0] = 2
    parts = folds(np.arange(40), ids.tolist(), count=5, rng=np.random.default_rng(0))
    probe = fit_probe(features, ids, ("a", "b", "rare"), parts=parts)
    assert np.isfinite(probe.head.logits(features)).all()


@given(
    st.lists(st.tuples(st.sampled_from("abcdefghij"), st.integers(0, 3)), min_size=2, max_size=80),
    st.integers(2, 5),
)
def test_parts_never_share_a_text(rows: list[tuple[str, int]], count: int) -> None:
    texts, labels = zip(*rows, strict=True)
    parts = folds(groups(texts), labels, count=count, rng=np.random.default_rng(0))
    home: dict[str, int] = {}
    for text, part in zip(texts, parts.tolist(), strict=True):
        assert home.setdefault(text, part) == part
    assert parts.min() >= 0 and parts.max() < count


def test_parts_keep_the_shares_of_the_labels() -> None:
    labels = [0] * 100 + [1] * 50 + [2] * 10
    texts = [str(i) for i in range(160)]
    parts = folds(groups(texts), labels, count=5, rng=np.random.default_rng(0))
    for part in range(5):
        counted = Counter(label for label, p in zip(labels, parts, strict=True) if p == part)
        assert counted == {0: 20, 1: 10, 2: 2}
