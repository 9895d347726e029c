"""Cross-entropy against values worked out by hand and against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from interlingua.objectives.cross_entropy import cross_entropy

Z, Y = torch.tensor([[2.0, 0.0]]), torch.tensor([0])


def test_values_by_hand() -> None:
    assert float(cross_entropy(Z, Y)) == pytest.approx(0.126928, abs=1e-6)
    weights = torch.tensor([3.0, 1.0])
    found = float(cross_entropy(Z, Y, weights=weights, smoothing=0.2))
    assert found == pytest.approx(3 * (0.9 * 0.126928 + 0.1 * 2.126928), abs=1e-5)


def test_the_definition() -> None:
    rng = np.random.default_rng(0)
    z, y, w, e = rng.normal(size=(9, 4)), rng.integers(0, 4, size=9), rng.random(4), 0.1
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    q = np.full((9, 4), e / 4)
    q[np.arange(9), y] += 1 - e
    expected = (-w[y] * (q * log_p).sum(axis=1)).mean()
    found = cross_entropy(
        torch.tensor(z), torch.tensor(y), weights=torch.tensor(w).float(), smoothing=e
    )
    assert float(found) == pytest.approx(expected, abs=1e-5)


def test_bfloat16_logits_are_computed_in_float32() -> None:
    assert cross_entropy(Z.bfloat16(), Y).dtype == torch.float32
