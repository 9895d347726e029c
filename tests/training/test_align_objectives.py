"""What pairs choose among, against one number at a time: the parent's texts and hard negatives."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from interlingua.base.config import make
from interlingua.base.errors import DataError
from interlingua.training.align.data import ParentVectors
from interlingua.training.align.objectives import PairObjective
from interlingua.training.align.settings import ContrastSettings

WIDTH, PAIRS, TEXTS = 6, 8, 20


class Parent:
    """Vectors by number: those of the pairs' second sides, and of other texts."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.numbers = np.arange(100, 100 + TEXTS)
        self.vectors = rng.normal(size=(TEXTS, WIDTH)).astype(np.float32)
        self.own = np.arange(TEXTS)
        self.vectors[11] = 3 * self.vectors[2]  # the same place as the second side of pair 2

    def of(self, numbers: Any) -> Any:
        return self.vectors[np.searchsorted(self.numbers, numbers)]

    def drawn(self, count: int, rng: np.random.Generator) -> Any:
        return ParentVectors.drawn(cast("ParentVectors", self), count, rng)


def fake_rows(*, anchored: bool = True, negatives: bool = True) -> Any:
    """Pairs whose texts are their numbers; even ones have two hard negatives."""
    numbers = np.array([[i, 100 + (i if i != 5 else 3)] for i in range(PAIRS)])  # 3 and 5 share one

    def drawn(row: int, count: int, rng: np.random.Generator) -> list[Any]:
        found = [(number, np.array([number])) for number in (50 + row, 70 + row)]
        found = found if row % 2 == 0 else []
        return [found[i] for i in rng.permutation(len(found))[:count]]

    return SimpleNamespace(
        anchored=np.full(PAIRS, anchored),
        numbers=numbers,
        ids=lambda row, side: numbers[row, side : side + 1],
        negatives=negatives or None,
        drawn_negatives=drawn,
    )


def objective(rows: Any, **settings: Any) -> PairObjective:
    given = make(ContrastSettings, {"kind": "infonce", "temperature": 0.3, **settings})
    made = PairObjective(given, cast("Any", nn.Linear(2, 2)), rows, width=WIDTH, apart=False)
    made.parent = cast("ParentVectors", Parent())
    return made


@pytest.mark.parametrize("ceiling", [None, 0.5])
@pytest.mark.parametrize(("bank", "hard"), [(0, 2), (TEXTS, 0), (TEXTS, 1), (7, 2)])
def test_every_candidate_counts_once(bank: int, hard: int, ceiling: float | None) -> None:
    """The batch, texts of the parent that are not the right one, negatives of all pairs."""
    more: dict[str, Any] = {"anchor_negatives": bank, "hard_negatives": hard}
    if ceiling:
        more["false_negatives"] = {"rule": "parent", "value": ceiling}
    made = objective(fake_rows(), **more)
    asked = made.ask(np.arange(PAIRS), np.random.default_rng(1))
    assert asked.texts[1] == [None] * PAIRS
    vectors = [torch.randn(PAIRS, WIDTH, generator=torch.Generator().manual_seed(3))]
    assert asked.known[1] is not None
    vectors.append(asked.known[1])
    texts = {}
    for side in asked.texts[2:]:
        drawn = torch.randn(PAIRS, WIDTH, generator=torch.Generator().manual_seed(len(vectors)))
        vectors.append(drawn)
        for place, text in enumerate(side):
            if text is not None:
                texts[place, len(vectors)] = drawn[place].double()
    assert len(texts) == hard * PAIRS / 2
    right = vectors[1].double()
    banked = asked.facts["bank"].double() if bank else torch.zeros(0, WIDTH).double()
    names = asked.facts["bank_numbers"].tolist() if bank else []
    assert len(names) == min(bank, TEXTS)

    def cosine(a: Any, b: Any) -> float:
        return float(a.double() @ b.double() / a.double().norm() / b.double().norm())

    def likely(i: int, other: Any) -> bool:
        return ceiling is not None and cosine(right[i], other) > ceiling

    total = 0.0
    of = fake_rows().numbers
    for i in range(PAIRS):
        for queries, among in ((vectors[0], right), (right, vectors[0])):
            candidates = [among[i]]
            candidates += [
                among[j]
                for j in range(PAIRS)
                if j != i and of[j, 1] != of[i, 1] and not likely(i, right[j])
            ]
            if queries is vectors[0]:
                candidates += [
                    other
                    for name, other in zip(names, banked, strict=True)
                    if name != of[i, 1] and not likely(i, other)
                ]
            candidates += list(texts.values())
            scores = [math.exp(cosine(queries[i], other) / 0.3) for other in candidates]
            total -= math.log(scores[0] / sum(scores)) / (2 * PAIRS)
    assert float(made.loss(vectors, asked, [])) == pytest.approx(total, abs=1e-5)


def test_a_hard_negative_that_is_the_right_answer_is_none() -> None:
    rows = fake_rows()
    rows.drawn_negatives = lambda row, count, rng: [(4, rows.ids(4, 0))] if row == 0 else []
    made = objective(rows, hard_negatives=1)
    asked = made.ask(np.arange(PAIRS), np.random.default_rng(0))
    further = made._further([torch.ones(PAIRS, WIDTH)] * 3, asked, WIDTH)[0]
    assert further is not None
    assert further.ignored is not None
    allowed = (~further.ignored).nonzero().tolist()
    assert allowed == [[row, 0] for row in range(PAIRS) if row != 4]


def test_distilling_is_the_squared_distance_to_the_parents_place() -> None:
    made = objective(fake_rows(), kind="distill")
    asked = made.ask(np.arange(PAIRS), np.random.default_rng(0))
    assert asked.known[1] is not None
    known = asked.known[1]
    assert float(made.loss([known * 2, known], asked, [])) == pytest.approx(0, abs=1e-6)
    assert float(made.loss([-known, known], asked, [])) == pytest.approx(4, abs=1e-5)


@pytest.mark.parametrize("changes", [{}, {"kind": "xcl", "queue": 4}])
def test_the_distance_of_translations_is_added(changes: dict[str, Any]) -> None:
    """Of unit vectors |x - y|^2 = 2 - 2 cos(x, y)."""
    plain = objective(fake_rows(), temperature=0.3, **changes)
    drawn = objective(fake_rows(), temperature=0.3, distance_weight=7, **changes)
    asked = plain.ask(np.arange(PAIRS), np.random.default_rng(0))
    vectors = list(torch.randn(2, PAIRS, WIDTH, generator=torch.Generator().manual_seed(1)))
    keys = [vector + 0.1 for vector in vectors] if changes else []
    unit = [nn.functional.normalize(vector, dim=1) for vector in vectors]
    gaps = 2 - 2 * (unit[0] * unit[1]).sum(dim=1)
    added = drawn.loss(vectors, asked, keys) - plain.loss(vectors, asked, keys)
    assert float(added) == pytest.approx(7 * float(gaps.mean()), abs=1e-4)


def test_what_the_rows_do_not_have_is_told() -> None:
    with pytest.raises(DataError, match="no pair has negatives"):
        objective(fake_rows(negatives=False), hard_negatives=1)
    with pytest.raises(DataError, match=r"training\.anchor"):
        objective(fake_rows(anchored=False), kind="distill")
