"""Matching words: BERTScore by hand and written out again, and in mining."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from interlingua.base.errors import UsageError
from interlingua.models.encoder import load_encoder
from interlingua.models.folder import open_model
from interlingua.retrieval.matching import WordMatch, bert_score, rarity
from interlingua.retrieval.states import layer_of

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = ["Der Zug nach Hamburg fährt heute", "Es regnet", "Brot und Butter", ""]
TARGETS = ["Heute fährt der Zug nach Bremen", "Butter und Brot", "Es regnet"]


def test_by_hand() -> None:
    table = np.array([[0.9, 0.1, 0.3], [0.2, 0.5, 0.4]], dtype=np.float32)
    source, target = np.array([1, 3], np.float32), np.array([1, 1, 2], np.float32)
    there = (0.9 + 3 * 0.5) / 4
    back = (0.9 + 0.5 + 2 * 0.4) / 4
    assert bert_score(table, source, target) == pytest.approx((there + back) / 2)
    assert bert_score(table[:, :0], source, target[:0]) == 0.0


def test_rare_subwords_weigh_more_and_none_weighs_nothing() -> None:
    weights = rarity([np.array([5, 7, 5]), np.array([5]), np.array([], dtype=np.int64)])
    assert weights[0] == pytest.approx([np.log(4 / 2), np.log(4 / 1), np.log(4 / 2)])
    assert weights[1] == pytest.approx([np.log(2)])
    assert len(weights[2]) == 0
    assert (rarity([np.array([1])])[0] > 0).all()


def written_out(folder: Path) -> np.ndarray:
    """BERTScore's equations over the model's own hidden states, every text by itself."""
    opened = open_model(folder)
    model, tokenizer = load_encoder(opened), opened.tokenizer()

    def side(texts: list[str]) -> list[list[tuple[int, torch.Tensor]]]:
        found = []
        for text in texts:
            encoding = tokenizer.encode(text)
            with torch.inference_mode():
                states = model(torch.tensor([encoding.ids]), output_hidden_states=True)
            row = states.hidden_states[layer_of(opened)][0].float()
            marks = zip(encoding.ids, row, encoding.special_tokens_mask, strict=True)
            found.append([(token, state) for token, state, mark in marks if not mark])
        return found

    def weight(token: int, texts: list[list[tuple[int, torch.Tensor]]]) -> float:
        within = sum(any(token == other for other, _ in text) for text in texts)
        return float(np.log((len(texts) + 1) / within))

    def one_way(a: list, b: list, of: list) -> float:
        total = whole = 0.0
        for token, state in a:
            best = max(float(torch.cosine_similarity(state, other, dim=0)) for _, other in b)
            total += weight(token, of) * best
            whole += weight(token, of)
        return total / whole

    sources, targets = side(SOURCES), side(TARGETS)
    return np.array(
        [
            [
                (one_way(a, b, sources) + one_way(b, a, targets)) / 2 if a and b else 0.0
                for b in targets
            ]
            for a in sources
        ]
    )


def test_pairs_of_a_model(toy_model: Path) -> None:
    expected = written_out(toy_model)
    words = WordMatch(open_model(toy_model), SOURCES, TARGETS, exact=True)
    rows, columns = np.nonzero(np.ones_like(expected))
    order = np.random.default_rng(0).permutation(len(rows))
    found = words(rows[order], columns[order])
    assert found == pytest.approx(expected.ravel()[order], abs=2e-3)  # states rest in 16 bits
    assert found.dtype == np.float32
    assert words(rows[:0], columns[:0]).shape == (0,)
    assert expected.argmax(axis=1).tolist()[1:3] == [2, 1]


def test_companions_change_nothing_where_it_is_to_be_exact(toy_model: Path) -> None:
    folder = open_model(toy_model)
    all_, place = np.nonzero(np.ones((4, 3)))
    found = WordMatch(folder, SOURCES, TARGETS, exact=True)(all_, place)
    longer = [*SOURCES[:-1], 40 * "Zug "]  # in place of the empty text: the rarity changes a bit
    other = WordMatch(folder, longer, TARGETS, exact=True)
    plain = WordMatch(folder, SOURCES, TARGETS)
    for row in range(3):
        states = other._sides[0].states(row)
        assert (states == WordMatch(folder, SOURCES, [], exact=True)._sides[0].states(row)).all()
    assert plain(all_, place) == pytest.approx(found, abs=0.02)  # bfloat16, where it is native


def test_no_text_breaks_it(toy_model: Path) -> None:
    words = WordMatch(open_model(toy_model), ["\ud800 x", "a" * 1_000_000, ""], ["\ufffd x", ""])
    found = words(np.array([0, 1, 2, 2]), np.array([0, 0, 0, 1]))
    assert found[0] == pytest.approx(1, abs=0.01)
    assert found[2] == found[3] == 0


def test_the_layer_of_words() -> None:
    def of(depth: int | None, layer: int | None = None) -> int:
        return layer_of(SimpleNamespace(depth=depth, path="m"), layer)  # type: ignore[arg-type]

    assert [of(12), of(24), of(6), of(2), of(None)] == [7, 14, 4, 1, 7]
    assert of(12, 0) == 0
    with pytest.raises(UsageError, match="m has 12 layers"):
        of(12, 13)
