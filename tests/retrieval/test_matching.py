"""Matching words: BERTScore by hand and written out again, and in mining."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from interlingua.models.encoder import load_encoder
from interlingua.models.folder import open_model
from interlingua.retrieval.matching import WordMatch, match, rarity
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
    assert match(table, source, target) == pytest.approx((there + back) / 2)
    assert match(table[:, :0], source, target[:0]) == 0.0


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


def test_pairs_of_a_model(toy_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlingua.inference.hardware.bfloat16_is_native", lambda _: False)
    expected = written_out(toy_model)
    words = WordMatch(open_model(toy_model), SOURCES, TARGETS)
    rows, columns = np.nonzero(np.ones_like(expected))
    order = np.random.default_rng(0).permutation(len(rows))
    found = words(rows[order], columns[order])
    assert found == pytest.approx(expected.ravel()[order], abs=2e-3)  # states rest in 16 bits
    assert found.dtype == np.float32
    assert words(rows[:0], columns[:0]).shape == (0,)
    assert expected.argmax(axis=1).tolist()[1:3] == [2, 1]


def test_native_bfloat16_tells_the_same(toy_model: Path) -> None:
    words = WordMatch(open_model(toy_model), SOURCES, SOURCES)
    same = words(np.arange(4), np.arange(4))
    assert same[:3] == pytest.approx(1, abs=0.01) and same[3] == 0
