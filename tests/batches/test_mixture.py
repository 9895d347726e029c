"""Mixtures: a function of the seed, with the shares they say."""

from __future__ import annotations

import numpy as np

from interlingua.batches.mixture import Mixture, Source, balanced


def test_the_mixture_is_a_function_of_the_seed_and_takes_every_row() -> None:
    rng = np.random.default_rng(0)
    sources = [
        Source(rng.integers(3, 30, size=200), rng.integers(0, 3, size=200), 3.0),
        Source(rng.integers(3, 30, size=50), np.zeros(50, np.int64), 1.0),
    ]

    def mixture(seed: int) -> Mixture:
        return Mixture(sources, [(300, 1.0), (100, 0.3)], seed=seed, token_budget=128, max_rows=16)

    whole = mixture(1).draws(0, 400)
    pieces = mixture(1).draws(0, 137) + mixture(1).draws(137, 400)
    assert all(
        a.source == b.source and np.array_equal(a.rows, b.rows)
        for a, b in zip(whole, pieces, strict=True)
    )
    assert any(
        not np.array_equal(a.rows, b.rows)
        for a, b in zip(whole, mixture(2).draws(0, 400), strict=True)
    )
    assert 0.68 < np.mean([draw.source == 0 for draw in whole]) < 0.82
    for source, size in ((0, 200), (1, 50)):
        rows = np.concatenate([draw.rows for draw in whole[:300] if draw.source == source])
        counts = np.bincount(rows, minlength=size)
        assert counts.min() >= counts.max() - 1  # with temperature 1 rounds are permutations


def test_temperature_gives_small_languages_their_share() -> None:
    lengths = np.full(1100, 10)
    groups = np.repeat([0, 1], [1000, 100])
    rng = np.random.default_rng(0)
    for temperature in (1.0, 0.5, 0.3):
        counts = np.bincount(groups[balanced(lengths, groups, temperature, rng)])
        expected = np.array([1000, 100]) ** temperature
        np.testing.assert_allclose(counts / counts.sum(), expected / expected.sum(), atol=0.01)
    rows = balanced(lengths, groups, 0.3, rng)
    small = np.bincount(rows, minlength=1100)[1000:]
    assert small.max() - small.min() <= 1
