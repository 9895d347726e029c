"""Batches hold every text once, within the budget."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from interlingua.batches.buckets import (
    least_padding,
    padded_length,
    plan,
    plan_equal,
    shuffled_plan,
)

LENGTHS = st.lists(st.integers(1, 600), max_size=200)


@given(LENGTHS, st.integers(8, 4000), st.integers(1, 16), st.integers(1, 64))
def test_a_plan_is_a_partition_within_the_budget(
    lengths: list[int], budget: int, multiple: int, rows: int
) -> None:
    batches = plan(lengths, token_budget=budget, multiple=multiple, max_rows=rows)
    assert sorted(i for batch in batches for i in batch.tolist()) == list(range(len(lengths)))
    for batch in batches:
        longest = padded_length(max(lengths[i] for i in batch), multiple)
        assert len(batch) <= rows
        assert len(batch) * longest <= budget or len(batch) == 1
    longest_first = [max(lengths[i] for i in batch) for batch in batches]
    assert longest_first == sorted(longest_first, reverse=True)


@given(LENGTHS, st.integers(8, 4000))
def test_equal_batches_pad_nothing(lengths: list[int], budget: int) -> None:
    batches = plan_equal(lengths, token_budget=budget)
    assert sorted(i for batch in batches for i in batch.tolist()) == list(range(len(lengths)))
    assert all(len({lengths[i] for i in batch}) == 1 for batch in batches)


@given(st.lists(st.integers(1, 20), max_size=7), st.integers(0, 30))
def test_no_other_rectangles_are_cheaper(lengths: list[int], each: int) -> None:
    """Against every way to put the texts, one after the other, into an old or a new rectangle."""

    def cost(rectangles: list[list[int]]) -> int:
        return sum(len(part) * max(lengths[i] for i in part) + each for part in rectangles)

    ways: list[list[list[int]]] = [[]]
    for i in range(len(lengths)):
        ways = [
            [*way[:k], [*(way[k] if k < len(way) else []), i], *way[k + 1 :]]
            for way in ways
            for k in range(len(way) + 1)
        ]
    found = [part.tolist() for part in least_padding(lengths, each=each)]
    assert sorted(i for part in found for i in part) == list(range(len(lengths)))
    assert cost(found) == min(map(cost, ways))


@given(LENGTHS, st.integers(0, 100))
def test_a_shuffled_plan_is_a_partition_and_repeats_by_seed(lengths: list[int], seed: int) -> None:
    plans = [
        shuffled_plan(lengths, token_budget=512, rng=np.random.default_rng(seed), window=32)
        for _ in range(2)
    ]
    assert sorted(i for batch in plans[0] for i in batch.tolist()) == list(range(len(lengths)))
    assert [b.tolist() for b in plans[0]] == [b.tolist() for b in plans[1]]


def test_epochs_differ() -> None:
    lengths = list(range(1, 400))
    first, second = (
        shuffled_plan(lengths, token_budget=512, rng=np.random.default_rng(seed)) for seed in (0, 1)
    )
    assert [b.tolist() for b in first] != [b.tolist() for b in second]
