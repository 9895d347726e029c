"""Near-duplicates: planted ones are found, others are not, whatever the order."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.corpus.near_duplicates import (
    NearDuplicates,
    components,
    equal_pairs,
    signatures,
    similar,
)
from interlingua.corpus.tokens import hash_tokens, runs

SETTINGS = NearDuplicates()


def edited(text: str, chance: random.Random, share: float) -> str:
    """Some words, or characters where there are no spaces, replaced by others of the text."""
    parts = text.split(" ") if text.count(" ") > 10 else list(text)
    glue = " " if text.count(" ") > 10 else ""
    for place in range(len(parts)):
        if chance.random() < share:
            parts[place] = chance.choice(parts)
    return glue.join(parts)


def jaccard(left: str, right: str) -> float:
    a, b = (
        set(runs(hash_tokens([text]), SETTINGS.run, short=True).values) for text in (left, right)
    )
    return len(a & b) / max(1, len(a | b))


def paragraphs(data_dir: Path) -> list[str]:
    """Texts of ten sentences in every language of NTREX."""
    made = []
    for path in sorted((data_dir / "ntrex").glob("newstest2019.*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        made += [" ".join(lines[start : start + 10]) for start in range(0, 1000, 10)]
    return made


def test_planted_near_duplicates_are_found_in_every_script(data_dir: Path) -> None:
    """Recall and precision against the exact Jaccard similarity of planted copies."""
    chance = random.Random(1)
    originals = paragraphs(data_dir)
    copies = [edited(text, chance, chance.choice([0.005, 0.01, 0.02, 0.2])) for text in originals]
    texts = originals + copies
    found = {tuple(pair) for pair in similar(_signed(texts), np.zeros(len(texts), int), SETTINGS)}
    truth = [jaccard(*pair) for pair in zip(originals, copies, strict=True)]
    count = len(originals)
    wanted = [i for i, value in enumerate(truth) if value >= 0.8]
    hits = sum((i, i + count) in found for i in wanted)
    assert len(wanted) > 100
    assert hits / len(wanted) >= 0.95
    right = sum(jaccard(texts[a], texts[b]) >= SETTINGS.similarity - 0.1 for a, b in found)
    assert right / len(found) >= 0.95
    assert sum((i, i + count) in found for i, value in enumerate(truth) if value < 0.5) == 0


def _signed(texts: list[str]) -> np.ndarray:
    return signatures(hash_tokens(texts), SETTINGS)


def test_a_signature_estimates_the_similarity(data_dir: Path) -> None:
    chance = random.Random(2)
    originals = paragraphs(data_dir)[:200]
    copies = [edited(text, chance, 0.03) for text in originals]
    left, right = _signed(originals), _signed(copies)
    errors = (left == right).mean(axis=1) - [
        jaccard(*p) for p in zip(originals, copies, strict=True)
    ]
    assert abs(errors.mean()) < 0.01  # no bias
    assert errors.std() < 0.06  # sqrt(J (1 - J) / 126) is at most 0.045


def test_the_order_of_texts_does_not_change_clusters(data_dir: Path) -> None:
    chance = random.Random(3)
    texts = [edited(text, chance, 0.01) for text in paragraphs(data_dir)[:40] for _ in range(4)]
    order = list(range(len(texts)))
    expected = _partition(texts, order)
    assert any(len(part) > 1 for part in expected)
    for _ in range(3):
        chance.shuffle(order)
        assert _partition(texts, order) == expected


def _partition(texts: list[str], order: list[int]) -> set[frozenset[int]]:
    shuffled = [texts[i] for i in order]
    pairs = similar(_signed(shuffled), np.zeros(len(texts), int), SETTINGS)
    labels = components(len(texts), pairs)
    return {
        frozenset(order[i] for i in np.flatnonzero(labels == label)) for label in np.unique(labels)
    }


def test_groups_are_kept_apart_and_negative_ones_left_out() -> None:
    text = "one two three four five six seven eight nine ten"
    signed = _signed([text] * 5)
    found = similar(signed, np.array([0, 0, 1, 1, -1]), SETTINGS)
    assert found.tolist() == [[0, 1], [2, 3]]
    assert similar(signed[:0], np.empty(0, int), SETTINGS).shape == (0, 2)


@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=60))
def test_components_are_those_of_a_search(count: int, edges: list[tuple[int, int]]) -> None:
    edges = [(a % count, b % count) for a, b in edges]
    expected = list(range(count))
    for _ in range(count):
        for a, b in edges:
            expected[a] = expected[b] = min(expected[a], expected[b])
    made = np.array(edges, np.int64).reshape(-1, 2)
    assert components(count, made).tolist() == expected


@given(st.lists(st.integers(0, 6), max_size=20))
def test_equal_keys_are_paired_with_the_first(keys: list[int]) -> None:
    pairs = equal_pairs(np.array(keys, np.uint64))
    expected = [[keys.index(key), i] for i, key in enumerate(keys) if keys.index(key) != i]
    assert pairs.tolist() == expected


@pytest.mark.parametrize("text", ["", "one", "one two three"])
def test_short_texts_have_signatures_too(text: str) -> None:
    assert _signed([text, "other words"]).shape == (2, SETTINGS.permutations)
