"""Rules of alignment by hand, and a model whose words are plain to align."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import DataError, UsageError
from interlingua.models.folder import open_model
from interlingua.retrieval.alignment import (
    METHODS,
    WordAligner,
    argmax,
    itermax,
    similarity_of,
    transport,
    word_links,
)
from interlingua.tasks.metrics.alignment import count_links


def links(table: np.ndarray) -> list[tuple[int, int]]:
    return [(int(i), int(j)) for i, j in zip(*table.nonzero(), strict=True)]


# One target word spells what the source says in words 1 and 2.
TABLE = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.0, 0.7, 0.1]], dtype=np.float32)


def test_argmax_wants_both() -> None:
    assert links(argmax(TABLE)) == [(0, 0), (1, 1)]


def test_itermax_looks_at_the_rest() -> None:
    # (2, 2) scores (0.1 + 1) / 2 = 0.55, (2, 1) 0.85 * 0.9: the second is taken by row 2, and no
    # free source prefers column 1 more.
    assert links(itermax(TABLE, rounds=1)) == links(argmax(TABLE))
    assert links(itermax(TABLE)) == [(0, 0), (1, 1), (2, 1)]
    assert links(itermax(TABLE, damping=0.1)) == [(0, 0), (1, 1), (2, 2)]


def test_transport_spends_all_of_both_sides() -> None:
    assert links(transport(np.eye(4, dtype=np.float32))) == [(i, i) for i in range(4)]
    wide = np.array([[0.9, 0.1, 0.1, 0.0], [0.0, 0.8, 0.9, 0.85]], dtype=np.float32)
    found = transport(wide)
    # Two words share four: each source gives half its mass to two of them.
    assert found.any(axis=0).all() and found.any(axis=1).all()
    assert found[0, 0] and found[1, 2] and found[1, 3]


@pytest.mark.parametrize("method", ["argmax", "itermax", "transport"])
def test_permuted_states_are_found_again(method: str) -> None:
    rng = np.random.default_rng(0)
    states = rng.normal(size=(9, 32)).astype(np.float32)
    order = rng.permutation(9)
    found = METHODS.get(method)(similarity_of(states, 3 * states[order]))
    assert {(int(order[j]), j) for j in range(9)} == set(links(found))


def test_words_of_subwords() -> None:
    table = np.zeros((3, 4), dtype=np.bool_)
    table[0, 1] = table[1, 1] = table[2, 3] = True
    assert word_links(table, [0, 0, 1], [0, 0, 1, 2]) == {(0, 0), (1, 2)}


def test_a_model_aligns_a_sentence_with_itself(toy_model: Path) -> None:
    aligner = WordAligner(open_model(toy_model), layer=0, method="argmax")
    words = ["Der", "Zug", "nach", "Hamburg", "fährt", "heute"]
    same, none = aligner.align([words, words], [words, []])
    assert same == {(i, i) for i in range(6)}
    assert none == set()
    # The order of sentences and their companions change nothing.
    again = aligner.align([words[:2], words], [words[:2], words])
    assert again == [{(0, 0), (1, 1)}, same]
    with pytest.raises(DataError, match="do not make pairs"):
        aligner.align([words], [])
    with pytest.raises(UsageError, match="has 2 layers"):
        WordAligner(open_model(toy_model), layer=3)


def test_error_rate() -> None:
    counts = count_links({(0, 0), (1, 1), (2, 2)}, {(0, 0), (1, 2)}, {(1, 1)})
    # A = 3, S = 2, A & S = 1, A & P = 2.
    assert counts.error_rate == pytest.approx(1 - 3 / 5)
    assert (counts.precision, counts.recall) == (pytest.approx(2 / 3), 0.5)
    perfect = count_links({(0, 0)}, {(0, 0)})
    assert perfect.error_rate == 0.0
    assert count_links((), ()).error_rate == 0.0
