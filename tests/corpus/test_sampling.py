"""Sampling: annealed phases level the languages step by step, within what there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.corpus.sampling import MAX_PASSES, annealed, by_temperature, chance

SIZES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 10**9), min_size=1)
PHASES = st.lists(st.floats(0, 1), min_size=1, max_size=4)


def test_one_phase_is_sampling_by_its_temperature() -> None:
    sizes = {"big": 10_000, "small": 100}
    (phase,) = annealed(sizes, budget=5_000, phases=[(1.0, 0.3)])
    assert phase == by_temperature(sizes, budget=5_000, temperature=0.3)


def test_small_languages_come_late() -> None:
    sizes = {"big": 1_000_000, "small": 10_000}
    phases = annealed(sizes, budget=100_000, phases=[(0.6, 0.7), (0.3, 0.5), (0.1, 0.3)])
    shares = [taken["small"] / sum(taken.values()) for taken in phases]
    assert shares == sorted(shares)
    assert [sum(taken.values()) for taken in phases] == pytest.approx([60_000, 30_000, 10_000])


@given(SIZES, st.integers(1, 10**10), PHASES)
def test_no_text_is_taken_more_often_than_allowed(
    sizes: dict[str, int], budget: int, temperatures: list[float]
) -> None:
    phases = [(1 / len(temperatures), temperature) for temperature in temperatures]
    taken = annealed(sizes, budget=budget, phases=phases)
    assert len(taken) == len(phases)
    for lang, size in sizes.items():
        total = sum(phase[lang] for phase in taken)
        assert 0 <= total <= MAX_PASSES * size * (1 + 1e-9)


def test_a_chance_is_even_and_repeats() -> None:
    values = [chance(str(i), 1) for i in range(4000)]
    assert values == [chance(str(i), 1) for i in range(4000)]
    assert 0.47 < sum(values) / len(values) < 0.53
    assert chance("a", 1) != chance("a", 2) != chance("a", 2, "other")
