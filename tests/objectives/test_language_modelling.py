"""Objectives of language modelling: by hand, against the plain form, and by their statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from interlingua.models.lookup import _BUFFER, LookupInPlace, gradient_buffer
from interlingua.objectives import token_loss as module
from interlingua.objectives.causal_lm import next_tokens
from interlingua.objectives.masked_lm import IGNORE, mask_tokens
from interlingua.objectives.span_corruption import corrupt_spans, noise_mask
from interlingua.objectives.token_loss import token_loss
from interlingua.objectives.translation import shifted_right, target_tokens
from interlingua.objectives.translation_lm import reset_positions

MASK = 4
ORDINARY = np.arange(5, 1000)


def test_loss_of_three_tokens_by_hand() -> None:
    states = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    weight = nn.Parameter(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
    bias = nn.Parameter(torch.tensor([0.0, 0.0, 1.0]))
    # logits: (1, 0, 1), (0, 2, 1), (1, 1, 1); right tokens 0, 1, 2
    e = math.e
    by_hand = -(math.log(e / (2 * e + 1)) + math.log(e**2 / (1 + e**2 + e)) + math.log(e / (3 * e)))
    found = token_loss(states, torch.tensor([0, 1, 2]), weight, bias)
    assert float(found.detach()) == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize("cap", [0.0, 3.0])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("kept", [0, 2, 6])
def test_loss_and_gradients_are_those_of_the_plain_form(
    monkeypatch: pytest.MonkeyPatch, kept: int, with_bias: bool, cap: float
) -> None:
    monkeypatch.setattr(module, "SLICE", 7)  # the last slice is short
    monkeypatch.setattr(module, "KEPT", kept * 4 * 7 * 11)  # bytes of so many slices
    torch.manual_seed(0)
    states = torch.randn(11, 8, requires_grad=True)
    weight = nn.Parameter(torch.randn(38, 8))
    bias = nn.Parameter(torch.randn(38)) if with_bias else None
    labels = torch.randint(0, 38, (11,))
    logits = nn.functional.linear(states, weight, bias)
    logits = cap * torch.tanh(logits / cap) if cap else logits
    expected = 0.3 * nn.functional.cross_entropy(logits, labels, reduction="sum")
    tensors = [t for t in (states, weight, bias) if t is not None]
    wanted = torch.autograd.grad(expected, tensors)
    for _ in range(2):  # the second time into the memory of the first
        for tensor in tensors:
            tensor.grad = None
        found = token_loss(states, labels, weight, bias, scale=0.3, cap=cap)
        found.backward()
        torch.testing.assert_close(found.detach(), expected.detach(), atol=1e-5, rtol=1e-6)
        for tensor, gradient in zip(tensors, wanted, strict=True):
            torch.testing.assert_close(tensor.grad, gradient, atol=1e-6, rtol=1e-5)
    token_loss(states, labels, weight, bias, scale=0.3, cap=cap).backward()
    torch.testing.assert_close(weight.grad, 2 * wanted[1], atol=1e-5, rtol=1e-5)


def test_no_gradient_where_none_is_wanted() -> None:
    weight = nn.Parameter(torch.randn(20, 4), requires_grad=False)
    states = torch.randn(3, 4, requires_grad=True)
    token_loss(states, torch.tensor([1, 2, 3]), weight).backward()
    assert weight.grad is None
    assert states.grad is not None
    trained = nn.Parameter(torch.randn(20, 4))
    with torch.no_grad():
        token_loss(states, torch.tensor([1, 2, 3]), trained)
    assert trained.grad is None


def test_no_tensor_is_as_wide_as_the_vocabulary() -> None:
    seen: list[int] = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            out = func(*args, **(kwargs or {}))
            for tensor in out if isinstance(out, (tuple, list)) else [out]:
                if isinstance(tensor, torch.Tensor) and tensor.ndim == 2:
                    seen.append(tensor.shape[1])
            return out

    weight = nn.Parameter(torch.randn(3 * module.SLICE, 4))
    states = torch.randn(6, 4, requires_grad=True)
    with Watch():
        token_loss(states, torch.zeros(6, dtype=torch.int64), weight).backward()
    assert max(seen) == module.SLICE


def test_lookup_in_place_has_the_gradient_of_an_embedding() -> None:
    torch.manual_seed(0)
    plain = nn.Embedding(10, 4, padding_idx=1)
    mine = nn.Parameter(plain.weight.detach().clone())
    ids = torch.tensor([[2, 2, 1], [9, 0, 2]])
    factor = torch.randn(2, 3, 4)
    (plain(ids) * factor).sum().backward()
    found = LookupInPlace.apply(mine, ids, 1)
    (found * factor).sum().backward()
    torch.testing.assert_close(found, plain(ids))
    torch.testing.assert_close(mine.grad, plain.weight.grad)


def test_a_gradient_lies_where_its_parameter_does() -> None:
    parameter = nn.Parameter(torch.ones(3, 2))
    first = gradient_buffer(parameter)
    assert gradient_buffer(parameter) is first
    setattr(parameter, _BUFFER, first.to("meta"))  # where the parameter was before
    assert gradient_buffer(parameter).device == parameter.device


def masked(seed: int, rate: float = 0.15, **given: np.ndarray) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    ids = rng.integers(5, 1000, size=(400, 50))
    choosable = np.ones(ids.shape, bool)
    choosable[:, [0, -1]] = False  # specials
    choosable[::2, 30:] = False  # padding
    ids[~choosable] = 1
    out = mask_tokens(ids, choosable, rng, rate=rate, mask_id=MASK, ordinary=ORDINARY, **given)
    return ids, choosable, *out


@pytest.mark.parametrize("rate", [0.15, 0.3])
def test_masking_has_the_shares_it_says(rate: float) -> None:
    ids, choosable, corrupted, labels = masked(0, rate)
    chosen = labels != IGNORE
    n, m = int(choosable.sum()), int(chosen.sum())
    assert abs(m / n - rate) < 4 * math.sqrt(rate * (1 - rate) / n)
    for share, hit in (
        (0.8, corrupted[chosen] == MASK),
        (0.1, corrupted[chosen] == ids[chosen]),
        (0.1, (corrupted[chosen] != MASK) & (corrupted[chosen] != ids[chosen])),
    ):
        assert abs(hit.mean() - share) < 4 * math.sqrt(share * (1 - share) / m) + 0.002


def test_masking_touches_neither_special_tokens_nor_padding() -> None:
    ids, choosable, corrupted, labels = masked(1)
    assert np.array_equal(corrupted[~choosable], ids[~choosable])
    assert (labels[~choosable] == IGNORE).all()
    chosen = labels != IGNORE
    assert np.array_equal(labels[chosen], ids[chosen])
    assert np.array_equal(corrupted[~chosen], ids[~chosen])
    new = corrupted[chosen & (corrupted != ids) & (corrupted != MASK)]
    assert set(new) <= set(ORDINARY)
    assert len(new) > 100
    assert new.min() < 30
    assert new.max() > 970  # the whole range is drawn from


def test_whole_words_are_chosen_or_not() -> None:
    starts = np.zeros((400, 50), bool)
    starts[:, 1::3] = True  # words of three pieces
    _, choosable, _, labels = masked(2, starts=starts)
    chosen = labels != IGNORE
    for row in range(400):
        for start in range(1, 49, 3):
            word = slice(start, start + 3)
            inside = chosen[row, word][choosable[row, word]]
            assert inside.all() or not inside.any()
    assert abs(chosen.sum() / choosable.sum() - 0.15) < 0.015


def test_words_do_not_reach_over_what_cannot_be_hidden() -> None:
    """Two halves of a row, a special token between them, none of which begins a word."""
    choosable = np.tile([False, True, True, False, True, True, False], (4000, 1))
    ids = np.where(choosable, 9, 1)
    rng = np.random.default_rng(0)
    given = {"rate": 0.5, "mask_id": MASK, "ordinary": ORDINARY, "starts": np.zeros_like(choosable)}
    _, labels = mask_tokens(ids, choosable, rng, **given)
    chosen = labels != IGNORE
    left, right = chosen[:, 1], chosen[:, 4]
    assert np.array_equal(left, chosen[:, 2])
    assert np.array_equal(right, chosen[:, 5])
    assert 0.45 < (left == right).mean() < 0.55


def test_next_tokens_by_hand() -> None:
    ids = np.array([[0, 5, 6, 2], [0, 7, 2, 1]])
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])
    assert next_tokens(ids, mask).tolist() == [[5, 6, 2, IGNORE], [7, 2, IGNORE, IGNORE]]


def test_translation_asks_for_the_target_alone() -> None:
    ids = np.array([[0, 5, 2, 6, 7, 2], [0, 8, 9, 2, 3, 1]])
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0]])
    labels = target_tokens(next_tokens(ids, mask), np.array([3, 4]))
    assert labels.tolist() == [
        [IGNORE, IGNORE, 6, 7, 2, IGNORE],
        [IGNORE, IGNORE, IGNORE, 3, IGNORE, IGNORE],
    ]
    assert shifted_right(np.array([[6, 7, 2, 8], [3, 2, IGNORE, IGNORE]]), 1).tolist() == [
        [1, 6, 7, 2],
        [1, 3, 2, 1],
    ]


def test_positions_start_again() -> None:
    mask = np.array([[1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0]])
    found = reset_positions(np.array([3, 6]), mask, first=0)
    assert found.tolist() == [[0, 1, 2, 0, 1, 0], [0, 1, 2, 0, 0, 0]]
    found = reset_positions(np.array([3, 6]), mask, first=1)
    assert found.tolist() == [[0, 1, 2, 1, 2, 0], [0, 1, 2, 0, 0, 0]]


@settings(max_examples=60, deadline=None)
@given(length=st.integers(2, 300), rate=st.floats(0.05, 0.6), seed=st.integers(0, 99))
def test_spans_are_cut_out_and_can_be_put_back(length: int, rate: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.integers(200, 900, size=length)
    hidden = noise_mask(length, rng, rate=rate)
    assert hidden.sum() == min(max(round(length * rate), 1), length - 1)
    assert not hidden[0]
    sentinels = np.arange(1999, 1799, -1)
    inputs, targets = corrupt_spans(ids, hidden, sentinels, 2)
    spans = int((hidden[1:] & ~hidden[:-1]).sum())
    assert inputs[-1] == targets[-1] == 2
    assert targets[-2] == sentinels[spans]
    pieces: dict[int, list[int]] = {}
    for token in targets[:-2]:
        if token in sentinels:
            pieces[int(token)] = []
            last = int(token)
        else:
            pieces[last].append(int(token))
    back = [x for token in inputs[:-1] for x in pieces.get(int(token), [int(token)])]
    assert back == ids.tolist()


def test_spans_have_the_mean_length() -> None:
    rng = np.random.default_rng(0)
    masks = [noise_mask(200, rng) for _ in range(300)]
    spans = sum(int((m[1:] & ~m[:-1]).sum()) for m in masks)
    assert sum(m.sum() for m in masks) / spans == pytest.approx(3.0, abs=0.01)
    # every place is as likely, but for the edges
    shares = np.mean(masks, axis=0)
    assert shares[20:180].std() < 0.03


def test_too_many_spans_are_refused() -> None:
    hidden = np.array([False, True, False, True])
    with pytest.raises(ValueError, match="2 spans need 3 sentinels"):
        corrupt_spans(np.arange(4), hidden, np.array([9, 8]), 2)
