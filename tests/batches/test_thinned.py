"""Leaving tokens of a first text out: what may go, what stays, and how much goes."""

from __future__ import annotations

import numpy as np
import pytest

from interlingua.batches.framing import Ids, thinned

BERT: tuple[Ids, Ids, Ids] = ((101,), (102,), (102,))
ROBERTA: tuple[Ids, Ids, Ids] = ((0,), (2, 2), (2,))
T5: tuple[Ids, Ids, Ids] = ((), (1,), (1,))


@pytest.mark.parametrize("around", [BERT, ROBERTA, T5])
def test_only_tokens_of_the_first_text_go(around: tuple[Ids, Ids, Ids]) -> None:
    before, between, after = around
    first, second = (11, 12, 13, 14), (21, 22)
    ids = np.array([*before, *first, *between, *second, *after], dtype=np.int32)
    chance = np.zeros(len(ids), dtype=np.float32)
    chance[len(before) + 1] = 0.5
    found = thinned(ids, around, chance, share=0.5).tolist()
    assert found == [*before, 12, *between, *second, *after]


def test_a_text_is_never_emptied() -> None:
    ids = np.array([101, 11, 12, 102], dtype=np.int32)
    assert thinned(ids, BERT, np.zeros(4, np.float32), share=0.5).tolist() == ids.tolist()


def test_the_share_is_what_was_asked_for() -> None:
    rng = np.random.default_rng(0)
    ids = np.array([101, *range(1000, 41000), 102], dtype=np.int32)
    found = thinned(ids, BERT, rng.random(len(ids), dtype=np.float32), share=0.15)
    assert abs(1 - (len(found) - 2) / 40000 - 0.15) < 0.006
    assert np.all(np.diff(found[1:-1]) > 0)
