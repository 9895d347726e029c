"""Mixtures: a function of the seed, with the shares they say."""

from __future__ import annotations

from itertools import chain

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


def one_source(seed: int, *phases: tuple[int, float]) -> Mixture:
    """A large and a small group, in batches of ten rows."""
    source = Source(np.full(110, 8), np.repeat([0, 1], [100, 10]))
    return Mixture([source], phases, seed=seed, token_budget=80, max_rows=10)


def test_every_round_and_every_seed_has_another_order() -> None:
    def rows(seed: int, first: int) -> list[list[int]]:
        return [draw.rows.tolist() for draw in one_source(seed, (22, 1.0)).draws(first, first + 11)]

    assert sorted(chain(*rows(1, 0))) == sorted(chain(*rows(1, 11))) == list(range(110))
    assert rows(1, 0) != rows(1, 11)
    assert rows(1, 0) != rows(2, 0)


def test_steps_that_were_passed_can_be_asked_again() -> None:
    mixture = one_source(1, (60, 1.0))
    first = [draw.rows.tolist() for draw in mixture.draws(0, 15)]
    mixture.draws(40, 60)
    assert [draw.rows.tolist() for draw in mixture.draws(0, 15)] == first


def test_each_phase_has_its_temperature() -> None:
    draws = one_source(1, (55, 1.0), (55, 0.1)).draws(0, 110)
    shares = [
        np.mean(np.concatenate([draw.rows for draw in part]) >= 100)
        for part in (draws[:55], draws[55:])
    ]
    assert abs(shares[0] - 1 / 11) < 0.02
    assert abs(shares[1] - 10**0.1 / (10**0.1 + 100**0.1)) < 0.03
