"""Measures of joined languages: against loops, other libraries, and cases with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from interlingua.tasks.metrics.bridge import (
    csls,
    first_hits,
    mean_cosine,
    neighbour_table,
    partition_isotropy,
    read_language,
    rivals_before,
    skewness,
)


def unit(rows: int, width: int, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_hits_and_rivals_of_a_small_table() -> None:
    similarity = np.array([[0.9, 0.1, 0.2], [0.5, 0.4, 0.1], [0.3, 0.3, 0.3]])
    assert first_hits(similarity).tolist() == [1, 0, 1]  # of equals the translation is first
    assert first_hits(similarity.T).tolist() == [1, 1, 1]
    within = np.array([[1.0, 0.95, 0.0], [0.95, 1.0, 0.1], [0.0, 0.1, 1.0]])
    # Text 0 finds its translation at 0.9 but text 1 at 0.95; text 2 has 0.3 against 0.1.
    assert rivals_before(within, np.diagonal(similarity)).tolist() == [1, 1, 0]
    assert within[0, 0] == 1.0, "the table is the caller's"


def test_csls_is_equation_3() -> None:
    similarity = unit(9, 4) @ unit(9, 4, 1).T
    for k in (1, 3):
        table = csls(similarity, k)
        for i, j in np.ndindex(9, 9):
            row, column = np.sort(similarity[i])[-k:].mean(), np.sort(similarity[:, j])[-k:].mean()
            assert table[i, j] == pytest.approx(2 * similarity[i, j] - row - column, abs=1e-6)


def test_a_hub_skews_occurrences_as_scipy_says() -> None:
    stats = pytest.importorskip("scipy.stats")
    similarity = np.array(unit(40, 6) @ unit(40, 6, 1).T)
    table = neighbour_table(similarity, 5)
    assert (table.sum(axis=1) == 5).all()
    occurrences = table.sum(axis=0)
    assert skewness(occurrences) == pytest.approx(stats.skew(occurrences), abs=1e-5)
    similarity[:, 7] = 1.0
    with_hub = neighbour_table(similarity, 5).sum(axis=0)
    assert with_hub[7] == 40 and skewness(with_hub) > skewness(occurrences) + 1
    assert skewness(np.full(5, 3.0)) == 0


def test_mean_cosine_is_that_of_all_pairs_of_different_texts() -> None:
    vectors = unit(12, 5)
    counts = np.random.default_rng(3).multinomial(12, [1 / 12] * 12, size=4).astype(np.float32)
    for drawn, value in zip(counts, mean_cosine(vectors, counts), strict=True):
        rows = np.repeat(np.arange(12), drawn.astype(int))
        cosines = [
            float(vectors[a] @ vectors[b])
            for i, a in enumerate(rows)
            for j, b in enumerate(rows)
            if i != j and a != b
        ]
        pairs = sum(a != b for a in rows for b in rows)
        assert value == pytest.approx(sum(cosines) / pairs, abs=1e-5)


def test_isotropy_is_one_where_no_direction_is_preferred_and_falls_in_a_cone() -> None:
    axes = np.concatenate([np.eye(6), -np.eye(6)]).astype(np.float32)
    once = np.ones((1, 12), dtype=np.float32)
    assert partition_isotropy(axes, once)[0] == pytest.approx(1.0, abs=1e-5)
    cone = axes + 2 * np.eye(6, dtype=np.float32)[0]
    cone /= np.linalg.norm(cone, axis=1, keepdims=True)
    assert partition_isotropy(cone, once)[0] < 0.5
    assert mean_cosine(axes, once)[0] < 0
    assert mean_cosine(cone, once)[0] > 0.5


def test_the_probe_is_the_discriminant_of_another_library() -> None:
    lda = pytest.importorskip("sklearn.discriminant_analysis")
    rng = np.random.default_rng(0)
    languages = np.tile(np.arange(3), 60)
    centres = rng.normal(size=(3, 8))
    x = rng.normal(size=(180, 8)) + 0.7 * centres[languages]
    folds = np.repeat(np.arange(60), 3) % 5
    ours = read_language(x.astype(np.float32), languages, folds)
    theirs = np.zeros(180)
    for fold in range(5):
        model = lda.LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage=0.1, priors=[1 / 3, 1 / 3, 1 / 3]
        ).fit(x[folds != fold], languages[folds != fold])
        theirs[folds == fold] = model.predict(x[folds == fold]) == languages[folds == fold]
    assert (ours == theirs).mean() > 0.99
    assert 0.5 < ours.mean() < 0.95


def test_the_probe_reads_what_is_there_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    languages, folds = np.tile(np.arange(2), 200), np.repeat(np.arange(200), 2) % 5
    noise = rng.normal(size=(400, 10)).astype(np.float32)
    assert read_language(noise, languages, folds).mean() == pytest.approx(0.5, abs=0.1)
    noise[:, 4] += 8 * languages
    assert read_language(noise, languages, folds).mean() == 1.0
