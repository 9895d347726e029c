"""Dropout with chances of 16 bits against what it says of itself and against torch's."""

from __future__ import annotations

import pytest
import torch

from interlingua.training.dropout import QuickDropout, kept

TYPES = (torch.float32, torch.bfloat16)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", TYPES)
def test_a_share_is_zero_and_the_rest_is_scaled_as_by_torch(
    share: float, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    ones = torch.ones(401, 7, 101, dtype=dtype)
    found = QuickDropout(share)(ones)
    zero = (found == 0).float()
    spread = (share * (1 - share) / ones.numel()) ** 0.5
    assert abs(zero.mean().item() - share) < 5 * spread + 2**-16
    for line in (zero.mean(dim=(1, 2)), zero.mean(dim=(0, 2)), zero.mean(dim=(0, 1))):
        each = (share * (1 - share) * len(line) / ones.numel()) ** 0.5
        assert (line - share).abs().max() < 6 * each
    theirs = torch.nn.Dropout(share)(ones)
    assert set(found.unique().tolist()) == set(theirs.unique().tolist())


@pytest.mark.parametrize("dtype", TYPES)
def test_the_gradient_goes_where_the_value_went(dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    x = torch.randn(3, 5, 7, dtype=dtype).requires_grad_()
    y = QuickDropout(0.3)(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(y, x * x.grad)
    assert set(x.grad.unique().tolist()) == {0.0, torch.tensor(1 / 0.7, dtype=dtype).item()}


def test_torch_s_seed_tells_what_is_dropped() -> None:
    drawn = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        drawn.append((kept(torch.ones(99), 0.5), kept(torch.ones(99), 0.5)))
    assert torch.equal(drawn[0][0], drawn[1][0]) and torch.equal(drawn[0][1], drawn[1][1])
    assert not torch.equal(drawn[0][0], drawn[0][1])
    assert not torch.equal(drawn[0][0], drawn[2][0])


def test_nothing_is_dropped_where_nothing_is_learned() -> None:
    x = torch.randn(4, 4)
    assert QuickDropout(0.5).eval()(x) is x
    assert torch.equal(QuickDropout(0.0)(x), x)
    assert torch.equal(QuickDropout(1.0)(x), torch.zeros(4, 4))
